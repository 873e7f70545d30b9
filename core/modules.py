"""Checks that every module of a package can be loaded, so that an incomplete update is found early."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence

from core.operations import Finding


def loaded(name: str, places: Sequence[str]) -> Iterator[Finding]:
    """Import every module of a package; yield a finding for each failure, or one that all modules load."""
    count = 0
    broken: list[str] = []
    for found in pkgutil.walk_packages(places, f"{name}.", onerror=broken.append):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
            count += 1
        except Exception as exc:  # noqa: BLE001 - a truncated module, or one that lacks a library, may raise anything
            broken.append(f"{found.name} ({type(exc).__name__})")
    for each in broken:
        yield Finding(
            id="modules",
            status="fail",
            title="Program",
            detail=f"{each} cannot be loaded",
            fix="Reinstall certdeck.",
        )
    if not broken:
        yield Finding(id="modules", status="pass", title="Program", detail=f"{count} modules of {name} load")
