"""One certificate from order to download: create or resume, validate, finalize, download.

Nothing is stored here between calls. The caller persists the order's URL in `on_order`, and the key before its CSR is sent.
Then the process may be killed at any point, and `obtain` continues with the same URL and the same CSR key. The result is what
the CA sent: the caller has to check that it matches key and names before storing anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from core.acme import authorization as authorizations
from core.acme import failure
from core.acme.authorization import Authorization, Challenge
from core.acme.certificate import download
from core.acme.near_or_far import request_each
from core.acme.order import Order, OrderTerms, fetch_order, finalize, new_order, wait_while
from core.acme.session import AcmeSession
from core.acme.validation import Validation
from core.challenges import Solver
from core.errors import AcmeProblem, CertificateUnusable, DirectoryUnreachable, RateLimited
from core.events import (
    AuthorizationReused,
    ChallengePresented,
    ChallengeValidated,
    Narrator,
    OrderCreated,
    Warned,
)

SETTLE_SECONDS = 0.25
"""How long to wait for the CA's validation before the first check of the order."""
FINALIZE_ROUNDS = 3
UNFINISHED = ("pending", "processing")
"""Statuses of an order that is neither final nor waiting for our CSR."""


class Obtained(Struct, frozen=True, kw_only=True):
    """The result of an order."""

    fullchain_pem: bytes
    """As the CA sent it, leaf first; unchecked."""
    order_url: str
    chain_matched: bool
    """False: `preferred_chain` was given, and the CA has no such chain."""
    is_replacement: bool = False
    """The CA has recorded that the order replaces a certificate."""


def _nobody(order: Order) -> None:
    """Do nothing: the default of `on_order`."""


def obtain(
    session: AcmeSession,
    terms: OrderTerms,
    *,
    csr: Callable[[], bytes],
    solver: Solver,
    narrator: Narrator,
    order_url: str | None = None,
    on_order: Callable[[Order], None] = _nobody,
    timeout_seconds: float = 600.0,
) -> Obtained:
    """Get a certificate. Blocks until it is issued, usually for seconds.

    Args:
        csr: returns the DER of the CSR; called at most once, while the CA validates, so it may generate a key first.
        order_url: an order to continue; if it has failed, a new one is created.
        on_order: called with the order before anything else is done with it; persist its URL there.
        timeout_seconds: limit for the CA's validation, and again for issuing the certificate. The time of the solver does not
            count: the limit starts when the CA was asked to validate.

    Raises:
        AuthorizationFailed (`authorization-failed`): with `details["problems"]` by name.
        RateLimited (`rate-limited`): has `retry_at`.
        OrderTimeout (`order-timeout`): the order can be resumed.
        CertificateUnusable, AcmeProblem, DirectoryUnreachable, DirectoryUntrusted, DirectoryInvalid, Cancelled,
        and what the solver raises.
    """
    if not session.directory.has_renewal_info:
        terms = replace(terms, replaces=None)  # RFC 9773 §5: only for servers that provide renewal information
    order, held = _order(session, terms, order_url, on_order, narrator)
    request = _Once(csr)
    if order.status == "pending":
        challenges = _to_validate(session, held or _authorizations(session, order), terms.names, solver.type, narrator)
        order = _validate(session, order, challenges, solver, request, timeout_seconds, narrator)
    else:
        for name in terms.names if order.status == "ready" else ():
            narrator.tell(AuthorizationReused(identifier=name))
    deadline = session.clock.monotonic() + timeout_seconds
    for _ in range(FINALIZE_ROUNDS):
        if order.status == "ready":
            order = finalize(session, order, request())
        order = wait_while(
            session, order, UNFINISHED, deadline=deadline, why="the CA creates the certificate", narrator=narrator
        )
    if order.status != "valid":
        raise failure.of_order(session, order, narrator)
    if order.certificate is None:
        raise CertificateUnusable(
            f"{session.issuer} marked the order as valid, but returned no certificate.",
            "Its order has no certificate URL (RFC 8555 §7.1.3).",
            "Try again later. If the problem persists, contact the CA's support.",
            details={"order": order.url},
        )
    try:
        got = download(session, order.certificate, terms.preferred_chain)
    except DirectoryUnreachable as exc:
        if order.expires is None or order.expires > session.now_there():
            raise
        raise CertificateUnusable(
            f"{session.issuer} did not send a certificate.",
            f"Its order has expired in the meantime. {exc.why}",
            "Try again later: the next run places a new order.",
            details={"order": order.url},
        ) from exc
    if not got.chain_matched:
        narrator.tell(
            Warned(
                code="chain-not-offered",
                what=f"{session.issuer} offers no chain that ends in {terms.preferred_chain}; its default chain was used.",
                fix="Correct preferred_chain, or remove it.",
            )
        )
    return Obtained(
        fullchain_pem=got.fullchain_pem,
        order_url=order.url,
        chain_matched=got.chain_matched,
        is_replacement=order.replaces is not None,
    )


