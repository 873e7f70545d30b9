"""The effect of announced lifetimes on this box: certificates, settings, timetable and a day in; renewals and problems out. Pure.

Renewals are calculated by the rule of `core.renewal`, without the CA's own advice, which is not known years ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct

from core.lifetimes import (
    ANY_PUBLIC,
    CLASSIC,
    LETSENCRYPT,
    REGISTERED_DOMAIN,
    SAME_NAMES,
    Lifetime,
    announced,
    changes_between,
)
from core.renewal import DAY, due_at, renew_days_problem
from core.schedule.timetable import Timetable, too_rare
from core.text import plural

PUBLIC, PRIVATE, UPLOAD = "public", "private", "upload"
_WEEK, _YEAR = 7.0, 365.25


class Subject(Struct, frozen=True, kw_only=True):
    """The current state of a certificate."""

    name: str
    issuer: str
    kind: str
    """`letsencrypt`, `public` (another public CA), `private` (a private CA, or none), `upload`."""
    profile: str = ""
    lifetime_days: float | None = None
    """Of the live certificate; None if there is none yet."""
    renew_days_before: int | None = None
    auto_renew: bool = True
    self_signed: bool = False
    is_ordered: bool = True
    """Ordered from a CA over ACME: it counts as an order there."""
    by_hand: bool = False
    """A person sets its DNS records at each renewal."""


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that will no longer work on that day."""

    code: str
    text: str


class CertificateThen(Struct, frozen=True, kw_only=True):
    """A certificate on the requested day."""

    name: str
    issuer: str
    lifetime_days: float
    lifetime_days_now: float | None
    source: str
    """Who announced it and when; empty if nothing changes."""
    renews_every_days: float
    renewals_per_year: float
    by_hand: bool
    """A person has to act at each renewal."""
    problems: tuple[Trouble, ...] = ()


class IssuerThen(Struct, frozen=True, kw_only=True):
    """The number of requests to one CA."""

    name: str
    certificates: int
    orders_per_week: float


class Forecast(Struct, frozen=True, kw_only=True):
    """The whole box on a day."""

    day: date
    certificates: tuple[CertificateThen, ...]
    issuers: tuple[IssuerThen, ...]
    orders_per_week: float
    runs_per_week: float
    """0 if nothing starts the scheduled run."""
    changes: tuple[Lifetime, ...]
    """The announced changes until then."""
    problems: tuple[Trouble, ...]


def forecast(
    subjects: Sequence[Subject], day: date, *, today: date, timetable: Timetable | None, has_timer: bool
) -> Forecast:
    """Return the forecast for `day`. `timetable`: of the scheduled run, if known."""
    certificates = tuple(_certificate(each, day, timetable) for each in subjects)
    issuers = tuple(_issuers(subjects, certificates))
    return Forecast(
        day=day,
        certificates=certificates,
        issuers=issuers,
        orders_per_week=sum(each.orders_per_week for each in issuers),
        runs_per_week=0.0 if timetable is None or not has_timer else _runs(timetable),
        changes=changes_between(today, day),
        problems=tuple(_problems(subjects, issuers, has_timer=has_timer)),
    )


def lifetime_on(subject: Subject, day: date) -> tuple[float, str]:
    """Return the lifetime in days of a certificate issued on a day, and who announced it."""
    now = subject.lifetime_days
    if subject.kind == PRIVATE or subject.self_signed:
        return now or 90.0, ""
    most = announced(ANY_PUBLIC, day)
    assert most is not None or day < date(2020, 9, 1)
    own = announced(LETSENCRYPT, day, subject.profile or CLASSIC) if subject.kind == LETSENCRYPT else None
    if own is not None and (most is None or own.days <= most.days):
        return own.days, own.source
    if most is not None and (now is None or now > most.days):
        return (min(90.0, most.days), most.source) if now is None else (most.days, most.source)
    return now or 90.0, ""


