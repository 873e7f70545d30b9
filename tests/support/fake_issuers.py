"""The part of the engine's double that knows CAs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from core.config.model import Config, IssuerConfig
from core.engine import ignore
from core.events import (
    Reporter,
)
from core.operations import (
    IssuerChange,
    IssuerFacts,
    IssuerInfo,
    IssuerShown,
    IssuerTest,
)
from core.ports import CancelToken
from tests.support.showcase import (
    ISSUER_TEST,
    ISSUERS,
    PEM,
    issuer_info,
)


class FakeIssuers:
    """Mix-in; its host has `_called` and `settings`."""

    _called: Any
    settings: Config

    def issuers(self) -> tuple[IssuerInfo, ...]:
        self._called("issuers")
        known = {row[0] for row in ISSUERS}
        added = [
            (name, each.title or name, "acme", each.directory, False) for name, each in self.settings.issuers.items()
        ]
        return tuple(
            issuer_info(self.settings, *row) for row in (*ISSUERS, *(row for row in added if row[0] not in known))
        )

    def issuer(self, name: str) -> IssuerShown:
        self._called("issuer", name=name)
        (info,) = [each for each in self.issuers() if each.name == name]
        return IssuerShown(issuer=info, limits_as_of="", limits=(), closed=())

    def compare_issuers(self) -> tuple[IssuerFacts, ...]:
        self._called("compare_issuers")
        return ()

    def test_issuer(self, name: str, *, cancel: CancelToken | None = None) -> IssuerTest:
        self._called("test_issuer", name=name)
        return replace(ISSUER_TEST, name=name)

    def add_issuer(self, name: str, config: IssuerConfig, *, report: Reporter = ignore) -> None:
        self._called("add_issuer", name=name, config=config)
        self.settings = replace(self.settings, issuers={**self.settings.issuers, name: config})

    def remove_issuer(self, name: str, *, report: Reporter = ignore) -> None:
        self._called("remove_issuer", name=name)

    def set_default_issuer(self, name: str, *, report: Reporter = ignore) -> tuple[str, ...]:
        self._called("set_default_issuer", name=name)
        self.settings = replace(self.settings, defaults=replace(self.settings.defaults, issuer=name))
        return tuple(each.name for each in self.lineages if each.ca not in (name, None, "self-signed"))

    def change_issuer(
        self, names: Sequence[str], issuer: str, *, dry_run: bool = False, report: Reporter = ignore
    ) -> tuple[IssuerChange, ...]:
        self._called("change_issuer", names=tuple(names), issuer=issuer, dry_run=dry_run)
        found = [self._find(name) for name in names]
        return tuple(IssuerChange(name=each.name, before=each.ca or "", after=issuer) for each in found)

    def agree_terms(self, issuer: str, *, report: Reporter = ignore) -> None:
        self._called("agree_terms", issuer=issuer)

    def set_eab(self, issuer: str, *, kid: str, hmac: bytes, report: Reporter = ignore) -> None:
        self._called("set_eab", issuer=issuer, kid=kid, hmac=hmac)

    def export_ca_root(self, *, report: Reporter = ignore) -> bytes:
        self._called("export_ca_root")
        return PEM.encode()
