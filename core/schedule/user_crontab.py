"""The crontab of a user, read and written with the `crontab` program.

A crontab that cannot be read completely is not written: the program's output is truncated at 16 KiB and decoded, and writing
back half a crontab would destroy the rest.
"""

from __future__ import annotations

from core.errors import CertdeckError
from core.ports import Runner

_SECONDS = 20.0
_MOST_BYTES = 16 * 1024
"""The port `Runner` keeps no more than this of a program's output."""
_NONE = ("no crontab", "no such file")
"""Messages of the crontab programs if there is no crontab yet; they exit with status 1 then."""
_NO_PROGRAM = 127


def has_cron(runner: Runner) -> bool:
    """Return whether cron is installed."""
    return runner.run(["crontab", "-l"], timeout=_SECONDS).returncode != _NO_PROGRAM


def read_crontab(runner: Runner) -> str:
    """Return the crontab; empty if there is none. Raises CertdeckError (`failed`) if it cannot be read completely."""
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
    """Replace the crontab, or remove it if `text` is empty, and verify the result. Raises CertdeckError (`failed`)."""
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
