"""Decides what a scheduled run does with each lineage. Pure: takes facts, settings and the time, and returns a decision.

Every run with nothing to do calls this for thousands of lineages, so it works with the index's plain numbers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from core.config.model import Config
from core.dates import day_shown, moment_in_words
from core.renewal import ASK_AGAIN_SECONDS, ASK_PAUSE, due_at
from core.renewal_report import Skipped
from core.store.index import Facts
from core.workflows.issuing.method import FLEET, SET_EACH_TIME, UPLOAD, is_acme

RENEW = "renew"
DEPLOY = "deploy"
"""A stored certificate waits for deployment. Needs no order."""
FINISH = "finish"
"""An order is open: a killed run left it for a lineage that does not exist yet, or it waits for manual DNS records."""
ASK = "ask"
"""Not due, but the CA should be asked again for its renewal window (RFC 9773 §4.3.2)."""
PUT_BACK = "put-back"
"""The fallback certificate is deployed instead, and the reason is gone."""
SKIP = "skip"


BY_HAND = "its DNS records are set manually"


class Decision(Struct, frozen=True):
    """What a run does with one certificate, and why."""

    name: str
    action: str
    """`renew`, `deploy`, `finish`, `ask`, `put-back`, `skip`."""
    why: str
    renew_at: float | None = None
    """Epoch seconds. None: it never renews automatically."""
    needs_you: bool = False
    """The user has to act."""
    is_own: bool = False
    """This box signs it, by its own clock."""
    ends: float = 0.0
    """End of the certificate, in epoch seconds. 0: there is no certificate."""
    is_held: bool = False
    """It is due, but was postponed (`held`)."""

    def held(self, why: str, until: float) -> Decision:
        """Return it as postponed until `until`, in epoch seconds. `unchanged_until` does not apply to a postponed decision."""
        return replace(self, action=SKIP, why=why, renew_at=until, is_held=True)


def decide(facts: Facts, config: Config, now: float, *, force: bool, named: bool) -> Decision:
    """Decide about one lineage.

    Args:
        now: epoch seconds.
        force: renew even if it is not due.
        named: the user named this lineage, so the pause after a failure does not apply.
    """
    facts = believable(facts, now)
    decision = _decide(facts, config, now, force=force, named=named)
    if facts.on_fallback and decision.action in (SKIP, ASK) and not stands_in_for(facts, config, now):
        return Decision(
            facts.name, PUT_BACK, "the fallback certificate is served instead of it, and is no longer needed"
        )
    if decision.action == RENEW:
        own = is_own(config, facts.issuer or config.defaults.issuer)
        return replace(decision, is_own=own, ends=facts.not_after)
    return decision


def is_off(facts: Facts, config: Config, now: float) -> bool:
    """Tell whether automatic renewal is off for a lineage that could renew automatically, so that scheduled runs skip it.

    The facts must be `believable`, and `why_never_alone` empty. For thousands of rows: creates no text.
    """
    if config.defaults.auto_renew if facts.auto_renew is None else facts.auto_renew:
        return False
    if deploys_what_waits(facts):
        return False
    return not facts.on_fallback or bool(stands_in_for(facts, config, now))


def skipped_now(decision: Decision) -> Skipped:
    """Return the entry of a run's report for a skipped lineage."""
    renew_at = None if decision.renew_at is None else datetime.fromtimestamp(decision.renew_at, UTC)
    return Skipped(
        name=decision.name, why=decision.why, renew_at=renew_at, needs_you=decision.needs_you, is_held=decision.is_held
    )


def unchanged_until(facts: Facts, config: Config, now: float) -> float | None:
    """Return until when `decide` keeps skipping a lineage, in epoch seconds, if only the time changes. None: unknown.

    A decision can change only at one of the times that it compares with `now`.
    """
    if facts.on_fallback:
        return None
    moments = [facts.next_attempt, _held_until(facts), _asked_at(facts), facts.chain_retry_at]
    if facts.version is not None:
        moments += [facts.not_before, facts.not_after, facts.chain_not_after, renewal_time(facts, config)]
    return min((each for each in moments if each is not None and each > now), default=float("inf"))


