"""The list of all checks. They find what would prevent an issuance, without spending an order.

The checks change nothing, except that the HTTP-01 self-test creates its file for a moment. They run concurrently, so a dead name
server costs its timeout only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from core.dns.authority import Authority
from core.dns.names import DNS_CHALLENGES, validation_name
from core.errors import CertdeckError, NotFound
from core.operations import Finding, IssueRequest
from core.workflows.adopting.rivals import rival_findings
from core.workflows.context import Context
from core.workflows.doctoring import dns_proof, issuer, machine, naming
from core.workflows.doctoring.permissions import permissions
from core.workflows.doctoring.port80 import port80
from core.workflows.doctoring.revocation import revocations
from core.workflows.doctoring.running import Check, failed, run
from core.workflows.doctoring.services import services
from core.workflows.doctoring.web import web_settings
from core.workflows.issuing.plan import Plan, lineage_of, plan
from core.workflows.keeping.inspect_store import inspect_store


def doctor(context: Context, request: IssueRequest | None, name: str | None) -> tuple[Finding, ...]:
    """Run the checks for a request, for the lineage `name`, or for the whole box if both are None.

    Blocks until the slowest check ends, at most about `running.LIMIT_SECONDS` for each check. Raises NotFound (`not-found`) for
    an unknown lineage; Cancelled.
    """
    wanted = _plan_for(context, request, name)
    if isinstance(wanted, CertdeckError):
        return (failed("request", "Request", wanted),)
    checks = [
        Check("Clock", partial(machine.clock, context)),
        Check("Folders", partial(machine.folders, context)),
        Check("Disk", partial(machine.disk, context)),
        Check("Vault", partial(machine.vault, context)),
        Check("Permissions", partial(permissions, context)),
        Check("Trust store", partial(machine.trust_store, context)),
        *(_of_the_box(context) if wanted is None else _of_an_order(context, wanted)),
        Check("Revocation", partial(revocations, context, None if wanted is None else wanted.name)),
    ]
    return run(checks, context.env.clock, context.cancel)


def _plan_for(context: Context, request: IssueRequest | None, name: str | None) -> Plan | CertdeckError | None:
    from core.store.had_with import settings_of

    if request is None and name is None:
        return None
    try:
        if request is not None:
            return plan(context.config, lineage_of(context.config, request, None), request)
        assert name is not None
        return plan(context.config, settings_of(context.paths, name))
    except NotFound:
        raise
    except CertdeckError as exc:
        return exc


def _of_the_box(context: Context) -> Iterator[Check]:
    default = context.config.defaults.issuer
    authority = Authority(context.env.resolver, context.config.dns01.resolvers, context.cancel)
    yield Check("Store", partial(inspect_store, context))
    yield Check("Backup", partial(machine.backup, context))
    yield Check("Timer", partial(machine.timer, context))
    asked = issuer.Asked(context, default, None)
    yield Check("Issuer", partial(issuer.directory, context, asked, default, None), is_remote=True)
    yield Check("HTTP-01 port", partial(port80, context, None, authority), is_holding=True)
    for name in machine.own_names(context):
        yield Check(name, partial(naming.own_name, authority, context.env.host, name), is_remote=True)
    yield Check("DNS provider", partial(dns_proof.lost_entries, context))
    for entry in context.config.dns_providers:
        yield Check(f"DNS provider {entry}", partial(dns_proof.provider, context, entry), is_remote=True)
    yield Check("Other clients", partial(rival_findings, context))
    yield Check("Targets", partial(_targets, context, context.config.targets))
    yield Check("Services", partial(services, context))
    yield Check("Web servers", partial(web_settings, context))


def _of_an_order(context: Context, wanted: Plan) -> Iterator[Check]:
    if wanted.issuer.kind == "acme":
        yield from _of_an_acme_order(context, wanted)
    else:
        yield Check("Issuer", lambda: [_no_network_needed(wanted)])
    yield Check("Services", partial(_targets, context, wanted.lineage.targets))


def _of_an_acme_order(context: Context, wanted: Plan) -> Iterator[Check]:
    authority = Authority(context.env.resolver, context.config.dns01.resolvers, context.cancel)
    asked = issuer.Asked(context, wanted.issuer.name, wanted)
    look = partial(issuer.directory, context, asked, wanted.issuer.name, wanted)
    yield Check("Issuer", look, is_remote=True)
    yield Check("Rate limits", partial(issuer.budget, context, wanted))
    account = dns_proof.account_url(context, wanted)
    if wanted.challenge == "http-01":
        yield Check("HTTP-01 port", partial(port80, context, wanted, authority), is_holding=True)
        for name in wanted.names:
            look = partial(naming.addresses, authority, context.env.host, name, wanted.issuer)
            yield Check(name, look, is_remote=True)
    elif wanted.challenge in DNS_CHALLENGES:
        yield from dns_proof.checks_for(context, wanted, authority)
    for domain in dict.fromkeys(one.value.removeprefix("*.") for one in wanted.identifiers if one.type == "dns"):
        is_by_dns = wanted.challenge in DNS_CHALLENGES
        where = validation_name(wanted.challenge, domain, account) if is_by_dns else domain
        yield Check(domain, partial(naming.dnssec, authority, where, "TXT" if is_by_dns else "A"), is_remote=True)
        yield Check(
            domain, partial(naming.caa, authority, wanted, domain, asked.caa_identities, account), is_remote=True
        )
    if wanted.issuer.is_public:
        yield Check("Certificate Transparency", lambda: [_public_names()])


def _no_network_needed(wanted: Plan) -> Finding:
    detail = f"{wanted.issuer.title}: no network and no validation needed"
    return Finding(id="issuer", status="pass", title="Issuer", detail=detail)


def _public_names() -> Finding:
    return Finding(
        id="transparency",
        # Nothing was checked, so nothing passed.
        status="skip",
        title="Certificate Transparency",
        detail="nothing to check; public CAs publish every name in Certificate Transparency logs",
    )


def _targets(context: Context, names: Iterable[str]) -> Iterator[Finding]:
    from core.workflows.settings.targets import test_target

    wanted = list(names)
    if not wanted:
        yield Finding(
            id="target", status="skip", title="Services", detail="none: the certificate is only kept in its folder"
        )
    for name in wanted:
        yield from test_target(context, name)