class _Once:
    """Calls `csr` on first use, and only once."""

    def __init__(self, csr: Callable[[], bytes]) -> None:
        self._csr = csr
        self._made: bytes | None = None

    def __call__(self) -> bytes:
        if self._made is None:
            self._made = self._csr()
        return self._made


def _order(
    session: AcmeSession,
    terms: OrderTerms,
    order_url: str | None,
    on_order: Callable[[Order], None],
    narrator: Narrator,
) -> tuple[Order, list[Authorization]]:
    """Return the order to continue with, and its authorizations if they were fetched."""
    if order_url is not None:
        found = fetch_order(session, order_url)
        if found is not None and not _is_over(session, found):
            held = _authorizations(session, found) if found.status == "pending" else []
            # Some CAs leave an order pending although names have failed.
            if not any(authorization.is_dead for authorization in held):
                narrator.tell(_created(session, found, terms, resumed=True))
                return found, held
    try:
        order = new_order(session, terms)
    except RateLimited:
        raise
    except (AcmeProblem, DirectoryUnreachable) as exc:
        if terms.replaces is None:
            raise
        # CAs refuse `replaces` for many reasons, with many types: this must never stop a renewal.
        narrator.tell(
            Warned(
                code="replaces-refused",
                what=f"{session.issuer} does not accept this as a renewal, so it was ordered as a new certificate. {exc.why}",
                fix="No action is needed. The order counts towards the CA's limits.",
            )
        )
        order = new_order(session, replace(terms, replaces=None))
    on_order(order)
    narrator.tell(_created(session, order, terms, resumed=False))
    return order, []


def _is_over(session: AcmeSession, order: Order) -> bool:
    """Return whether the order can no longer succeed. A `valid` one still has its certificate."""
    if order.status in authorizations.DEAD:
        return True
    return order.status != "valid" and order.expires is not None and order.expires <= session.now_there()


def _created(session: AcmeSession, order: Order, terms: OrderTerms, *, resumed: bool) -> OrderCreated:
    return OrderCreated(
        issuer=session.issuer, url=order.url, identifiers=terms.names, profile=order.profile, resumed=resumed
    )


def _authorizations(session: AcmeSession, order: Order) -> list[Authorization]:
    return request_each(session.clock, lambda url: authorizations.fetch(session, url), order.authorizations)


def _to_validate(
    session: AcmeSession, found: list[Authorization], names: Sequence[str], type: str, narrator: Narrator
) -> tuple[Challenge, ...]:
    """Return the open challenge of `type` for each name that is not validated yet, in the order of `names`.

    CAs list authorizations in any order, which may also change: users who set records manually expect a stable order.
    """
    place = {name: number for number, name in enumerate(names)}
    found.sort(key=lambda authorization: place.get(authorization.name, len(place)))
    challenges = []
    for authorization in found:
        if authorization.status == "valid":
            narrator.tell(AuthorizationReused(identifier=authorization.name))
        elif authorization.status == "pending":
            challenges.append(_challenge(session, authorization, type))
        elif authorization.is_dead:
            raise failure.of_authorizations(session, [authorization], narrator)
    return tuple(challenges)


def _challenge(session: AcmeSession, authorization: Authorization, type: str) -> Challenge:
    for challenge in authorization.challenges:
        if challenge.type == type:
            return challenge
    raise failure.not_offered(session, authorization, type)


def _validate(
    session: AcmeSession,
    order: Order,
    challenges: Sequence[Challenge],
    solver: Solver,
    csr: _Once,
    timeout_seconds: float,
    narrator: Narrator,
) -> Order:
    with solver.present(challenges, narrator, session.cancel) as presented:
        for challenge in challenges:
            narrator.tell(
                ChallengePresented(identifier=challenge.name, type=challenge.type, where=solver.where(challenge))
            )
        validation = Validation(session, challenges, narrator)
        validation.answer()
        csr()
        if challenges:
            presented.settle(SETTLE_SECONDS, session.cancel)
        deadline = session.clock.monotonic() + timeout_seconds
        # A Retry-After from before the challenges were answered is about an order that waited for us.
        order = replace(order, retry_after=None)
        order = wait_while(
            session,
            order,
            ("pending",),
            deadline=deadline,
            why="the CA validates the names",
            narrator=narrator,
            look=validation.words,
        )
        if order.status in authorizations.DEAD:
            raise failure.of_order(session, order, narrator)
        for challenge in challenges:
            narrator.tell(ChallengeValidated(identifier=challenge.name))
    return order