def believable(facts: Facts, now: float) -> Facts:
    """Return the facts without times that only a wrong clock can have written, and without the counts that belong to them."""
    void = void_of(facts, now)
    if not void:
        return facts
    from core.stored_times import ERROR_AT

    changes: dict[str, Any] = {name: None for name in void if name != ERROR_AT}
    if "last_attempt" in void:
        facts = facts._replace(next_attempt=None, failures=0)
    if "ari_check_at" in void:
        changes |= {"ari_id": None, "last_attempt": None}
    if ERROR_AT in void and facts.last_error is not None:
        facts = facts._replace(last_error={key: value for key, value in facts.last_error.items() if key != "at"})
    return facts._replace(**changes)


def void_of(facts: Facts, now: float) -> tuple[str, ...]:
    """Return the names of the stored times that only a wrong clock can have written. Most are past, and none of those is void."""
    latest = max(
        facts.next_attempt or 0.0, facts.last_attempt or 0.0, facts.ari_check_at or 0.0, facts.chain_retry_at or 0.0
    )
    if latest <= now and not facts.last_error:
        return ()
    from core.stored_times import void_times

    return void_times(
        now,
        last_attempt=facts.last_attempt,
        next_attempt=facts.next_attempt,
        ari_check_at=facts.ari_check_at,
        chain_retry_at=facts.chain_retry_at,
        last_error=facts.last_error,
    )


def stands_in_for(facts: Facts, config: Config, now: float) -> str:
    """Return why the fallback certificate must replace a lineage's own (CL-07). Empty: its own can be used."""
    if facts.version is not None and facts.not_after <= now:
        return "it has expired"
    if facts.failures >= config.defaults.reminders:
        return "it failed once" if facts.failures == 1 else f"it failed {facts.failures} times"
    return ""


def _decide(facts: Facts, config: Config, now: float, *, force: bool, named: bool) -> Decision:
    name = facts.name
    issuer = facts.issuer or config.defaults.issuer
    by_hand = why_never_alone(facts, config)
    if deploys_what_waits(facts):
        # A user who forces a named certificate gets a new one.
        if by_hand or not (force and named):
            return Decision(name, DEPLOY, "its newest certificate is not deployed yet")
    elif facts.waiting_version is not None and facts.issuer == FLEET:
        why = f"version {facts.waiting_version} of the fleet is here but not deployed yet: run certdeck fleet sync"
        return Decision(name, SKIP, why)
    elif facts.waiting_version is not None and facts.issuer == UPLOAD:
        why = f"its service rejected the uploaded version {facts.waiting_version}: to try again, run certdeck deploy {name}"
        return Decision(name, SKIP, why, needs_you=True)
    if by_hand == BY_HAND:
        return _for_a_person(facts, config, now, force=force, named=named)
    if facts.revoked and facts.issuer == UPLOAD:
        why = f"it is revoked, and it was uploaded: import a new certificate with certdeck import {name}"
        return Decision(name, SKIP, why, needs_you=True)
    if by_hand:
        return Decision(name, SKIP, by_hand)
    auto = config.defaults.auto_renew if facts.auto_renew is None else facts.auto_renew
    if not auto and not named:
        return Decision(name, SKIP, "automatic renewal is off")
    held = None if force or named else _held_until(facts)
    if facts.version is None:
        return _unless_held(name, "it has no certificate yet", held, now)
    if force:
        return Decision(name, RENEW, "forced")
    if now < facts.not_before and is_own(config, issuer):
        return Decision(
            name, RENEW, f"it was created under a wrong clock: it is not valid before {_day(facts.not_before)}"
        )
    due = renewal_time(facts, config)
    if facts.revoked:
        return _unless_held(name, "it is revoked", held, now, due)
    if facts.is_wanted:
        return _unless_held(name, "its settings have changed", held, now, due)
    if due <= now:
        return _unless_held(name, "it is due", held, now, due)
    ask_at = _asked_at(facts)
    if ask_at is not None and ask_at <= now and is_acme(config, issuer):
        return Decision(name, ASK, f"renews {_day(due)}", due)
    return Decision(name, SKIP, f"not due before {_day(due)}", due)


def _held_until(facts: Facts) -> float | None:
    """Return when a lineage is retried after a failure, in epoch seconds. A pause of the CA must not outlast the certificate."""
    held = facts.next_attempt
    if held is None or facts.version is None or facts.last_attempt is None or facts.not_after > held:
        return held
    return min(held, facts.last_attempt + ASK_AGAIN_SECONDS)


