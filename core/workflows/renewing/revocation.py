"""Asks the CAs once a day whether live certificates are revoked, in the scheduled run before it decides.

A revocation is stored like our own (`core.store.renewal_state`): the certificate is shown in red everywhere, and the same run
renews it. Any other result changes nothing. `doctor` shows why a CA could not be asked.
Nothing heavy is imported here: most runs only read the time of one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from core.dates import day_shown
from core.ports import CancelToken
from core.store import revocation
from core.store.index import Facts
from core.store.revocation import Said
from core.workflows.context import Context, View
from core.workflows.issuing.method import FLEET, UPLOAD


class Asked(Struct, frozen=True, kw_only=True):
    """The answers that a run got."""

    said: Mapping[str, Said] = field(default_factory=dict)
    """All known answers, by SHA-256 fingerprint."""
    revoked: Mapping[str, Facts] = field(default_factory=dict)
    """Newly revoked certificates, by name."""

    def settle(self, context: Context) -> None:
        """Mark and report revoked certificates. Only then store the answers, so that none is lost. Raises StoreError."""
        from core.events import Warned
        from core.store import renewal_state

        for name, facts in self.revoked.items():
            state = renewal_state.load(context.paths, name)
            renewal_state.save(context.paths, name, replace(state, revoked=facts.sha256, next_attempt=None))
            what = f"The certificate {name} is revoked: {in_words(self.said[facts.sha256])}."
            context.about(name).narrator.tell(Warned(code="revoked", what=what, fix=fix_for(facts)))
        self.keep(context)

    def keep(self, view: View) -> None:
        """Store the answers. Never raises."""
        revocation.keep(view.paths.revocation, self.said)


def asked_again_at(view: View, every: Sequence[Facts], now: float) -> float | None:
    """Return when the CAs are asked again, in epoch seconds. None: there is nothing to ask."""
    if not view.config.defaults.check_revocation or not any(map(_can_be_asked, every)):
        return None
    return revocation.asked_again_at(view.paths.revocation, now)


def ask_when_due(view: View, every: Sequence[Facts], cancel: CancelToken | None) -> Asked | None:
    """Ask the CAs if a day has passed since the last time. None: it has not. Takes at most half a minute. Never raises."""
    now = view.env.clock.now().timestamp()
    at = asked_again_at(view, every, now)
    if at is None or at > now:
        return None
    from core.workflows.renewing.revocation_asking import CertificateToCheck, ask

    asked = [facts for facts in every if _can_be_asked(facts)]
    subjects = [
        CertificateToCheck(name=each.name, sha256=each.sha256, ca=each.ca or "", read=partial(_pem, view, each))
        for each in asked
    ]
    found = ask(view, subjects, view.paths.revocation, cancel or CancelToken())
    return Asked(said=found.said, revoked={each.name: each for each in asked if each.sha256 in found.revoked})


def in_words(said: Said) -> str:
    """Return, as the end of a sentence: that it is revoked, since when, why, and who says so."""
    return f"its CA revoked it{since_and_source(said)}"


def since_and_source(said: Said) -> str:
    """Return since when it is revoked, why, and who says so, with a space before it if not empty."""
    since = "" if said.revoked_at is None else f" on {day_shown(datetime.fromtimestamp(said.revoked_at, UTC))}"
    reason = f" ({said.reason})" if said.reason else ""
    return f"{since}{reason}, according to {said.source}"


def fix_for(facts: Facts) -> str:
    """Return the fix for a revoked certificate, as a sentence."""
    if facts.issuer == UPLOAD:
        return f"Get a new certificate with a new key, then import it: certdeck import {facts.name}"
    if facts.issuer == FLEET:
        return f"A hub of the fleet renews it. Run there: certdeck --renew {facts.name}"
    return f"Renew it: certdeck --renew {facts.name}"


def _pem(view: View, facts: Facts) -> bytes:
    from core.store.lineages import read_public

    assert facts.version is not None
    return read_public(view.paths, facts.name, facts.version)[2]


def _can_be_asked(facts: Facts) -> bool:
    return facts.may_be_asked and facts.version is not None and not facts.revoked
