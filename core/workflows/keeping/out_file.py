"""Writes the file of `--out`, in any folder: in one step, as a new file or in place of a regular one.

The folder may belong to another user than the one that runs certdeck. It is opened once and kept open (`core.foreign`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from core.errors import UsageError
from core.foreign.attributes import Attributes
from core.foreign.folder import Folder
from core.foreign.walk import open_folder
from core.paths import Paths
from core.store.atomic import storing

TEMPORARY = ".certdeck-"
_LONGEST_NAME = 200
"""Most bytes of a name that its temporary name repeats."""


class OutFile:
    """The path of one file, with its folder kept open."""

    def __init__(self, out: Path, folder: Folder) -> None:
        self._out = out
        self._folder = folder

    def write(self, content: bytes, mode: int, *, ending: str = "") -> None:
        """Write the file in one step, with `mode` from the first byte, and replace an existing one. Raises StoreError.

        `ending`: appended to the temporary name, for folders where a service reads every file with the extension of this one.
        """
        name = self._out.name
        temporary = TEMPORARY + os.fsdecode(os.fsencode(name)[:_LONGEST_NAME]) + ending
        with storing(self._out):
            self._folder.put_file(name, content, Attributes(mode=mode), temporary)

    @contextmanager
    def written(self, mode: int) -> Iterator[Callable[[bytes], None]]:
        """Yield a function that writes the next piece. The file appears when the block ends without an error. Raises StoreError."""
        name = self._out.name
        temporary = TEMPORARY + os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])
        with storing(self._out), self._folder.put_stream(name, Attributes(mode=mode), temporary) as write:
            yield write


@contextmanager
def place_for(paths: Paths, out: Path, example: Path) -> Iterator[OutFile]:
    """Open the folder of the file `out`. `example`: a file name for the message if `out` is a folder.

    Raises:
        UsageError (`usage`): `out` is a folder, not a regular file, or in certdeck's state folder.
        StoreError: its folder cannot be opened.
    """
    if not out.name or out.name == "..":
        raise _is_folder(out, example)
    with storing(out):
        folder = open_folder(out.absolute().parent)
    with folder:
        _refuse_own_state(paths, out, folder)
        with storing(out):
            try:
                with folder.opened(out.name) as (_, status):
                    found = status.st_mode
            except FileNotFoundError:
                found = None
        if found is not None and S_ISDIR(found):
            raise _is_folder(out, example)
        if found is not None and not S_ISREG(found):
            # A file in its place would remove the device, the pipe or the link, and leave a key in an unexpected place.
            raise UsageError(
                f"{out} is not a regular file.",
                "It is a link, a device, a pipe or a socket, and an export would replace it.",
                "Choose a separate file.",
            )
        yield OutFile(out, folder)


def _refuse_own_state(paths: Paths, out: Path, folder: Folder) -> None:
    try:
        state = os.stat(paths.state)
    except OSError:
        return  # there is none yet
    if (state.st_dev, state.st_ino) in {level.identity for level in folder.way}:
        raise UsageError(
            f"{out} is in certdeck's own state folder.",
            "Only certdeck may change files there, and a copy would replace live files.",
            "Choose a file elsewhere.",
        )


def _is_folder(out: Path, example: Path) -> UsageError:
    return UsageError(f"{out} is a folder.", "An export is a single file.", f"Give the file, for example {example}.")
