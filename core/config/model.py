"""The configuration as values. Defaults live here, beside the field they belong to, and nowhere else.

One value class for each table of `etc/certdeck.toml`, and one for `etc/certificates.d/NAME.toml`. The field names are the TOML
keys. `load` fills them, refuses unknown keys and wrong types, and reports every problem at once; nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

OneOrMore = tuple[str, ...]
"""In a file a text, or a list of texts."""


class Appliance(Struct, frozen=True, kw_only=True):
    """`[appliance]`: how this box is called."""

    name: str = "certdeck"
    """Brand: titles, and the self-signed subject `<name> Self-Signed` (ST-05)."""
    hostname: str | None = None
    """Absent: this machine's."""
    external_url: str | None = None
    theme: str | None = None


class IssuerConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[issuers.NAME]`: adds an issuer, or overrides fields of a built-in one. None: not given."""

    directory: str | None = None
    title: str | None = None
    ca_bundle: str | None = None
    email: str | None = None
    agree_tos: bool = False
    eab_kid: str | None = None
    profile: str | None = None
    preferred_chain: str | None = None
    """Common name of the issuer of the last certificate of the chain to prefer."""
    common_name: bool = False
    """Put the first name that fits into the request's subject: some private CAs refuse a request without one."""
    staging: str | None = None
    """Name of the issuer to rehearse with."""
    max_orders: int = 8
    """Orders under way at once."""
    limits: str | Mapping[str, str] | None = None
    """The built-in issuer whose limits hold here, too; `none`: nothing is counted; a table of its own (`core.limit_table`).
    Absent: what is known of this CA."""
    orders_per_run: int | None = None
    """Renewals that one scheduled run takes, where not all have to be renewed at once."""


class Defaults(Struct, frozen=True, kw_only=True):
    """`[defaults]`: what holds for every certificate that says nothing else."""

    issuer: str = "letsencrypt"
    fallback_issuers: tuple[str, ...] = ()
    key_type: str = "ec-256"
    challenge: str = "http-01"
    renew_days_before: int | None = None
    """Absent: ARI where the CA has it, else a share of the lifetime."""
    auto_renew: bool = True
    rehearse: bool = True
    """The first order for some names goes to the issuer's staging first, where it has one."""
    check_revocation: bool = True
    """The scheduled run asks CAs once a day whether certificates are revoked."""
    fallback_certificate: str = "default"
    """The lineage that goes live when a renewal failed until expiry (CL-07, CL-08)."""
    reminders: int = 30
    """Failed daily attempts after which the fallback certificate goes live (CL-07)."""


class Http01(Struct, frozen=True, kw_only=True):
    """`[http01]`: how http-01 is answered."""

    mode: str = "standalone"
    """`standalone` or `webroot`."""
    webroot: str | None = None
    address: str = "0.0.0.0"  # noqa: S104 - the CA comes from outside, from addresses it does not publish
    port: int = 80


class Dns01(Struct, frozen=True, kw_only=True):
    resolvers: tuple[str, ...] = ()
    timeout_seconds: int = 180


class TargetConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[targets.NAME]`: a service that a lineage is deployed to."""

    name: str
    kind: str = "files"
    certificate: str = ""
    """Path of the fullchain, leaf first."""
    key: str = ""
    """Path of the private key; that of the certificate, or none, where both are in one file."""
    chain: str | None = None
    """Path for the intermediates alone, for services that want them apart."""
    test: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    probe: OneOrMore = ()
    """`HOST:PORT` where TLS is spoken after the reload; a name stands for all its addresses, `smtp://HOST:PORT` for STARTTLS."""
    probe_name: str | None = None
    """Server name (SNI) to ask for; absent: one that the certificate covers."""
    probe_key: str | None = None
    """`rsa` or `ec`: ask for the certificate with such a key, where the service has one of each."""
    probe_timeout_seconds: int = 10
    timeout_seconds: int = 60
    """For each of test and reload."""
    mode: str = "link"
    """`link`, or `copy` for services that refuse symlinks."""
    owner: str | None = None
    group: str | None = None
    file_mode: str | None = None
    """Octal, of the key, for files that were not there before, e.g. `0640`."""
    layout: str | None = None
    """`separate`, `combined` (certificate, then key, in one file), `key-first`, `leaf`; absent: what the kind takes."""
    in_place: bool = False
    """Write into the files that are there, for paths that nothing can be renamed onto."""
    files_of: str | None = None
    """The target whose files these are, where several services read the same ones; absent: its own, or those of the first target
    with the same paths."""
    socket: str | None = None
    """Control socket, for kinds that are told over one; absent: the usual one of the kind."""
    window: str | None = None
    """`HH:MM-HH:MM`, local time: scheduled runs deploy only then."""
    also: OneOrMore = ()
    """Further files for other programs, `FORMAT:/path` (`core.extra_files`); they switch in the same step."""
    names: OneOrMore = ()
    """Host names that clients use for the service; the certificate is compared with them."""
    single: bool = False
    """The service takes only one certificate: one that lacks any of `names` is refused."""
    pfx_passphrase_file: str | None = None
    """Its content protects the files of format `pfx`; absent: they have no passphrase."""
    host: str | None = None
    """Kind `ssh`: the other machine. The paths above are a local copy of what it gets."""
    user: str | None = None
    port: int = 22
    remote_certificate: str | None = None
    remote_key: str | None = None
    remote_chain: str | None = None
    remote_test: tuple[str, ...] = ()
    """Run there after the files have been switched; where it fails they are switched back."""
    remote_reload: tuple[str, ...] = ()
    identity_file: str | None = None
    """Private key for the login; absent: what OpenSSH takes."""
    known_hosts: str | None = None
    """The host keys that are accepted; absent: OpenSSH's own files."""


class DnsProviderConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[dns_providers.NAME]`; its secrets are in the vault."""

    name: str
    kind: str
    zones: tuple[str, ...] = ()
    """Served by it; the longest that a name ends in is taken. Empty: found out, by the provider's own list or the DNS."""
    settings: Mapping[str, str] = field(default_factory=dict)
    delegations: Mapping[str, str] = field(default_factory=dict)
    """Domain → where its `_acme-challenge` record really stands, for CNAMEs that cannot be seen from here."""


class NotificationConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[notifications.NAME]`: a channel on which people are told of events; its secrets are in the vault."""

    name: str
    kind: str
    """`smtp`, `webhook`, `apprise`."""
    on: tuple[str, ...] = ()
    """The events it tells of; empty: every event."""
    settings: Mapping[str, str] = field(default_factory=dict)


class Schedule(Struct, frozen=True, kw_only=True):
    ping_url: str | None = None
    """Requested at the end of every scheduled run; with `/fail` at its end when the run failed."""


class Metrics(Struct, frozen=True, kw_only=True):
    file: str | None = None
    """Written at the end of every run, in the text format of Prometheus, for node_exporter's textfile collector."""


class Web(Struct, frozen=True, kw_only=True):
    """What `web apply` sets up."""

    hsts: str = "staged"
    """`staged`: from five minutes to a year, within a month. `full`: a year at once. `off`."""
    redirect: bool = True
    """Plain HTTP is redirected to HTTPS where nothing does that yet (CL-21)."""
    http_port: int = 80


class Console(Struct, frozen=True, kw_only=True):
    ascii: bool = False
    mouse: bool = True


class Log(Struct, frozen=True, kw_only=True):
    """`[log]`: what is kept, and for how long."""

    level: str = "warning"
    """`warning`, or `debug`: every step of every run goes to `log/certdeck.log`, too."""
    keep_days: int = 400
    """Older entries are removed."""
    keep_megabytes: int = 50
    """Above that the oldest entries are removed."""
    save_requests: bool = False
    """Keep each exchange with a CA or a DNS provider as a file, without secrets (CC-26)."""
    save_requests_days: int = 7
    """Older ones are removed."""
    syslog: bool = False
    """Write each event to the system's log as well, with its fields where that is journald."""


class Fleet(Struct, frozen=True, kw_only=True):
    """`[fleet]`: this box is one of several. Its secrets are in the vault."""

    endpoints: tuple[str, ...] = ()
    """Client addresses of etcd's members, `https://HOST:2379`. Empty: there is no fleet."""
    ca_bundle: str | None = None
    """Trust for etcd's server certificates (path)."""
    certificate: str | None = None
    """Client certificate that etcd demands (path); it must have no common name."""
    key: str | None = None
    role: str = "device"
    """`hub` orders and renews, `device` receives and deploys, `both`."""
    name: str | None = None
    """What the box is called in the fleet; absent: its host name."""
    username: str | None = None
    """Of etcd; absent: the one that it was given when it joined."""
    targets: tuple[str, ...] = ()
    """Where certificates of the fleet go that name no target of this box; empty: to all its targets."""
    lease_seconds: int = 15
    """How long a hub leads without renewing that: the others take over after this time."""
    serve_challenges: bool = True
    """Answer HTTP-01 for the whole fleet while `certdeck fleet watch` runs."""

    @property
    def is_hub(self) -> bool:
        return bool(self.endpoints) and self.role != "device"

    @property
    def is_device(self) -> bool:
        return bool(self.endpoints) and self.role != "hub"


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, checked, with the defaults filled in."""

    appliance: Appliance = Appliance()
    issuers: Mapping[str, IssuerConfig] = field(default_factory=dict)
    defaults: Defaults = Defaults()
    http01: Http01 = Http01()
    dns01: Dns01 = Dns01()
    targets: Mapping[str, TargetConfig] = field(default_factory=dict)
    dns_providers: Mapping[str, DnsProviderConfig] = field(default_factory=dict)
    notifications: Mapping[str, NotificationConfig] = field(default_factory=dict)
    schedule: Schedule = Schedule()
    metrics: Metrics = Metrics()
    web: Web = Web()
    console: Console = Console()
    log: Log = Log()
    fleet: Fleet = Fleet()


class LineageConfig(Struct, frozen=True, kw_only=True):
    """`etc/certificates.d/NAME.toml`. None: the default of `[defaults]` applies to the first order, which writes down what it was.

    Whatever decides what clients get or who is asked is kept here from then on; a later change of a default is for new ones.
    """

    name: str
    domains: tuple[str, ...] = ()
    """In the order given, the first one is the primary (SO-16); A-labels, `*.` allowed, IP addresses too."""
    issuer: str | None = None
    """An issuer's name, `self-signed`, or `upload` for a certificate that somebody brought."""
    challenge: str | None = None
    dns: str | None = None
    """A DNS provider entry; with `challenge = "dns-01"` and none, the records are set by hand."""
    key_type: str | None = None
    profile: str | None = None
    """Empty: the one that the CA takes without being asked."""
    preferred_chain: str | None = None
    """Empty: the one that the CA sends first."""
    fallback_issuers: tuple[str, ...] | None = None
    fallback_certificate: str | None = None
    """Stands in for it when renewing fails; absent: that of the box (CL-08, CL-09)."""
    targets: tuple[str, ...] = ()
    auto_renew: bool | None = None
    renew_days_before: int | None = None
