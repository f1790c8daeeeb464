"""Where a lake lies: `ducklake:postgres://USER@HOST/DATABASE?data=FOLDER`, and what it takes to reach it."""

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import duckdb

from core.schema import NightshiftError
from core.store.engine import quoted

__all__ = ["LAKE", "LAKE_EXAMPLE", "LakeAddress", "load_extension", "parse_lake_url", "s3_secret"]

LAKE = "ducklake:"
LAKE_EXAMPLE = f"{LAKE}postgres://USER@HOST/DATABASE?data=FOLDER"
CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class LakeAddress:
    """A Postgres database that holds the catalog, and the folder or bucket that holds the Parquet files."""

    name: str
    "The URL as people may see it: without password and options."
    conninfo: str
    "How libpq is told of the database, without the password."
    data: str
    "An absolute path or an s3:// URL, with a slash at its end."
    password: str | None = field(default=None, repr=False)


def parse_lake_url(url: str) -> LakeAddress:
    """The address that a URL means. Raises NightshiftError, without the password in it, for one that means none."""
    parts = urlsplit(url.removeprefix(LAKE))
    if parts.scheme not in ("postgres", "postgresql"):
        raise NightshiftError(f"a lake has its catalog in Postgres: write {LAKE_EXAMPLE}")
    options = dict(parse_qsl(parts.query))
    data = options.pop("data", "")
    if not data.startswith(("/", "s3://")):
        raise NightshiftError(
            f"the store URL has to say where the lake's files go, with ?data= and an absolute path or an s3:// URL: "
            f"{LAKE_EXAMPLE}"
        )
    psycopg = _psycopg()
    try:
        keywords = psycopg.conninfo.conninfo_to_dict(urlunsplit(parts._replace(query=urlencode(options))))
    except psycopg.ProgrammingError as error:
        raise NightshiftError(f"the store URL is not one that Postgres knows; write {LAKE_EXAMPLE}") from error
    password = keywords.pop("password", None)
    if not keywords.get("dbname"):
        raise NightshiftError(f"the store URL names no database of Postgres: write {LAKE_EXAMPLE}")
    user = f"{keywords['user']}@" if "user" in keywords else ""
    port = f":{keywords['port']}" if "port" in keywords else ""
    name = f"{LAKE}postgres://{user}{keywords.get('host', '')}{port}/{keywords['dbname']}"
    conninfo = psycopg.conninfo.make_conninfo(**{"connect_timeout": CONNECT_TIMEOUT_S} | keywords)
    return LakeAddress(name, conninfo, data.rstrip("/") + "/", password if password is None else str(password))


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Loads an extension of DuckDB from its wheel; nothing is fetched. Raises NightshiftError where it is missing."""
    package = find_spec(f"duckdb_extension_{name}")
    folders = package.submodule_search_locations if package else None
    file = Path("extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension")
    found = [path for folder in folders or [] if (path := Path(folder) / file).is_file()]
    if not found:
        raise _missing(f"duckdb-extension-{name.replace('_', '-')} {duckdb.__version__}")
    connection.execute(f"LOAD '{quoted(found[0])}'")


def s3_secret() -> str:
    """The statement that tells DuckDB the keys of the bucket, out of the variables that every S3 client reads."""
    told = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID"),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN"),
        "REGION": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
    }
    server = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    if server.netloc:
        told |= {"ENDPOINT": server.netloc, "USE_SSL": str(server.scheme == "https").lower(), "URL_STYLE": "path"}
    given = [f"{key} '{quoted(value)}'" for key, value in told.items() if value]
    return f"CREATE OR REPLACE SECRET bucket ({', '.join(['TYPE s3', *given])})"


def _psycopg():  # type: ignore[no-untyped-def]
    try:
        import psycopg.conninfo
    except ImportError as error:
        raise _missing("psycopg") from error
    return psycopg


def _missing(package: str) -> NightshiftError:
    return NightshiftError(f"a lake needs {package}, which is not installed: pip install 'nightshift[lake]'")
