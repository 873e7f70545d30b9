"""Finds an existing certificate that makes an order unnecessary (CL-12), also under another name."""

from __future__ import annotations

from msgspec.structs import replace

from core.config.model import LineageConfig
from core.operations import IssueRequest
from core.renewal import due_at
from core.store import renewal_state
from core.store.had_with import settings_of
from core.store.index import facts_of_all
from core.store.lineages import live_version, read_version, waiting_version
from core.workflows.context import Context
from core.workflows.issuing.plan import Plan


def reusable(context: Context, wanted: Plan) -> int | None:
    """Return the stored version that matches the plan and is not due for renewal. None: there is none.

    This can also be a version that a killed run stored but did not deploy.
    """
    version = waiting_version(context.paths, wanted.name) or live_version(context.paths, wanted.name)
    if version is None:
        return None
    stored = read_version(context.paths, wanted.name, version)
    had = stored.certificate
    if renewal_state.load(context.paths, wanted.name).revoked == had.sha256:
        return None
    if (stored.ca, had.key_type, stored.profile) != (wanted.issuer.name, wanted.key_type, wanted.profile):
        return None
    days = wanted.lineage.renew_days_before or context.config.defaults.renew_days_before
    ends = had.chain_not_after or had.not_after
    due = due_at(had.not_before.timestamp(), ends.timestamp(), renew_days_before=days)
    same = set(had.names) == set(wanted.names) and due > context.env.clock.now().timestamp()
    return version if same else None


def same_elsewhere(context: Context, wanted: Plan) -> LineageConfig | None:
    """Return the settings of another certificate that matches the plan of an ACME order. None: there is none."""
    if wanted.issuer.kind != "acme":
        return None
    names = set(wanted.names)
    for facts in facts_of_all(context.paths)[0]:
        if facts.name == wanted.name or facts.version is None or set(facts.names) != names:
            continue
        if facts.directory == wanted.issuer.directory and not facts.revoked:
            settings = settings_of(context.paths, facts.name)
            there = replace(wanted, lineage=replace(settings, name=facts.name))
            if reusable(context, there) is not None:
                return settings
    return None


def at(request: IssueRequest, there: LineageConfig) -> IssueRequest:
    """Return the request with the name of the existing certificate, and with its targets and the requested ones."""
    return replace(request, name=there.name, targets=tuple(dict.fromkeys((*there.targets, *(request.targets or ())))))
