"""What can go wrong with a catalog on a server, in words: every error of PostgreSQL's becomes one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import CatalogFaultError
from ..places import DatabaseServer

if TYPE_CHECKING:
    import psycopg

_AGAIN = "run the same command again: it goes on from there"
_SENTENCES = {  # by SQLSTATE, or its first two letters
    "53100": f"{{server}} cannot be written: the server's disk is full; make room and {_AGAIN}",
    "53300": "{server} takes no more connections ({error}); close others, or raise its max_connections",
    "53": f"{{server}} has run out of resources ({{error}}); mend that and {_AGAIN}",
    "25006": "{server} is write-protected: it was opened to be read, or is a standby; name the server that is written "
    "to with --catalog",
    "42501": "{server} is write-protected for this user ({error}); have its owner GRANT that, or name another user in "
    "the address",
    "28": "{server} does not let this user in ({error}); put user and password into the address, or into ~/.pgpass",
    "3D000": "{server} does not exist ({error}); `createdb` makes a database",
    "55P03": f"{{server}} is in use: another program has written to it for over 30 s; wait for it and {_AGAIN}",
    "42P01": f"{{server}} was replaced while it was used ({{error}}); look at it and {_AGAIN}",
    "57": f"{{server}} was stopped ({{error}}); start it and {_AGAIN}",
    "58": f"{{server}} cannot read or write its files ({{error}}); mend its disk and {_AGAIN}",
    "XX": "{server} is damaged ({error}); restore it from a backup, or from a copy made by `modelsearch copy`",
}
_LOST = f"{{server}} cannot be reached ({{error}}); see that it runs and that the network is there, and {_AGAIN}"


def fault(error: psycopg.Error, server: DatabaseServer) -> CatalogFaultError | None:
    """The sentence for an error; None for a mistake in a statement."""
    from psycopg import InterfaceError, InternalError, OperationalError

    state = error.sqlstate or ""
    sentence = _SENTENCES.get(state) or _SENTENCES.get(state[:2])
    if sentence is None and isinstance(error, (OperationalError, InterfaceError, InternalError)):
        sentence = _sentence_of_a_refusal(str(error))
    if sentence is None:
        return None
    return CatalogFaultError(sentence.format(server=server, error=_first_line(error)))


def is_absence(error: psycopg.Error) -> bool:
    """Whether the server may be back in a moment."""
    state = error.sqlstate or ""
    return state.startswith(("08", "57")) or (not state and _sentence_of_a_refusal(str(error)) == _LOST)


def _sentence_of_a_refusal(text: str) -> str:
    """While a connection is made, there is no SQLSTATE but only text."""
    text = text.lower()
    if "password" in text or "no pg_hba" in text or ("role" in text and "does not exist" in text):
        return _SENTENCES["28"]
    if "database" in text and "does not exist" in text:
        return _SENTENCES["3D000"]
    if "too many clients" in text or "connection slots" in text:
        return _SENTENCES["53300"]
    return _LOST


def _first_line(error: Exception) -> str:
    """The first line of what the server said."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].removeprefix("FATAL:").strip() if lines else type(error).__name__
