"""A server on this machine that keeps one manifest, and files that only say where it lies."""

import http.server
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from c2pa import Builder, C2paSignerInfo, Context, Signer

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype"


@dataclass
class ManifestServer:
    """What the server answers, and who asked. `pause` is the seconds between two bytes of an answer."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving() -> Iterator[ManifestServer]:
    """Run a server on the loopback address."""
    state = ManifestServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.content)))
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self._answer()

        def _answer(self) -> None:
            if not state.pause:
                self.wfile.write(state.content)
                return
            for each in state.content:
                self.wfile.write(bytes([each]))
                time.sleep(state.pause)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{server.server_port}/clip.c2pa?v=1"
        yield state
        server.shutdown()


def sign_elsewhere(content: bytes, chain: bytes, key: Path, *, url: str) -> tuple[bytes, bytes]:
    """Sign a clip so that only the address of its manifest is in the file; give the file and the manifest."""
    made = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPES}/digitalCapture"}
    definition = {
        "claim_generator_info": [{"name": "other", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}],
    }
    settings = {"version": 1, "verify": {"verify_after_sign": False, "remote_manifest_fetch": False}}
    output = io.BytesIO()
    with (
        Context.from_dict(settings) as context,
        Signer.from_info(C2paSignerInfo(b"es256", chain, key.read_bytes(), None)) as signer,
        Builder(json.dumps(definition), context) as builder,
    ):
        builder.set_no_embed()
        builder.set_remote_url(url)
        manifest = builder.sign(signer, "video/mp4", io.BytesIO(content), output)
    return output.getvalue(), bytes(manifest)
