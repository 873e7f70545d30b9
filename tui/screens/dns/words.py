"""The texts of the DNS screens about a provider entry. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.operations import DnsKind, DnsProviderInfo
from tui.screens.dns.last_tests import LastTest
from tui.wording import text

FOUND_OUT: Final = "detected when needed"


def zones_shown(info: DnsProviderInfo) -> str:
    """Return a short list of the zones."""
    return ", ".join(map(text.name_shown, info.zones)) if info.zones else FOUND_OUT


def users_shown(info: DnsProviderInfo) -> str:
    """Return which certificates use an entry, in short."""
    if not info.lineages:
        return "–"
    first, *others = info.lineages
    return f"{first} +{len(others)}" if others else first


def state_of(info: DnsProviderInfo, last: LastTest | None, now: datetime) -> tuple[str, str]:
    """Return the state of an entry: its key in `text.MARKS`, and the words."""
    if info.missing:
        return "fail", "incomplete"
    if last is None:
        return "skip", "not tested"
    return ("pass", f"tested {text.ago(last.at, now)}") if last.is_good else ("fail", "test failed")


def labels_of(kind: DnsKind | None) -> dict[str, str]:
    """Return the label of each field of a kind; empty if the kind is not known here."""
    return {field.key: field.label for field in kind.fields} if kind is not None else {}


def missing_shown(info: DnsProviderInfo, kind: DnsKind | None) -> str:
    """Return a sentence that names what an entry lacks."""
    if info.missing == ("kind",):
        return f"This box does not support the kind {info.kind}. Is its program part (dns-lexicon) installed?"
    labels = labels_of(kind)
    listed = ", ".join(labels.get(key, key) for key in info.missing)
    return f"Missing: {listed}. e opens the form."
