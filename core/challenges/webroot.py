"""HTTP-01 through an existing web server: token files below its document root (SO-22).

The document root may belong to the web server's account: all work in it goes through `core.foreign`.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.challenges import InPlace
from core.challenges.http01 import url_for
from core.errors import ChallengeError
from core.events import Narrator
from core.foreign.attributes import Attributes
from core.foreign.folder import Folder
from core.foreign.untrusted import UntrustedPath
from core.foreign.walk import descend, open_folder
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}|test\.txt")
"""Valid token file names (RFC 8555 §8.3), and the file of a self-test (SF-19)."""
FOLDERS = (".well-known", "acme-challenge")
"""The second is inside the first (RFC 8615, RFC 8555 §8.3)."""
UNFINISHED = ".certdeck-"
READABLE = Attributes(mode=0o644)


class Webroot:
    """The solver for `http-01` with files. They are not secret and have mode 0644 for the web server.

    Orders may use it in parallel: the folders stay until the last order is done, and only those created here are removed.
    """

    type = "http-01"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        """Held while the folders or `_users` and `_made` change, never while waiting for a CA."""
        self._users = 0
        self._made: list[str] = []
        """Those of FOLDERS that were created here, the outer one first."""

    def where(self, challenge: Challenge) -> str:
        return url_for(challenge)

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[InPlace]:
        """Write the token files, and remove them and the folders created for them when the context ends."""
        cancel.check()
        tokens = [one.token for one in challenges]
        with self._lock:
            self._users += 1
        try:
            try:
                with self._open() as folder, self._made_folders(folder) as place:
                    for one in challenges:
                        self._write(place, one.token, one.key_authorization)
            except OSError as exc:
                raise self._not_written(exc) from exc
            yield InPlace()
        finally:
            self._remove_files(tokens)
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._remove_folders(self._made)
                    self._made = []

    def remove(self, tokens: Sequence[str]) -> None:
        """Remove what a killed run left: its token files, and the folders if they are empty (it is unknown who created them).

        Never raises.
        """
        self._remove_files(tokens)
        with self._lock:
            if not self._users:
                self._remove_folders(FOLDERS)

    def _open(self) -> Folder:
        """Open the document root. Raises ChallengeError if it is not a folder, and OSError."""
        try:
            return open_folder(self._folder)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise ChallengeError(
                f"The webroot {self._folder} is not a folder.",
                "It does not exist, or it is a file.",
                "Set `webroot` in [http01] to the document root of the web server that listens on port 80.",
                details={"webroot": str(self._folder)},
            ) from exc

    def _not_written(self, exc: OSError) -> ChallengeError:
        is_untrusted = isinstance(exc, UntrustedPath)
        return ChallengeError(
            f"The challenge files cannot be written below {self._folder}.",
            f"{exc.filename}: {exc.strerror}." if is_untrusted else f"The system says: {exc.strerror}.",
            exc.fix
            if isinstance(exc, UntrustedPath)
            else "Give certdeck write permission there, and free some space if the disk is full.",
            details={"webroot": str(self._folder)},
        )

    def _remove_files(self, tokens: Sequence[str]) -> None:
        with contextlib.suppress(OSError), self._found(len(FOLDERS)) as place:
            for token in tokens:
                if TOKEN.fullmatch(token):
                    for name in (token, UNFINISHED + token):
                        with contextlib.suppress(OSError):
                            place.clear(name)

    def _remove_folders(self, names: Sequence[str]) -> None:
        for name in reversed(names):
            with contextlib.suppress(OSError), self._found(FOLDERS.index(name)) as above:
                above.remove_folder(name)  # refused while it contains files of others

    @contextlib.contextmanager
    def _found(self, depth: int) -> Iterator[Folder]:
        """Open the folder `depth` levels below the document root in FOLDERS. Raises OSError."""
        with contextlib.ExitStack() as stack:
            here = stack.enter_context(open_folder(self._folder))
            for name in FOLDERS[:depth]:
                here = stack.enter_context(descend(here, name))
            yield here

    @contextlib.contextmanager
    def _made_folders(self, root: Folder) -> Iterator[Folder]:
        """Open the folder for the token files; create it if it does not exist. Raises OSError."""
        with contextlib.ExitStack() as stack:
            here = root
            with self._lock:
                for name in FOLDERS:
                    try:
                        here = stack.enter_context(here.make_folder(name, 0o755))
                    except FileExistsError:
                        here = stack.enter_context(descend(here, name))
                    else:
                        self._made.append(name)
                        # Whatever the umask is: the web server must be able to enter.
                        here.set_mode(0o755)
            yield here

    @staticmethod
    def _write(place: Folder, token: str, content: str) -> None:
        if not TOKEN.fullmatch(token):
            raise ChallengeError(
                "The CA sent an invalid challenge token.",
                "It contains characters other than letters, digits, - and _ (RFC 8555 §8.3).",
                "Check the directory URL of the issuer: an ACME server does not send such tokens.",
            )
        place.put_file(token, content.encode("ascii"), READABLE, UNFINISHED + token, durable=False)
