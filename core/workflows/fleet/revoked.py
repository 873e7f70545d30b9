"""Finds certificates of the fleet that their CA has revoked: a hub's scheduled run asks once a day, and the leading hub renews.

The result is stored with the facts of the certificate in etcd, for every hub, until the next version replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from msgspec.structs import replace

from core.events import Warned
from core.fleet import layout
from core.fleet.etcd import Guard
from core.fleet.values import Certificate, decoded, encoded
from core.store import revocation
from core.store.revocation import Said
from core.workflows.fleet.connection import Hub
from core.workflows.fleet.known import Known, current
from core.workflows.fleet.publish import SHARED_BY_ALL, Stored
from core.workflows.renewing.revocation import in_words
from core.workflows.renewing.revocation_asking import Answers, CertificateToCheck, ask

REVOKED = "revoked"
"""Key in the facts of a certificate: who revoked it, since when and why, as the end of a sentence."""


def words_of(one: Certificate) -> str:
    """Return who revoked a certificate, since when and why (of several, for the first one). Empty: not revoked. Pure."""
    return next((str(facts[REVOKED]) for facts in one.made.values() if facts.get(REVOKED)), "")


def ask_when_due(hub: Hub, known: Known) -> Answers | None:
    """Ask the CAs if a day has passed since the last time. Takes at most half a minute. None: nothing was asked."""
    context = hub.context
    file = context.paths.fleet_revocation
    now = context.env.clock.now().timestamp()
    if not context.config.defaults.check_revocation or revocation.asked_again_at(file, now) > now:
        return None
    subjects = list(_subjects(hub, known))
    if not subjects:
        return None
    return ask(context, subjects, file, context.cancel)


def settle(hub: Hub, known: Known, found: Answers) -> None:
    """Mark and report revoked certificates. Only then store the answers, so that none is lost. Raises FleetError."""
    for one in known.certificates.values():
        if any(str(facts.get("sha256")) in found.revoked for facts in one.made.values()):
            _mark(hub, one.name, {sha256: found.said[sha256] for sha256 in found.revoked})
    revocation.keep(hub.context.paths.fleet_revocation, found.said)


def _mark(hub: Hub, name: str, revoked: Mapping[str, Said]) -> None:
    one, there = current(hub, name)
    made = {
        whose: {**facts, REVOKED: in_words(revoked[sha256])}
        if (sha256 := str(facts.get("sha256"))) in revoked
        else facts
        for whose, facts in one.made.items()
    }
    marked = replace(one, made=made, next_attempt=None)
    if marked == one:
        return  # another hub has renewed it in the meantime
    hub.etcd.commit({there.key: encoded(marked)}, guards=[Guard(there.key, modified=there.modified)])
    what = f"The certificate {name} of the fleet is revoked: {words_of(marked)}."
    fix = f"The hub that leads renews it. To do it at once: certdeck --renew {name}"
    hub.context.about(name).narrator.tell(Warned(code="revoked", what=what, fix=fix))


def _subjects(hub: Hub, known: Known) -> Iterator[CertificateToCheck]:
    """Yield the newest certificates that have a revocation service and are not marked as revoked."""
    for one in known.certificates.values():
        places = {
            layout.key(one.name, one.version, "" if whose == SHARED_BY_ALL else whose): facts
            for whose, facts in one.made.items()
            if facts.get("has_revocation") and not facts.get(REVOKED)
        }
        for place, entry in hub.etcd.get_many(list(places)).items():
            facts = places[place]
            pem = decoded(Stored, entry.value, place).fullchain.encode()
            sha256, ca = str(facts.get("sha256")), str(facts.get("ca") or "")
            yield CertificateToCheck(name=one.name, sha256=sha256, ca=ca, read=partial(bytes, pem))
