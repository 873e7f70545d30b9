"""Searches the folders of all known clients, and finds a certificate by its fingerprint, not by its name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from core.adopt import acme_sh, acmetool, caddy, certbot, dehydrated, getssl, lego, mod_md, uacme
from core.adopt.found import FoundCertificate, Timer, read
from core.adopt.timers import built_in, timers_of
from core.adopt.ways import Way
from core.store.versions import leaf_sha256

if TYPE_CHECKING:
    from core.adopt.launches import Launches

CLIENTS: tuple[ModuleType, ...] = (certbot, acme_sh, lego, dehydrated, getssl, uacme, caddy, mod_md, acmetool)
"""Each has `NAME`, `WORDS`, `bases(root)`, `find_in(base)` and `way(root, found)`; a client whose files do not say how it renews
has `way_by(launches, root, found)` instead."""

SEARCH_SECONDS = 5.0
"""Time limit for searching the folders of all clients."""


def found_on(root: Path) -> Iterator[FoundCertificate]:
    """Yield every certificate that the known clients keep below `root` (`/` except in tests)."""
    for client in CLIENTS:
        for base in client.bases(root):
            yield from client.find_in(base)


def found_below(folder: Path, clients: Sequence[ModuleType] = CLIENTS) -> Iterator[FoundCertificate]:
    """Yield the certificates in a folder that the user names: a client's own, its home folder, or the root of another system."""
    for client in clients:
        places = [folder, *client.bases(folder), *(folder / each for each in (".acme.sh", ".lego", ".getssl"))]
        for base in dict.fromkeys(places):
            yield from client.find_in(base)


def client_named(name: str) -> ModuleType | None:
    """Return a client by its name; None if it is unknown."""
    return next((each for each in CLIENTS if name == each.NAME), None)


def way_of(root: Path, found: FoundCertificate, launches: Launches | None = None) -> Way:
    """Return how its client renews a certificate, as far as its files or the command that starts it say.

    Args:
        launches: those of `root`; pass it if more than one certificate is looked up.
    """
    client = client_named(found.client)
    if client is None:
        return Way()
    if not hasattr(client, "way_by"):
        way: Way = client.way(root, found)
    else:
        from core.adopt.launches import Launches

        way = client.way_by(launches or Launches(root), root, found)
    return way


def holders_of(root: Path, sha256: str) -> tuple[FoundCertificate, ...]:
    """Return every place where a client keeps the certificate with this fingerprint (`AA:BB:…`), found within SEARCH_SECONDS."""
    found: list[FoundCertificate] = []

    def search() -> None:
        for each in found_on(root):
            text = read(each.certificate)
            if text is not None and leaf_sha256(text) == sha256:
                found.append(each)

    within(search, SEARCH_SECONDS)
    return tuple(found)


def within(work: Callable[[], None], seconds: float) -> bool:
    """Run `work` for at most `seconds`; return whether it has ended: home folders may be on a server that hangs."""
    thread = threading.Thread(target=work, name="adopt", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def timer(root: Path, client: str) -> Timer | None:
    """Return what makes a client renew, or None if nothing is found."""
    return next(iter(timers(root, client)), None)


def timers(root: Path, client: str) -> tuple[Timer, ...]:
    """Return everything that makes a client renew."""
    known = client_named(client)
    if known is None:
        return ()
    inside = built_in(root, client)
    return (inside,) if inside is not None else tuple(timers_of(root, known.WORDS))
