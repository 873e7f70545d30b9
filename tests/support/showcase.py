"""What the fake engine shows: issuers, targets, an account, findings, a history, and what operations tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.config.model import Config
from core.dates import day_shown
from core.errors import StoreNotWritable
from core.events import (
    CertificateIssued,
    ChallengePresented,
    ChallengeValidated,
    Event,
    OrderCreated,
    RehearsalPassed,
    Report,
    TargetProbed,
    TargetReloaded,
    TargetTested,
    ValidatorSeen,
    VersionStored,
    VersionSwitched,
)
from core.operations import AccountInfo, Finding, IssuerInfo, IssuerTest, LineageStatus, LogEntry, TargetInfo
from tests.support.lineages import NOW, fingerprint, seven

RUN = "0badcafe"
ISSUERS = (
    ("letsencrypt", "Let's Encrypt", "acme", "https://acme-v02.api.letsencrypt.org/directory", False),
    (
        "letsencrypt-staging",
        "Let's Encrypt (staging)",
        "acme",
        "https://acme-staging-v02.api.letsencrypt.org/directory",
        False,
    ),
    ("zerossl", "ZeroSSL", "acme", "https://acme.zerossl.com/v2/DV90", True),
    ("appliance-ca", "Private CA of this box", "private-ca", None, False),
    ("self-signed", "self-signed", "self-signed", None, False),
)
KEYS = ("ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096")


def skip_reason(each: LineageStatus) -> str:
    if each.method == "upload":
        return "it was uploaded: import a new certificate in time"
    return f"not due before {day_shown(each.renew_at)}" if each.renew_at else "automatic renewal is off"


def issuer_info(config: Config, name: str, title: str, kind: str, directory: str | None, needs_eab: bool) -> IssuerInfo:
    return IssuerInfo(
        name=name,
        title=title,
        kind=kind,
        directory=directory,
        built_in=True,
        needs_eab=needs_eab,
        wildcard=True,
        ip=name != "zerossl",
        key_types=KEYS,
        max_names=100,
        staging="letsencrypt-staging" if name == "letsencrypt" else None,
        notes=("Free. 90 days.",) if name == "letsencrypt" else (),
        is_default=config.defaults.issuer == name,
        terms_agreed=name == "letsencrypt",
        account_url="https://acme-v02.api.letsencrypt.org/acme/acct/42" if name == "letsencrypt" else None,
    )


def rehearsal_events(domains: Sequence[str], *, issuer: str = "letsencrypt-staging") -> list[Event]:
    """Return what a rehearsal over HTTP-01 tells: an order like any other, and that it passed; no certificate is kept."""
    order = issue_events(domains, [], issuer=issuer)[: 1 + 3 * len(domains)]
    return [*order, RehearsalPassed(issuer=issuer, names=tuple(domains))]


def issue_events(domains: Sequence[str], targets: Sequence[str], *, issuer: str = "letsencrypt") -> list[Event]:
    """Return what an issuance over HTTP-01 tells."""
    events: list[Event] = [
        OrderCreated(issuer=issuer, url="https://ca.example/order/1", identifiers=tuple(domains)),
    ]
    for domain in domains:
        where = f"http://{domain}/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZ"
        events += [
            ChallengePresented(identifier=domain, type="http-01", where=where),
            ValidatorSeen(address="198.51.100.4", identifier=domain),
            ChallengeValidated(identifier=domain),
        ]
    sha256 = fingerprint(f"{domains[0]} new")
    not_after: datetime = NOW + timedelta(days=90)
    events += [
        CertificateIssued(issuer=issuer, names=tuple(domains), not_after=not_after, sha256=sha256),
        VersionStored(version=2),
        *deploy_events(targets, sha256=sha256),
    ]
    return events


def deploy_events(targets: Sequence[str], *, sha256: str = fingerprint("shop 1")) -> list[Event]:
    """Return what a deployment tells."""
    events: list[Event] = [TargetTested(target=target) for target in targets]
    events.append(VersionSwitched(version=2))
    for target in targets:
        events += [TargetReloaded(target=target), TargetProbed(target=target, served=sha256, matches=True)]
    return events


PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUJ1h0YXJnZXQ=\n-----END CERTIFICATE-----\n"

FINDINGS = (
    Finding(id="clock", status="pass", title="Clock", detail="within 1 s of the CA's"),
    Finding(id="dns", status="warn", title="shop.example.com", detail="no IPv6 address", fix="Add an AAAA record."),
    Finding(
        id="port-80",
        status="fail",
        title="Port 80",
        detail="nginx (process 812) holds it",
        fix="Use webroot mode, or let nginx pass /.well-known/acme-challenge/ on.",
    ),
)

TARGETS = (
    TargetInfo(
        name="nginx",
        kind="nginx",
        certificate="/etc/ssl/domains/domain.crt",
        key="/etc/ssl/domains/domain.key",
        test=("nginx", "-t"),
        reload=("nginx", "-s", "reload"),
        probe=("127.0.0.1:443",),
        lineage="shop",
    ),
    TargetInfo(
        name="postfix",
        kind="files",
        certificate="/etc/postfix/tls.crt",
        key="/etc/postfix/tls.key",
        test=(),
        reload=("postfix", "reload"),
        probe=(),
        lineage="shop",
    ),
)

ACCOUNT = AccountInfo(
    issuer="letsencrypt",
    directory="https://acme-v02.api.letsencrypt.org/directory",
    url="https://acme-v02.api.letsencrypt.org/acme/acct/42",
    contact="admin@example.com",
    key_type="ec-256",
    thumbprint="oKPkbxyz",
    created=NOW - timedelta(days=200),
)

ISSUER_TEST = IssuerTest(
    name="letsencrypt",
    directory="https://acme-v02.api.letsencrypt.org/directory",
    terms_of_service="https://letsencrypt.org/documents/LE-SA-v1.5.pdf",
    website="https://letsencrypt.org",
    caa_identities=("letsencrypt.org",),
    eab_required=False,
    profiles={"classic": "The profile you are used to", "shortlived": "Six days"},
    ari=True,
    milliseconds=141,
    clock_skew_seconds=0,
)

_TOLD: tuple[tuple[str | None, str, Mapping[str, object]], ...] = (
    (None, "run-started", {"operation": "renew"}),
    (
        "mail",
        "certificate-issued",
        {"issuer": "letsencrypt", "names": ["mail.example.com"], "not_after": "2027-02-19T03:00:00Z"},
    ),
    ("mail", "target-rolled-back", {"target": "nginx", "why": "the reload failed"}),
    ("mail", "failed", dict(seven()[3].last_error or {})),
    (None, "run-finished", {"operation": "renew", "outcome": "done"}),
)

HISTORY = tuple(
    LogEntry(
        number=number,
        at=NOW - timedelta(minutes=90 - number),
        run=RUN,
        lineage=about,
        kind=kind,
        facts=facts,
        who="systemd",
    )
    for number, (about, kind, facts) in enumerate(_TOLD, 1)
)


def not_writable() -> StoreNotWritable:
    """Return the error of somebody who may only look."""
    return StoreNotWritable(
        "/var/lib/certdeck cannot be written.",
        "This user does not have write permission there.",
        "Run certdeck as root (with sudo), or set CERTDECK_HOME to a folder that you own.",
    )


def told(reports: list[Report]) -> list[str]:
    """Return the class names of what was reported."""
    return [type(report.event).__name__ for report in reports]


_RENEWED: tuple[tuple[float, str | None, str, Mapping[str, object]], ...] = (
    (0, None, "run-started", {"operation": "renew"}),
    (0.4, "mail", "order-created", {"issuer": "letsencrypt", "identifiers": ["mail.example.com"]}),
    (1.2, "mail", "challenge-validated", {"identifier": "mail.example.com"}),
    (
        2.0,
        "mail",
        "certificate-issued",
        {"issuer": "letsencrypt", "names": ["mail.example.com"], "not_after": "2027-02-19T03:00:00Z"},
    ),
    (2.1, "mail", "version-switched", {"version": 4}),
    (2.5, "mail", "target-probed", {"target": "postfix", "served": "AA", "matches": True}),
    (13.0, "shop", "failed", dict(seven()[3].last_error or {})),
    (13.5, "shop", "retry-scheduled", {"retry_at": "2026-11-21T13:05:00Z", "why": "The CA cannot reach port 80."}),
    (14.0, None, "run-finished", {"operation": "renew", "outcome": "failed", "why": "No response on port 80."}),
)
_BEFORE: tuple[tuple[float, str | None, str, Mapping[str, object]], ...] = (
    (0, None, "run-started", {"operation": "issuer add"}),
    (0.1, None, "changed", {"what": "added the issuer company"}),
    (0.1, None, "run-finished", {"operation": "issuer add", "outcome": "done", "why": ""}),
)
_AFTER: tuple[tuple[float, str | None, str, Mapping[str, object]], ...] = (
    (0, None, "run-started", {"operation": "deploy"}),
    (0.3, "shop", "version-switched", {"version": 3}),
    (0.6, None, "run-finished", {"operation": "deploy", "outcome": "done", "why": ""}),
)
LOG = tuple(
    LogEntry(
        number=number,
        at=NOW - before + timedelta(seconds=since),
        run=run,
        lineage=about,
        kind=kind,
        facts=facts,
        who=who,
    )
    for number, (run, who, before, (since, about, kind, facts)) in enumerate(
        [
            *(("run-add", "admin", timedelta(days=3), each) for each in _BEFORE),
            *(("run-renew", "systemd", timedelta(hours=7), each) for each in _RENEWED),
            *(("run-deploy", "admin", timedelta(minutes=20), each) for each in _AFTER),
        ],
        1,
    )
)
"""Three runs: settings changed, a scheduled run in which one of two certificates failed, a deployment by hand."""
