"""Issues a certificate, from the request to its deployment, and continues open orders."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace

from core.challenges.pending import PendingRecords
from core.companions import companions
from core.config.edit import check_lineage
from core.config.model import LineageConfig
from core.errors import Cancelled, CertdeckError, NotFound, UsageError
from core.events import Warned
from core.lineage_status import TargetState
from core.operations import Issued, IssueRequest, Pending
from core.store.had_with import settings_of
from core.store.lineages import lineage_of as stored_lineage
from core.store.lineages import live_version
from core.store.orders import STOPPED, load_order, require_order, save_order
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.deploying.afterwards import status_after
from core.workflows.issuing.acquire import acquire, rehearse, with_current_settings
from core.workflows.issuing.manual import awaited
from core.workflows.issuing.plan import Plan, lineage_of, plan, staging_of
from core.workflows.issuing.rehearsal import is_rehearsed_first, rehearse_first, rehearsed
from core.workflows.issuing.reuse import at, reusable, same_elsewhere
from core.workflows.issuing.sessions import Sessions
from core.workflows.renewing.outcome import deploy_new, record_failure
from core.workflows.renewing.waiting import still_meant

_PUBLICITY = Warned(
    code="names-become-public",
    what="The names of this certificate become public: CAs publish them in Certificate Transparency logs.",
    fix="For a name that must stay private, use a wildcard or the private CA (appliance-ca).",
)
"""Reported before the first order for a lineage (CL-13)."""


def issue(context: Context, request: IssueRequest) -> Issued | Pending:
    """Issue and deploy a certificate.

    An existing certificate for the same names that is not due is deployed without a new order, unless the request forces one.

    Raises:
        UsageError, NotFound: the request is invalid. Nothing was sent.
        CertdeckError: the order or the deployment failed. The live certificate is unchanged, and the next call continues an open
            order.
    """
    request, added = with_companions(request)
    existing = _existing(context, request)
    lineage = lineage_of(context.config, request, existing)
    wanted = plan(context.config, lineage, request, existing=existing)
    if existing is None and not (request.force or request.staging):
        there = same_elsewhere(context, wanted)
        if there is not None:
            context.about(there.name).narrator.tell(_found_elsewhere(wanted.name, there.name))
            request, existing = at(request, there), there
            wanted = plan(context.config, lineage_of(context.config, request, existing), request, existing=existing)
    _keep_the_fallback(context, existing)
    check_lineage(context.paths, wanted.lineage)
    context = context.about(wanted.name)
    if added:
        said = f"Added to the names: {', '.join(added)}."
        context.narrator.tell(Warned(code="names-added", what=said, fix="Each of them must be validated too."))
    for notice in wanted.notices:
        context.narrator.tell(Warned(code="chosen-for-you", what=notice, fix="Change it if you prefer."))
    if existing is None and wanted.issuer.is_public:
        context.narrator.tell(_PUBLICITY)
    vault = context.vault
    with Sessions(context, vault, insists=request.force, is_forced=request.force) as sessions:
        if request.staging or request.rehearse:
            refuse_rehearsal_that_stays(wanted)
            got = rehearse(context, staging_of(context.config, wanted), sessions)
            if request.staging:
                return Issued(status=rehearsed(context, wanted, got), rehearsed_only=True)
        version = None if request.force else reusable(context, wanted)
        reused = version is not None
        try:
            if version is None:
                if is_rehearsed_first(context, request, wanted):
                    rehearse_first(context, wanted, sessions)
                version = acquire(context, wanted, sessions, vault)
            else:
                _renew_differently(context, existing, wanted)
            seen = deploy_new(context, wanted, version)
        except PendingRecords as outcome:
            return awaited(context, wanted.name, outcome)
        except Cancelled:
            _leave_alone(context, wanted.name)
            raise
        except Exception as exc:
            # The caller reports the error. Record it only for a lineage without a certificate, which the timer tries again.
            if live_version(context.paths, wanted.name) is None:
                record_failure(context, wanted.name, exc)
            raise
    return Issued(status=status_after(context, wanted.lineage, seen), reused=reused)


def complete(context: Context, name: str, *, anyway: bool = False) -> Issued | Pending:
    """Continue the open order of a lineage. `anyway`: see `acquire`. Raises NotFound (`not-found`) if there is none."""
    vault = context.vault
    with Sessions(context, vault) as sessions:
        settings = ordered_settings(context, name)
        ended = finish_order(context, name, vault, sessions, anyway=anyway)
    return ended if isinstance(ended, Pending) else Issued(status=status_after(context, settings, ended))


def finish_order(
    context: Context,
    name: str,
    vault: Vault,
    sessions: Sessions,
    *,
    anyway: bool = False,
    is_scheduled: bool = False,
) -> tuple[TargetState, ...] | Pending:
    """Continue the open order of a lineage until its certificate is deployed, or until it waits for manual records.

    Returns the state of the targets.

    Args:
        is_scheduled: continued by the scheduled run. Targets that got another certificate after the order was placed keep it.

    Raises NotFound (`not-found`), IssuerError, TargetError.
    """
    kept = ordered_settings(context, name)
    if is_scheduled:
        kept = still_meant(context, kept, require_order(context.paths, name).created)
    wanted = plan(context.config, kept)
    try:
        return deploy_new(
            context, wanted, acquire(context, wanted, sessions, vault, anyway=anyway, only_continues=not is_scheduled)
        )
    except PendingRecords as outcome:
        return awaited(context, name, outcome)
    except Exception as exc:
        record_failure(context, name, exc)
        raise


def ordered_settings(context: Context, name: str) -> LineageConfig:
    """Return the settings with which an open order was placed. Raises NotFound (`not-found`), StoreCorrupt."""
    order = require_order(context.paths, name)
    kept = stored_lineage(order.spec)
    # An order of an earlier release may lack an issuer that came from a default.
    return replace(kept, issuer=kept.issuer or order.issuer, challenge=kept.challenge or order.challenge)


def refuse_rehearsal_that_stays(wanted: Plan) -> None:
    """Raise UsageError for a rehearsal that would leave DNS records, or would need manual ones."""
    if wanted.can_be_rehearsed:
        return
    if wanted.is_manual:
        why = "The DNS records of this certificate are set manually, and each order has new values."
    else:
        why = "It would leave a persistent record for the staging CA in the zone."
    raise UsageError(
        "A rehearsal would need its own records.",
        why,
        "Omit the rehearsal: certdeck asks the CA to validate only when all name servers have the records.",
    )


def with_companions(request: IssueRequest) -> tuple[IssueRequest, tuple[str, ...]]:
    """Add the requested `www.` or `*.` names. Returns the new request and the added names. Raises UsageError (`usage`)."""
    added = companions(request.domains, www=request.with_www, wildcard=request.with_wildcard)
    if request.with_wildcard and request.challenge == "http-01":
        raise UsageError(
            "--with-wildcard cannot be used with http-01.",
            "A wildcard can be validated only through DNS.",
            "Give --dns PROVIDER or --manual, or use --with-www.",
        )
    return replace(request, domains=(*request.domains, *added), with_www=False, with_wildcard=False), added


def _found_elsewhere(wanted: str, there: str) -> Warned:
    label = "" if wanted == there else f", so {wanted} was not ordered"
    return Warned(
        code="reused-other-name",
        what=f"{there} is a valid certificate for exactly these names{label}.",
        fix="Use it, or order another one with --force.",
    )


def _renew_differently(context: Context, existing: LineageConfig | None, wanted: Plan) -> None:
    """Warn if a reused certificate will be renewed with other settings. An open order continues with them too."""
    order = load_order(context.paths, wanted.name)
    if order is not None and order.identifiers == wanted.names:
        with_current_settings(context, order, wanted)
    ways = [(each.challenge, each.dns) for each in (existing, wanted.lineage) if each is not None]
    if len(set(ways)) > 1:
        through = f" with the DNS provider {wanted.lineage.dns}" if wanted.lineage.dns else ""
        context.narrator.tell(
            Warned(
                code="renewed-differently",
                what=f"The certificate is kept. It is now renewed by {wanted.challenge}{through}.",
                fix="To test this now, order with --force.",
            )
        )


def _leave_alone(context: Context, name: str) -> None:
    """Mark an order that the user stopped, so that the scheduled run does not complete it. The user can continue it."""
    with suppress(CertdeckError):
        record = load_order(context.paths, name)
        if record is not None:
            save_order(context.paths, replace(record, stage=STOPPED))


def _existing(context: Context, request: IssueRequest) -> LineageConfig | None:
    from core.identifiers import check_lineage_name, lineage_name_for, parse_identifiers

    if request.name:
        check_lineage_name(request.name)  # before it becomes part of a path
    identifiers = parse_identifiers(request.domains)
    name = request.name or (lineage_name_for(identifiers[0]) if identifiers else "")
    try:
        return settings_of(context.paths, name) if name else None
    except NotFound:
        return None


def _keep_the_fallback(context: Context, existing: LineageConfig | None) -> None:
    if existing is None or existing.name != context.config.defaults.fallback_certificate:
        return
    if existing.issuer == "self-signed":
        raise UsageError(
            f"{existing.name} is the self-signed certificate of this box.",
            "It is kept as the fallback if a renewal fails.",
            "Set another name with --name. The new certificate takes over the service automatically.",
        )
