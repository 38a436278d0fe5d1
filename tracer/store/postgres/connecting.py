"""Connecting to a database: is it there, has it a tracer's tables, are they of this version."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

from tracer.errors import ConfigurationError, StoreError
from tracer.store.postgres.migrations import SCHEMA, VERSION, migrate

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise ConfigurationError(
        f"a store in PostgreSQL needs the extra postgres ({error}): pip install 'livekit-tracer[postgres]'"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

__all__ = ["Pooled", "Row", "configure", "connect", "in_short", "kept", "opened", "settings", "shown", "storable"]

LONGEST = 500
"""Characters of a name or id that are kept: a row of an index holds 2,700 bytes."""
CONNECT = 5
"""Seconds to reach the database."""
GONE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 8000}
"""A database that has vanished without a word is given up after some 10 s; the last is ms."""

Row = tuple[Any, ...]
"""A row of a query."""


def settings(location: str) -> dict[str, Any]:
    """How to connect, by libpq's names. Raises ConfigurationError; its text never holds the password."""
    try:
        given = conninfo_to_dict(location)
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            "--store is no address of a database: give it as postgresql://user@host:5432/database"
        ) from None
    return {"connect_timeout": CONNECT, "application_name": "livekit-tracer", **GONE, **given}


def shown(location: str) -> str:
    """The location without what is secret in it: user, password and parameters."""
    given = settings(location)
    host, port = given.get("host") or "", given.get("port")
    at = f"{host}:{port}" if port else str(host)
    return f"postgresql://{at}/{given.get('dbname') or given.get('user') or ''}"


def configure(db: Connection[Row]) -> None:
    """Every connection: our tables by their names, and its end noticed by the database when this machine is gone."""
    db.execute(f"SET search_path = {SCHEMA}")
    db.execute("SET tcp_keepalives_idle = 5")
    db.execute("SET tcp_keepalives_interval = 2")
    db.execute("SET tcp_keepalives_count = 3")


def connect(location: str) -> Connection[Row]:
    """A connection of its own, in autocommit mode. Raises StoreError."""
    try:
        db: Connection[Row] = psycopg.connect(**settings(location), autocommit=True)
        configure(db)
    except (psycopg.Error, UnicodeError) as error:
        raise StoreError(f"cannot open the store {shown(location)}: {in_short(error)}") from None
    return db


class Pooled(psycopg.Connection[Row]):
    """A connection of a pool, which otherwise says only that none came in time."""

    @classmethod
    def connect(cls, conninfo: str = "", *, failed: Callable[[Exception], None], **given: Any) -> Self:  # type: ignore[override]
        """As psycopg's; ``failed`` is told why there is none."""
        try:
            return super().connect(conninfo, **given)
        except psycopg.Error as error:
            failed(error)
            raise


def opened(location: str, *, writable: bool) -> Connection[Row]:
    """The same, with tables of this version; when it is to be written, they are made or migrated. Raises StoreError."""
    db = connect(location)
    try:
        version = _version(db)
        if version is None and not writable:
            raise StoreError(f"no store in {shown(location)}: start `tracer serve --store` with it, or name another")
        if version is not None and version > VERSION:
            raise StoreError(
                f"{shown(location)} has version {version}, and this tracer reads up to {VERSION}: upgrade tracer"
            )
        if version != VERSION:
            if not writable:
                raise StoreError(f"{shown(location)} is of an older tracer: start `tracer serve --store` with it once")
            migrate(db)
    except psycopg.Error as error:
        db.close()
        raise StoreError(f"cannot open the store {shown(location)}: {in_short(error)}") from None
    except StoreError:
        db.close()
        raise
    return db


def in_short(error: Exception) -> str:
    """What an error says, in a line: without the statement that PostgreSQL quotes."""
    told = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((told or str(error)).split()) or type(error).__name__


def storable(text: str) -> str:
    """A text that can be long, as the tables have it: without NUL."""
    return text.replace("\0", "\ufffd")


def kept(text: str) -> str:
    """A name or id as the tables have it: PostgreSQL's text holds no NUL, and its indices no long values.

    What LiveKit gives has neither; and the requests themselves are kept as they came.
    """
    text = storable(text)
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST // 2] + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _version(db: Connection[Row]) -> int | None:
    if not db.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.version",)).fetchone()[0]:  # type: ignore[index]
        return None
    row = db.execute("SELECT number FROM version").fetchone()
    return int(row[0]) if row else None
