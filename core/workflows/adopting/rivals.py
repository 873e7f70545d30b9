"""Warns of other clients that would renew the same certificates, as long as their timers are active.

A server that renews its own certificates (Caddy, Apache's mod_md) uses only its own copies and is not a rival.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.operations import Finding
from core.store import adopted_record
from core.store.index import Facts, facts_of_all
from core.text import listed, visible
from core.workflows.context import View
from core.workflows.issuing.method import UPLOAD

_NAMES_SHOWN = 5


def rivals(view: View, every: Iterable[Facts]) -> tuple[str, ...]:
    """Return a warning for each client whose certificates were taken over and that still has a timer. Called by every status.

    If nothing was taken over, this reads only one file.
    """
    clients = adopted_record.load(view.paths)
    if not clients:
        return ()
    shared: dict[str, list[str]] = {}
    for facts in every:
        if facts.name in clients and facts.auto_renew is not False and facts.issuer != UPLOAD:
            shared.setdefault(clients[facts.name], []).append(facts.name)
    return tuple(f"{what} {fix}" for client, names in shared.items() for what, fix in _said(view, client, names))


def rival_findings(view: View) -> Iterator[Finding]:
    """Yield a warning for each client with a timer and with certificates for exactly the names that are renewed here."""
    from core.adopt.found import read
    from core.adopt.search import found_on
    from core.store.versions import certificate_facts

    ours = {
        frozenset(facts.domains): facts.name
        for facts in facts_of_all(view.paths)[0]
        if facts.auto_renew is not False and facts.issuer != UPLOAD
    }
    shared: dict[str, list[str]] = {}
    for found in found_on(view.env.places.root) if ours else ():
        try:
            names = frozenset(certificate_facts(read(found.certificate) or b"").names)
        except ValueError:
            continue
        both = shared.setdefault(found.client, [])
        if names in ours and ours[names] not in both and not found.revoked and found.is_renewed:
            both.append(ours[names])
    for client, known in shared.items():
        for what, fix in _said(view, client, known) if known else ():
            yield Finding(id="other-client", status="warn", title=client, detail=what, fix=fix)


def _said(view: View, client: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (what, fix) for each timer of a client: what it renews, and how to switch it off."""
    from core.adopt.search import timers

    for runs in timers(view.env.places.root, client):
        if not runs.is_built_in:
            both = f"{client} and certdeck both renew {listed(names, _NAMES_SHOWN)}."
            yield f"{both} {client} is started by {visible(str(runs.file))}.", f"Turn it off: {runs.off}"
