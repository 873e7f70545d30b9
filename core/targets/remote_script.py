"""The shell scripts that install certificate and key on another machine. Pure: `core.targets.remote` runs them.

They contain paths and commands, quoted for the shell, and never a secret. Each can be run again after an interruption at any point.
Next to each path are: `.certdeck-NAME.FILE.new` (uploaded), `.old` (before the last switch), `.absent` (there was no file).
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence

BUSY, TEST_FAILED, RELOAD_FAILED, SERVICE_UNKNOWN, NOT_WRITTEN, NOT_BACK = 90, 91, 92, 93, 94, 95
"""Exit statuses of the scripts. The old files are back after TEST_FAILED, RELOAD_FAILED, and SERVICE_UNKNOWN (not reloaded)."""


def upload(target: str, path: str, size: int, mode: str) -> str:
    """Return a script that writes its standard input next to `path`, with the owner and mode of the existing file.

    Args:
        size: bytes that have to arrive; a broken connection ends the input early.
        mode: octal, used if there is no file yet.
    """
    new, final = _beside(target, path, "new"), shlex.quote(path)
    return (
        f"umask 077; rm -f {new} || exit {NOT_WRITTEN}; "
        f"if [ -f {final} ]; then cp -p {final} {new} || exit {NOT_WRITTEN}; "
        f"else : > {new} && chmod {mode} {new} || exit {NOT_WRITTEN}; fi; "
        f"cat > {new} || exit {NOT_WRITTEN}; "
        f"[ $(wc -c < {new}) -eq {size} ] || {{ rm -f {new}; exit {NOT_WRITTEN}; }}; sync {new} 2>/dev/null || sync"
    )


def switch(target: str, paths: Sequence[str], test: Sequence[str], reload: Sequence[str]) -> str:
    """Return a script that puts the uploaded files in place, tests, and reloads; after a failure the old files are restored."""
    there = "".join(f"[ -f {_beside(target, path, 'new')} ] || exit {NOT_WRITTEN}; " for path in paths)
    keep = "".join(_keep(target, path) for path in paths)
    move = "".join(
        f"mv -f {_beside(target, path, 'new')} {shlex.quote(path)} || {{ back; exit {NOT_WRITTEN}; }}; "
        for path in paths
    )
    return (
        f"{_alone(target, paths)}{_back(target, paths)}"
        f"{there}"
        f"{keep}{move}{_sync(paths)}; "
        f"{_run(test)} || {{ back; exit {TEST_FAILED}; }}; "
        f"{_run(reload)} || {{ back; {_run(reload)} && exit {RELOAD_FAILED}; exit {SERVICE_UNKNOWN}; }}"
    )


def restore(target: str, paths: Sequence[str], reload: Sequence[str]) -> str:
    """Return a script that restores the files from before the last switch, and reloads."""
    return f"{_alone(target, paths)}{_back(target, paths)}back; {_run(reload)} || exit {SERVICE_UNKNOWN}"


def check(paths: Sequence[str], programs: Sequence[str]) -> str:
    """Return a script that changes nothing and reports what would make a deployment fail."""
    folders = dict.fromkeys(posixpath.dirname(path) for path in paths)
    writable = "".join(
        f"[ -d {shlex.quote(folder)} ] && [ -w {shlex.quote(folder)} ] || "
        f"{{ echo {shlex.quote(f'{folder} is not a writable folder.')}; exit {NOT_WRITTEN}; }}; "
        for folder in folders
    )
    found = "".join(
        f"command -v {shlex.quote(program)} >/dev/null || "
        f"{{ echo {shlex.quote(f'{program} is not installed.')}; exit {NOT_WRITTEN}; }}; "
        for program in programs
    )
    return f"{writable}{found}true"


def _beside(target: str, path: str, end: str) -> str:
    folder, name = posixpath.split(path)
    return shlex.quote(posixpath.join(folder, f".certdeck-{target}.{name}.{end}"))


def _keep(target: str, path: str) -> str:
    """Keep the file at `path`: complete under its name, or not at all."""
    final, old, absent, part = shlex.quote(path), *(_beside(target, path, end) for end in ("old", "absent", "part"))
    fail = f"exit {NOT_WRITTEN}"
    return (
        f"rm -f {old} {absent} {part} || {fail}; "
        f"if [ -e {final} ] || [ -L {final} ]; then cp -pP {final} {part} && mv -f {part} {old} || {fail}; "
        f"else : > {absent} || {fail}; fi; "
    )


def _back(target: str, paths: Sequence[str]) -> str:
    steps = "".join(
        f"if [ -e {old} ] || [ -L {old} ]; then mv -f {old} {final} || exit {NOT_BACK}; "
        # The current time, because some services keep a newer file that they have loaded.
        f"[ -L {final} ] || touch -c {final} || :; "
        f"elif [ -e {absent} ]; then rm -f {final} {absent} || exit {NOT_BACK}; fi; "
        for final, old, absent in (
            (shlex.quote(path), _beside(target, path, "old"), _beside(target, path, "absent")) for path in paths
        )
    )
    return f"back() {{ {steps}{_sync(paths)}; }}; "


def _alone(target: str, paths: Sequence[str]) -> str:
    """Refuse to run while an earlier script is running there: one that hangs in a reload could later undo this one."""
    pid = _beside(target, paths[0], "pid")
    return (
        "usual=$(umask); umask 077; trap '' HUP PIPE; "
        f"old=$(cat {pid} 2>/dev/null); "
        f'if [ -n "$old" ] && [ "$old" != $$ ] && grep -q certdeck- "/proc/$old/cmdline" 2>/dev/null; then exit {BUSY}; fi; '
        f"echo $$ > {pid} || exit {NOT_WRITTEN}; trap {shlex.quote(f'rm -f {pid}')} EXIT; "
    )


def _sync(paths: Sequence[str]) -> str:
    """Write the folders, and so the renames in them, to disk; a plain `sync` if the program accepts no paths."""
    folders = " ".join(shlex.quote(folder) for folder in dict.fromkeys(posixpath.dirname(path) for path in paths))
    return f"{{ sync {folders} 2>/dev/null || sync; }}"


def _run(argv: Sequence[str]) -> str:
    return f'( umask "$usual"; trap - HUP PIPE EXIT; {shlex.join(argv)} ) </dev/null 2>&1' if argv else "true"
