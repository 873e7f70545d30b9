"""Reports what the CAs said about revocation when the scheduled run last asked. Sends no request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from core.dates import minute_shown
from core.findings import Finding
from core.store import revocation
from core.store.index import Facts, facts_of_all
from core.store.revocation import Said
from core.workflows.context import Context
from core.workflows.renewing.revocation import fix_for, in_words

_ID, _TITLE = "revocation", "Revocation"


def revocations(context: Context, name: str | None = None) -> Iterator[Finding]:
    """Yield every revoked certificate, and how many of the others are known to be good. `name`: only this certificate."""
    every = [
        facts for facts in facts_of_all(context.paths)[0] if name in (None, facts.name) and facts.version is not None
    ]
    said = revocation.load(context.paths.revocation)
    for facts in every:
        if facts.revoked:
            known = said.get(facts.sha256)
            detail = in_words(known) if known is not None and known.revoked_at is not None else "it is revoked"
            why = "Clients that check revocation reject it."
            yield Finding(id=_ID, status="fail", title=facts.name, detail=detail, why=why, fix=fix_for(facts))
    others = [facts for facts in every if facts.may_be_asked and not facts.revoked]
    if others:
        yield _of_others(context, others, said)


def _of_others(context: Context, others: list[Facts], said: dict[str, Said]) -> Finding:
    if not context.config.defaults.check_revocation:
        detail = "revocation checks are turned off ([defaults] check_revocation)"
        return Finding(id=_ID, status="skip", title=_TITLE, detail=detail)
    now = context.env.clock.now().timestamp()
    known = [said[facts.sha256] for facts in others if facts.sha256 in said]
    good = [each for each in known if each.is_good(now)]
    troubles = sorted({each.trouble for each in known if each.trouble})
    why = f"The CA could not be queried: {troubles[0]}." if troubles else ""
    if not known:
        return Finding(
            id=_ID, status="skip", title=_TITLE, detail="no CA was queried yet; the scheduled run does so once a day"
        )
    asked = datetime.fromtimestamp(max(each.asked_at for each in known), UTC)
    last = f"last query {minute_shown(asked)}"
    detail = f"{len(good)} of {len(others)} certificates are not revoked, according to their CAs; {last}"
    status = "pass" if len(good) == len(others) else "skip"
    return Finding(id=_ID, status=status, title=_TITLE, detail=detail, why=why)
