"""The search path for child programs."""

from __future__ import annotations

from collections.abc import Mapping

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""cron gives its jobs only `/usr/bin:/bin`, and nginx is in /usr/sbin."""


def search_path(variables: Mapping[str, str]) -> str:
    """Return the absolute folders of PATH, then the system's."""
    folders = [folder for folder in variables.get("PATH", "").split(":") if folder.startswith("/")]
    return ":".join([*folders, *(folder for folder in SYSTEM_PATH if folder not in folders)])


def find_program(name: str, path: str) -> str | None:
    """Return the path of a program: unchanged if it has a slash, otherwise from the first folder of `path` that contains it."""
    if "/" in name:
        return name
    import shutil

    return shutil.which(name, path=path)
