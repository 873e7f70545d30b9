"""HTTP-01 with certdeck's own web server (RFC 8555 §8.3): it listens only while challenges are pending.

All orders of a run share one responder: the first one opens the port, the last one closes it. It serves only the tokens of
these orders and `test.txt` (SF-19), and reports which addresses requested a token, to distinguish a firewall from a failure of
the CA.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from core.concealed import Concealed
from core.events import Narrator, ValidatorSeen
from core.ports import CancelToken, HttpReply, HttpRequest, Listener

if TYPE_CHECKING:
    from core.acme.authorization import Challenge

PREFIX = "/.well-known/acme-challenge/"
READY = b"Let's Encrypt Ready"
"""The content of `test.txt` (SF-19)."""
NOT_FOUND = HttpReply(status=404)
TOLD_LIMIT = 20
"""Maximum number of validators reported for each token: anyone may send requests."""


def url_for(challenge: Challenge) -> str:
    """Return the URL that the CA requests: always port 80, whatever port certdeck listens on."""
    try:
        is_six = ipaddress.ip_address(challenge.identifier).version == 6
    except ValueError:
        is_six = False
    host = f"[{challenge.identifier}]" if is_six else challenge.identifier
    return f"http://{host}{PREFIX}{challenge.token}"


def reply_to(path: str, answer_to: Callable[[str], bytes | None]) -> HttpReply:
    """Return a listener's response: a token's key authorization, `test.txt`, or 404.

    Args:
        answer_to: returns the key authorization of a token, or None for an unknown one.
    """
    if not path.startswith(PREFIX):
        return NOT_FOUND
    token = path.removeprefix(PREFIX)
    if token == "test.txt":
        return HttpReply(status=200, body=READY)
    found = answer_to(token)
    if found is None:
        return NOT_FOUND
    return HttpReply(status=200, body=found, content_type="application/octet-stream")


class _Proof(Concealed, Struct, eq=False):
    """One token, its identifier, and the addresses that requested it."""

    key_authorization: str
    identifier: str
    narrator: Narrator
    seen: threading.Event = field(default_factory=threading.Event)
    peers: set[str] = field(default_factory=set)


class Responder:
    """The solver for `http-01` with certdeck's own listener."""

    type = "http-01"

    def __init__(self, listener: Listener, address: str, port: int) -> None:
        self._listener = listener
        self._address = address
        self._port = port
        self._lock = threading.Lock()
        self._proofs: dict[str, _Proof] = {}
        self._users = 0
        self._open: contextlib.ExitStack | None = None

    def where(self, challenge: Challenge) -> str:
        return url_for(challenge)

    @contextlib.contextmanager
    def present(self, challenges: Sequence[Challenge], narrator: Narrator, cancel: CancelToken) -> Iterator[_Asked]:
        """Serve the tokens until the context ends. Raises PortUnavailable (`port-unavailable`)."""
        cancel.check()
        proofs = {one.token: _Proof(one.key_authorization, one.identifier, narrator) for one in challenges}
        self._enter(proofs)
        try:
            yield _Asked(tuple(proofs.values()))
        finally:
            self._leave(proofs)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Respond to one request: a known token, `test.txt`, or 404."""

        def answer_to(token: str) -> bytes | None:
            proof = self._proofs.get(token)
            if proof is None:
                return None
            self._note(proof, request.peer)
            return proof.key_authorization.encode()

        return reply_to(request.path, answer_to)

    def _enter(self, proofs: dict[str, _Proof]) -> None:
        with self._lock:
            if self._open is None:
                with contextlib.ExitStack() as stack:
                    stack.enter_context(self._listener.listen(self._address, self._port, self.answer))
                    self._open = stack.pop_all()
            self._users += 1
            self._proofs.update(proofs)

    def _leave(self, proofs: dict[str, _Proof]) -> None:
        with self._lock:
            for token, proof in proofs.items():
                if self._proofs.get(token) is proof:
                    del self._proofs[token]
            self._users -= 1
            if self._users == 0 and self._open is not None:
                stack, self._open = self._open, None
                stack.close()

    @staticmethod
    def _note(proof: _Proof, peer: str) -> None:
        proof.seen.set()
        if peer not in proof.peers and len(proof.peers) < TOLD_LIMIT:
            proof.peers.add(peer)
            proof.narrator.tell(ValidatorSeen(address=peer, identifier=proof.identifier))


class _Asked:
    """The challenges of one order, and whether all have been requested."""

    def __init__(self, proofs: tuple[_Proof, ...]) -> None:
        self._proofs = proofs

    def settle(self, seconds: float, cancel: CancelToken) -> None:
        for proof in self._proofs:
            if not proof.seen.wait(seconds):
                break
        cancel.check()
