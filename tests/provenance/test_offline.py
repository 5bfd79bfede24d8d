"""Reading a file opens no connection: the kernel kills the reader if it tries, and the test sees that."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import no_network
import pytest

from platemark_provenance.digest import JsonValue
from platemark_provenance.pki import DevelopmentPki
from platemark_provenance.signing import SignedAsset

Leaf = tuple[bytes, bytes]
READ = """
import sys
from pathlib import Path
from platemark_provenance.trust import TrustStore
from platemark_provenance.verification import read_crjson, read_provenance
root = Path(sys.argv[1]).read_bytes()
trust = TrustStore((root,), (root,), (root,), (root,))
reading = read_provenance(Path(sys.argv[2]), trust)
read_crjson(Path(sys.argv[2]), trust)
print(reading.state, reading.signer)
"""


def run_cut_off(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run Python where an internet socket is death."""
    command = [sys.executable, no_network.__file__, sys.executable, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if ended.returncode == no_network.NO_GUARD:
        pytest.skip("this system has no seccomp filter for an ordinary user")
    return ended


def test_the_guard_kills_whoever_opens_a_connection() -> None:
    ended = run_cut_off("-c", "import socket; socket.socket(socket.AF_INET)")

    assert ended.returncode == -31


@pytest.mark.parametrize("family", ["AF_UNIX", "AF_NETLINK"])
def test_the_guard_lets_other_sockets_be(family: str) -> None:
    assert run_cut_off("-c", f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)").returncode == 0


@pytest.fixture
def root(pki: DevelopmentPki, tmp_path: Path) -> Path:
    """Our root as a file."""
    path = tmp_path / "root.pem"
    path.write_bytes(pki.root_pem)
    return path


def test_a_signed_clip_is_read_without_a_connection(signed_clip: SignedAsset, root: Path) -> None:
    ended = run_cut_off("-c", READ, root, signed_clip.path)

    assert (ended.returncode, ended.stdout.split()) == (0, ["present", "trusted"]), ended.stderr


def test_a_manifest_on_a_server_is_not_asked_for(
    root: Path,
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    own_leaf: Leaf,
    sign_foreign: Callable[..., bytes],
    write_copy: Callable[[bytes], Path],
) -> None:
    content = sign_foreign(plain_clip_bytes, own_leaf, manifest, remote_url="http://203.0.113.7/manifest.c2pa")

    ended = run_cut_off("-c", READ, root, write_copy(content))

    assert (ended.returncode, ended.stdout.split()) == (0, ["remote_only", "not_checked"]), ended.stderr


def test_a_certificate_that_names_a_revocation_server_is_not_asked_about(
    root: Path,
    plain_clip_bytes: bytes,
    manifest: dict[str, JsonValue],
    make_leaf: Callable[..., Leaf],
    sign_foreign: Callable[..., bytes],
    write_copy: Callable[[bytes], Path],
) -> None:
    leaf = make_leaf(revocation_server="http://203.0.113.7/ocsp")
    path = write_copy(sign_foreign(plain_clip_bytes, leaf, manifest))

    ended = run_cut_off("-c", READ, root, path)

    assert b"203.0.113.7/ocsp" in path.read_bytes()
    assert (ended.returncode, ended.stdout.split()) == (0, ["present", "trusted"]), ended.stderr
