"""Handles bugs: the traceback goes to the debug log, and the user gets an error that names the log.

Log messages of libraries go there too, not between our lines. The log has mode 0600. A traceback contains code and the exception's
text, never the values of variables.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Mapping
from pathlib import Path

from core.errors import CertdeckError, InternalError, ProgramIncomplete
from core.paths import paths_for
from core.version import VERSION
from tui.glyphs import printable


def internal_error(exc: BaseException, variables: Mapping[str, str]) -> InternalError | ProgramIncomplete:
    """Write the traceback to the debug log, and return the error for the user. Never raises."""
    incomplete = ProgramIncomplete.because(exc)
    what = f"certdeck failed with an unexpected error: {type(exc).__name__}."
    why = "This is a bug in certdeck. The live certificates are unchanged."
    try:
        log = paths_for(variables, os.getuid()).debug_log
        _append(log, f"-- certdeck {VERSION}, process {os.getpid()}\n{''.join(traceback.format_exception(exc))}")
    except OSError as problem:
        if incomplete is not None:
            return incomplete
        last = traceback.extract_tb(exc.__traceback__)[-1:]
        place = f"{Path(last[0].filename).name}, line {last[0].lineno}" if last else "an unknown location"
        fix = f"Please report it with this location: {place} (the log could not be written: {problem.strerror})."
        return InternalError(what, why, fix)
    return incomplete or InternalError(what, why, f"Please report it with the details from {printable(str(log))}.")


def refused_by_system(exc: OSError, variables: Mapping[str, str]) -> CertdeckError:
    """Return the error for an unexpected failure of a system call, and write its traceback to the log. Never raises."""
    from core.engine import base

    internal_error(exc, variables)
    return base.refused_by_system(exc, paths_for(variables, os.getuid()))


def log_quietly(log: Path) -> None:
    """Send all log messages from level warning to the debug log. The file is created with the first message."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, _DebugLog):
            root.removeHandler(handler)
    root.addHandler(_DebugLog(log))


class _DebugLog(logging.Handler):
    def __init__(self, log: Path) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _append(self._log, self.format(record))
        except OSError:
            return  # an unwritable log must not stop the work


def _append(log: Path, text: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{text}\n")
