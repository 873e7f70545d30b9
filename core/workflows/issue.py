"""A new certificate, from the request to the service that shows it; and going on with an order that was left open."""

from __future__ import annotations

from core.config.load import load_lineage
from core.config.model import LineageConfig
from core.errors import NotFound, UsageError
from core.events import Warned
from core.operations import Issued, IssueRequest, Pending
from core.store.index import facts_of
from core.store.lineages import lineage_of as stored_lineage
from core.store.lineages import read_version
from core.store.orders import the_order
from core.store.vault import Vault
from core.workflows.acquire import acquire, rehearse
from core.workflows.context import Context
from core.workflows.due import decide
from core.workflows.outcome import deploy_new, failed
from core.workflows.plan import Plan, lineage_of, plan, staging_of
from core.workflows.rehearsed import rehearsed
from core.workflows.sessions import Sessions
from core.workflows.status import status_of


def issue(context: Context, request: IssueRequest) -> Issued | Pending:
    """Carry out a request.

    A still valid certificate for the same names is deployed instead of spending an order, unless the request forces one.

    Raises:
        UsageError, NotFound: the request is wrong; nothing was asked of anybody.
        CertdeckError: what was live is still live. An order that was begun goes on with the next call.
    """
    existing = _existing(context, request)
    lineage = lineage_of(context.config, request, existing)
    wanted = plan(context.config, lineage, request)
    _keep_the_fallback(existing, wanted)
    context = context.about(wanted.name)
    for notice in wanted.notices:
        context.narrator.tell(Warned(code="chosen-for-you", what=notice, fix="Choose otherwise if you prefer."))
    vault = Vault(context.paths, context.env)
    with Sessions(context, vault) as sessions:
        if request.staging or request.rehearse:
            got = rehearse(context, staging_of(context.config, wanted), sessions)
            if request.staging:
                return Issued(status=rehearsed(context, wanted, got), rehearsed_only=True)
        version = None if request.force else reusable(context, wanted)
        reused = version is not None
        try:
            if version is None:
                version = acquire(context, wanted, sessions, vault)
            deploy_new(context, wanted, version, sessions)
        except Exception as exc:
            failed(context, wanted.name, exc)
            raise
    return Issued(status=status_of(context, wanted.name), reused=reused)


def complete(context: Context, name: str) -> Issued | Pending:
    """Go on with the open order of a lineage. Raises NotFound (`not-found`) when there is none."""
    record = the_order(context.paths, name)
    wanted = plan(context.config, stored_lineage(record.spec))
    vault = Vault(context.paths, context.env)
    with Sessions(context, vault) as sessions:
        try:
            deploy_new(context, wanted, acquire(context, wanted, sessions, vault), sessions)
        except Exception as exc:
            failed(context, name, exc)
            raise
    return Issued(status=status_of(context, name))


def reusable(context: Context, wanted: Plan) -> int | None:
    """Return the version on disk that already is what the plan would order, when it is not due for renewal (CL-12)."""
    try:
        facts = facts_of(context.paths, wanted.name)
    except NotFound:
        return None
    version = facts.waiting_version if facts.waiting_version is not None else facts.version
    if version is None:
        return None
    stored = read_version(context.paths, wanted.name, version)
    had = (stored.ca, stored.certificate.key_type, stored.profile, frozenset(stored.certificate.names))
    if had != (wanted.issuer.name, wanted.key_type, wanted.profile, frozenset(wanted.names)):
        return None
    if stored.certificate.not_after <= context.env.clock.now():
        return None
    decision = decide(facts, context.config, context.env.clock.now().timestamp(), force=False, named=True)
    return version if decision.action in ("skip", "ask", "deploy") else None


def _existing(context: Context, request: IssueRequest) -> LineageConfig | None:
    from core.identifiers import lineage_name_for, parse_identifiers

    identifiers = parse_identifiers(request.domains)
    name = request.name or (lineage_name_for(identifiers[0]) if identifiers else "")
    try:
        return load_lineage(context.paths, name) if name else None
    except NotFound:
        return None


def _keep_the_fallback(existing: LineageConfig | None, wanted: Plan) -> None:
    if existing is not None and existing.issuer == "self-signed" and wanted.issuer.kind != "self-signed":
        raise UsageError(
            f"{existing.name} is the box's own self-signed certificate.",
            "It stays as the fallback for the day on which a renewal fails.",
            "Give the new certificate another name with --name; it takes over the service by itself.",
        )
