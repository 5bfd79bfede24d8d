"""One set of keys is exchanged for another in a single step, whatever is killed and whenever."""

import multiprocessing
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from platemark.errors import KeyUnavailable, PlatemarkError
from platemark.homes.home import open_home, utc_now
from platemark.homes.key_folder import (
    INCOMING,
    PENDING_KEY,
    SIGNING_CHAIN,
    SIGNING_KEY,
    exchange,
    finish_exchange,
    own_roots,
    pending_key,
    retired_sets,
)
from platemark_provenance.keys import load_claim_signer, write_private_file
from platemark_provenance.pki import IssuedLeaf, issue_leaf

STEPS = ("fsync", "mkdir", "rename", "replace", "rmdir", "open")


@pytest.fixture
def keys(home_path: Path) -> Path:
    """The key folder of a fresh home."""
    return home_path / "keys"


@pytest.fixture
def leaf(keys: Path) -> IssuedLeaf:
    """The next leaf of that home."""
    now: datetime = utc_now()
    intermediate, key = (keys / "intermediate.pem").read_bytes(), (keys / "intermediate.key").read_bytes()
    return issue_leaf(intermediate, key, organisation="Daily Example", now=now)


def files(leaf: IssuedLeaf) -> dict[str, bytes]:
    return {SIGNING_CHAIN: leaf.chain_pem, SIGNING_KEY: leaf.key_pem}


def nothing() -> None:
    """Record nothing."""


def die_at(step: int, act: Callable[[], object]) -> None:
    """Do something in this process, which ends without a word at the given call into the file system."""
    left = [step]

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            left[0] -= 1
            return os._exit(9) if left[0] == 0 else real(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, dying(getattr(os, name)))
    act()
    os._exit(0)


def killed_at(step: int, act: Callable[[], object]) -> int | None:
    worker = multiprocessing.get_context("fork").Process(target=die_at, args=(step, act))
    worker.start()
    worker.join(30)
    return worker.exitcode


def test_the_new_set_is_in_force_and_the_old_one_kept(keys: Path, leaf: IssuedLeaf) -> None:
    before = {name: (keys / name).read_bytes() for name in (SIGNING_CHAIN, SIGNING_KEY)}

    kept = exchange(keys, files(leaf), retire_as="first", record=nothing)

    assert {name: (keys / name).read_bytes() for name in before} == files(leaf)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert retired_sets(keys) == (kept,)
    assert not (keys / INCOMING).exists()


def test_every_private_file_stays_the_owners_alone(keys: Path, leaf: IssuedLeaf) -> None:
    kept = exchange(keys, files(leaf), retire_as="first", record=nothing)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (keys / SIGNING_KEY, kept / SIGNING_KEY)}
    assert modes == {0o600}
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("step", range(1, 41))
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_anywhere_the_folder_holds_one_whole_set(keys: Path, leaf: IssuedLeaf, step: int) -> None:
    before = (keys / SIGNING_KEY).read_bytes()

    code = killed_at(step, lambda: exchange(keys, files(leaf), retire_as="first", record=nothing))
    finish_exchange(keys)

    signer = load_claim_signer(keys / SIGNING_KEY, keys / SIGNING_CHAIN)
    assert code in (0, 9)
    assert (keys / SIGNING_KEY).read_bytes() in (before, leaf.key_pem)
    assert signer.alg == "es256"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_kill_the_same_exchange_can_be_done_again(keys: Path, leaf: IssuedLeaf) -> None:
    killed_at(12, lambda: exchange(keys, files(leaf), retire_as="first", record=nothing))

    exchange(keys, files(leaf), retire_as="second", record=nothing)

    assert (keys / SIGNING_KEY).read_bytes() == leaf.key_pem


def test_opening_a_home_finishes_what_was_interrupted(home_path: Path, keys: Path, leaf: IssuedLeaf) -> None:
    (keys / INCOMING).mkdir()
    write_private_file(keys / INCOMING / SIGNING_KEY, leaf.key_pem)
    (keys / SIGNING_CHAIN).write_bytes(leaf.chain_pem)  # one of the two had been moved when it was killed

    signer = open_home(home_path).claim_signer()

    assert signer.chain_pem == leaf.chain_pem
    assert not (keys / INCOMING).exists()


def test_a_running_program_finishes_it_before_it_signs(home_path: Path, keys: Path, leaf: IssuedLeaf) -> None:
    home = open_home(home_path)
    (keys / INCOMING).mkdir()
    write_private_file(keys / INCOMING / SIGNING_KEY, leaf.key_pem)
    (keys / INCOMING / SIGNING_CHAIN).write_bytes(leaf.chain_pem)

    assert home.claim_signer().chain_pem == leaf.chain_pem


def test_what_cannot_be_written_down_does_not_happen(keys: Path, leaf: IssuedLeaf) -> None:
    before = {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}

    def refuse() -> None:
        raise PlatemarkError("the ledger is gone")

    with pytest.raises(PlatemarkError, match="ledger is gone"):
        exchange(keys, files(leaf), retire_as="first", record=refuse)

    assert {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()} == before
    assert retired_sets(keys) == ()


def test_a_full_disk_leaves_the_old_set_in_force(keys: Path, leaf: IssuedLeaf, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (keys / SIGNING_CHAIN).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(KeyUnavailable, match="No space left"):
        exchange(keys, files(leaf), retire_as="first", record=nothing)

    assert (keys / SIGNING_CHAIN).read_bytes() == before


def test_two_exchanges_at_once_happen_one_after_the_other(keys: Path, leaf: IssuedLeaf) -> None:
    order: list[str] = []
    worker = multiprocessing.get_context("fork").Process(
        target=exchange, args=(keys, files(leaf)), kwargs={"retire_as": "second", "record": nothing}
    )

    def record() -> None:
        worker.start()
        worker.join(0.3)
        order.append("still waiting" if worker.is_alive() else "went in between")

    exchange(keys, files(leaf), retire_as="first", record=record)
    worker.join(30)

    assert (order, worker.exitcode) == (["still waiting"], 0)
    assert [each.name for each in retired_sets(keys)] == ["second", "first"]


def test_the_root_in_force_comes_first_among_the_roots(keys: Path) -> None:
    (keys / "retired" / "old").mkdir(parents=True)
    (keys / "retired" / "old" / "root.pem").write_bytes(b"old root")

    assert own_roots(keys) == (keys / "root.pem", keys / "retired" / "old" / "root.pem")


def test_a_key_that_came_into_force_no_longer_waits(keys: Path) -> None:
    write_private_file(keys / PENDING_KEY, (keys / SIGNING_KEY).read_bytes())

    assert pending_key(keys) is None
    assert not (keys / PENDING_KEY).exists()


def test_a_folder_that_is_gone_is_said_to_be_unusable(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="No such file"):
        exchange(tmp_path / "keys", {}, retire_as="first", record=nothing)
