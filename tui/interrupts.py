"""Handles ^C at the start and the end of the process: it ends silently, like a C program, never with a traceback.

In between, `tui.cli.dispatch` turns ^C into KeyboardInterrupt, and that into a message.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself takes 3 ms, in which somebody may press ^C


def end_silently() -> None:
    """Make ^C end the process at once. Another handler, or an ignored ^C, stays."""
    _swap(_signal.default_int_handler, _signal.SIG_DFL)


def raise_again() -> None:
    """Make ^C raise KeyboardInterrupt again, after `end_silently`."""
    _swap(_signal.SIG_DFL, _signal.default_int_handler)


def _swap(before: object, after: object) -> None:
    try:
        if _signal.getsignal(_signal.SIGINT) == before:
            _signal.signal(_signal.SIGINT, after)
    except ValueError:
        pass  # only the main thread may set handlers; other threads get no ^C
