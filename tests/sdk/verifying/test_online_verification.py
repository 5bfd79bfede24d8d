"""A manifest that lies on a server is fetched when somebody asks for it, from the servers named, and within bounds."""

import json
import socket
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from manifest_server import ManifestServer, serving, sign_elsewhere

from platemark.cli import main
from platemark.errors import RequestError
from platemark.media.video import EncodeSettings, to_yuv420, write_video
from platemark.verifying import remote_manifest
from platemark.verifying.remote_manifest import NotFetched, fetch_manifest, server_of
from platemark.verifying.verifier import Verifier

PLAIN = EncodeSettings(fps=Fraction(12))
HERE = ("127.0.0.1",)


@pytest.fixture
def server() -> Iterator[ManifestServer]:
    """A server on this machine."""
    with serving() as started:
        yield started


@pytest.fixture
def remote_clip(server: ManifestServer, home_path: Path, tmp_path: Path) -> Path:
    """A clip, signed by the home's key, whose manifest lies on the server."""
    gray = (to_yuv420(np.full((64, 96, 3), 16 * n, np.uint8)) for n in range(6))
    write_video(gray, tmp_path / "plain.mp4", settings=PLAIN)
    keys = home_path / "keys"
    content, server.content = sign_elsewhere(
        (tmp_path / "plain.mp4").read_bytes(),
        (keys / "signing.chain.pem").read_bytes(),
        keys / "signing.key",
        url=server.url,
    )
    path = tmp_path / "remote.mp4"
    path.write_bytes(content)
    return path


def why_not(url: str, *hosts: str) -> str:
    """Fetch, and give the word for why that failed."""
    with pytest.raises(NotFetched) as refused:
        fetch_manifest(url, hosts=hosts)
    return refused.value.why


# A file that only says where its manifest lies


def test_the_manifest_is_fetched_and_judged_like_one_in_the_file(
    remote_clip: Path, home_path: Path, server: ManifestServer
) -> None:
    with Verifier.open(home_path, online=HERE) as verifier:
        report = verifier.examine(remote_clip)

    assert (report.verdict, report.axes.manifest, report.axes.signer) == ("trusted", "present", "trusted"), report.codes
    assert (report.manifest_from, report.to_json()["manifest_from"]) == ("127.0.0.1", "127.0.0.1")
    assert "platemark.manifest.fetched" in report.codes
    assert server.asked == ["/clip.c2pa?v=1"]


def test_the_explanation_says_in_both_languages_where_it_came_from(remote_clip: Path, home_path: Path) -> None:
    with Verifier.open(home_path, online=HERE) as verifier:
        report = verifier.examine_manifest(remote_clip)

    assert "fetched from 127.0.0.1" in report.explain("en")
    assert "127.0.0.1에서 가져왔습니다" in report.explain("ko")


def test_without_going_online_nobody_is_asked(remote_clip: Path, home_path: Path, server: ManifestServer) -> None:
    with Verifier.open(home_path) as verifier:
        report = verifier.examine_manifest(remote_clip)

    assert (report.verdict, report.axes.manifest, server.asked) == ("none", "remote_only", [])
    assert "was not fetched" in report.explain("en")


def test_a_server_that_is_not_named_is_not_asked(remote_clip: Path, home_path: Path, server: ManifestServer) -> None:
    with Verifier.open(home_path, online=("manifests.example",)) as verifier:
        report = verifier.examine_manifest(remote_clip)

    assert (report.axes.manifest, report.exit_code, server.asked) == ("remote_only", 4, [])
    assert "platemark.manifest.fetch-failed.host-not-allowed" in report.codes
    assert "could not be fetched" in report.explain("en")


def test_the_homes_own_list_of_servers_counts(remote_clip: Path, home_path: Path) -> None:
    settings = home_path / "platemark.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[verify]\nhosts = []", '[verify]\nhosts = ["127.0.0.1"]'), encoding="utf-8")

    with Verifier.open(home_path, online=()) as verifier:
        assert verifier.examine_manifest(remote_clip).verdict == "trusted"


def test_going_online_without_naming_a_server_is_refused(home_path: Path) -> None:
    with pytest.raises(RequestError, match="names of the servers"):
        Verifier.open(home_path, online=())


def test_a_file_with_its_manifest_asks_nobody(
    remote_clip: Path, home_path: Path, server: ManifestServer, tmp_path: Path
) -> None:
    beside = tmp_path / "clip.c2pa"
    beside.write_bytes(server.content)

    with Verifier.open(home_path, online=HERE) as verifier:
        report = verifier.examine_manifest(remote_clip, sidecar=beside)

    assert (report.verdict, report.manifest_from, server.asked) == ("trusted", None, [])


