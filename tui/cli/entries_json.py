"""JSON of DNS providers, notification channels, and their kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.fields import EntryField, EntryInfo, EntryKind
    from core.notifications import NotificationInfo
    from core.operations import DnsKind, DnsProviderInfo


def dns_provider_json(entry: DnsProviderInfo) -> dict[str, object]:
    """Return one entry of `dns list --json`."""
    own = {"zones": list(entry.zones), "delegations": dict(entry.delegations), "lineages": list(entry.lineages)}
    return {**_entry(entry), **own}


def notification_json(entry: NotificationInfo) -> dict[str, object]:
    """Return one entry of `notify list --json`."""
    return {**_entry(entry), "on": list(entry.on)}


def dns_kind_json(kind: DnsKind) -> dict[str, object]:
    """Return one kind of `dns kinds --json`."""
    return {**kind_json(kind), "has_zones": kind.has_zones, "takes_any": kind.takes_any}


def kind_json(kind: EntryKind) -> dict[str, object]:
    """Return the fields that all kinds share."""
    return {
        "name": kind.name,
        "title": kind.title,
        "help": kind.help,
        "notes": list(kind.notes),
        "fields": [_field(field) for field in kind.fields],
    }


def _entry(entry: EntryInfo) -> dict[str, object]:
    """Return the fields that all entries share. Of the secrets, only whether each is set."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "title": entry.title,
        "settings": dict(entry.settings),
        "secrets": dict(entry.secrets),
        "missing": list(entry.missing),
    }


def _field(field: EntryField) -> dict[str, object]:
    return {
        "key": field.key,
        "label": field.label,
        "help": field.help,
        "secret": field.secret,
        "required": field.required,
        "default": field.default,
        "choices": list(field.choices),
    }
