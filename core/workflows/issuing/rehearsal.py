"""Rehearses the first order for some names with the issuer's staging, so that mistakes do not count against its rate limits.

An unusable staging directory says nothing about production: the order then continues with a warning. If the rehearsal finds a
problem with the names, production would fail too, so the order ends there.
"""

from __future__ import annotations

from msgspec.structs import replace

from core.errors import (
    AccountError,
    DirectoryInvalid,
    DirectoryUnreachable,
    DirectoryUntrusted,
    IssuerError,
    OrderTimeout,
    RateLimited,
)
from core.events import Warned
from core.issuers import BUILT_IN
from core.lineage_status import LineageStatus
from core.operations import IssueRequest
from core.store.accounts import load_account
from core.store.index import facts_of_all
from core.store.orders import load_order
from core.workflows.context import Context
from core.workflows.issuing.acquire import Acquired, rehearse
from core.workflows.issuing.plan import Plan, staging_of
from core.workflows.issuing.sessions import Sessions

_SAYS_NOTHING = (
    AccountError,
    DirectoryInvalid,
    DirectoryUnreachable,
    DirectoryUntrusted,
    OrderTimeout,
    RateLimited,
)


def is_rehearsed_first(context: Context, request: IssueRequest, wanted: Plan) -> bool:
    """Tell whether an order is rehearsed by default: the issuer has not issued for these names on this box yet."""
    if request.rehearse is not None or not context.config.defaults.rehearse:
        return False
    if wanted.issuer.kind != "acme" or wanted.issuer.staging is None or not wanted.can_be_rehearsed:
        return False
    if load_order(context.paths, wanted.name) is not None:
        return False  # an open order continues
    names = set(wanted.names)
    return not any(
        facts.directory == wanted.issuer.directory and names <= set(facts.names)
        for facts in facts_of_all(context.paths)[0]
    )


def rehearse_first(context: Context, wanted: Plan, sessions: Sessions) -> None:
    """Rehearse. Raises what the order itself would raise: AuthorizationFailed, ChallengeError and others."""
    # First register with production: its account requirements (terms, binding) are not part of the rehearsal.
    sessions.session(wanted.issuer, email=wanted.email, agree_tos=wanted.agree_tos)
    staging = staging_of(context.config, wanted)
    if _is_agreed(context, wanted):
        staging = replace(staging, agree_tos=True)
    try:
        sessions.session(staging.issuer, email=staging.email, agree_tos=staging.agree_tos)
    except IssuerError as exc:
        _left_out(context, wanted, exc)
        return
    try:
        rehearse(context, staging, sessions)
    except _SAYS_NOTHING as exc:
        _left_out(context, wanted, exc)
    except IssuerError as exc:
        exc.fix += (
            f" This was a rehearsal: nothing was ordered from {wanted.issuer.name}. To order without a "
            "rehearsal, use --no-rehearsal."
        )
        raise


def _left_out(context: Context, wanted: Plan, why: IssuerError) -> None:
    context.narrator.tell(
        Warned(
            code="rehearsal-left-out",
            what=f"There was no rehearsal: {why.what} {why.why}",
            fix=f"No action is needed: certdeck orders from {wanted.issuer.name} without a rehearsal.",
        )
    )


def _is_agreed(context: Context, wanted: Plan) -> bool:
    """Tell whether the user agreed to the terms of the built-in CA that operates the staging directory."""
    if BUILT_IN.get(wanted.issuer.name) is None or wanted.issuer.directory is None:
        return False
    entry = context.config.issuers.get(wanted.issuer.name)
    account = load_account(context.paths, wanted.issuer.name, wanted.issuer.directory)
    return bool((entry and entry.agree_tos) or (account and account.terms))


def rehearsed(context: Context, wanted: Plan, got: Acquired) -> LineageStatus:
    """Return the status that the lineage would have with the staging certificate, which is not stored."""
    from core.workflows.unstored import Unstored, status_with
    from core.x509.chain import split_fullchain

    leaf, intermediates = split_fullchain(got.fullchain)
    new = Unstored(
        name=wanted.name,
        domains=wanted.names,
        leaf=leaf,
        sent=intermediates,
        method=wanted.method(context.config),
        renew_why="off",
        ca=staging_of(context.config, wanted).issuer.name,
        profile=wanted.profile,
    )
    return status_with(new, context.env.clock.now())
