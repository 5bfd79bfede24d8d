"""Run Alembic on a connection that the caller holds, one migration at a time in this process.

One rule: no database of its own; SQLite and PostgreSQL are opened, locked and checked by their own modules.
"""

import io
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

# Alembic keeps the environment of the running migration in module globals.
_one_at_a_time = threading.Lock()


def head() -> str:
    """Give the newest revision that this program knows."""
    revision = scripts().get_current_head()
    return "" if revision is None else revision


def known() -> set[str]:
    """Give every revision that this program knows."""
    return {script.revision for script in scripts().walk_revisions()}


def run(connection: Connection, revision: str = "head") -> None:
    """Run `env.py` on this connection, inside its transaction, up to a revision."""
    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, revision)


def offline(dialect: str, revisions: str) -> str:
    """Give the SQL between revisions, such as "r0001:head", for a dialect; no database is touched."""
    text = io.StringIO()
    config = _config(text)
    config.attributes["dialect"] = dialect
    with _one_at_a_time:
        command.upgrade(config, revisions, sql=True)
    return text.getvalue()


def scripts() -> ScriptDirectory:
    """Open the directory of revisions."""
    return ScriptDirectory.from_config(_config())


def _config(output: io.StringIO | None = None) -> Config:
    # The scripts lie beside this file, in a checkout as in a wheel. "%" would begin an interpolation.
    config = Config(stdout=io.StringIO(), output_buffer=output)
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
