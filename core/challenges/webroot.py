"""HTTP-01 through the web server that is there: token files below its document root (SO-22)."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.challenges import InPlace
from core.challenges.http01 import url_for
from core.errors import ChallengeError
from core.events import Narrator
from core.ports import CancelToken

if TYPE_CHECKING:
    from core.acme.authorization import Challenge

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
FOLDERS = (".well-known", ".well-known/acme-challenge")
UNFINISHED = ".certdeck-"


class Webroot:
    """The solver `http-01` with files. The web server must be able to read them, so they are 0644: they are not secret.

    Orders may use it side by side: the folders stay until the last of them is done, and only those made here are removed.
    """

    type = "http-01"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        """Held while the folders or `_users` and `_made` change, never while a CA is waited for."""
        self._users = 0
        self._made: list[str] = []
        """Which of FOLDERS were made here, the outer one first."""

    def where(self, challenge: Challenge) -> str:
        return url_for(challenge)

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[InPlace]:
        """Write the token files, and remove them and the folders made for them when the context ends."""
        cancel.check()
        if not self._folder.is_dir():
            raise ChallengeError(
                f"The webroot {self._folder} is not a folder.",
                "It does not exist, or it is a file.",
                "Set `webroot` in [http01] to the document root of the web server that answers on port 80.",
                details={"webroot": str(self._folder)},
            )
        tokens = [one.token for one in challenges]
        with self._lock:
            self._users += 1
        try:
            try:
                with self._lock:
                    self._make_folders()
                for one in challenges:
                    self._write(one.token, one.key_authorization)
            except OSError as exc:
                raise ChallengeError(
                    f"The challenge files cannot be written below {self._folder}.",
                    f"The system says: {exc.strerror}.",
                    "Give certdeck the right to write there, and make room if the disk is full.",
                    details={"webroot": str(self._folder)},
                ) from exc
            yield InPlace()
        finally:
            self._remove_files(tokens)
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._remove_folders(self._made)
                    self._made = []

    def remove(self, tokens: Sequence[str]) -> None:
        """Remove what a killed run left: its token files, and the folders if they are empty, as nobody knows who made them.

        Never raises.
        """
        self._remove_files(tokens)
        with self._lock:
            if not self._users:
                self._remove_folders(FOLDERS)

    def _remove_files(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            if TOKEN.fullmatch(token):
                for name in (token, UNFINISHED + token):
                    with contextlib.suppress(OSError):
                        (self._place / name).unlink()

    def _remove_folders(self, names: Sequence[str]) -> None:
        for name in reversed(names):
            with contextlib.suppress(OSError):  # somebody else's files are in it, or it is gone
                (self._folder / name).rmdir()

    @property
    def _place(self) -> Path:
        return self._folder / FOLDERS[-1]

    def _make_folders(self) -> None:
        for name in FOLDERS:
            with contextlib.suppress(FileExistsError):
                (self._folder / name).mkdir(mode=0o755)
                self._made.append(name)
                (self._folder / name).chmod(0o755)  # whatever the umask is: the web server has to get in

    def _write(self, token: str, content: str) -> None:
        if not TOKEN.fullmatch(token):
            raise ChallengeError(
                "The CA sent a challenge token that cannot be a file name.",
                "It holds other characters than letters, digits, - and _ (RFC 8555 §8.3).",
                "Check the directory URL of the issuer: an ACME server does not do that.",
            )
        unfinished = self._place / (UNFINISHED + token)
        # A link that somebody put there is not followed, and never written through.
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode("ascii"))
            os.fchmod(descriptor, 0o644)
        unfinished.replace(self._place / token)
