"""What a database driver's error means to a user of the store."""

from __future__ import annotations

_AWAY = "cannot be reached: check its server and the store's URL"

# What a driver's message contains, and what to do.
_TEMPORARY = {
    "is locked": "is locked by another process: try again, or end the one that holds it",
    "lock timeout": "is locked by another session: try again, or end the one that holds it",
    "statement timeout": "does not answer in time: check the load and the locks of its server",
    "no answer": "does not answer: check its server",
    "starting up": "cannot be reached: its server is starting",
    "shutting down": _AWAY,
    "timeout expired": _AWAY,
    "could not connect": _AWAY,
    "could not translate": _AWAY,
}
_PERMANENT = {
    "is full": "cannot grow, the disk is full: free some space",
    "readonly": "is read-only: allow this user to write the file and its folder",
    "unable to open": "cannot be opened: check that the folder exists and that this user may write to it",
    "is not a database": "is not a SQLite database: name another file",
    "malformed": "is damaged: restore it or move it away; `sqlite3 FILE .recover` saves what can be read",
    "disk I/O error": "cannot be read or written: check that its disk works and is not full",
    "no such table": "holds no lineage events: name another file, or run a pipeline that fills it",
    "does not exist": "holds no lineage events: name another database, or run a pipeline that fills it",
    "password authentication failed": "refuses the user or the password: check the store's URL",
}


def advice_for(reason: str) -> tuple[str, bool]:
    """Return what to do about a driver's error, and whether it may be over in a moment."""
    for signs, is_temporary in ((_TEMPORARY, True), (_PERMANENT, False)):
        if found := next((advice for sign, advice in signs.items() if sign in reason), ""):
            return found, is_temporary
    return (_AWAY, True) if "connection" in reason else ("", False)