def test_a_changed_clip_is_tampered_by_the_fetched_manifest(remote_clip: Path, home_path: Path) -> None:
    content = bytearray(remote_clip.read_bytes())
    content[content.index(b"mdat") + 40] ^= 1
    remote_clip.write_bytes(content)

    with Verifier.open(home_path, online=HERE) as verifier:
        assert verifier.examine_manifest(remote_clip).verdict == "tampered"


@pytest.mark.parametrize("junk", [b"", b"junk", b"<html>not here</html>", bytes(5000)])
def test_what_is_no_manifest_is_unreadable(
    remote_clip: Path, home_path: Path, server: ManifestServer, junk: bytes
) -> None:
    server.content = junk

    with Verifier.open(home_path, online=HERE) as verifier:
        assert verifier.examine_manifest(remote_clip).verdict == "unreadable"


def test_the_command_fetches_once_for_its_report_in_crjson(
    remote_clip: Path, home_path: Path, server: ManifestServer, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", str(remote_clip), "--online", "--online-host", "127.0.0.1", "--home", str(home_path)]

    code = main([*words, "--manifest-only", "--crjson"])

    assert (code, len(server.asked)) == (0, 1)
    assert json.loads(capsys.readouterr().out)["manifests"]


# Bounds


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://manifests.example/a.c2pa", "address"),
        ("ftp://manifests.example/a.c2pa", "address"),
        ("file:///etc/passwd", "address"),
        ("https://name:word@manifests.example/a", "address"),
        ("https://manifests.example:0/a", "address"),
        ("https://manifests.example:99999/a", "address"),
        ("https://manifests.example/a b", "address"),
        ("https://manifests.example/\r\nHost: x", "address"),
        ("https://[::1", "address"),
        ("", "address"),
        ("https://other.example/a", "host-not-allowed"),
        ("https://manifests.example.other.example/a", "host-not-allowed"),
    ],
)
def test_an_address_that_is_not_allowed_is_not_looked_up(url: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)

    assert why_not(url, "manifests.example") == why


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "192.168.1.1", "169.254.169.254", "127.0.0.1", "0.0.0.0", "::1", "fd00::1", "::ffff:10.0.0.5",
     "224.0.0.1", "fe80::1%eth0"],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_not_followed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: found)
    monkeypatch.setattr(socket, "create_connection", None)

    assert why_not("https://manifests.example/a", "manifests.example") == "private-address"


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: found)
    monkeypatch.setattr(socket, "create_connection", None)

    assert why_not("https://manifests.example/a", "manifests.example") == "private-address"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
def test_only_an_answer_with_content_counts_and_no_redirect_is_followed(server: ManifestServer, status: int) -> None:
    server.status, server.headers = status, {"Location": server.url}

    assert why_not(server.url, *HERE) == "refused"
    assert len(server.asked) == 1


def test_a_proxy_that_the_environment_names_is_not_used(
    server: ManifestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.content = b"manifest"

    assert fetch_manifest(server.url, hosts=HERE) == b"manifest"


def test_an_answer_that_is_too_long_is_not_read(server: ManifestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_manifest, "MAX_BYTES", 100)
    server.content = bytes(101)

    assert why_not(server.url, *HERE) == "too-big"


def test_an_answer_as_long_as_allowed_is_read(server: ManifestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_manifest, "MAX_BYTES", 100)
    server.content = bytes(100)

    assert fetch_manifest(server.url, hosts=HERE) == bytes(100)


def test_a_server_that_drips_is_cut_off(server: ManifestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_manifest, "TIMEOUT_S", 0.4)
    server.content, server.pause = bytes(1000), 0.05

    assert why_not(server.url, *HERE) == "too-slow"


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_manifest, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why_not(f"http://127.0.0.1:{silent.getsockname()[1]}/a", *HERE) == "too-slow"


def test_a_server_that_speaks_no_tls_is_given_up(server: ManifestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_manifest, "TIMEOUT_S", 1.0)

    assert why_not(server.url.replace("http://", "https://"), *HERE) in {"unreachable", "too-slow"}


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert why_not(f"http://127.0.0.1:{port}/a", *HERE) == "unreachable"


@pytest.mark.parametrize(("url", "name"), [("https://A.example/x", "a.example"), ("https://[::1", ""), ("", "")])
def test_the_server_in_an_address_is_named_or_not(url: str, name: str) -> None:
    assert server_of(url) == name
