"""Orders (RFC 8555 §7.1.3, §7.4): creation, polling, finalization.

An order can be resumed from its URL alone. Polling is fast at first and slows down over time, so that a fast CA costs
milliseconds and a slow one few requests; a Retry-After of seconds is never undercut.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.acme import problem as problems
from core.acme.authorization import DEAD
from core.acme.problem_type import ProblemType
from core.acme.response import AcmeResponse
from core.acme.session import AcmeSession
from core.acme.wire import Json, object_of, objects_of, plain, text_of, texts_of, time_of
from core.errors import AcmeProblem, DirectoryInvalid, DirectoryUnreachable, OrderTimeout
from core.events import Narrator, Waiting
from core.identifiers import Identifier
from core.request_kind import RequestKind

FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 5.0
SHARE_OF_WAIT = 0.4
"""Each pause is this share of the time already waited: the result is known at most 40 % late."""
LONGEST_RETRY_AFTER_SECONDS = 15.0
"""A longer Retry-After is the worst case of a CA that works manually or in batches, and most certificates are ready long before
(acme2certifier 0.46 sends 600 s for one that takes a second): such an order is polled at this interval."""
WORTH_TELLING_SECONDS = 1.0
WORTH_TELLING_AGAIN = timedelta(minutes=1)
FINALIZE_TRIES = 3
STATUSES = frozenset({"pending", "ready", "processing", "valid"}) | DEAD
"""RFC 8555 §7.1.6, and the statuses of authorizations, which some CAs also use for orders."""


class OrderTerms(Struct, frozen=True, kw_only=True):
    """The parameters of an order."""

    identifiers: tuple[Identifier, ...]
    profile: str | None = None
    """One of the profiles in the directory (draft-ietf-acme-profiles)."""
    replaces: str | None = None
    """The certificate that this one renews, by its ARI ID (`Certificate.renewal_id`, RFC 9773 §5)."""
    preferred_chain: str | None = None
    """Common name of the issuer of the chain's last certificate."""

    @property
    def names(self) -> tuple[str, ...]:
        """A-labels, wildcards and addresses, in order."""
        return tuple(each.value for each in self.identifiers)


class Order(Struct, frozen=True, kw_only=True):
    """An order as the CA reports it (RFC 8555 §7.1.3)."""

    url: str
    status: str
    """One of STATUSES."""
    names: tuple[str, ...]
    authorizations: tuple[str, ...]
    finalize: str
    certificate: str | None = None
    expires: datetime | None = None
    error: problems.Problem | None = None
    profile: str | None = None
    replaces: str | None = None
    """The certificate that it replaces, if the CA has recorded that (RFC 9773 §5)."""
    retry_after: datetime | None = None


def new_order(session: AcmeSession, terms: OrderTerms) -> Order:
    """Create an order. May be repeated: at worst, an unused order expires at the CA."""
    payload: dict[str, Any] = {
        "identifiers": [
            {"type": each.type, "value": each.value} for each in terms.identifiers
        ]  # RFC 8738 for addresses
    }
    if terms.profile is not None:
        payload["profile"] = terms.profile
    if terms.replaces is not None:
        payload["replaces"] = terms.replaces
    # With `replaces`, a server error is not retried: some CAs fail because of it, and the caller then orders without it.
    reply = session.post(
        session.directory.new_order,
        payload,
        kind=RequestKind.NEW_ORDER,
        resend=terms.replaces is None,
        names=terms.names,
        replaces=terms.replaces is not None,
    )
    if reply.location is None:
        raise _incomplete(
            session, f"Its response has no Location header, so the order URL is unknown. {problems.quoted(reply)}"
        )
    return _read(session, reply.location, reply)


def fetch_order(session: AcmeSession, url: str, known: Order | None = None) -> Order | None:
    """Return the current state of the order; None if the CA does not know it, or not for this account.

    Args:
        known: the order as it was before, for fields that are missing in the response.
    """
    try:
        return _read(session, url, session.post(url, None), known)
    except AcmeProblem as exc:
        if exc.details.get("status") in (403, 404, 410):
            return None
        raise


