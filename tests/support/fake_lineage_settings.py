"""The part of the engine's double that changes settings of a certificate."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from core.engine import ignore
from core.events import Reporter


class FakeLineageSettings:
    """Mix-in; its host has `_called`, `_find` and `_put`."""

    def set_lineage(
        self,
        name: str,
        *,
        auto_renew: bool | None = None,
        renew_days_before: int | None = None,
        fallback: str | None = None,
        report: Reporter = ignore,
    ) -> None:
        given = {} if fallback is None else {"fallback": fallback}
        host: Any = self
        host._called("set_lineage", name=name, auto_renew=auto_renew, renew_days_before=renew_days_before, **given)
        found = host._find(name)
        if auto_renew is not None:
            host._put(replace(found, auto_renew=auto_renew))
