"""Saved answers of outside systems: what a client returned, in a JSON file, so that it is read offline.

A file holds one answer of one system:

    {"system": "tableau", "format_version": 1, "fetched_at": "2026-01-31T06:12:00Z",
     "host": "https://tableau.example.com", "answer": {...}}

A folder of such files may hold answers of several systems. No secret is written: values whose names say
secret (tokens, passwords, authorization, cookies) and secrets of known forms in text become `***`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.masking import mask_text
from airflow_lineage_provider.events.secret_patterns import MASK, SECRET_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.systems.observation import Observation

FORMAT_VERSION = 1
LARGEST_FILE = 128 << 20
MOST_FILES = 1_000
DEEPEST = 64
_ALSO_SECRET = re.compile(
    r"(?:^|[-_])(?:cookies?|set-cookie|x-\w+-auth|apikey|api[-_]?keys?|sid)$", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NAMES = frozenset({"name", "namespace", "field", "column", "fullyQualifiedName"})
"""Keys of names, which lineage is joined by: they are not masked, as in events."""


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer of a system, and when it was fetched. `answer` is plain JSON."""

    system: str
    fetched_at: datetime
    host: str
    """The URL of the system, without credentials."""
    answer: Any
    file: str = ""

    def stamped(self, observations: Iterable[Observation]) -> list[Observation]:
        """Return the observations with the time of this answer, which reports print beside their edges."""
        return [replace(o, movement=replace(o.movement, saved_at=self.fetched_at)) for o in observations]


def load_answer(path: str | Path, system: str) -> SavedAnswer:
    """Return the saved answer of a system: the file, or the one file of the folder that is of this system.

    Raises InputError where there is none, more than one, or one that cannot be read.
    """
    found = load_answers(path, system)
    if len(found) > 1:
        files = ", ".join(one.file for one in found)
        raise InputError(f"{path} has {len(found)} saved answers of {system}: {files}; name one of them")
    return found[0]


def load_answers(path: str | Path, system: str) -> list[SavedAnswer]:
    """Return the saved answers of a system in a file or a folder, by file name; at least one.

    Raises InputError where there is none, and for a file that cannot be read.
    """
    place = Path(path)
    found = [one for one in map(_load, _files(place)) if one.system == system or not place.is_dir()]
    for one in found:
        if one.system != system:
            raise InputError(
                f"{one.file} is a saved answer of {one.system}, and one of {system} is asked for"
            )
    if not found:
        raise InputError(
            f"{path} has no saved answer of {system}: make one with airflow-lineage fetch {system}"
        )
    return found


def saved_systems(path: str | Path) -> list[str]:
    """Return the systems of the answers in a file or a folder. Raises InputError where there is none."""
    systems = sorted({one.system for one in map(_load, _files(Path(path)))})
    if not systems:
        raise InputError(f"{path} has no saved answer: make one with airflow-lineage fetch")
    return systems


def answer_text(saved: SavedAnswer, *, emails: bool = True) -> str:
    """Return a saved answer as the JSON of its file, without secrets; `emails`: keep e-mail addresses.

    Raises InputError for an answer that is nested too deeply.
    """
    document = {
        "system": saved.system,
        "format_version": FORMAT_VERSION,
        "fetched_at": saved.fetched_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "host": without_login(saved.host),
        "answer": without_secrets(saved.answer, emails=emails),
    }
    return (
        json.dumps(document, indent=1, ensure_ascii=False, sort_keys=False)
        .encode("utf-8", "replace")
        .decode()
        + "\n"
    )


def without_secrets(answer: Any, *, emails: bool = True, depth: int = 0) -> Any:
    """Return plain JSON without secrets. Raises InputError where it is nested too deeply."""
    if depth > DEEPEST:
        raise InputError(f"the answer is nested more than {DEEPEST} levels deep")
    if isinstance(answer, dict):
        return {
            key: _masked(value)
            if _is_secret(key)
            else _plain(value, emails=emails)
            if key in _NAMES and isinstance(value, str)
            else without_secrets(value, emails=emails, depth=depth + 1)
            for key, value in answer.items()
        }
    if isinstance(answer, list):
        return [without_secrets(one, emails=emails, depth=depth + 1) for one in answer]
    return _plain(mask_text(answer), emails=emails) if isinstance(answer, str) else answer


def _is_secret(key: str) -> bool:
    spelled = _CAMEL.sub("_", key)
    return any(SECRET_NAME.match(one) or _ALSO_SECRET.search(one) for one in (key, spelled))


def _masked(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else MASK


def _plain(text: str, *, emails: bool) -> str:
    return text if emails else _EMAIL.sub(MASK, text)


def without_login(url: str) -> str:
    """Return a URL without login, query and fragment. Raises InputError for text that is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InputError(
            "the host of the saved answer is no URL: write it like https://bi.example.com"
        ) from None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    files = sorted(place.glob("*.json"))
    if len(files) > MOST_FILES:
        raise InputError(f"{place} has {len(files)} files; {MOST_FILES} are read at most")
    return files


def _load(file: Path) -> SavedAnswer:
    try:
        with file.open("rb") as stream:
            text = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"the saved answer {file} cannot be read: {error.strerror}") from None
    if len(text) > LARGEST_FILE:
        raise InputError(f"the saved answer {file} has more than {LARGEST_FILE >> 20} MiB")
    try:
        document = json.loads(text.decode("utf-8-sig"))
        return _answer(document, str(file))
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"the saved answer {file} is not JSON: {error}") from None


def _answer(document: Any, file: str) -> SavedAnswer:
    if not isinstance(document, dict) or "answer" not in document:
        raise InputError(f"{file} is not a saved answer: make one with airflow-lineage fetch")
    if document.get("format_version") != FORMAT_VERSION:
        version = document.get("format_version")
        raise InputError(
            f"{file} has format version {version!r}, and {FORMAT_VERSION} is read: fetch it again"
        )
    _bound_depth(document["answer"], file)
    return SavedAnswer(
        system=_text(document, "system", file),
        fetched_at=_time(document, file),
        host=without_login(_text(document, "host", file)),
        answer=document["answer"],
        file=file,
    )


def _bound_depth(answer: Any, file: str) -> None:
    level = [answer]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise InputError(f"{file} is nested more than {DEEPEST} levels deep")


def _text(document: Mapping[str, Any], key: str, file: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise InputError(f"{file} has no {key}: fetch it again")
    return value


def _time(document: Mapping[str, Any], file: str) -> datetime:
    text = _text(document, "fetched_at", file)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{file} was fetched at {text!r}, which is no ISO 8601 time") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
