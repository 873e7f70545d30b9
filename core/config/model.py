"""The configuration as values. Defaults are defined here, next to their fields, and nowhere else.

There is one value class for each table of `etc/certdeck.toml`, and one for `etc/certificates.d/NAME.toml`. The field names are the
TOML keys. `load` fills them, refuses unknown keys and wrong types, and reports every problem at once; nothing here reads files.

What stands below a key, and the docstring of its class, are the text of certdeck.toml(5): they are for administrators.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

OneOrMore = tuple[str, ...]
"""In a file a text, or a list of texts."""


class Appliance(Struct, frozen=True, kw_only=True):
    """`[appliance]`: the name and the addresses of this box."""

    name: str = "certdeck"
    """The brand: it is in titles, and the subject of a self-signed certificate is `NAME Self-Signed`."""
    hostname: str | None = None
    """Absent: the host name of this machine."""
    external_url: str | None = None
    """URL at which clients reach this box. Its host name is added to the self-signed certificate."""
    theme: str | None = None
    """Theme of the console. Absent: the default theme."""


class IssuerConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[issuers.NAME]`: a CA. It adds an issuer, or changes keys of a built-in one."""

    directory: str | None = None
    """URL of its ACME directory."""
    title: str | None = None
    """Name for display."""
    ca_bundle: str | None = None
    """PEM file with further roots to trust for HTTPS to the directory."""
    email: str | None = None
    """Contact address of the account."""
    agree_tos: bool = False
    """Accept the terms of service of the CA."""
    eab_kid: str | None = None
    """Key ID of the external account binding. The HMAC key is in the vault (`certdeck account eab`)."""
    profile: str | None = None
    """Profile to order with. Absent: the default of the CA."""
    preferred_chain: str | None = None
    """Common name of the root whose chain is preferred."""
    common_name: bool = False
    """Put the first name that fits into the subject of the request. Some private CAs reject a request without one."""
    staging: str | None = None
    """Name of the issuer for rehearsals."""
    max_orders: int = 8
    """Orders in progress at the same time."""
    limits: str | Mapping[str, str] | None = None
    """Name of the built-in issuer whose rate limits also apply here; `none` counts nothing; or a table `[issuers.NAME.limits]`
    with values such as `orders = "300/3h"`. Absent: the known limits of this CA."""
    orders_per_run: int | None = None
    """Most renewals in one scheduled run, unless more must be renewed now."""


class Defaults(Struct, frozen=True, kw_only=True):
    """`[defaults]`: settings of every certificate that has none of its own."""

    issuer: str = "letsencrypt"
    """The CA (`certdeck issuer list`)."""
    fallback_issuers: tuple[str, ...] = ()
    """CAs to try, in this order, if the issuer fails."""
    key_type: str = "ec-256"
    """`ec-256`, `ec-384`, `ec-521`, `rsa-2048`, `rsa-3072`, `rsa-4096` or `rsa-8192`."""
    challenge: str = "http-01"
    """`http-01`, `dns-01`, `dns-account-01` or `dns-persist-01`."""
    renew_days_before: int | None = None
    """Days before the end of a certificate. Absent: the time that the CA suggests (ARI), else a third of the lifetime, 30 days at
    most."""
    auto_renew: bool = True
    """The scheduled run renews the certificate."""
    rehearse: bool = True
    """When names are ordered for the first time, order from the staging issuer first, if there is one."""
    check_revocation: bool = True
    """The scheduled run asks CAs once a day whether certificates are revoked."""
    fallback_certificate: str = "default"
    """Name of the certificate to serve if another one expires because its renewals fail."""
    reminders: int = 30
    """Failed daily attempts after which the fallback certificate is served."""


class Http01(Struct, frozen=True, kw_only=True):
    """`[http01]`: how HTTP-01 challenges are answered."""

    mode: str = "standalone"
    """`standalone`: certdeck listens during the order. `webroot`: a web server serves the files."""
    webroot: str | None = None
    """Folder that the web server serves, for the mode `webroot`."""
    address: str = "0.0.0.0"  # noqa: S104 - the CA comes from outside, from addresses it does not publish
    """Address to listen on. The default also listens on IPv6."""
    port: int = 80
    """Port to listen on. If it is another one, port 80 must be forwarded to it."""


class Dns01(Struct, frozen=True, kw_only=True):
    """`[dns01]`: how certdeck waits for a TXT record."""

    resolvers: tuple[str, ...] = ()
    """Name servers to ask, `ADDRESS` or `ADDRESS:PORT`. Empty: those of the zone."""
    timeout_seconds: int = 180
    """How long to wait until all of them have the record."""


class TargetConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[targets.NAME]`: a service that certificates are deployed to."""

    name: str
    kind: str = "files"
    """The service (`certdeck target kinds`)."""
    certificate: str = ""
    """Path from which the service reads the certificate with its chain."""
    key: str = ""
    """Path from which the service reads the private key. Absent if certificate and key are in one file."""
    chain: str | None = None
    """Path for the intermediates alone, if the service needs them."""
    test: tuple[str, ...] = ()
    """Command that tests the configuration of the service: a list of words, run without a shell. Empty: that of the kind."""
    reload: tuple[str, ...] = ()
    """Command that makes the service load the files. Empty: that of the kind."""
    probe: OneOrMore = ()
    """`HOST:PORT` where the served certificate is checked after the reload, or a list. A host name means all its addresses;
    `smtp://HOST:PORT` uses STARTTLS."""
    probe_name: str | None = None
    """Server name (SNI) for the probe. Absent: a name of the certificate."""
    probe_key: str | None = None
    """`rsa` or `ec`: key type for the probe, if the service has certificates of both types."""
    probe_timeout_seconds: int = 10
    """How long the service may take to serve the new certificate."""
    timeout_seconds: int = 60
    """Time limit of the test, and of the reload."""
    mode: str = "link"
    """`link`, or `copy` for services that reject symbolic links."""
    owner: str | None = None
    """Owner of new files. Absent: that of the files that are replaced, else the user that runs certdeck."""
    group: str | None = None
    """Group of new files. Absent: as for the owner; if the service reads the key as its own account, the group of that account."""
    file_mode: str | None = None
    """Mode of a new key file, octal, for example `0640`."""
    layout: str | None = None
    """`separate`: certificate with its chain, and key. `combined`: certificate, then key, in one file. `key-first`: the same with
    the key first. `leaf`: the certificate without its chain. Absent: that of the kind."""
    in_place: bool = False
    """Overwrite the existing files, for mounted single files. This is not atomic."""
    files_of: str | None = None
    """Name of the target that writes the files, if several services read the same ones."""
    socket: str | None = None
    """Control socket, for kinds that use one. Absent: the usual one."""
    window: str | None = None
    """`HH:MM-HH:MM`, local time: scheduled runs deploy only in this window."""
    also: OneOrMore = ()
    """Further files for other programs, `FORMAT:/path`. The formats are `fullchain`, `certificate`, `chain`, `key`, `combined`,
    `key-first`, `der` and `pfx`."""
    names: OneOrMore = ()
    """Names that clients use for the service. The certificate is compared with them."""
    single: bool = False
    """The service takes only one certificate. A certificate that lacks one of `names` is rejected."""
    pfx_passphrase_file: str | None = None
    """File with the passphrase of `pfx` files. Absent: they have none."""
    host: str | None = None
    """Kind `ssh`: name or address of the other machine. The paths above are a local copy."""
    user: str | None = None
    """Kind `ssh`: user name there."""
    port: int = 22
    """Kind `ssh`: port of its SSH server."""
    remote_certificate: str | None = None
    """Kind `ssh`: path of the certificate there."""
    remote_key: str | None = None
    """Kind `ssh`: path of the key there."""
    remote_chain: str | None = None
    """Kind `ssh`: path of the chain there."""
    remote_test: tuple[str, ...] = ()
    """Kind `ssh`: command there that tests the configuration. If it fails, the previous files are restored."""
    remote_reload: tuple[str, ...] = ()
    """Kind `ssh`: command there that makes the service load the files."""
    identity_file: str | None = None
    """Kind `ssh`: private key for the login. Absent: the default of OpenSSH."""
    known_hosts: str | None = None
    """Kind `ssh`: file with the host keys that are accepted. Absent: the files of OpenSSH."""


class DnsProviderConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[dns_providers.NAME]`: access to a DNS provider. Its secrets are in the vault (`certdeck dns add`)."""

    name: str
    kind: str
    """The provider (`certdeck dns kinds`)."""
    zones: tuple[str, ...] = ()
    """Zones to use it for. Empty: those that the provider or the DNS names."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings of the kind (`certdeck dns kinds KIND`)."""
    delegations: Mapping[str, str] = field(default_factory=dict)
    """A table: domain, and the CNAME target of its `_acme-challenge` record, if this box cannot see the CNAME."""


class NotificationConfig(Struct, frozen=True, kw_only=True):
    """An entry of `[notifications.NAME]`: who is notified of what. Its secrets are in the vault (`certdeck notify add`)."""

    name: str
    kind: str
    """`smtp`, `webhook` or `apprise` (`certdeck notify kinds`)."""
    on: tuple[str, ...] = ()
    """The events to notify of. Empty: every event."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings of the kind (`certdeck notify kinds KIND`)."""


class Schedule(Struct, frozen=True, kw_only=True):
    """`[schedule]`: the scheduled run. `certdeck schedule on` sets its times."""

    ping_url: str | None = None
    """URL that is requested at the end of every scheduled run, with `/fail` appended if the run failed."""


class Metrics(Struct, frozen=True, kw_only=True):
    """`[metrics]`: figures for Prometheus."""

    file: str | None = None
    """File that every run writes at its end, for the textfile collector of node_exporter."""


class Web(Struct, frozen=True, kw_only=True):
    """`[web]`: what `certdeck web apply` sets up."""

    hsts: str = "staged"
    """HTTP Strict Transport Security. `staged`: from five minutes to a year, within a month. `full`: a year at once. `off`: none.
    """
    redirect: bool = True
    """Redirect HTTP to HTTPS, unless the server already does."""
    http_port: int = 80
    """Port that is redirected."""


class Console(Struct, frozen=True, kw_only=True):
    """`[console]`: the console."""

    ascii: bool = False
    """Draw with ASCII characters only."""
    mouse: bool = True
    """Use the mouse. `false` leaves it to the terminal, for selecting text."""


class Log(Struct, frozen=True, kw_only=True):
    """`[log]`: what is recorded, and for how long it is kept."""

    level: str = "warning"
    """`warning`, or `debug`: also write every step of every run to `certdeck.log` in the log folder."""
    keep_days: int = 400
    """Days after which entries are removed."""
    keep_megabytes: int = 50
    """Size above which the oldest entries are removed."""
    save_requests: bool = False
    """Save each exchange with a CA or a DNS provider as a file, without secrets."""
    save_requests_days: int = 7
    """Days after which these files are removed."""
    syslog: bool = False
    """Also write each event to the system log; to the journal with its fields."""


class Fleet(Struct, frozen=True, kw_only=True):
    """`[fleet]`: several boxes that etcd coordinates. Secrets are in the vault."""

    endpoints: tuple[str, ...] = ()
    """URLs of the members of etcd, `https://HOST:2379`. Empty: there is no fleet."""
    ca_bundle: str | None = None
    """PEM file with the roots to trust for the certificates of etcd."""
    certificate: str | None = None
    """Client certificate, if etcd requires one (path). It must not have a common name."""
    key: str | None = None
    """Private key of the client certificate (path)."""
    role: str = "device"
    """`hub` orders and renews, `device` receives and deploys, `both` does both."""
    name: str | None = None
    """Name of this box in the fleet. Absent: its host name."""
    username: str | None = None
    """User name for etcd. Absent: the one that the box was given when it joined."""
    targets: tuple[str, ...] = ()
    """Targets for certificates of the fleet that name none of this box. Empty: all targets."""
    lease_seconds: int = 15
    """Seconds after which another hub takes over from a leader that has stopped."""
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
    """`certificates.d/NAME.toml`: the settings of one certificate. The first order writes the defaults of that time into it.

    A later change of `[defaults]` is for new certificates.
    """

    name: str
    domains: tuple[str, ...] = ()
    """Names and IP addresses. The first one is the primary; `*.` begins a wildcard."""
    issuer: str | None = None
    """Name of an issuer; `self-signed`; or `upload` for a provided certificate."""
    challenge: str | None = None
    """As in `[defaults]`."""
    dns: str | None = None
    """Entry of `[dns_providers]`. With `challenge = "dns-01"` and no entry, you set the records manually."""
    key_type: str | None = None
    """As in `[defaults]`."""
    profile: str | None = None
    """Profile of the CA. Empty: its default."""
    preferred_chain: str | None = None
    """Common name of the root whose chain is preferred. Empty: the default of the CA."""
    fallback_issuers: tuple[str, ...] | None = None
    """As in `[defaults]`."""
    fallback_certificate: str | None = None
    """Name of the certificate to serve if renewal fails. Absent: that of `[defaults]`."""
    targets: tuple[str, ...] = ()
    """Targets that it is deployed to."""
    auto_renew: bool | None = None
    """As in `[defaults]`."""
    renew_days_before: int | None = None
    """As in `[defaults]`."""
