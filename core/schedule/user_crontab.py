"""The crontab of a user, read and written by the `crontab` program.

What cannot be read whole is not written: the program's output comes to us cut at 16 KiB and decoded, and half a crontab put
back would be worse than none.
"""

from __future__ import annotations

from core.errors import CertdeckError
from core.ports import Runner

_SECONDS = 20.0
_MOST_BYTES = 16 * 1024
"""The port `Runner` keeps no more of what a program prints."""
_NONE = ("no crontab", "no such file")
"""What the crontab programs say when there is none yet; they end with 1 then."""
_NO_PROGRAM = 127


def has_cron(runner: Runner) -> bool:
    """Tell whether cron is installed."""
    return runner.run(["crontab", "-l"], timeout=_SECONDS).returncode != _NO_PROGRAM


def read_crontab(runner: Runner) -> str:
    """Return the crontab; empty when there is none. Raises CertdeckError (`failed`) when it cannot be had whole."""
    done = runner.run(["crontab", "-l"], timeout=_SECONDS)
    if done.returncode == 0 and not done.timed_out:
        if len(done.output.encode()) >= _MOST_BYTES or "\ufffd" in done.output:
            raise CertdeckError(
                "certdeck cannot change the crontab.",
                "It is too long or not UTF-8, so certdeck could not preserve the other lines.",
                "Edit it with `crontab -e`.",
            )
        return done.output
    if not done.timed_out and any(words in done.output.lower() for words in _NONE):
        return ""
    raise _refused("read", done.output)


def write_crontab(runner: Runner, text: str) -> None:
    """Replace the crontab, or remove it where nothing is left, and look whether it is there. Raises CertdeckError (`failed`)."""
    argv, stdin = (["crontab", "-"], text.encode()) if text else (["crontab", "-r"], None)
    done = runner.run(argv, timeout=_SECONDS, stdin=stdin)
    if done.returncode != 0 or done.timed_out:
        raise _refused("changed", done.output)
    if read_crontab(runner) != text:
        raise _refused("changed", "It does not contain the lines that were written.")


def _refused(action: str, output: str) -> CertdeckError:
    said = output.strip().splitlines()
    return CertdeckError(
        f"The crontab could not be {action}.",
        said[0] if said else "cron gave no reason.",
        "Fix the cause, or edit the crontab with `crontab -e`.",
    )