def renewal_time(facts: Facts, config: Config) -> float:
    """Return when a lineage with a certificate renews, in epoch seconds."""
    days = config.defaults.renew_days_before if facts.renew_days_before is None else facts.renew_days_before
    due = due_at(facts.not_before, facts.not_after, renew_days_before=days, ari_chosen=_ari_chosen(facts))
    if not facts.chain_end:
        return due
    # When an intermediate expires, the chain is invalid, however long the leaf is valid. If the CA still sends the same one, do not
    # ask it again at every run.
    before_chain_ends = due_at(facts.not_before, facts.chain_not_after, renew_days_before=days)
    return min(due, max(before_chain_ends, facts.chain_retry_at or 0.0))


def seconds_to_renew(facts: Facts, config: Config) -> float:
    """Return the seconds from a certificate's renewal time to its end, by the rule alone, without the CA's renewal window."""
    due = renewal_time(facts._replace(ari_chosen=None, chain_retry_at=None), config)
    return facts.chain_not_after - due


def deploys_what_waits(facts: Facts) -> bool:
    """Tell whether the next run deploys a waiting version.

    It does not deploy an uploaded version or one from the fleet: its rejection was reported then, and the live version stays.
    """
    if facts.waiting_version is None:
        return False
    return facts.waiting is None or facts.waiting.get("issuer") not in (UPLOAD, FLEET)


def is_own(config: Config, issuer: str) -> bool:
    """Tell whether this box signs the issuer's certificates, by its own clock."""
    return issuer not in (UPLOAD, FLEET) and not is_acme(config, issuer)


def _asked_at(facts: Facts) -> float | None:
    """Return when to ask the CA for its renewal window, in epoch seconds. None: it offers none for this certificate."""
    if facts.version is None or facts.renewal_id is None:
        return None
    if facts.ari_id == facts.renewal_id:
        return facts.ari_check_at
    # Do not ask about a certificate that was just issued: the first answer is needed only some time before it is due.
    return 0.0 if facts.last_attempt is None else facts.last_attempt + ASK_PAUSE.total_seconds()


def _ari_chosen(facts: Facts) -> float | None:
    """Return the time chosen from the CA's window, in epoch seconds, if the window is for the live certificate."""
    return facts.ari_chosen if facts.ari_id == facts.renewal_id else None


def why_never_alone(facts: Facts, config: Config) -> str:
    """Return why a lineage never renews automatically, whatever its settings. Empty: it can."""
    issuer = facts.issuer or config.defaults.issuer
    if issuer == UPLOAD:
        return "it was uploaded: import a new certificate in time"
    if issuer == FLEET:
        return "a hub of the fleet renews it"
    challenge = facts.challenge or config.defaults.challenge
    if challenge in SET_EACH_TIME and not facts.dns and is_acme(config, issuer):
        return BY_HAND
    return ""


def _for_a_person(facts: Facts, config: Config, now: float, *, force: bool, named: bool) -> Decision:
    """Decide about a lineage with manual DNS records: continue an open order, else report when a new one is needed.

    If the user names it, start an order, which then waits for its records.
    """
    if facts.open_order:
        return Decision(facts.name, FINISH, "its order waits for DNS records")
    if facts.version is None:
        return Decision(facts.name, SKIP, f"{BY_HAND}, and no order was started: run certdeck issue")
    due = renewal_time(facts, config)
    ends = _day(facts.chain_not_after)
    is_due = due <= now or facts.revoked or facts.is_wanted
    if named and (force or is_due):
        return Decision(facts.name, RENEW, "it was requested")
    if not is_due:
        return Decision(facts.name, SKIP, f"{BY_HAND}: start after {_day(due)}; it expires {ends}")
    return Decision(
        facts.name,
        SKIP,
        f"{BY_HAND}: it expires {ends}; start now with certdeck --renew {facts.name}. With a DNS provider, a CNAME to "
        "its zone, or dns-persist-01, it renews automatically",
        needs_you=True,
    )


def _unless_held(name: str, why: str, held_until: float | None, now: float, due: float | None = None) -> Decision:
    if held_until is not None and held_until > now:
        when = datetime.fromtimestamp(held_until, UTC)
        return Decision(name, SKIP, f"it failed; the next attempt is on {moment_in_words(when)}", held_until)
    return Decision(name, RENEW, why, due)


def _day(when: float) -> str:
    return day_shown(datetime.fromtimestamp(when, UTC))
