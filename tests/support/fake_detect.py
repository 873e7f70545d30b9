"""The part of the engine's double that finds services: what a box with six of them shows.

engine.services = (DetectedService(…),)     # what detect returns
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.detected import DetectedService, Presented
from core.engine import ignore
from core.errors import NotFound
from core.events import Reporter
from core.lineage_status import Unmanaged
from core.ports import CancelToken
from tests.support.lineages import NOW, fingerprint


def presented(address: str, subject: str, days: int, *, state: str = "unmanaged", severity: str = "green") -> Presented:
    """Return what a listener presents for so many days more."""
    return Presented(
        address=address,
        dialect=address.partition("://")[0] if "://" in address else "tls",
        state=state,
        sha256=fingerprint(f"{address} {subject}"),
        subject=subject,
        names=(subject,),
        not_before=NOW - timedelta(days=60),
        not_after=NOW + timedelta(days=days),
        days_left=days,
        severity=severity,
    )


SERVICES = (
    DetectedService(
        id="nginx",
        kind="nginx",
        title="nginx",
        running=True,
        listeners=(presented("127.0.0.1:443", "shop.example.com", 61, state="managed"),),
        certificate="/etc/ssl/domains/domain.crt",
        key="/etc/ssl/domains/domain.key",
        target="web",
    ),
    DetectedService(
        id="postfix",
        kind="postfix",
        title="Postfix",
        running=True,
        listeners=(
            presented("smtp://127.0.0.1:25", "mail.example.com", 12, severity="yellow"),
            presented("127.0.0.1:465", "mail.example.com", 12, severity="yellow"),
        ),
        certificate="/etc/postfix/mail.crt",
        key="/etc/postfix/mail.key",
        shared_with=("dovecot",),
        suggest=TargetConfig(
            name="postfix",
            kind="postfix",
            certificate="/etc/postfix/mail.crt",
            key="/etc/postfix/mail.key",
            probe=("smtp://127.0.0.1:25", "127.0.0.1:465"),
        ),
    ),
    DetectedService(
        id="postgresql",
        kind="postgresql",
        title="PostgreSQL",
        running=True,
        listeners=(presented("postgres://127.0.0.1:5432", "db.example.com", -3, severity="red"),),
        certificate="/var/lib/postgresql/15/main/server.crt",
        key="/var/lib/postgresql/15/main/server.key",
        problems=("The certificate on postgres://127.0.0.1:5432 has expired.",),
        suggest=TargetConfig(
            name="postgresql",
            kind="postgresql",
            certificate="/var/lib/postgresql/15/main/server.crt",
            key="/var/lib/postgresql/15/main/server.key",
            probe=("postgres://127.0.0.1:5432",),
            owner="postgres",
            group="postgres",
        ),
    ),
    DetectedService(
        id="dovecot",
        kind="dovecot",
        title="Dovecot",
        running=False,
        problems=("`doveconf -c /etc/dovecot/dovecot.conf -n -P` ended with status 89: Error in configuration file",),
    ),
    DetectedService(
        id="node",
        kind="files",
        title="node",
        running=True,
        listeners=(presented("127.0.0.1:8443", "localhost", 300),),
        problems=("certdeck does not support this program, so the files it reads are not known.",),
    ),
)


class FakeDetecting:
    """Mix-in; its host has `_called` and `calls`."""

    services: tuple[DetectedService, ...] = SERVICES
    unmanaged: tuple[Unmanaged, ...] = ()

    def detect(self, *, cancel: CancelToken | None = None) -> tuple[DetectedService, ...]:
        self._told("detect")
        return self.services

    def take_over(
        self,
        ids: Sequence[str],
        *,
        name: str | None = None,
        cancel: CancelToken | None = None,
        report: Reporter = ignore,
    ) -> tuple[TargetConfig, ...]:
        self._told("take_over", ids=tuple(ids), name=name)
        wanted = [each for each in self.services if each.id in ids and each.suggest is not None]
        if len(wanted) < len(ids):
            raise NotFound(
                "No such service was found on this box.", "It is not listed.", "`certdeck target detect` lists them."
            )
        self.services = tuple(
            replace(each, target=each.suggest.name, suggest=None) if each in wanted and each.suggest else each
            for each in self.services
        )
        found = [each.suggest for each in wanted if each.suggest is not None]
        return tuple(replace(each, name=name or each.name) for each in found)

    def _told(self, method: str, **arguments: Any) -> None:
        self._called(method, **arguments)
