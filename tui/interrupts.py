"""^C before and after there is anything to stop: the process ends silently, as a program in C does, and never with a traceback.

Only what runs in between (`tui.cli.dispatch`) turns it into KeyboardInterrupt, and that into words.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself takes 3 ms, in which somebody may press ^C


def end_silently() -> None:
    """Let ^C end the process at once. Somebody else's handler, and a ^C that is ignored, stay."""
    _swap(_signal.default_int_handler, _signal.SIG_DFL)


def raise_again() -> None:
    """Let ^C raise KeyboardInterrupt, after `end_silently`."""
    _swap(_signal.SIG_DFL, _signal.default_int_handler)


def _swap(before: object, after: object) -> None:
    try:
        if _signal.getsignal(_signal.SIGINT) == before:
            _signal.signal(_signal.SIGINT, after)
    except ValueError:
        pass  # only the main thread may; in another one nobody presses ^C