def wait_while(
    session: AcmeSession,
    order: Order,
    statuses: Collection[str],
    *,
    deadline: float,
    why: str,
    narrator: Narrator,
    look: Callable[[], str] | None = None,
) -> Order:
    """Poll the order until its status is none of `statuses`.

    Args:
        deadline: of the monotonic clock, in seconds.
        why: what a longer wait is for, reported as an event; each wait is reported once, not at every poll.
        look: called before each poll; returns what to report in addition, or raises to end the wait.

    Raises:
        OrderTimeout (`order-timeout`): not in time; the order can be resumed.
    """
    started = session.clock.monotonic()
    told: Waiting | None = None
    while order.status in statuses:
        reported = look() if look is not None else ""
        waited = session.clock.monotonic() - started
        pause = min(max(FIRST_PAUSE_SECONDS, waited * SHARE_OF_WAIT), LONGEST_PAUSE_SECONDS)
        until = None
        if order.retry_after is not None:
            asked = (order.retry_after - session.clock.now()).total_seconds()
            if asked <= LONGEST_RETRY_AFTER_SECONDS:
                until = order.retry_after
            pause = max(pause, min(asked, LONGEST_RETRY_AFTER_SECONDS))
        left = deadline - session.clock.monotonic()
        if left <= 0:
            raise _timeout(session, order)
        pause = min(pause, left)
        if pause >= WORTH_TELLING_SECONDS or reported:
            waiting = Waiting(why=f"{why}; it reports {reported}" if reported else why, until=until)
            if _is_news(waiting, told):
                narrator.tell(waiting)
                told = waiting
        session.clock.sleep(pause, session.cancel)
        found = fetch_order(session, order.url, order)
        if found is None:
            raise _incomplete(session, "It no longer knows its own order.")
        order = found
    return order


def _is_news(waiting: Waiting, told: Waiting | None) -> bool:
    """Return whether a wait differs from the last reported one by more than a slightly later end."""
    if told is None or waiting.why != told.why:
        return True
    return waiting.until is not None and (told.until is None or waiting.until - told.until >= WORTH_TELLING_AGAIN)


def finalize(session: AcmeSession, order: Order, csr_der: bytes) -> Order:
    """Send the CSR for a `ready` order. If the response is lost, the order shows whether the CSR arrived."""
    payload = {"csr": urlsafe_b64encode(csr_der).rstrip(b"=").decode("ascii")}
    for attempt in range(FINALIZE_TRIES):
        try:
            reply = session.post(order.finalize, payload, kind=RequestKind.FINALIZE, resend=False)
            return _read(session, order.url, reply, order)
        except (DirectoryUnreachable, AcmeProblem) as exc:
            if isinstance(exc, AcmeProblem) and ProblemType.of_error(exc) is not ProblemType.ORDER_NOT_READY:
                raise
            found = fetch_order(session, order.url, order)
            if found is None or found.status in ("pending", "ready"):
                if found is None or found.status == "pending" or attempt == FINALIZE_TRIES - 1:
                    raise
                continue
            return found
    raise AssertionError("unreachable")


def _read(session: AcmeSession, url: str, reply: AcmeResponse, known: Order | None = None) -> Order:
    source: Json = reply.json
    status = text_of(source, "status")
    finish = text_of(source, "finalize") or (known.finalize if known else None)
    if status is None or finish is None:
        why = "Its order has no status or no finalize URL (RFC 8555 §7.1.3)."
        raise _incomplete(session, f"{why} {problems.quoted(reply)}")
    if status not in STATUSES:
        why = f"Its order has the status {plain(status, 40)}, which ACME does not define (RFC 8555 §7.1.6)."
        raise _incomplete(session, f"{why} {problems.quoted(reply)}")
    authorizations = texts_of(source, "authorizations") or (known.authorizations if known else ())
    if status == "pending" and not authorizations:
        why = "Its order is pending and names no authorization (RFC 8555 §7.1.3), so nothing can be validated."
        raise _incomplete(session, f"{why} {problems.quoted(reply)}")
    error = object_of(source, "error")
    names = (text_of(identifier, "value") for identifier in objects_of(source, "identifiers"))
    return Order(
        url=url,
        status=status,
        names=tuple(plain(name, 253) for name in names if name) or (known.names if known else ()),
        authorizations=authorizations,
        finalize=finish,
        certificate=text_of(source, "certificate"),
        expires=time_of(source, "expires") or (known.expires if known else None),
        error=problems.parse(error) if error else None,
        profile=text_of(source, "profile") or (known.profile if known else None),
        replaces=text_of(source, "replaces") or (known.replaces if known else None),
        retry_after=reply.retry_after,
    )


def _incomplete(session: AcmeSession, why: str) -> DirectoryInvalid:
    return DirectoryInvalid(
        f"{session.issuer} returned an invalid order.",
        why,
        "Check the directory URL, and whether a proxy alters the traffic. If neither is the cause, contact the CA's support.",
    )


def _timeout(session: AcmeSession, order: Order) -> OrderTimeout:
    return OrderTimeout(
        f"{session.issuer} did not finish the order in time.",
        f"Its status is still {order.status}.",
        "Try again later: the order continues where it stopped.",
        retry_at=order.retry_after,
        details={"order": order.url, "status": order.status},
    )
