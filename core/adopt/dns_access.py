"""DNS credentials of other clients in the words of this box's kinds: one row for each plug-in, no secret leaves the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.adopt.ways import DnsAccess

_Row = tuple[str, Mapping[str, str], Mapping[str, str]]
"""Kind; its settings, its secrets: field → the client's name for it."""

_CERTBOT: Mapping[str, _Row] = {
    "dns-cloudflare": ("cloudflare", {}, {"api_token": "dns_cloudflare_api_token"}),
    "dns-desec": ("desec", {}, {"api_token": "dns_desec_token"}),
    "dns-godaddy": ("godaddy", {}, {"api_key": "dns_godaddy_key", "api_secret": "dns_godaddy_secret"}),
    "dns-rfc2136": (
        "rfc2136",
        {
            "server": "dns_rfc2136_server",
            "port": "dns_rfc2136_port",
            "tsig_name": "dns_rfc2136_name",
            "tsig_algorithm": "dns_rfc2136_algorithm",
        },
        {"tsig_secret": "dns_rfc2136_secret"},
    ),
}
_ACME_SH: Mapping[str, _Row] = {
    "dns_cf": ("cloudflare", {"zone_id": "CF_Zone_ID"}, {"api_token": "CF_Token"}),
    "dns_desec": ("desec", {}, {"api_token": "DEDYN_TOKEN"}),
    "dns_aws": ("route53", {"access_key_id": "AWS_ACCESS_KEY_ID"}, {"secret_access_key": "AWS_SECRET_ACCESS_KEY"}),
    "dns_gd": ("godaddy", {}, {"api_key": "GD_Key", "api_secret": "GD_Secret"}),
    "dns_dynu": ("dynu", {"client_id": "Dynu_ClientId"}, {"client_secret": "Dynu_Secret"}),
    "dns_ali": ("aliyun", {"access_key_id": "Ali_Key"}, {"access_key_secret": "Ali_Secret"}),
    "dns_pdns": ("powerdns", {"endpoint": "PDNS_Url", "server_id": "PDNS_ServerId"}, {"api_key": "PDNS_Token"}),
    "dns_acmedns": (
        "acme-dns",
        {"endpoint": "ACMEDNS_BASE_URL", "subdomain": "ACMEDNS_SUBDOMAIN", "username": "ACMEDNS_USERNAME"},
        {"password": "ACMEDNS_PASSWORD"},
    ),
    "dns_namecheap": (
        "namecheap",
        {"api_user": "NAMECHEAP_USERNAME", "client_ip": "NAMECHEAP_SOURCEIP"},
        {"api_key": "NAMECHEAP_API_KEY"},
    ),
}


def certbot_access(plugin: str, values: Mapping[str, str]) -> DnsAccess | None:
    """Return the access in a plug-in's credentials file; None where it cannot be translated."""
    return _access(_CERTBOT.get(plugin), values.get)


def acme_sh_access(plugin: str, domain: Mapping[str, str], account: Mapping[str, str]) -> DnsAccess | None:
    """Return the access that acme.sh has saved: of the domain, else of the account, under its new or its old name."""

    def value(name: str) -> str | None:
        return next(
            (found for each in (domain, account) for key in (f"SAVED_{name}", name) if (found := each.get(key))), None
        )

    return _access(_ACME_SH.get(plugin), value)


def _access(row: _Row | None, value: Callable[[str], str | None]) -> DnsAccess | None:
    if row is None:
        return None
    kind, settings, secrets = row
    kept = {key: found for key, name in secrets.items() if (found := value(name))}
    if len(kept) < len(secrets):
        return None
    plain = {
        key: found.lower() if key == "tsig_algorithm" else found
        for key, name in settings.items()
        if (found := value(name))
    }
    return DnsAccess(kind=kind, settings=plain, secrets=kept)
