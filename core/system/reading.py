"""Tests whether another user, such as that of a service, can read a file."""

from __future__ import annotations

import os
from pathlib import Path

from core.search_path import SYSTEM_PATH, find_program

SECONDS = 5.0


def reads_as(account: str, file: Path) -> bool | None:
    """Tell whether a user of this machine can read a file, by reading from it. None: not known, for example without root.

    The standard library switches the user between fork and exec, in C: no Python code runs there, which threads would make unsafe.
    """
    if os.geteuid() != 0:
        return None
    import pwd
    import subprocess

    path = ":".join(SYSTEM_PATH)
    program = find_program("head", path)
    if program is None:
        return None
    try:
        entry = pwd.getpwnam(account)
        ended = subprocess.run(
            ["head", "-c", "1", "--", str(file)],
            executable=program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": path},
            cwd="/",
            user=entry.pw_uid,
            group=entry.pw_gid,
            extra_groups=os.getgrouplist(account, entry.pw_gid),
            timeout=SECONDS,
            check=False,
        )
    except (KeyError, OSError, subprocess.SubprocessError):
        return None
    return ended.returncode == 0
