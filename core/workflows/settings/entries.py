"""Named entries with secrets: DNS providers and notification channels. Settings are in the configuration, secrets in the vault.

This is the common part of both: the place of their secrets, the checks of their fields, and the order of writing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from core.errors import NotFound, UsageError
from core.fields import EntryField, EntryKind, missing_or_wrong
from core.store.vault import Vault


class Entry(Protocol):
    """One table of the configuration."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, str]: ...


Configured = TypeVar("Configured", bound=Entry)


class Family(Struct, frozen=True):
    """A group of entries: the DNS providers, or the notification channels."""

    command: str
    """The command that adds them, for example `dns`. Also the prefix of their secrets in the vault."""
    noun: str
    """Noun for messages, for example `DNS provider`."""
    detail: str
    """Key of the entry's name in the `details` of errors."""

    def secret_name(self, entry: str, key: str) -> str:
        """Return the vault's name for a secret of an entry."""
        return f"{self.command}/{entry}/{key}"

    def secret_keys(self, vault: Vault, entry: str) -> tuple[str, ...]:
        """Return the keys of an entry's stored secrets. Decrypts nothing."""
        prefix = self.secret_name(entry, "")
        return tuple(name.removeprefix(prefix) for name in vault.names() if name.startswith(prefix))

    def kept_secrets(self, vault: Vault, entry: Entry, had: Entry | None) -> tuple[str, ...]:
        """Return the keys of the secrets that an entry keeps when it replaces `had`. Empty if the kind changes."""
        return self.secret_keys(vault, entry.name) if had is not None and had.kind == entry.kind else ()

    def require(self, configured: Mapping[str, Configured], name: str) -> Configured:
        """Return an entry of the configuration. Raises NotFound (`not-found`), which suggests the closest name."""
        entry = configured.get(name)
        if entry is None:
            from difflib import get_close_matches

            known = sorted(configured)
            near = get_close_matches(name, known, n=1)
            raise NotFound(
                f"The {self.noun} {name!r} does not exist.",
                f"Did you mean {near[0]!r}?" if near else "The configuration has no entry with that name.",
                f"Available: {', '.join(known)}." if known else f"Add one first: certdeck {self.command} add",
            )
        return entry

    def refuse_existing(self, had: Entry | None) -> None:
        """Raise UsageError (`usage`) if the entry already exists."""
        if had is not None:
            raise UsageError(
                f"The {self.noun} {had.name} already exists.",
                f"Its kind is {had.kind}.",
                "To change it, add --replace. Or choose another name.",
                details={"needs": "replace"},
            )

    def refuse_wrong(self, entry: Entry, kind: EntryKind, wrong: Mapping[str, str]) -> None:
        """Raise UsageError with `details["problems"]`, by field, if there are problems with a new entry."""
        if wrong:
            labels = {field.key: field.label for field in kind.fields}
            said = "; ".join(f"{labels.get(key, key)}: {problem.rstrip('.')}" for key, problem in wrong.items())
            raise UsageError(
                f"The {self.noun} {entry.name} was not saved.",
                f"{said}.",
                f"Correct it. See `certdeck {self.command} kinds {entry.kind}` for the settings of {kind.title}.",
                details={"problems": dict(wrong)},
            )

    def put_secrets(self, vault: Vault, entry: str, secrets: Mapping[str, bytes]) -> None:
        """Store secrets. Call this before writing the entry, so that an entry in the configuration always has its secrets."""
        for key, value in secrets.items():
            vault.put(self.secret_name(entry, key), value)

    def forget_secrets(self, vault: Vault, entry: str, *, keep: Collection[str] = ()) -> None:
        for key in self.secret_keys(vault, entry):
            if key not in keep:
                vault.delete(self.secret_name(entry, key))

    def settings_of(self, entry: Entry, kind: EntryKind) -> dict[str, str]:
        """Return the settings of an entry, with defaults for those that it omits."""
        return {field.key: field.default for field in kind.settings if field.default} | dict(entry.settings)

    def open_secrets(self, vault: Vault, entry: Entry, keys: Sequence[str]) -> dict[str, str]:
        """Decrypt secrets of an entry, by key. Missing ones are left out. Raises VaultError."""
        found = {key: vault.find(self.secret_name(entry.name, key)) for key in keys}
        return {key: value.decode("utf-8", "replace") for key, value in found.items() if value is not None}

    def refuse_unusable(
        self, entry: Entry, kind: EntryKind, settings: Mapping[str, str], secrets: Mapping[str, str]
    ) -> None:
        """Raise UsageError (`usage`) if a field has no value or an invalid one.

        Administrators edit the configuration, and a secret can get lost, so the checks of `add` are repeated here.
        """
        if wrong := missing_or_wrong(kind.fields, settings, secrets):
            labels = {field.key: field.label for field in kind.fields}
            raise UsageError(
                f"The {self.noun} {entry.name} is not valid.",
                f"{'; '.join(f'{labels[key]}: {problem}' for key, problem in wrong.items())}.",
                f"Correct it with: certdeck {self.command} add {entry.name} --replace --kind {entry.kind}.",
                details={self.detail: entry.name},
            )


DNS = Family("dns", "DNS provider", "provider")
NOTIFICATIONS = Family("notify", "notification", "notification")


def missing_fields(
    fields: Sequence[EntryField], settings: Mapping[str, str], secrets: Collection[str]
) -> tuple[str, ...]:
    """Return the keys of the required fields without a value. `secrets`: keys of the stored secrets."""
    return tuple(
        field.key
        for field in fields
        if field.required
        and not field.default
        and not (field.key in secrets if field.secret else settings.get(field.key))
    )


def secret_text(secret: bytes) -> str:
    """Return a secret as text, without surrounding white space such as the newline at the end of its file."""
    return secret.decode("utf-8", "replace").strip()


def without_blanks(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings with surrounding white space removed, and without empty ones."""
    return {key: value.strip() for key, value in settings.items() if value.strip()}
