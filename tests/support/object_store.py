"""An S3-compatible store on the loopback address: one bucket that locks what it is given, and one that does not."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class Store:
    """A running store.

    Args:
        endpoint: its address.
        client: of another maker, to look at what lies there.
    """

    endpoint: str
    client: Any


@contextlib.contextmanager
def open_object_store() -> Iterator[Store]:
    """Run a store; keys stand in the environment meanwhile."""
    keys = {"AWS_ACCESS_KEY_ID": "newsroom", "AWS_SECRET_ACCESS_KEY": "not a secret"}
    before = {name: os.environ.get(name) for name in keys}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3_backends.reset()  # all servers of one process share what they hold
    server.start()
    host, port = server.get_host_and_port()
    try:
        os.environ.update(keys)
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket="worm", ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3650}}
        client.put_object_lock_configuration(
            Bucket="worm", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
        client.create_bucket(Bucket="soft")
        yield Store(f"http://{host}:{port}", client)
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})
