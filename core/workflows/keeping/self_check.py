"""Checks, after an update, that this installation is complete and can read its state."""

from __future__ import annotations

from collections.abc import Iterator

import core
from core.config.load import lineage_names, load_lineage
from core.errors import CertdeckError
from core.modules import loaded
from core.operations import Finding
from core.workflows.context import Context
from core.workflows.keeping.inspect_store import inspect_store


def self_check(context: Context) -> tuple[Finding, ...]:
    """Load every module of the engine, and check everything that is stored. Changes nothing."""
    return (*loaded(core.__name__, core.__path__), *_settings(context), *inspect_store(context))


def _settings(context: Context) -> Iterator[Finding]:
    count = 0
    for name in lineage_names(context.paths):
        try:
            load_lineage(context.paths, name)
            count += 1
        except CertdeckError as exc:
            yield Finding(id="settings", status="fail", title=name, detail=f"{exc.what} {exc.why}", fix=exc.fix)
    if count:
        yield Finding(
            id="settings",
            status="pass",
            title="Settings",
            detail=f"{count} certificate {'file' if count == 1 else 'files'} can be read",
        )
