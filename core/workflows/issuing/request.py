"""Checks a request at once and offline: for the fields of the wizard, and for its step 5 before the doctor."""

from __future__ import annotations

from contextlib import suppress

from core.errors import CertdeckError, NotFound
from core.operations import Finding, IssueRequest
from core.workflows.context import Context
from core.workflows.issuing.plan import lineage_of, plan, staging_of


def findings(context: Context, request: IssueRequest) -> tuple[Finding, ...]:
    """Return the problems of a request, and automatic decisions. Empty: none."""
    from core.store.had_with import settings_of
    from core.workflows.issuing.budget_findings import budget_findings
    from core.workflows.issuing.issue import refuse_rehearsal_that_stays, with_companions
    from core.workflows.issuing.reuse import reusable, same_elsewhere

    found: list[Finding] = []
    try:
        request, _ = with_companions(request)
        lineage = lineage_of(context.config, request, None)
        is_known = False
        with suppress(NotFound):
            lineage = lineage_of(context.config, request, settings_of(context.paths, lineage.name))
            is_known = True
        wanted = plan(context.config, lineage, request)
        if request.staging or request.rehearse:
            refuse_rehearsal_that_stays(wanted)
            staging_of(context.config, wanted)
    except CertdeckError as exc:
        return (Finding(id=exc.code, status="fail", title=exc.what, detail=exc.why, fix=exc.fix),)
    found += [
        Finding(id="chosen", status="warn", title="Chosen automatically", detail=notice) for notice in wanted.notices
    ]
    if not request.force and reusable(context, wanted) is not None:
        found.append(
            Finding(
                id="reused",
                status="warn",
                title="Existing certificate",
                detail="This box has a valid certificate for the same names. It will be deployed without a new order.",
                fix="To order a new one anyway, force the order.",
            )
        )
    elif not request.force and (there := same_elsewhere(context, wanted)) is not None and not is_known:
        found.append(
            Finding(
                id="reused",
                status="warn",
                title="Existing certificate",
                detail=f"{there.name} is a valid certificate for exactly these names. It will be deployed without a new order.",
                fix="To order another one anyway, force the order.",
            )
        )
    else:
        found += [] if request.force or request.staging else budget_findings(context, wanted)
    return tuple(found)
