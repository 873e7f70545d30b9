"""Gathers what `core.forecast` judges: the certificates of this box with their settings, and its timetable."""

from __future__ import annotations

from datetime import date

from core.config.model import Config
from core.errors import NotFound
from core.forecast import PRIVATE, PUBLIC, UPLOAD, Forecast, Subject, forecast
from core.issuers import Issuer
from core.lifetimes import LETSENCRYPT
from core.renewal import DAY
from core.schedule.record import OFF
from core.schedule.record import load as load_schedule
from core.store.index import Facts, facts_of_all
from core.workflows.context import View
from core.workflows.issuing.method import UPLOAD as UPLOADED
from core.workflows.issuing.method import is_acme
from core.workflows.issuing.plan import issuer_named
from core.workflows.renewing.due import BY_HAND, why_never_alone
from core.workflows.renewing.timer import timer
from core.workflows.status import not_found


def what_if(view: View, day: date, names: tuple[str, ...] = ()) -> Forecast:
    """Return what announced lifetimes do to `names`, or to all certificates, on a day. Raises NotFound (`not-found`)."""
    every, _ = facts_of_all(view.paths)
    known = [facts.name for facts in every]
    for name in names:
        if name not in known:
            raise not_found(name, known)
    now = view.env.clock.now()
    record = load_schedule(view.paths)
    return forecast(
        [_subject(view.config, facts) for facts in every if not names or facts.name in names],
        day,
        today=now.date(),
        timetable=None if record is None or record.how == OFF else record.actual,
        has_timer=timer(view, now).word == "active",
    )


def _subject(config: Config, facts: Facts) -> Subject:
    issuer = facts.issuer or config.defaults.issuer
    auto = config.defaults.auto_renew if facts.auto_renew is None else facts.auto_renew
    days = config.defaults.renew_days_before if facts.renew_days_before is None else facts.renew_days_before
    return Subject(
        name=facts.name,
        issuer=issuer,
        kind=_kind(config, issuer),
        profile=facts.profile or facts.cert_profile or "",
        lifetime_days=round((facts.not_after - facts.not_before) / DAY, 2) if facts.sha256 else None,
        renew_days_before=days,
        auto_renew=auto,
        self_signed=facts.self_signed,
        is_ordered=is_acme(config, issuer),
        by_hand=why_never_alone(facts, config) == BY_HAND,
    )


def _kind(config: Config, name: str) -> str:
    if name == UPLOADED:
        return UPLOAD
    try:
        issuer: Issuer | None = issuer_named(config, name)
    except NotFound:
        issuer = None
    if issuer is None or not (issuer.is_public and issuer.directory):
        return PRIVATE
    return LETSENCRYPT if issuer.directory.endswith(".api.letsencrypt.org/directory") else PUBLIC
