"""The pool of anti-replay nonces (RFC 8555 §6.5): every response brings one, the next request uses it."""

from __future__ import annotations

import re
import threading
from collections import deque

KEPT = 64
"""More are not worth keeping: CAs drop old ones, and a stale one costs a request."""
NONCE = re.compile(r"[A-Za-z0-9_-]{4,1024}")


class NoncePool:
    """A pool of nonces. Thread-safe; the newest is used first, so that the fewest go stale."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nonces: deque[str] = deque(maxlen=KEPT)

    def put(self, nonce: str | None) -> None:
        """Keep a nonce; ignore one that is not base64url, as RFC 8555 §6.5.1 requires."""
        if nonce is not None and NONCE.fullmatch(nonce) and len(nonce) % 4 != 1:
            with self._lock:
                self._nonces.append(nonce)

    def take(self) -> str | None:
        """Return the newest nonce and remove it; None if the pool is empty."""
        with self._lock:
            return self._nonces.pop() if self._nonces else None

    def clear(self) -> None:
        with self._lock:
            self._nonces.clear()
