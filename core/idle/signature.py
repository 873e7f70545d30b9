"""One number for the state of every file that a scheduled run with nothing to do looks at.

Change time and inode tell one state of a file from another: whoever writes, replaces, renames, or changes owner or mode moves the
change time, and nobody can set it. Sizes are in it for file systems whose times are coarse.
"""

import os

TYPE_CHECKING = False  # that of `typing` costs more than the whole look at a small home
if TYPE_CHECKING:
    from collections.abc import Mapping

FINEST_NANOSECONDS = 2_000_000_000
"""Coarsest change time of a file system that we know of (FAT: 2 s). What is younger may change again without another time."""


class Places:
    """The folders, as text: `pathlib` alone would double what such a run imports."""

    __slots__ = ("etc", "run", "state")

    def __init__(self, etc: str, state: str, run: str) -> None:
        self.etc = etc
        self.state = state
        self.run = run

    @property
    def memo(self) -> str:
        return f"{self.state}/idle"


def places_for(variables: "Mapping[str, str]", uid: int) -> Places | None:
    """Return the folders, as `core.paths.paths_for` does; None where finding them out takes more than this."""
    home = variables.get("CERTDECK_HOME")
    if home:
        return Places(f"{home}/etc", f"{home}/state", f"{home}/run") if home[0] == "/" else None
    return None if uid else Places("/etc/certdeck", "/var/lib/certdeck", "/run/certdeck")


def look(places: Places) -> tuple[int, int]:
    """Return the signature of settings and state, and the newest change time in it, in nanoseconds.

    Raises OSError for anything but a file that is not there.
    """
    state = places.state
    seen, newest = look_at(
        [
            f"{places.etc}/certdeck.toml",
            f"{places.etc}/certificates.d",
            f"{state}/live",
            f"{state}/lineages",
            f"{state}/orders",
            f"{state}/transactions",
            f"{state}/dns",
            f"{state}/deleted",
            f"{state}/restoring.json",
            f"{state}/web",
            f"{state}/web-change.json",
            f"{state}/renewal-windows.json",
            f"{places.run}/lock",  # every writer of ours leaves its trace there
        ]
    )
    return _look_at_lineages(places, seen, newest)


def look_at(files: "list[str]", seen: int = 0, newest: int = 0) -> tuple[int, int]:
    """Return the signature of some files, and the newest change time. `seen`, `newest`: of what was looked at before."""
    for file in files:
        try:
            found = os.stat(file)
        except (FileNotFoundError, NotADirectoryError):
            seen = hash((seen, 0))
            continue
        changed = found.st_ctime_ns
        seen = hash((seen, found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, changed))
        newest = max(newest, changed)
    return seen, newest


def _look_at_lineages(places: Places, seen: int, newest: int) -> tuple[int, int]:
    """Go on with each lineage's settings, live certificate and folder. Three calls each: this is all that a big home costs."""
    try:
        settings = os.open(f"{places.etc}/certificates.d", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return seen, newest
    live = homes = -1
    try:
        live = os.open(f"{places.state}/live", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        homes = os.open(f"{places.state}/lineages", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stat = os.stat
        with os.scandir(settings) as entries:
            for entry in entries:
                file = entry.name
                if file[-5:] != ".toml" or file[0] == ".":
                    continue
                name = file[:-5]
                one = entry.stat()
                a = one.st_ctime_ns
                try:
                    two = stat(name, dir_fd=homes)
                except FileNotFoundError:  # nothing was tried yet
                    two = one
                try:
                    three = stat(f"{name}/cert.pem", dir_fd=live)
                except FileNotFoundError:  # none was issued yet
                    three = one
                b = two.st_ctime_ns
                c = three.st_ctime_ns
                seen = hash((seen, one.st_ino, a, one.st_size, two.st_ino, b, three.st_ino, c, three.st_size))
                if a > newest or b > newest or c > newest:
                    newest = max(a, b, c)
    finally:
        for handle in (settings, live, homes):
            if handle != -1:
                os.close(handle)
    return seen, newest
