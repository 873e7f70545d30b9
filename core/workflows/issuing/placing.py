"""Places an order: waits for its turn, counts it against the CA's limits, and follows it until the certificate is issued."""

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
    """A stored order, which a later run can continue."""

    @property
    def url(self) -> str | None:
        """URL of the order at the CA. None: it has not been placed yet."""

    @property
    def is_new(self) -> bool:
        """The CA created it during this run."""

    def csr(self) -> bytes:
        """Return the CSR (DER). Its key is already stored."""

    def keep(self, order: Order, /) -> None:
        """Store an order that the CA has just created."""

    def forget(self) -> None:
        """Delete the order, which cannot succeed any longer, so that the next run places a new one."""


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
    """Place an order, or continue an open one, until the CA has issued the certificate.

    Args:
        replaces: the ARI id of the certificate that this one replaces (RFC 9773 §5).

    Raises IssuerError, for a rate limit with its known figures; ChallengeError, Cancelled.
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
        # A failed challenge cannot be tried again. An unusable certificate gets one more run.
        if isinstance(exc, AuthorizationFailed) or not order.is_new:
            order.forget()
        raise
    except RateLimited as exc:
        met = tell_of_limit(context.config, plan, exc, ledger.standing(plan.issuer, plan.names))
        if met is not None and exc.retry_at is not None:
            ledger.learn(plan.issuer, met, exc.retry_at)
        raise
    return obtained
