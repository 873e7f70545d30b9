"""Finds a certificate in the folders of all known clients, by what it is and not by what it is called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from core.adopt import acme_sh, certbot, dehydrated, getssl, lego, uacme
from core.adopt.found import FoundCertificate, Timer, read
from core.adopt.timers import timer_of
from core.store.versions import leaf_sha256

CLIENTS: tuple[ModuleType, ...] = (certbot, acme_sh, lego, dehydrated, getssl, uacme)

SEARCH_SECONDS = 5.0
"""For looking through the folders of all clients."""


def found_on(root: Path) -> Iterator[FoundCertificate]:
    """Yield everything that the known clients keep below `root`, `/` but for tests."""
    for client in CLIENTS:
        yield from client.find(root)


def holders_of(root: Path, sha256: str) -> tuple[FoundCertificate, ...]:
    """Return every place where a client keeps the certificate with this fingerprint (`AA:BB:…`), as far as SEARCH_SECONDS go."""
    found: list[FoundCertificate] = []

    def search() -> None:
        for each in found_on(root):
            text = read(each.certificate)
            if text is not None and leaf_sha256(text) == sha256:
                found.append(each)

    within(search, SEARCH_SECONDS)
    return tuple(found)


def within(work: Callable[[], None], seconds: float) -> bool:
    """Do `work` for so long at most, and tell whether it has ended: a folder of homes may be on a server that hangs."""
    thread = threading.Thread(target=work, name="adopt", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def timer(root: Path, client: str) -> Timer | None:
    """Return what makes a client renew, or None where nothing is found."""
    return next((timer_of(root, each.WORDS) for each in CLIENTS if client == each.NAME), None)
