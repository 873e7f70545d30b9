"""Structs of plain values as JSON text, and back: for the small state files. Each text carries the number of its format.

A text without a number was written by an older release and is read. One with a larger number than ours was written by a later
release: it is refused, and `write_record` does not write over it.

Reading is strict about types and lenient about fields: unknown ones (a newer release wrote them) are dropped, missing ones take
their default. Times are aware; they stand as RFC 3339 in UTC.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import asdict

from core.errors import StoreTooNew
from core.regular import NotRegular, read_stored
from core.store.atomic import store_error, write_file
from core.version import VERSION

T = TypeVar("T", bound=Struct)
FORMAT = 1
"""Raise when a release writes something that this one would misread."""


def to_json(record: Struct) -> bytes:
    """Return a Struct of strings, numbers, times, tuples and mappings as JSON."""
    return dumped(asdict(record))


def dumped(values: Mapping[str, object]) -> bytes:
    """Return plain values as JSON with the number of the format."""
    import json

    # What `indent=1` writes for plain values, but with json's encoder in C. `core.idle.repeat` writes the same bytes.
    text = json.dumps({"format": FORMAT, **values}, default=_plain, separators=(",\n ", ": "))
    return f"{{\n {text[1:-1]}\n}}".encode()


def from_json(kind: type[T], text: bytes, place: object) -> T:
    """Return the `kind` that `to_json` made text of. `place`: the file, or whatever tells a person where the text is from.

    Raises:
        ValueError: it is none.
        StoreTooNew (`store-too-new`): a later release wrote it.
    """
    return from_values(kind, parsed(text, place))


def parsed(text: bytes, place: object) -> object:
    """Return what a JSON text says.

    Raises:
        ValueError: it cannot be read; also for bottomless nesting.
        StoreTooNew (`store-too-new`): a later release wrote it.
    """
    try:
        value: object = _decoded(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if isinstance(value, dict):
        check_format(value.get("format"), place)
    return value


def _decoded(text: bytes) -> object:
    try:
        return decode(text)
    except ValueError:
        import json  # reads half a surrogate pair, too, which the name of a file can have

        return json.loads(text)


def check_format(number: object, place: object, known: int = FORMAT) -> None:
    """Raise StoreTooNew (`store-too-new`) for a format that is not known yet. Anything but a number says nothing."""
    if type(number) is int and number > known:
        raise StoreTooNew(
            f"{place} was written by a newer release of certdeck.",
            f"It has format {number}; certdeck {VERSION} supports formats up to {known}.",
            "Install that release. Nothing was changed.",
        )


def load_record(kind: type[T], path: Path) -> T | None:
    """Return the record at `path`; None where there is none.

    Raises:
        ValueError: it is damaged.
        StoreTooNew (`store-too-new`): a later release wrote it.
        StoreError: it cannot be read.
    """
    try:
        text = read_stored(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except NotRegular as exc:
        raise ValueError(exc.strerror) from exc
    except OSError as exc:
        if exc.errno == errno.ENAMETOOLONG:  # a name that no file can have
            return None
        raise store_error(exc, path, "read") from exc
    return from_json(kind, text, path)


def write_record(path: Path, text: bytes, *, durable: bool = True) -> None:
    """Put the text of a record at `path` in one step, unless a later release wrote what is there.

    Raises StoreTooNew (`store-too-new`); StoreError.
    """
    with suppress(OSError, ValueError):
        parsed(read_stored(path), path)
    write_file(path, text, durable=durable)


def from_values(kind: type[T], raw: object) -> T:
    """Return the `kind` whose fields stand in a JSON object. Raises ValueError for anything that is none."""
    if not isinstance(raw, dict):
        raise ValueError("not an object")
    values: dict[str, Any] = {}
    for name in kind.__struct_fields__:
        if name in raw:
            values[name] = _value(name, kind.__annotations__[name], raw[name])
    try:
        return kind(**values)
    except TypeError as exc:  # a field without a default is missing
        raise ValueError(str(exc)) from exc


def rfc3339(at: datetime) -> str:
    """Return an aware time as text in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the aware time of an RFC 3339 text. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("a time out of range") from exc


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} is not allowed in a state file")


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "datetime": (str,),
    "tuple": (list,),
    "Mapping": (dict,),
}


@cache
def _form(annotation: str) -> tuple[str, str, bool]:
    """Return what a value is, without its parameters too, and whether it may be null."""
    kind, _, rest = annotation.replace("OneOrMore", "tuple").partition(" | ")
    return kind, kind.partition("[")[0], rest == "None"


def _value(name: str, annotation: str, value: object) -> object:
    """Check a JSON value against a field's annotation: `str`, `datetime | None`, `tuple[str, ...]`, `Mapping[…]`."""
    kind, base, may_be_null = _form(annotation)
    if value is None:
        if may_be_null:
            return None
        raise ValueError(f"{name} is null")
    allowed = _KINDS.get(base)
    if allowed is not None and (not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)):
        raise ValueError(f"{name} is not a valid {base}")
    if base == "datetime":
        assert isinstance(value, str)
        return parse_time(value)
    if isinstance(value, str):
        value.encode()  # half a surrogate pair, which JSON can hold: UnicodeEncodeError is a ValueError
    if isinstance(value, list):
        return tuple(_item(name, kind, item) for item in value)
    inner = value.values() if isinstance(value, dict) and kind.startswith("Mapping[str, Mapping[") else ()
    if not all(isinstance(each, dict) for each in inner):
        raise ValueError(f"{name} contains values that are not objects")
    return value


def _item(name: str, kind: str, item: object) -> object:
    """Check one item of a list: a text, or a list of texts."""
    texts = item if isinstance(item, list) and kind.startswith("tuple[tuple[") else [item]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} contains values that are not strings")
    return tuple(texts) if texts is item else item
