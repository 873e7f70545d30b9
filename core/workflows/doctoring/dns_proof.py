"""Checks for DNS challenges: an entry that does not work, a zone without name servers, a CNAME into an unserved zone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import partial

from core.dns.authority import Authority
from core.dns.catalogue import kind_named
from core.dns.names import DNS_PERSIST01, is_below, plain_name, validation_name, zone_among
from core.dns.persistent_record import PersistentRecord
from core.dns.placement import delegated
from core.errors import DnsProviderError
from core.operations import Finding
from core.store.accounts import load_account
from core.workflows.context import Context
from core.workflows.doctoring.naming import inner_kind
from core.workflows.doctoring.running import Check, NoAnswer, failed
from core.workflows.issuing.plan import Plan
from core.workflows.settings.providers import entries_of, require_entry, zones_at


def checks_for(context: Context, wanted: Plan, authority: Authority) -> Iterator[Check]:
    """Yield the checks of a plan with a DNS challenge."""
    name = wanted.lineage.dns
    if name is not None:
        yield Check("DNS provider", partial(provider, context, name), is_remote=True)
    else:
        yield Check("Renewal", partial(_by_hand, wanted))
    for domain in dict.fromkeys(name.removeprefix("*.") for name in wanted.names):
        yield Check(domain, partial(_record, context, wanted, authority, domain))


def provider(context: Context, name: str) -> Iterator[Finding]:
    """Test the credentials of an entry, and its outgoing address if the provider restricts it. Raises NoAnswer, NotFound."""
    require_entry(context.config, name)
    with entries_of(context, context.vault) as entries:
        title = entries.kind(name).title
        try:
            zones = zones_at(entries, name)
        except DnsProviderError as exc:
            finding = failed("dns-provider", "DNS provider", exc)
            if exc.details.get("reason") == "unreachable":
                raise NoAnswer(finding) from exc
            yield finding
            return
    detail = f"{title} accepts the credentials of {name}" if zones else f"{name} ({title}) is complete"
    yield Finding(
        id="dns-provider",
        status="pass",
        title="DNS provider",
        detail=detail,
        fix="" if zones else f"Test it completely with: certdeck dns test {name}",
    )
    allowed = context.config.dns_providers[name].settings.get("client_ip", "").strip()
    if allowed:
        yield bound_address(name, title, allowed, context.env.host.addresses())


def bound_address(name: str, title: str, allowed: str, own: Iterable[str]) -> Finding:
    """Return whether requests of this box can come from the address that a provider accepts (ST-22). Pure.

    Args:
        allowed: the accepted IPv4 address, from the entry.
        own: the addresses of this box. Behind a router, none of them is public.
    """
    public = [one for one in own if ipaddress.ip_address(one).version == 4 and not inner_kind(one)]
    if public and allowed not in public:
        return Finding(
            id="outgoing-address",
            status="warn",
            title="Outgoing address",
            detail=f"{title} accepts requests of {name} only from {allowed}, and this box has {', '.join(public)}",
            why="The provider rejects requests from any other address.",
            fix=f"Allow {public[0]} at {title}, and run: certdeck dns add {name} --replace --set client_ip={public[0]}",
        )
    via = "this box" if public else "the router of this box"
    return Finding(
        id="outgoing-address",
        status="pass",
        title="Outgoing address",
        detail=f"{title} accepts requests of {name} from {allowed}, the address of {via}",
    )


def lost_entries(context: Context) -> Iterator[Finding]:
    """Yield certificates that renew through a DNS provider entry that is no longer in the configuration."""
    from core.store.index import facts_of_all

    for facts in facts_of_all(context.paths)[0]:
        if facts.dns and facts.dns not in context.config.dns_providers:
            yield Finding(
                id="dns-provider",
                status="fail",
                title=facts.name,
                detail=f"renews through the DNS provider {facts.dns}, which is not in the configuration",
                fix=f"Add it again (certdeck dns add {facts.dns}), or issue the certificate with another one.",
            )


def _by_hand(wanted: Plan) -> Iterator[Finding]:
    if wanted.challenge == DNS_PERSIST01:
        return
    yield Finding(
        id="by-hand",
        status="warn",
        title="Renewal",
        detail="the DNS records of each order are set manually, so this certificate does not renew automatically",
        fix="Add a DNS provider, point _acme-challenge by a CNAME to a zone of one, or use dns-persist-01 if the CA supports it.",
    )


def _record(context: Context, wanted: Plan, authority: Authority, domain: str) -> Iterator[Finding]:
    account = account_url(context, wanted)
    name = validation_name(wanted.challenge, domain, account)
    entry = context.config.dns_providers.get(wanted.lineage.dns or "")
    target = (delegated(entry, name) if entry else None) or authority.written_at(name)
    zone = authority.zone_of(target)
    if zone is None:
        yield Finding(
            id="dns-zone",
            # Configured resolvers may have the records of a private view without its zone.
            status="warn" if context.config.dns01.resolvers else "fail",
            title=domain,
            detail=f"no name server returns the zone of {target}",
            fix="Check that the domain is registered and delegated. For a private view, set resolvers in [dns01].",
        )
        return
    led = f", the CNAME target of {name}" if target != name else ""
    misled = _misled(context, wanted, name, target)
    if misled is not None:
        yield misled
        return
    servers = len({server.name for server in authority.servers_of(zone)})
    yield Finding(
        id="dns-zone",
        status="pass" if servers or context.config.dns01.resolvers else "fail",
        title=domain,
        detail=f"{target} is in the zone {zone}{led}; name servers: {servers}",
        fix="" if servers else "Correct the NS records of the zone.",
    )
    if wanted.challenge == DNS_PERSIST01:
        is_wide = f"*.{domain}" in wanted.names
        yield _permission(context, authority.texts_at(target), target, wanted, account, is_wide=is_wide)


def _misled(context: Context, wanted: Plan, name: str, target: str) -> Finding | None:
    """Return a finding if a CNAME points into a zone that no entry serves. None: no problem."""
    if wanted.lineage.dns is None or target == name:
        return None
    entry = require_entry(context.config, wanted.lineage.dns)
    if not kind_named(entry.kind).has_zones or not entry.zones:
        return None
    served = [plain_name(zone) for each in context.config.dns_providers.values() for zone in each.zones]
    if zone_among(target, served) or not any(is_below(name, zone) for zone in served):
        return None
    return Finding(
        id="dns-cname",
        status="warn",
        title=name,
        detail=f"is a CNAME to {target}, which no DNS provider entry serves; certdeck sets the record at {name} itself",
        fix="Remove the CNAME, or add a provider entry for the zone of its target.",
    )


def account_url(context: Context, wanted: Plan) -> str:
    """Return the URL of the account that will order. Empty: there is none yet."""
    record = load_account(context.paths, wanted.issuer.name, wanted.issuer.directory or "")
    return (record.url if record else None) or ""


def _permission(
    context: Context, values: Iterable[str], name: str, wanted: Plan, account: str, *, is_wide: bool
) -> Finding:
    """Return whether a persistent record (dns-persist-01) allows our account. Only an order shows which CA it must name."""
    now = context.env.clock.now().timestamp()
    grants = [grant for value in values if (grant := PersistentRecord.parse(value)) is not None]
    ours = [grant for grant in grants if grant.account_url == account and (grant.for_wildcard or not is_wide)]
    if any(grant.until is None or grant.until > now for grant in ours):
        return Finding(id="permission", status="pass", title=name, detail="a persistent record for this account exists")
    if ours:
        detail = "the persistent record has expired"
    elif grants:
        of_what = "this account and the wildcard" if is_wide else "this account"
        detail = f"the existing persistent records are not for {of_what}"
    else:
        detail = "there is no persistent record yet"
    fix = "Issue the certificate: certdeck then shows the record to set." if wanted.lineage.dns is None else ""
    return Finding(id="permission", status="warn", title=name, detail=detail, fix=fix)
