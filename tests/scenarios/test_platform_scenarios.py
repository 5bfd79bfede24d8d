"""What a platform engineer comes to do; each test is named by its scenario."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

SEA = {"prompt": "a calm blue sea", "model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}


# E1: is everything there?


def test_e1_the_doctor_finds_a_home_well_with_a_line_for_every_part(shared: Any) -> None:
    answer = shared.ask("doctor")

    parts = answer.object["checks"]
    assert answer.code == 0
    assert len(parts) >= 8
    assert all(part["ok"] for part in parts)


@pytest.mark.parametrize("lost", ["keys/signing.key", "keys/watermark.key", "ledger.sqlite3", "keys/ledger.key"])
def test_e1_a_part_that_is_lost_is_red_and_says_how_to_mend_it(newsroom: Any, lost: str) -> None:
    (newsroom.home / lost).unlink()

    answer = newsroom.ask("doctor")

    parts = answer.object["checks"]
    red = [part for part in parts if not part["ok"]]
    assert answer.code != 0
    assert red
    assert all(part["fix"] for part in red)


# E2: keys


def test_e2_status_csr_and_rotation_and_old_clips_stay_trusted(newsroom: Any) -> None:
    status = newsroom.ask("keys", "status").object
    request = newsroom.folder / "request.pem"
    csr = newsroom.ask("keys", "csr", "--out", request)

    rotated = newsroom.ask("keys", "rotate")
    newsroom.ask("generate", "a calm sea", "--model", "testcard", "--seconds", "0.5", "--size", "128x128",
                 "--out", newsroom.folder / "after.mp4")  # fmt: skip

    assert status["ok"] is True
    assert csr.code == 0
    assert x509.load_pem_x509_csr(request.read_bytes()).is_signature_valid
    assert rotated.code == 0
    assert newsroom.ask("verify", newsroom.clip, newsroom.folder / "after.mp4").code == 0


def test_e2_the_status_tells_how_many_days_are_left(shared: Any) -> None:
    (signing,) = [key for key in shared.ask("keys", "status").object["keys"] if key["name"] == "claim signing"]

    assert signing["days_left"] > 30


# E3: migrations keep the data (downgrades are refused: a revision goes forward only)


def test_e3_an_upgrade_of_a_ledger_with_data_keeps_every_event_and_a_copy_of_before(newsroom: Any) -> None:
    before = newsroom.ask("audit", "verify").object

    upgraded = newsroom.ask("db", "upgrade")
    after = newsroom.ask("audit", "verify").object

    assert upgraded.code == 0
    assert (after["ok"], after["size"], after["root"]) == (True, before["size"], before["root"])
    assert newsroom.ask("db", "check").code == 0


def test_e3_a_ledger_of_a_newer_version_is_refused_and_left_alone(newsroom: Any) -> None:
    ledger = newsroom.home / "ledger.sqlite3"
    with sqlite3.connect(ledger) as database:
        database.execute("UPDATE alembic_version SET version_num = 'r9999'")
    database.close()
    content = ledger.read_bytes()

    answer = newsroom.ask("verify", newsroom.clip)

    assert answer.code != 0
    assert re.search(r"[Uu]pgrade|newer|version", answer.err)
    assert ledger.read_bytes() == content


# E5: two workers, one killed

DIES = """
import os, signal, sys
from platemark import batch
generate = batch._generate
def dying(studio, claim, cancel, lease_s):
    if claim.request["id"] == "c1":
        os.kill(os.getpid(), signal.SIGKILL)
    return generate(studio, claim, cancel, lease_s)
batch._generate = dying
from platemark.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_e5_one_worker_is_killed_another_goes_on_and_no_clip_is_lost_or_made_twice(newsroom: Any) -> None:
    import json

    prompts = newsroom.folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({**SEA, "id": f"c{n}"}) + "\n" for n in range(3)), "utf-8")
    home, out = str(newsroom.home), newsroom.folder / "out"
    out.mkdir()
    before = len(newsroom.ask("audit", "query", "--type", "clip.published", "--limit", "100").objects)

    first = subprocess.run(
        [sys.executable, "-c", DIES, "generate", "--batch", str(prompts), "--out", str(out), "--home", home],
        env=dict(os.environ), capture_output=True, check=False,
    )  # fmt: skip
    (batch,) = newsroom.ask("jobs", "list").objects
    second = newsroom.ask("jobs", "resume", batch["batch_id"])

    published = newsroom.ask("audit", "query", "--type", "clip.published", "--limit", "100").objects
    assert first.returncode == -signal.SIGKILL
    assert second.code == 0
    assert sorted(path.name for path in out.glob("*.mp4")) == ["c0.mp4", "c1.mp4", "c2.mp4"]
    assert len(published) - before == 3
    assert len({event["clip"] for event in published}) == len(published)


def test_e1_a_home_that_is_copied_works_where_it_lies(newsroom: Any, tmp_path: Path) -> None:
    shutil.copytree(newsroom.home, tmp_path / "elsewhere")

    assert newsroom.run(["verify", str(newsroom.clip), "--home", str(tmp_path / "elsewhere"), "--json"]).code == 0
