"""The configuration as values. Defaults are defined here, next to their fields, and nowhere else.

There is one value class for each table of `etc/certdeck.toml`, and one for `etc/certificates.d/NAME.toml`. The field names are the
TOML keys. `load` fills them, refuses unknown keys and wrong types, and reports every problem at once; nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

OneOrMore = tuple[str, ...]
"""In a file: a string, or a list of strings."""


class Appliance(Struct, frozen=True, kw_only=True):
    """`[appliance]`: the names of this box."""

    name: str = "certdeck"
    """Brand: titles, and the self-signed subject `<name> Self-Signed` (ST-05)."""
    hostname: str | None = None
    """Absent: this machine's host name."""
    external_url: str | None = None
    theme: str | None = None


class IssuerConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[issuers.NAME]`: adds an issuer, or overrides fields of a built-in one. None: not set."""

    directory: str | None = None
    title: str | None = None
    ca_bundle: str | None = None
    email: str | None = None
    agree_tos: bool = False
    eab_kid: str | None = None
    profile: str | None = None
    preferred_chain: str | None = None
    """Common name of the issuer of the last certificate in the preferred chain."""
    common_name: bool = False
    """Put the first name that fits into the subject of the CSR: some private CAs refuse a CSR without one."""
    staging: str | None = None
    """Name of the issuer for rehearsals."""
    max_orders: int = 8
    """Maximum number of parallel orders."""
    limits: str | Mapping[str, str] | None = None
    """The built-in issuer with the same limits; `none`: nothing is counted; or a table with its own limits (`core.limit_table`).
    Absent: the known limits of this CA."""
    orders_per_run: int | None = None
    """Maximum number of renewals in one scheduled run, if not all certificates have to be renewed at once."""


class Defaults(Struct, frozen=True, kw_only=True):
    """`[defaults]`: settings of every certificate that does not override them."""

    issuer: str = "letsencrypt"
    fallback_issuers: tuple[str, ...] = ()
    key_type: str = "ec-256"
    challenge: str = "http-01"
    renew_days_before: int | None = None
    """Absent: ARI if the CA supports it, otherwise a share of the lifetime."""
    auto_renew: bool = True
    rehearse: bool = True
    """The first order for new names is tried at the issuer's staging first, if it has one."""
    check_revocation: bool = True
    """The scheduled run asks CAs once a day whether certificates are revoked."""
    fallback_certificate: str = "default"
    """The lineage that goes live if a renewal has failed until expiry (CL-07, CL-08)."""
    reminders: int = 30
    """Failed daily attempts after which the fallback certificate goes live (CL-07)."""


class Http01(Struct, frozen=True, kw_only=True):
    """`[http01]`: how http-01 challenges are answered."""

    mode: str = "standalone"
    """`standalone` or `webroot`."""
    webroot: str | None = None
    address: str = "0.0.0.0"  # noqa: S104 - the CA comes from outside, from addresses it does not publish
    port: int = 80


class Dns01(Struct, frozen=True, kw_only=True):
    """`[dns01]`: how the propagation of records is checked."""

    resolvers: tuple[str, ...] = ()
    """Addresses of resolvers to query, also instead of the zones' own name servers; empty: this machine's resolvers."""
    timeout_seconds: int = 180
    """How long to wait until all servers have the records."""


class TargetConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[targets.NAME]`: a service that a lineage is deployed to."""

    name: str
    kind: str = "files"
    certificate: str = ""
    """Path of the fullchain, leaf first."""
    key: str = ""
    """Path of the private key; the certificate's path, or empty, if both are in one file."""
    chain: str | None = None
    """Path of a file with only the intermediates, for services that read them from a separate file."""
    test: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    probe: OneOrMore = ()
    """`HOST:PORT` for TLS after the reload; a host name means all its addresses, `smtp://HOST:PORT` means STARTTLS."""
    probe_name: str | None = None
    """Server name (SNI) to send; absent: one that the certificate covers."""
    probe_key: str | None = None
    """`rsa` or `ec`: request the certificate with such a key, if the service has one of each."""
    probe_timeout_seconds: int = 10
    timeout_seconds: int = 60
    """Limit for each of test and reload."""
    mode: str = "link"
    """`link`, or `copy` for services that refuse symlinks."""
    owner: str | None = None
    group: str | None = None
    file_mode: str | None = None
    """Octal mode of the key for new files, e.g. `0640`."""
    layout: str | None = None
    """`separate`, `combined` (certificate, then key, in one file), `key-first`, `leaf`; absent: the default of the kind."""
    in_place: bool = False
    """Write into the existing files, for paths that cannot be replaced by a rename."""
    files_of: str | None = None
    """The target that owns the files, if several services read the same ones; absent: this target, or the first target with the
    same paths."""
    socket: str | None = None
    """Control socket, for kinds that are reloaded over one; absent: the usual one of the kind."""
    window: str | None = None
    """`HH:MM-HH:MM`, local time: scheduled runs deploy only in this period."""
    also: OneOrMore = ()
    """Additional files for other programs, `FORMAT:/path` (`core.extra_files`); they switch in the same step."""
    names: OneOrMore = ()
    """Host names that clients use for the service; the certificate is compared with them."""
    single: bool = False
    """The service supports only one certificate: one that lacks any of `names` is refused."""
    pfx_passphrase_file: str | None = None
    """Path of the passphrase that protects the files of format `pfx`; absent: they have no passphrase."""
    host: str | None = None
    """Kind `ssh`: the other machine. The paths above are a local copy of its files."""
    user: str | None = None
    port: int = 22
    remote_certificate: str | None = None
    remote_key: str | None = None
    remote_chain: str | None = None
    remote_test: tuple[str, ...] = ()
    """Run there after the files have been switched; if it fails, they are switched back."""
    remote_reload: tuple[str, ...] = ()
    identity_file: str | None = None
    """Private key for the login; absent: OpenSSH's default."""
    known_hosts: str | None = None
    """File with the accepted host keys; absent: OpenSSH's own files."""


class DnsProviderConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[dns_providers.NAME]`; its secrets are in the vault."""

    name: str
    kind: str
    zones: tuple[str, ...] = ()
    """Zones that it serves; the longest match is used. Empty: determined from the provider's own list or from DNS."""
    settings: Mapping[str, str] = field(default_factory=dict)
    delegations: Mapping[str, str] = field(default_factory=dict)
    """Domain → real location of its `_acme-challenge` record, for CNAMEs that are not visible from here."""


class NotificationConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[notifications.NAME]`: a channel that reports events; its secrets are in the vault."""

    name: str
    kind: str
    """`smtp`, `webhook`, `apprise`."""
    on: tuple[str, ...] = ()
    """The events that it reports; empty: every event."""
    settings: Mapping[str, str] = field(default_factory=dict)


class Schedule(Struct, frozen=True, kw_only=True):
    """`[schedule]`: settings of the scheduled run."""

    ping_url: str | None = None
    """Requested at the end of every scheduled run, with `/fail` appended if the run failed."""


class Metrics(Struct, frozen=True, kw_only=True):
    """`[metrics]`: metrics for Prometheus."""

    file: str | None = None
    """Written at the end of every run, in the text format of Prometheus, for node_exporter's textfile collector."""


class Web(Struct, frozen=True, kw_only=True):
    """`[web]`: the settings for `web apply`."""

    hsts: str = "staged"
    """`staged`: from five minutes to a year, within a month. `full`: a year at once. `off`."""
    redirect: bool = True
    """Redirect plain HTTP to HTTPS, unless another configuration does (CL-21)."""
    http_port: int = 80


class Console(Struct, frozen=True, kw_only=True):
    """`[console]`: settings of the console."""

    ascii: bool = False
    mouse: bool = True


class Log(Struct, frozen=True, kw_only=True):
    """`[log]`: what is kept, and for how long."""

    level: str = "warning"
    """`warning`, or `debug`, which also writes every step of every run to `log/certdeck.log`."""
    keep_days: int = 400
    """Older entries are removed."""
    keep_megabytes: int = 50
    """Above this size, the oldest entries are removed."""
    save_requests: bool = False
    """Save each exchange with a CA or a DNS provider as a file, without secrets (CC-26)."""
    save_requests_days: int = 7
    """Older ones are removed."""
    syslog: bool = False
    """Also write each event to the system's log, with its fields if that is journald."""


class Fleet(Struct, frozen=True, kw_only=True):
    """`[fleet]`: this box is one of several. Its secrets are in the vault."""

    endpoints: tuple[str, ...] = ()
    """Client URLs of etcd's members, `https://HOST:2379`. Empty: there is no fleet."""
    ca_bundle: str | None = None
    """CA certificates to verify etcd's server certificates (path)."""
    certificate: str | None = None
    """Client certificate that etcd requires (path); it must not have a common name."""
    key: str | None = None
    role: str = "device"
    """`hub` orders and renews, `device` receives and deploys, `both`."""
    name: str | None = None
    """The name of this box in the fleet; absent: its host name."""
    username: str | None = None
    """User name for etcd; absent: the one that it got when it joined."""
    targets: tuple[str, ...] = ()
    """Targets for the fleet's certificates that name no target of this box; empty: all its targets."""
    lease_seconds: int = 15
    """How long a hub stays leader without renewing its lease; another hub takes over after this time."""
    serve_challenges: bool = True
    """Answer HTTP-01 challenges for the whole fleet while `certdeck fleet watch` runs."""

    @property
    def is_hub(self) -> bool:
        return bool(self.endpoints) and self.role != "device"

    @property
    def is_device(self) -> bool:
        return bool(self.endpoints) and self.role != "hub"


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, checked, with defaults filled in."""

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
    """`etc/certificates.d/NAME.toml`. None: the default of `[defaults]` applies to the first order, which then records it here.

    All settings that affect clients or decide which CA is used are stored here from then on; a later change of a default
    applies only to new certificates.
    """

    name: str
    domains: tuple[str, ...] = ()
    """In the given order, the first one is the primary (SO-16); A-labels, `*.` is allowed, and IP addresses."""
    issuer: str | None = None
    """An issuer's name, `self-signed`, or `upload` for a provided certificate."""
    challenge: str | None = None
    dns: str | None = None
    """A DNS provider entry; without one, the records for `challenge = "dns-01"` are set manually."""
    key_type: str | None = None
    profile: str | None = None
    """Empty: the CA's default profile."""
    preferred_chain: str | None = None
    """Empty: the chain that the CA sends first."""
    fallback_issuers: tuple[str, ...] | None = None
    fallback_certificate: str | None = None
    """Replaces it if renewals fail; absent: the box's fallback certificate (CL-08, CL-09)."""
    targets: tuple[str, ...] = ()
    auto_renew: bool | None = None
    renew_days_before: int | None = None
