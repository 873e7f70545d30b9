"""The scheduled run that finds everything unchanged: it returns the same result, and updates the same records.

It writes exactly what the normal path writes (`core.workflows.renewing.last_run`, `core.workflows.clock`), byte for byte. It
reads those files only in the format that certdeck writes; anything else, and any error, is left to the normal path.
"""

import os
import time

from core.idle.memo import Memo, read
from core.idle.signature import Places, look, look_at, places_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_APART = 3600.0
"""Two runs this far apart indicate a timer and not a user's attempts (`core.workflows.renewing.last_run`)."""
_RUN_ON = 600.0
_LEAP = 45 * 86400.0
"""A clock that advanced by less than _RUN_ON seconds is not recorded again; after more than _LEAP, the normal path checks it."""
_AT = '{\n "format": 1,\n "at": '
_DONE = ',\n "outcome": "done",\n "error": "",\n "lineages": [],\n "before": '
_FORM = '"dddd-dd-ddTdd:dd:dd.ddddddZ"'


def repeat(variables: "Mapping[str, str]", uid: int, now: float) -> Memo | None:
    """Repeat the last run and return its result; None if the normal path has to be taken.

    Args:
        now: seconds since 1970, UTC.
    """
    places = places_for(variables, uid)
    if places is None:
        return None
    try:
        memo = read(places, uid)
        if memo is None or not memo.valid_from <= now < memo.valid_until or _look(places, memo.files) != memo.seen:
            return None
        clock = _clock_record(places, memo, now)
        last_run = _last_run(places, memo, now)
        if clock is None or last_run is None:
            return None
        if clock:
            _put(places.state, "clock.json", clock, is_durable=False)
        _put(places.state, "last-run.json", last_run, is_durable=True)
    except (OSError, ValueError):
        return None
    return memo


def _look(places: Places, files: list[str]) -> int:
    seen, newest = look(places)
    return look_at(files, seen, newest)[0]


def _clock_record(places: Places, memo: Memo, now: float) -> str | None:
    """Return the new record of the clock, empty if the old one is recent enough; None in any doubt."""
    begin, end, rest = _text(places, "clock.json").partition(memo.clock)
    if end != memo.clock or rest or not begin.startswith(_AT):
        return None
    run_on = now - float(begin[len(_AT) :])
    if not 0 <= run_on <= _LEAP:
        return None
    return "" if run_on < _RUN_ON else f"{_AT}{now!r}{memo.clock}"


def _last_run(places: Places, memo: Memo, now: float) -> str | None:
    """Return the new record of the last run; None unless the old one is of a successful and recent run."""
    at, end, rest = _text(places, "last-run.json").partition(_DONE)
    at, before = at.removeprefix(_AT), rest.removesuffix("\n}")
    if not end or not _is_time(at) or not (before == "null" or _is_time(before)):
        return None
    if memo.pause and at < _stamp(now - memo.pause):
        return None
    if at <= _stamp(now - _APART):
        before = at
    return f"{_AT}{_stamp(now)}{_DONE}{before}\n}}"


def _text(places: Places, name: str) -> str:
    handle = os.open(f"{places.state}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would block forever
    try:
        return os.read(handle, 2000).decode("ascii")
    finally:
        os.close(handle)


def _stamp(at: float) -> str:
    """Return a time as it is written in a record, in quotation marks."""
    seconds, microseconds = divmod(round(at * 1_000_000), 1_000_000)
    return time.strftime(f'"%Y-%m-%dT%H:%M:%S.{microseconds:06d}Z"', time.gmtime(seconds))


def _is_time(text: str) -> bool:
    """Return whether a text is a time in the format of `_stamp`, so that two of them can be compared as text."""
    form = "".join("d" if each in "0123456789" else each for each in text)
    is_day = "01" <= text[6:8] <= "12" and "01" <= text[9:11] <= "31"
    return form == _FORM and is_day and text[12:14] <= "23" and text[15:17] <= "59" and text[18:20] <= "59"


def _put(folder: str, name: str, text: str, *, is_durable: bool) -> None:
    """Replace a file atomically, as `core.store.atomic.write_file` does. Raises OSError."""
    temporary, handle = _open_temporary(folder)
    try:
        try:
            os.fchmod(handle, 0o600)
            data = text.encode("ascii")
            if os.write(handle, data) != len(data):
                raise OSError
            if is_durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, f"{folder}/{name}")
    except BaseException:
        os.unlink(temporary)
        raise
    if is_durable:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_temporary(folder: str) -> tuple[str, int]:
    # A process that died may have left one with our process ID: in a container, all runs have the same.
    for number in range(1, 100):
        temporary = f"{folder}/.tmp-{os.getpid()}-{number}"
        try:
            return temporary, os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            pass
    raise FileExistsError(folder)
