"""The output of an idle scheduled run, and the short way to repeat it. Imports almost nothing."""

import os
import sys
import time

TYPE_CHECKING = False  # importing `typing` takes longer than the whole run
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_SCHEDULED = (["--renew"], ["renew"])
_IN_JSON = (["--renew", "--json"], ["renew", "--json"], ["--json", "--renew"], ["--json", "renew"])


def sentence(next_name: str, next_at: float, now: float) -> str:
    """Return which certificate renews next, and when, in local time. `next_at` and `now` are epoch seconds.

    Args:
        next_name: cleaned for the terminal. Empty: none renews automatically.
    """
    if not next_name:
        return "Nothing is due."
    local, today = time.localtime(next_at), time.localtime(now)
    if local[:3] == today[:3]:
        return f"Nothing is due. The next one is {next_name}, today at {time.strftime('%H:%M', local)}."
    return f"Nothing is due. The next one is {next_name}, on {local.tm_mday} {time.strftime('%b %Y', local)}."


def said_again(arguments: list[str], variables: "Mapping[str, str]") -> bool:
    """Repeat the last scheduled run, if nothing has changed, and print the same result. Returns whether that was done.

    If not, nothing was written, or only what can be written again, and the normal run must follow.
    """
    wants_json = arguments in _IN_JSON
    out: TextIO | None = sys.stdout
    if out is None or not (wants_json or arguments in _SCHEDULED):
        return False
    from core.idle.repeat import repeat

    now = time.time()
    memo = repeat(variables, os.getuid(), now)
    if memo is None:
        return False
    try:
        out.write(memo.json if wants_json else f"{sentence(memo.next_name, memo.next_at, now)}\n")
        out.flush()
    except OSError:
        return False  # a full disk, or a closed pipe: the normal run reports it
    return True
