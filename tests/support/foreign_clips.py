"""A clip that another program signed, with a key that a home trusts."""

import io
import json
from pathlib import Path

from c2pa import Builder, C2paSignerInfo, Context, Signer


def sign_foreign(path: Path, home: Path) -> Path:
    """Sign a clip as another generator would, with the home's own key for want of another trusted one."""
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    definition = {
        "claim_generator_info": [{"name": "veo", "version": "3"}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": source}]},
            }
        ],
    }
    chain, key = ((home / "keys" / name).read_bytes() for name in ("signing.chain.pem", "signing.key"))
    output = io.BytesIO()
    with (
        Context.from_dict({"version": 1, "verify": {"verify_after_sign": False}}) as context,
        Signer.from_info(C2paSignerInfo(b"es256", chain, key, None)) as signer,
        Builder(json.dumps(definition), context) as builder,
    ):
        builder.sign(signer, "video/mp4", io.BytesIO(path.read_bytes()), output)
    signed = path.with_name(f"signed-{path.name}")
    signed.write_bytes(output.getvalue())
    return signed