def _certificate(subject: Subject, day: date, timetable: Timetable | None) -> CertificateThen:
    life, source = lifetime_on(subject, day)
    every = due_at(0.0, life * DAY, renew_days_before=subject.renew_days_before) / DAY
    by_hand = subject.by_hand or subject.kind == UPLOAD or not subject.auto_renew
    return CertificateThen(
        name=subject.name,
        issuer=subject.issuer,
        lifetime_days=life,
        lifetime_days_now=subject.lifetime_days,
        source=source,
        renews_every_days=every,
        renewals_per_year=_YEAR / every,
        by_hand=by_hand,
        problems=tuple(_troubles(subject, life, every, timetable)),
    )


def _troubles(subject: Subject, life: float, every: float, timetable: Timetable | None) -> Iterator[Trouble]:
    days = subject.renew_days_before
    often = round(_YEAR / every)
    times = "about once a year" if often <= 1 else f"about {often} times a year"
    if days is not None and (why := renew_days_problem(days, life * DAY)) is not None:
        text = f"renew_days_before = {days} cannot be used: {why[:1].lower()}{why[1:]} It is ignored; remove it."
        yield Trouble(code="renew-days-before", text=text)
    if subject.kind == UPLOAD:
        now = subject.lifetime_days
        lives = (
            f"A public CA issues it for at most {plural(life, 'day')}. "
            if now is None or life < now
            else f"It is valid for {plural(life, 'day')}. "
        )
        text = f"{'' if subject.self_signed else lives}You must upload a new certificate {times}."
        yield Trouble(code="upload", text=text)
    elif subject.by_hand:
        text = f"You must set its DNS records manually {times}. A DNS provider, a CNAME or dns-persist-01 avoids that."
        yield Trouble(code="manual-dns", text=text)
    elif not subject.auto_renew:
        yield Trouble(code="auto-renew-off", text=f"Automatic renewal is off: you must renew it manually {times}.")
    elif timetable is not None and too_rare(timetable, (life - every) * DAY):
        text = f"The scheduled run starts too rarely for it ({timetable.words}). Run `certdeck schedule on` to adjust the times."
        yield Trouble(code="timer-too-rare", text=text)
    if subject.kind == LETSENCRYPT and _WEEK / every > SAME_NAMES.count:
        text = f"It would need {_WEEK / every:.0f} orders a week; the CA allows {SAME_NAMES.count} {SAME_NAMES.what}."
        yield Trouble(code="rate-limit", text=text)


def _issuers(subjects: Sequence[Subject], certificates: Sequence[CertificateThen]) -> Iterator[IssuerThen]:
    """Yield the orders for each CA; uploads and self-issued certificates have none."""
    asked: dict[str, list[float]] = {}
    for subject, then in zip(subjects, certificates, strict=True):
        if subject.is_ordered:
            asked.setdefault(subject.issuer, []).append(_WEEK / then.renews_every_days)
    for name, orders in sorted(asked.items()):
        yield IssuerThen(name=name, certificates=len(orders), orders_per_week=sum(orders))


def _problems(subjects: Sequence[Subject], issuers: Sequence[IssuerThen], *, has_timer: bool) -> Iterator[Trouble]:
    automatic = any(each.auto_renew and not each.by_hand and each.kind != UPLOAD for each in subjects)
    if automatic and not has_timer:
        yield Trouble(code="no-timer", text="Nothing starts the scheduled run. Set it up with `certdeck schedule on`.")
    theirs = {each.issuer for each in subjects if each.kind == LETSENCRYPT}
    for issuer in issuers:
        if issuer.name in theirs and issuer.orders_per_week > REGISTERED_DOMAIN.count:
            text = (
                f"{issuer.name} gets {issuer.orders_per_week:.0f} orders a week; it allows {REGISTERED_DOMAIN.count} "
                f"{REGISTERED_DOMAIN.what} in a week. Renewals with ARI (they name the certificate that they replace) "
                "do not count."
            )
            yield Trouble(code="rate-limit", text=text)


def _runs(timetable: Timetable) -> float:
    return len(timetable.times) * (1.0 if timetable.weekday is not None else timedelta(days=7) / timedelta(days=1))
