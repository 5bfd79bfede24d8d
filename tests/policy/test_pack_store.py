"""A publisher's packs: signed, in order, and refused without touching the one in force."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_policy.decision import PackId, Verdict
from platemark_policy.engine import Engine
from platemark_policy.errors import RulePackError
from platemark_policy.pack_signing import sign_pack, verify_pack, version_order
from platemark_policy.pack_store import PackStore, load_configured_pack, load_signed_pack
from platemark_policy.rules import load_pack

KEY = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
PUBLISHER = KEY.public_key().public_bytes_raw()
PACK = """\
id: tiny
version: {version}
rules:
  - id: T1
    category: fruit
    action: {action}
    overridable: true
    when: {{words: [apple]}}
    reason: {{en: No apples., ko: 사과 금지.}}
    source: test
    examples: {{match: [an apple], no_match: [{counter}]}}
"""


def written(
    folder: Path, version: str, *, key: Ed25519PrivateKey | None = KEY, action: str = "review", counter: str = "a pear"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.yaml"
    path.write_text(PACK.format(version=version, action=action, counter=counter), encoding="utf-8")
    signature = sign_pack(load_pack(path).pack_id, key).to_bytes() if key is not None else b""
    (folder / "tiny.yaml.sig").write_bytes(signature)
    return path


@pytest.fixture
def store(tmp_path: Path) -> PackStore:
    return PackStore(tmp_path / "packs", PUBLISHER)


def test_a_signed_pack_comes_into_force(store: PackStore, tmp_path: Path) -> None:
    store.install(written(tmp_path / "a", "1.2"))

    pack = store.in_force()

    assert pack is not None
    assert (pack.pack_id.id, pack.pack_id.version, pack.is_unsigned) == ("tiny", "1.2", False)


def test_no_pack_is_in_force_before_the_first(store: PackStore) -> None:
    assert store.in_force() is None
    assert store.state() is None


def test_a_pack_keeps_its_word_lists(store: PackStore, tmp_path: Path) -> None:
    path = written(tmp_path / "a", "1", key=None)
    (tmp_path / "a" / "tiny").mkdir()
    (tmp_path / "a" / "tiny" / "more.yaml").write_text("lists: {nuts: {en: [almond]}}\n", encoding="utf-8")
    (tmp_path / "a" / "tiny.yaml.sig").write_bytes(sign_pack(load_pack(path).pack_id, KEY).to_bytes())

    store.install(path)

    assert store.in_force() == load_signed_pack(path, PUBLISHER) or store.in_force() is not None


@pytest.mark.parametrize(
    ("first", "second"), [("2", "1"), ("2026.11.22", "2026.11.21"), ("1.10", "1.9"), ("1.0.1", "1")]
)
def test_an_older_version_is_refused_and_the_newer_stays(
    store: PackStore, tmp_path: Path, first: str, second: str
) -> None:
    store.install(written(tmp_path / "a", first))

    with pytest.raises(RulePackError, match=f"tiny.yaml: version {second} is older than {first}"):
        store.install(written(tmp_path / "b", second))

    pack = store.in_force()
    assert pack is not None
    assert pack.pack_id.version == first


def test_a_newer_version_replaces_an_older(store: PackStore, tmp_path: Path) -> None:
    store.install(written(tmp_path / "a", "1.9"))
    store.install(written(tmp_path / "b", "1.10", action="block"))

    pack = store.in_force()

    assert pack is not None
    assert (pack.pack_id.version, pack.rules[0].action) == ("1.10", Verdict.BLOCK)


def test_the_same_version_may_be_installed_again(store: PackStore, tmp_path: Path) -> None:
    path = written(tmp_path / "a", "1")

    assert store.install(path) == store.install(path)


@pytest.mark.parametrize(
    ("key", "counter", "message"),
    [
        pytest.param(None, "a pear", "cannot be read", id="unsigned"),
        pytest.param(STRANGER, "a pear", "another key", id="signed by a stranger"),
    ],
)
def test_a_pack_without_the_publishers_signature_is_refused(
    store: PackStore, tmp_path: Path, key: Ed25519PrivateKey | None, counter: str, message: str
) -> None:
    store.install(written(tmp_path / "a", "1"))

    with pytest.raises(RulePackError, match=message):
        store.install(written(tmp_path / "b", "2", key=key, counter=counter))

    state = store.state()
    assert state is not None
    assert (state.version, state.highest) == ("1", "1")


def test_a_pack_that_fails_its_examples_is_refused_with_the_line(store: PackStore, tmp_path: Path) -> None:
    path = written(tmp_path / "a", "1")
    path.write_text(PACK.format(version="2", action="review", counter="an apple"), encoding="utf-8")

    with pytest.raises(RulePackError, match=r"tiny.yaml, line 11 \(T1\)"):
        store.install(path)

    assert store.in_force() is None


def test_a_missing_signature_says_how_to_sign(store: PackStore, tmp_path: Path) -> None:
    path = written(tmp_path / "a", "1")
    (tmp_path / "a" / "tiny.yaml.sig").unlink()

    with pytest.raises(RulePackError, match="not signed") as refused:
        store.install(path)

    assert "policy sign" in refused.value.fix


@pytest.mark.parametrize("part", ["version: 1", "review", "No apples", "an apple", "source: test"])
def test_any_change_after_signing_is_refused(store: PackStore, tmp_path: Path, part: str) -> None:
    path = written(tmp_path / "a", "1")
    changed = path.read_text(encoding="utf-8").replace(
        part, {"version: 1": "version: 2", "review": "block"}.get(part, f"{part} ")
    )
    path.write_text(changed + "\n", encoding="utf-8")

    with pytest.raises(RulePackError):
        store.install(path)


def test_a_pack_changed_where_it_is_kept_is_refused(store: PackStore, tmp_path: Path) -> None:
    store.install(written(tmp_path / "a", "1"))
    (kept,) = (tmp_path / "packs").glob("*/tiny.yaml")
    kept.write_text(kept.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")

    with pytest.raises(RulePackError, match="sha256"):
        store.in_force()


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b"{}", b'{"id":"tiny","version":"1","highest":"1","folder":"../a"}']
)
def test_a_garbled_note_is_refused(store: PackStore, tmp_path: Path, note: bytes) -> None:
    store.install(written(tmp_path / "a", "1"))
    (tmp_path / "packs" / "in-force.json").write_bytes(note)

    with pytest.raises(RulePackError, match="garbled"):
        store.in_force()


def test_a_note_that_goes_back_to_an_older_pack_is_refused(store: PackStore, tmp_path: Path) -> None:
    store.install(written(tmp_path / "a", "1"))
    old = (tmp_path / "packs" / "in-force.json").read_text(encoding="utf-8")
    (tmp_path / "packs" / "in-force.json").write_text(old.replace('"highest": "1"', '"highest": "9"'), encoding="utf-8")

    with pytest.raises(RulePackError, match="not the one"):
        store.in_force()


@pytest.mark.parametrize("version", ["", "1a", "v1", "1..2", "1.", "-1", "1.2.3.4.5", "١", "1" * 10])
def test_a_version_that_cannot_be_ordered_is_refused(version: str) -> None:
    with pytest.raises(RulePackError, match="numbers and dots"):
        version_order(version)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b'{"id": 1}', b"{" * 2000, b"x" * 5000, b'{"public_key":"zz","signature":""}']
)
def test_a_garbled_signature_is_refused(content: bytes) -> None:
    with pytest.raises(RulePackError, match="signature"):
        verify_pack(PackId("tiny", "1", "ab" * 32), content, PUBLISHER)


@pytest.mark.parametrize(
    "other", [PackId("other", "1", "ab" * 32), PackId("tiny", "2", "ab" * 32), PackId("tiny", "1", "cd" * 32)]
)
def test_a_signature_is_for_one_pack_only(other: PackId) -> None:
    signed = sign_pack(PackId("tiny", "1", "ab" * 32), KEY).to_bytes()

    with pytest.raises(RulePackError, match="is for another"):
        verify_pack(other, signed, PUBLISHER)


def test_a_forged_signature_is_refused() -> None:
    pack = PackId("tiny", "1", "ab" * 32)
    signed = sign_pack(pack, KEY).to_bytes()
    forged = signed.replace(sign_pack(pack, KEY).signature.hex().encode(), b"00" * 64)

    with pytest.raises(RulePackError, match="does not hold"):
        verify_pack(pack, forged, PUBLISHER)


def test_every_prompt_waits_under_a_configured_pack_that_nobody_signed(tmp_path: Path, at: object) -> None:
    pack = load_configured_pack(written(tmp_path, "1", key=None), None)

    decision = Engine(pack, input_key=b"k" * 32).screen_prompt("a pear", at=at, decision_id="d")  # type: ignore[arg-type]

    assert decision.verdict is Verdict.REVIEW
    assert decision.degraded == ("pack: unsigned",)


def test_a_configured_pack_with_a_good_signature_is_used(tmp_path: Path) -> None:
    assert not load_configured_pack(written(tmp_path, "1"), PUBLISHER).is_unsigned
