"""The seven certificates of the sketch (status-80x24), and thousands like them, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from core.operations import LineageStatus, TargetState

NOW = datetime(2026, 11, 21, 4, 2, tzinfo=UTC)
NEXT_RUN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LETS_ENCRYPT = "Let's Encrypt E8"


def fingerprint(seed: str) -> str:
    """Return a SHA-256 as it is shown, always the same for the same seed."""
    raw = hashlib.sha256(seed.encode()).hexdigest().upper()
    return ":".join(raw[at : at + 2] for at in range(0, 64, 2))


def lineage(
    name: str, *domains: str, left: timedelta = timedelta(days=63, hours=5), life_days: float = 90, **fields: Any
) -> LineageStatus:
    """Make a lineage with `left` to live; every field can be given."""
    not_after = NOW + left
    not_before = not_after - timedelta(days=life_days)
    sha256 = fingerprint(f"{name} 1")
    made = LineageStatus(
        name=name,
        domains=domains or (f"{name}.example.com",),
        subject=(domains or (f"{name}.example.com",))[0],
        issuer=LETS_ENCRYPT,
        serial=hashlib.sha256(name.encode()).hexdigest()[:36],
        not_before=not_before,
        not_after=not_after,
        days_left=left.days,
        severity="green",
        self_signed=False,
        chain=True,
        chain_length=1,
        sha256=sha256,
        key_type="ec-256",
        method="http-01",
        ca="letsencrypt",
        auto_renew=True,
        renew_at=not_after - timedelta(days=life_days / 3),
        renew_why="ari",
        last_error=None,
        targets=(TargetState(name="nginx", state="deployed", served_sha256=sha256),),
        version=1,
    )
    return replace(made, **fields)


def without_certificate(name: str, *domains: str, **fields: Any) -> LineageStatus:
    """Make a lineage that was written by hand and has no certificate yet."""
    bare: dict[str, Any] = {
        **dict.fromkeys(("not_before", "not_after", "days_left", "renew_at", "ca", "version")),
        **dict.fromkeys(("subject", "issuer", "serial", "sha256", "key_type"), ""),
        "severity": "red",
        "chain": False,
        "chain_length": 0,
        "renew_why": "no certificate",
        "targets": (),
    }
    return lineage(name, *domains, **{**bare, **fields})


RELOAD_FAILED: Mapping[str, object] = {
    "code": "reload-failed",
    "what": "nginx refused to load the new certificate.",
    "why": 'nginx: [emerg] no "ssl_certificate" is defined in /etc/nginx/conf.d/mail.conf:7',
    "fix": "Mend the configuration and run `certdeck deploy mail`.",
    "at": "2026-11-21T03:00:04Z",
}


def seven() -> tuple[LineageStatus, ...]:
    """Return the seven lineages, sorted by name as the engine does."""
    return (
        lineage(
            "api",
            left=timedelta(days=63, hours=5),
            ca="zerossl",
            issuer="ZeroSSL ECC Domain Secure Site CA",
        ),
        lineage(
            "default",
            "box.example.com",
            "box",
            "192.0.2.10",
            "2001:db8::10",
            left=timedelta(days=365, hours=3),
            life_days=397,
            subject="Acme Box Self-Signed",
            issuer="Acme Box Self-Signed",
            self_signed=True,
            chain=False,
            chain_length=0,
            method="self-signed",
            ca="self-signed",
            renew_at=NOW + timedelta(days=335),
            renew_why="lifetime",
            targets=(),
        ),
        lineage(
            "edge",
            "203.0.113.7",
            left=timedelta(days=4, hours=2),
            life_days=6.67,
            subject="203.0.113.7",
            profile="shortlived",
            renew_at=NOW + timedelta(days=2),
        ),
        lineage(
            "mail",
            left=timedelta(days=3, hours=1),
            severity="red",
            key_type="rsa-2048",
            renew_at=NOW + timedelta(hours=23),
            renew_why="retry",
            last_error=RELOAD_FAILED,
            waiting_version=2,
            targets=(
                TargetState(
                    name="nginx",
                    state="failed",
                    served_sha256=fingerprint("mail 1"),
                    why="the reload failed; the old certificate is back in place",
                ),
            ),
        ),
        lineage(
            "partner",
            "b2b.example.net",
            left=timedelta(days=214, hours=9),
            life_days=380,
            issuer="DigiCert Inc DigiCert TLS RSA SHA256 2020 CA1",
            key_type="rsa-3072",
            method="upload",
            ca=None,
            auto_renew=False,
            renew_at=None,
            renew_why="by hand",
        ),
        lineage(
            "shop",
            "shop.example.com",
            "www.shop.example.com",
            "pay.example.com",
            left=timedelta(days=21, hours=8),
            severity="yellow",
            renew_at=NEXT_RUN,
            targets=(
                TargetState(name="nginx", state="deployed", served_sha256=fingerprint("shop 1")),
                TargetState(
                    name="postfix",
                    state="stale",
                    served_sha256=fingerprint("shop 0"),
                    why="it still serves the certificate before this one",
                ),
            ),
        ),
        lineage("wild", "*.example.com", "example.com", left=timedelta(days=71, hours=20), method="dns-01"),
    )


def many(count: int) -> tuple[LineageStatus, ...]:
    """Return `count` lineages, sorted by name, in every state."""
    severities = ("green", "green", "green", "yellow", "green", "red", "green")
    lefts = (75, 60, 45, 20, 88, 5, 33)
    return tuple(
        lineage(
            f"site-{number:05}",
            f"site-{number:05}.example.com",
            left=timedelta(days=lefts[number % 7], hours=number % 24),
            severity=severities[number % 7],
        )
        for number in range(count)
    )
