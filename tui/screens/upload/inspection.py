"""Checks the input in a worker shortly after the last change; one check at a time, and an outdated result is discarded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from textual.timer import Timer

from core.concealed import Concealed
from core.errors import CertdeckError
from core.upload.values import MOST_PARTS, Part, Upload, UploadCheck
from tui.screens.page import Page
from tui.screens.upload.given import Piece
from tui.screens.upload.naming import check_as_named

PAUSE_SECONDS: Final = 0.2
"""The delay between the last key and the check."""


class Given(Concealed, Struct, frozen=True):
    """The input to check."""

    pieces: tuple[Piece, ...]
    name: str | None
    passphrase: bytes | None = None
    fetch_chain: bool = False


class Inspection:
    """Call `soon` after every change; `keep` gets the checked input and its result, or None if there is no input."""

    def __init__(
        self,
        page: Page[None],
        given: Callable[[], Given],
        keep: Callable[[Upload | None, UploadCheck | CertdeckError | None], None],
        begun: Callable[[], None],
    ) -> None:
        self._page, self._given, self._keep, self._begun = page, given, keep, begun
        self._revision = 0
        self._pause: Timer | None = None
        self.is_looking = False
        """A worker is running."""

    @property
    def is_pending(self) -> bool:
        """The input has changed since the last result."""
        return self.is_looking or self._pause is not None

    def soon(self, delay: float) -> None:
        """Check the current input after a short delay; the result of a running check is outdated."""
        self._revision += 1
        if self._pause is not None:
            self._pause.stop()
        self._pause = self._page.set_timer(delay, self._look)

    def _look(self) -> None:
        self._pause = None
        if self.is_looking:
            return  # when it ends, it finds that the input has changed
        given, revision = self._given(), self._revision
        if not given.pieces:
            self._keep(None, None)
            return
        self.is_looking = True
        engine, status = self._page.engine, self._page.deck.status
        known = {each.name for each in status.lineages} if status else set()

        def call() -> tuple[Upload, UploadCheck]:
            upload = Upload(self._parts(given.pieces), given.passphrase)
            check = check_as_named(engine, upload, name=given.name, fetch_chain=given.fetch_chain, known=known)
            return upload, check

        def then(answer: tuple[Upload, UploadCheck] | CertdeckError) -> None:
            self.is_looking = False
            if not self._page.is_mounted:
                return
            if revision != self._revision:
                if self._pause is None:
                    self._look()
            elif isinstance(answer, CertdeckError):
                self._keep(None, answer)
            else:
                self._keep(*answer)

        self._page.ask(call, then)
        self._begun()

    def _parts(self, pieces: Sequence[Piece]) -> tuple[Part, ...]:
        """Read the files, in the worker."""
        return tuple(
            self._page.engine.read_part(piece.path)
            if piece.path is not None
            else Part(piece.label, piece.text.encode(errors="replace"))
            for piece in pieces[: MOST_PARTS + 1]
        )
