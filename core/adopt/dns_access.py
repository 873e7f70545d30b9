"""DNS credentials of other clients, translated to certdeck's provider kinds: one row for each plug-in. Secrets stay concealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

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


_LEGO: Mapping[str, _Row] = {
    "cloudflare": ("cloudflare", {}, {"api_token": "CLOUDFLARE_DNS_API_TOKEN"}),
    "desec": ("desec", {}, {"api_token": "DESEC_TOKEN"}),
    "route53": (
        "route53",
        {"access_key_id": "AWS_ACCESS_KEY_ID", "region": "AWS_REGION", "hosted_zone_id": "AWS_HOSTED_ZONE_ID"},
        {"secret_access_key": "AWS_SECRET_ACCESS_KEY"},
    ),
    "godaddy": ("godaddy", {}, {"api_key": "GODADDY_API_KEY", "api_secret": "GODADDY_API_SECRET"}),
    "alidns": ("aliyun", {"access_key_id": "ALICLOUD_ACCESS_KEY"}, {"access_key_secret": "ALICLOUD_SECRET_KEY"}),
    "pdns": ("powerdns", {"endpoint": "PDNS_API_URL", "server_id": "PDNS_SERVER_NAME"}, {"api_key": "PDNS_API_KEY"}),
    "namecheap": ("namecheap", {"api_user": "NAMECHEAP_API_USER"}, {"api_key": "NAMECHEAP_API_KEY"}),
    "rfc2136": (
        "rfc2136",
        {
            "server": "RFC2136_NAMESERVER",
            "tsig_name": "RFC2136_TSIG_KEY",
            "tsig_algorithm": "RFC2136_TSIG_ALGORITHM",
        },
        {"tsig_secret": "RFC2136_TSIG_SECRET"},
    ),
}
"""go-acme.github.io/lego/dns."""
_OTHER_NAMES = {"CLOUDFLARE_DNS_API_TOKEN": "CF_DNS_API_TOKEN"}
_SAME_NAMES = {"acme-dns", "dynu"}
"""lego's names of providers that have the same name here; it stores their credentials in another form."""


def kind_of(plugin: str) -> str:
    """Return our provider kind for a client's DNS plug-in; empty if there is none."""
    for table in (_CERTBOT, _ACME_SH, _LEGO):
        if plugin in table:
            return table[plugin][0]
    return plugin if plugin in _SAME_NAMES else ""


def lego_access(plugin: str, value: Callable[[str], str | None]) -> DnsAccess | None:
    """Return the credentials in lego's environment. `value`: returns a variable, also from the file that its `…_FILE` names."""

    def known(name: str) -> str | None:
        return value(name) or (value(_OTHER_NAMES[name]) if name in _OTHER_NAMES else None)

    found = _access(_LEGO.get(plugin), known)
    if found is None or found.kind != "rfc2136":
        return found
    settings = {key: each.rstrip(".") for key, each in found.settings.items()}
    host, colon, port = settings.get("server", "").rpartition(":")
    if (colon and port.isdigit() and ":" not in host.strip("[]")) or host.startswith("["):
        settings |= {"server": host.strip("[]"), "port": port}
    return replace(found, settings=settings)


def certbot_access(plugin: str, values: Mapping[str, str]) -> DnsAccess | None:
    """Return the credentials in a plug-in's credentials file; None if they cannot be translated."""
    return _access(_CERTBOT.get(plugin), values.get)


def acme_sh_access(plugin: str, domain: Mapping[str, str], account: Mapping[str, str]) -> DnsAccess | None:
    """Return the credentials saved by acme.sh: of the domain, otherwise of the account, under the new or the old name."""

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
