"""A table of fields: the settings and secrets of an entry in the configuration.

DNS providers and notification channels are such entries. The table of a kind feeds command line, form, help and checks;
there is no second list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from core.web_address import split_address

LONGEST_VALUE_BYTES = 64 * 1024
"""Maximum size of a setting or a secret: a private key in PEM has a few kilobytes."""


class EntryField(Struct, frozen=True, kw_only=True):
    """One field of a provider or a notification channel."""

    key: str
    """Its key in the configuration, or in the vault for a secret."""
    label: str
    """Its label in the form: `API token`."""
    help: str = ""
    """One sentence: where to find the value, or what it is for."""
    secret: bool = False
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[str], str | None] | None = None
    """Returns what is wrong with a value, without showing a secret; None if it may be valid."""

    def problem(self, value: str | None) -> str | None:
        """Return what is wrong with a value, or that it is missing; None if it may be valid."""
        if not value:
            return "it is missing" if self.required else None
        if not value.isprintable() and not (self.secret and "\n" in value):
            return "it contains control characters"
        if len(value.encode()) > LONGEST_VALUE_BYTES:
            return "it is too long"
        if self.choices and value not in self.choices:
            return f"choose one of: {', '.join(self.choices)}"
        return self.check(value) if self.check else None


class EntryKind(Struct, frozen=True, kw_only=True):
    """A kind of entry and the fields of its form."""

    name: str
    title: str
    fields: tuple[EntryField, ...]
    help: str
    """What to create at the other side, with the name that the permission has there; at most two sentences."""
    notes: tuple[str, ...] = ()
    """Surprising facts: access rules, limits, slowness. Shown in the form and when an entry is added."""

    @property
    def settings(self) -> tuple[EntryField, ...]:
        return tuple(each for each in self.fields if not each.secret)

    @property
    def secrets(self) -> tuple[EntryField, ...]:
        return tuple(each for each in self.fields if each.secret)


class EntryInfo(Struct, frozen=True, kw_only=True):
    """An entry of the configuration, without its secrets."""

    name: str
    kind: str
    title: str
    settings: Mapping[str, str]
    secrets: Mapping[str, bool]
    """Key → whether the secret is stored."""
    missing: tuple[str, ...] = ()
    """Required fields without a value."""


def web_address_problem(endpoint: str, example: str = "https://proxy.example.com:8443") -> str | None:
    """Return what is wrong with the URL of an API; None if it may be valid."""
    parts = split_address(endpoint)
    if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        return f"write it as a URL, for example {example}"
    if "@" in parts.netloc:
        return "it must not contain a user name or password, because the configuration is shown"
    return None


def _bundle_problem(path: str) -> str | None:
    return None if path.startswith("/") else "write the absolute path of the file, starting with /"


CA_BUNDLE = EntryField(
    key="ca_bundle",
    label="CA bundle",
    required=False,
    help="PEM file with the CA that issued the endpoint's certificate.",
    check=_bundle_problem,
)


def missing_or_wrong(
    fields: Sequence[EntryField],
    settings: Mapping[str, str],
    secrets: Mapping[str, str | None],
    there: Collection[str] = (),
) -> dict[str, str]:
    """Return what is wrong with the values of an entry, by field.

    Args:
        secrets: the given secrets.
        there: keys of secrets that the vault already has; these need not be given again.
    """
    found: dict[str, str] = {}
    for field in fields:
        value = secrets.get(field.key) if field.secret else settings.get(field.key) or field.default
        if not value and field.secret and field.key in there:
            continue
        if problem := field.problem(value):
            found[field.key] = problem
    return found


def unknown_keys(
    title: str, fields: Sequence[EntryField], settings: Collection[str], secrets: Collection[str]
) -> dict[str, str]:
    """Return the problems of keys that the kind does not have, or has as the other type (setting or secret)."""
    known = {field.key for field in fields}
    secret_keys = {field.key: None for field in fields if field.secret}
    found: dict[str, str] = {}
    for key in settings:
        if key not in known:
            own = ", ".join(field.key for field in fields if not field.secret)
            found[key] = f"{title} has no such setting. Its settings: {own}."
        elif key in secret_keys:
            found[key] = "This is a secret: it belongs in the vault, not in the configuration."
    for key in secrets:
        if key not in secret_keys:
            found[key] = f"{title} has no such secret. Its secrets: {', '.join(secret_keys) or 'none'}."
    return found
