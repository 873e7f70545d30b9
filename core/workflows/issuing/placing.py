"""How every order is placed: in its turn, counted against the CA's limits, and followed until there is a certificate."""

from __future__ import annotations

from typing import Protocol

from core.acme.issuance import Obtained, obtain
from core.acme.order import Order, OrderTerms
from core.acme.session import AcmeSession
from core.budget import REPLACES
from core.challenges import Solver
from core.errors import AuthorizationFailed, CertificateUnusable, RateLimited
from core.workflows.context import Context
from core.workflows.issuing.budget_words import tell_of_limit
from core.workflows.issuing.plan import Plan
from core.workflows.issuing.sessions import Sessions


class OpenOrder(Protocol):
    """An order that is kept somewhere, so that a later run can go on with it."""

    @property
    def url(self) -> str | None:
        """Where it is at the CA; None: it has to be placed first."""

    @property
    def is_new(self) -> bool:
        """The CA has made it in this run."""

    def csr(self) -> bytes:
        """Return the DER of the CSR, its key safe already."""

    def keep(self, order: Order, /) -> None:
        """Remember an order that the CA has just made."""

    def forget(self) -> None:
        """Let the next run place a new one: nothing more can come of this one."""


def place_order(
    context: Context,
    plan: Plan,
    sessions: Sessions,
    session: AcmeSession,
    order: OpenOrder,
    solver: Solver,
    *,
    replaces: str | None = None,
) -> Obtained:
    """Place an order, or go on with one that is open, until the CA has issued.

    Args:
        replaces: the ARI id of the certificate that this one succeeds (RFC 9773 §5).

    Raises IssuerError, a limit with the figure that is known of it; ChallengeError, Cancelled.
    """
    ledger = sessions.limits.ledger
    terms = OrderTerms(
        identifiers=plan.identifiers, profile=plan.profile, replaces=replaces, preferred_chain=plan.preferred_chain
    )
    try:
        with sessions.place(plan.issuer), ledger.order(plan.issuer, plan.names) as counted:
            obtained = obtain(
                session,
                terms,
                csr=order.csr,
                solver=solver,
                narrator=context.narrator,
                order_url=order.url,
                on_order=order.keep,
            )
            counted.exempt = (REPLACES,) if obtained.is_replacement else ()
    except (AuthorizationFailed, CertificateUnusable) as exc:
        # A failed challenge cannot be tried again. A certificate that is not there yet gets one more run.
        if isinstance(exc, AuthorizationFailed) or not order.is_new:
            order.forget()
        raise
    except RateLimited as exc:
        met = tell_of_limit(context.config, plan, exc, ledger.standing(plan.issuer, plan.names))
        if met is not None and exc.retry_at is not None:
            ledger.learn(plan.issuer, met, exc.retry_at)
        raise
    return obtained
