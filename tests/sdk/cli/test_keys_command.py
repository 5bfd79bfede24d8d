"""`platemark keys` as a platform engineer meets it, from the first day to the installed certificate."""

import json
from pathlib import Path

import pytest
from cli_session import Run
from cryptography import x509

from platemark.homes.home import utc_now
from platemark_provenance.pki import Subject, certify, create_development_pki


def test_a_home_is_made_with_keys_for_the_algorithm_that_was_asked_for(run: Run, tmp_path: Path) -> None:
    ended = run("keys", "init", "--home", tmp_path / "new", "--org", "Daily Example", "--algorithm", "es384", "--json")

    assert (ended.code, ended.object["created"], ended.object["certificate"]["alg"]) == (0, True, "es384")
    assert run("keys", "lint", "--home", tmp_path / "new").code == 0


def test_making_keys_again_changes_nothing(run: Run, home_path: Path) -> None:
    before = (home_path / "keys" / "signing.key").read_bytes()

    ended = run("keys", "init", "--home", home_path)

    assert (ended.code, "nothing was changed" in ended.out) == (0, True)
    assert (home_path / "keys" / "signing.key").read_bytes() == before


def test_keys_of_another_algorithm_are_not_replaced_by_init(run: Run, home_path: Path) -> None:
    ended = run("keys", "init", "--home", home_path, "--algorithm", "ps256")

    assert ended.code == 2
    assert "keys rotate --algorithm ps256" in ended.err


def test_an_unknown_algorithm_makes_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("keys", "init", "--home", tmp_path / "new", "--algorithm", "rs256")

    assert (ended.code, (tmp_path / "new").exists()) == (1, False)


def test_the_status_is_one_object_and_a_table(run: Run, home_path: Path) -> None:
    for_programs = run("keys", "status", "--home", home_path, "--json")
    for_people = run("keys", "status", "--home", home_path)

    signing = for_programs.object["keys"][0]
    assert (for_programs.code, for_programs.object["ok"]) == (0, True)
    assert (signing["name"], signing["state"], signing["alg"], signing["days_left"]) == (
        "claim signing", "ok", "es256", 364,
    )  # fmt: skip
    assert "CN=Daily Example claim signer" in for_people.out


def test_a_key_that_cannot_be_used_ends_with_1_and_says_what_to_do(run: Run, home_path: Path) -> None:
    (home_path / "keys" / "signing.key").chmod(0o644)

    ended = run("keys", "status", "--home", home_path)

    assert ended.code == 1
    assert "chmod 600" in ended.err


def test_a_broken_rule_is_named_and_ends_with_1(run: Run, home_path: Path, tmp_path: Path) -> None:
    leaf = (home_path / "keys" / "signing.chain.pem").read_bytes()
    (tmp_path / "bad.pem").write_bytes(leaf + (home_path / "keys" / "root.pem").read_bytes() * 2 + leaf)

    ended = run("keys", "lint", tmp_path / "bad.pem", "--json")

    assert (ended.code, ended.object["ok"]) == (1, False)
    assert "chain.order" in [finding["rule"] for finding in ended.object["findings"]]


def test_lint_needs_no_home_for_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chain.pem").write_bytes(create_development_pki("News", now=utc_now()).leaf_chain_pem)

    ended = run("keys", "lint", tmp_path / "chain.pem")

    assert (ended.code, "every rule holds" in ended.out) == (0, True)


def test_lint_tells_whether_a_key_fits_a_chain(
    run: Run, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pki = create_development_pki("News", now=utc_now())
    (tmp_path / "chain.pem").write_bytes(pki.leaf_chain_pem)
    (tmp_path / "leaf.key").touch(0o600)
    (tmp_path / "leaf.key").write_bytes(pki.leaf_key_pem)
    monkeypatch.chdir(tmp_path)

    fitting = run("keys", "lint", "chain.pem", "--key", "file:leaf.key", "--home", home_path)
    foreign = run(
        "keys", "lint", "chain.pem", "--key", f"file:{home_path}/keys/signing.key", "--home", home_path, "--json"
    )

    assert (fitting.code, foreign.code) == (0, 1)
    assert [finding["rule"] for finding in foreign.object["findings"]] == ["key.mismatch"]


def test_a_key_alone_has_nothing_to_fit(run: Run, home_path: Path) -> None:
    assert run("keys", "lint", "--key", "file:leaf.key", "--home", home_path).code == 2


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    ended = run("keys", "lint", "nowhere.pem")

    assert (ended.code, "nowhere.pem" in ended.err) == (1, True)


def test_from_the_request_to_the_installed_certificate(run: Run, home_path: Path, tmp_path: Path) -> None:
    asked = run("keys", "csr", "--out", tmp_path / "news.csr", "--home", home_path, "--actor", "jw.kim")
    csr = x509.load_pem_x509_csr((tmp_path / "news.csr").read_bytes())
    pki = create_development_pki("Real Authority", now=utc_now())
    chain = certify(
        csr.public_key(),  # type: ignore[arg-type]  # the request is for a key that signs
        pki.intermediate_pem,
        pki.intermediate_key_pem,
        subject=Subject("Daily Example"),
        now=utc_now(),
    )
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "root.pem").write_bytes(pki.root_pem)

    ended = run(
        "keys", "install", tmp_path / "chain.pem", "--root", tmp_path / "root.pem", "--home", home_path, "--json"
    )

    logged = run("audit", "query", "--type", "key.rotated", "--home", home_path, "--json")
    assert (asked.code, ended.code) == (0, 0)
    assert "Real Authority" in ended.object["new"]["issuer"]
    assert [event["facts"]["how"] for event in logged.objects] == ["install"]


def test_a_request_without_a_file_goes_to_standard_output_alone(run: Run, home_path: Path) -> None:
    ended = run("keys", "csr", "--home", home_path)

    assert x509.load_pem_x509_csr(ended.out.encode()).is_signature_valid
    assert "keys install" in ended.err


def test_a_request_is_never_written_over_another_file(run: Run, home_path: Path, tmp_path: Path) -> None:
    (tmp_path / "news.csr").write_text("something else")

    ended = run("keys", "csr", "--out", tmp_path / "news.csr", "--home", home_path)

    assert (ended.code, (tmp_path / "news.csr").read_text()) == (2, "something else")
    assert not (home_path / "keys" / "pending.key").exists()


def test_a_second_request_says_that_the_first_key_is_used(run: Run, home_path: Path) -> None:
    run("keys", "csr", "--home", home_path)

    ended = run("keys", "csr", "--home", home_path, "--json")

    assert ended.object["fresh"] is False
    assert "earlier request" in ended.err


@pytest.mark.parametrize("options", [(), ("--authority",), ("--algorithm", "ed25519")])
def test_a_rotation_says_what_is_in_force_and_what_is_kept(run: Run, home_path: Path, options: tuple[str, ...]) -> None:
    ended = run("keys", "rotate", *options, "--home", home_path)

    assert ended.code == 0
    assert "In force now: CN=Daily Example claim signer" in ended.out
    assert "retired" in ended.out


def test_a_rotation_is_one_object_for_programs(run: Run, home_path: Path) -> None:
    ended = run("keys", "rotate", "--home", home_path, "--json")

    assert set(json.loads(ended.out)) == {"old", "new", "retired"}
    assert ended.object["old"]["sha256"] != ended.object["new"]["sha256"]
