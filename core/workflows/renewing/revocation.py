"""Whether the CA has revoked what is live: asked once a day by the scheduled run, before it decides.

An answer that says so is kept as a revocation of our own is (`core.store.renewal_state`): the certificate is red everywhere, and
the same run renews it. Any other outcome changes nothing; why a question had no answer, `doctor` tells.
Nothing heavy is imported here: most runs only look at the time of one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from core.ports import CancelToken
from core.store import revocation
from core.store.index import Facts
from core.store.revocation import Said
from core.workflows.context import Context, View
from core.workflows.issuing.method import FLEET, UPLOAD


class Asked(Struct, frozen=True, kw_only=True):
    """What a run has asked."""

    said: Mapping[str, Said] = field(default_factory=dict)
    """Everything that is known now, by fingerprint."""
    revoked: Mapping[str, Facts] = field(default_factory=dict)
    """Those found revoked, by name."""

    def settle(self, context: Context) -> None:
        """Mark what was found revoked, and tell so; only then keep the answers, so that none is lost. Raises StoreError."""
        from core.events import Warned
        from core.store import renewal_state

        for name, facts in self.revoked.items():
            state = renewal_state.load(context.paths, name)
            renewal_state.save(context.paths, name, replace(state, revoked=facts.sha256, next_attempt=None))
            what = f"The certificate {name} is revoked: {in_words(self.said[facts.sha256])}."
            context.about(name).narrator.tell(Warned(code="revoked", what=what, fix=fix_for(facts)))
        self.keep(context)

    def keep(self, view: View) -> None:
        """Keep the answers. Never raises."""
        revocation.keep(view.paths.revocation, self.said)


def asked_again_at(view: View, every: Sequence[Facts], now: float) -> float | None:
    """Return when CAs are asked again, in epoch seconds; None where there is nobody to ask."""
    if not view.config.defaults.check_revocation or not any(map(_can_be_asked, every)):
        return None
    return revocation.asked_again_at(view.paths.revocation, now)


def ask_when_due(view: View, every: Sequence[Facts], cancel: CancelToken | None) -> Asked | None:
    """Ask where a day has passed; None where it has not. Takes half a minute at the most and never raises."""
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
    """Return that, since when and why it is revoked, and who says so: the end of a sentence."""
    return f"its CA revoked it{since_and_source(said)}"


def since_and_source(said: Said) -> str:
    """Return since when, why, and who says so, with a blank before it."""
    since = "" if said.revoked_at is None else f" on {datetime.fromtimestamp(said.revoked_at, UTC):%Y-%m-%d}"
    reason = f" ({said.reason})" if said.reason else ""
    return f"{since}{reason}, according to {said.source}"


def fix_for(facts: Facts) -> str:
    """Return what to do about a revoked certificate."""
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
