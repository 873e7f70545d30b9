"""One number for the state of every file that a scheduled run with nothing to do checks.

Change time and inode distinguish one state of a file from another: writing, replacing, renaming, and changing owner or mode all
update the change time, which no program can set. Sizes are included for file systems with coarse timestamps.
"""

import os

TYPE_CHECKING = False  # importing it from `typing` takes longer than checking a small home
if TYPE_CHECKING:
    from collections.abc import Mapping

FINEST_NANOSECONDS = 2_000_000_000
"""Coarsest known change time of a file system (FAT: 2 s). A younger file may change again with the same time."""


class Places:
    """The folders, as text: `pathlib` alone would double the imports of such a run."""

    __slots__ = ("etc", "run", "state")

    def __init__(self, etc: str, state: str, run: str) -> None:
        self.etc = etc
        self.state = state
        self.run = run

    @property
    def memo(self) -> str:
        return f"{self.state}/idle"


def places_for(variables: "Mapping[str, str]", uid: int) -> Places | None:
    """Return the folders as `core.paths.paths_for` does; None if determining them takes more than this."""
    home = variables.get("CERTDECK_HOME")
    if home:
        return Places(f"{home}/etc", f"{home}/state", f"{home}/run") if home[0] == "/" else None
    return None if uid else Places("/etc/certdeck", "/var/lib/certdeck", "/run/certdeck")


def look(places: Places) -> tuple[int, int]:
    """Return the signature of settings and state, and the newest change time in it, in nanoseconds.

    Raises OSError for any failure except a missing file.
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
            f"{places.run}/lock",  # every writer of ours updates this file
        ]
    )
    return _look_at_lineages(places, seen, newest)


def look_at(files: "list[str]", seen: int = 0, newest: int = 0) -> tuple[int, int]:
    """Return the signature of some files, and the newest change time. `seen`, `newest`: results for the files before."""
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
    """Continue with each lineage's settings, live certificate and folder: three calls each, the whole cost of a large home."""
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
                except FileNotFoundError:  # no attempt was made yet
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
