"""HTTP-01 responder of a box for the whole fleet: its port is open only while a hub publishes a response."""

from __future__ import annotations

from contextlib import ExitStack, suppress

from core.challenges.http01 import reply_to
from core.errors import PortUnavailable
from core.fleet.etcd import Etcd
from core.fleet.layout import CHALLENGES
from core.ports import HttpReply, HttpRequest, Listener


class Answers:
    """The responses as last read from etcd. Use as a context manager: leaving it closes the port."""

    def __init__(self, listener: Listener, address: str, port: int) -> None:
        self._listener = listener
        self._address = address
        self._port = port
        self._answers: dict[str, bytes] = {}
        self._open = ExitStack()
        self._is_open = False

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def look(self, etcd: Etcd) -> int:
        """Read the published responses, and open or close the port. Returns the revision of etcd that was read."""
        found, revision = etcd.range(CHALLENGES)
        self._answers = {entry.key.removeprefix(CHALLENGES): entry.value for entry in found}
        if not self._answers:
            self._close()
        elif not self._is_open:
            # The hub that orders may be another process on this box: then that process answers.
            with suppress(PortUnavailable):
                self._open.enter_context(self._listener.listen(self._address, self._port, self.answer))
                self._is_open = True
        return revision

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer one request: a known token, `test.txt`, or 404."""
        return reply_to(request.path, self._answers.get)

    def _close(self) -> None:
        self._open.close()
        self._is_open = False
