"""Notification channels: listed, checked, added, tried, removed. Settings go into the configuration, secrets into the vault."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace as changed

from core.config.edit import remove_table, set_notification
from core.config.model import Config, NotificationConfig
from core.config.rules import NAME, NAME_FIX, NOTIFICATION_EVENTS, some_of
from core.errors import NotFound, NotifyError, UsageError
from core.events import Changed, KeyUsed, NotificationSent
from core.fields import missing_or_wrong, unknown_keys
from core.notifications import NotificationInfo, NotificationKind, NotificationTest
from core.notify.catalogue import all_kinds, kind_named
from core.notify.channel import Access, Item, Kind
from core.ports import CancelToken
from core.store.vault import Vault
from core.workflows.context import Context, View


def kinds() -> tuple[NotificationKind, ...]:
    """Return the kinds of channels."""
    return tuple(
        NotificationKind(name=kind.name, title=kind.title, fields=kind.fields, help=kind.help, notes=kind.notes)
        for kind in all_kinds()
    )


def channels(context: Context) -> tuple[NotificationInfo, ...]:
    """Return the entries, sorted by name. Opens no secret."""
    return tuple(_info(entry, context.vault) for _, entry in sorted(context.config.notifications.items()))


def problems(context: Context, config: NotificationConfig, secrets: Mapping[str, bytes]) -> dict[str, str]:
    """Return what is wrong with an entry, by field; offline. Raises NotFound for an unknown kind."""
    kind = kind_named(config.kind)
    found: dict[str, str] = {}
    if not NAME.fullmatch(config.name):
        found["name"] = NAME_FIX
    if broken := some_of(*NOTIFICATION_EVENTS)(config.on):
        found["on"] = f"{broken[0]}. {broken[1]}"
    had = context.config.notifications.get(config.name)
    there = _secrets_of(context.vault, config.name) if had is not None and had.kind == config.kind else ()
    given = {key: _text(value) for key, value in secrets.items()}
    found |= missing_or_wrong(kind.fields, config.settings, given, there)
    found |= unknown_keys(kind.title, kind.fields, config.settings, secrets)
    return found


def add_channel(
    context: Context, config: NotificationConfig, secrets: Mapping[str, bytes], *, replace: bool
) -> NotificationInfo:
    """Keep an entry. Raises NotFound; UsageError with `details["problems"]` by field."""
    config = changed(
        config,
        on=tuple(dict.fromkeys(config.on)),
        settings={key: value.strip() for key, value in config.settings.items() if value.strip()},
    )
    secrets = {key: value.strip() for key, value in secrets.items()}
    had = context.config.notifications.get(config.name)
    if had is not None and not replace:
        raise UsageError(
            f"The notification {config.name} already exists.",
            f"Its kind is {had.kind}.",
            "To change it, add --replace. Or choose another name.",
            details={"needs": "replace"},
        )
    kind = kind_named(config.kind)
    if wrong := problems(context, config, secrets):
        labels = {field.key: field.label for field in kind.fields}
        said = "; ".join(f"{labels.get(key, key)}: {problem.rstrip('.')}" for key, problem in wrong.items())
        raise UsageError(
            f"The notification {config.name} was not added.",
            f"{said}.",
            f"Correct it. See `certdeck notify kinds {kind.name}` for the settings of {kind.title}.",
            details={"problems": wrong},
        )
    vault = context.vault
    # Secrets first: an entry of the configuration always has those it was added with.
    for key, value in secrets.items():
        vault.put(secret_name(config.name, key), value)
    set_notification(context.paths, config)
    if had is None or had.kind != config.kind:
        _forget_secrets(vault, config.name, keep=set(secrets))
    context.narrator.tell(Changed(what=f"notification {config.name} ({kind.title})"))
    return _info(config, vault)


def remove_channel(context: Context, name: str) -> None:
    """Forget an entry and its secrets. Raises NotFound."""
    the_channel(context.config, name)
    remove_table(context.paths, ("notifications", name))
    _forget_secrets(context.vault, name)
    context.narrator.tell(Changed(what=f"notification {name} removed"))


def test_channel(context: Context, name: str) -> NotificationTest:
    """Send a test message now, also in a quiet period. Raises NotFound, UsageError, VaultError, NotifyError, Cancelled."""
    from core.notify.message import compose

    entry = the_channel(context.config, name)
    access = opened(context, context.vault, entry, context.cancel)
    if access.secrets:
        context.narrator.tell(KeyUsed(key=secret_name(name, "*"), purpose=f"test the notification {name}"))
    item = Item(
        events=("test",),
        what=f"This is a test of the notification {name}.",
        why="It was requested with `certdeck notify test`.",
        fix="No action is needed.",
    )
    clock = context.env.clock
    message = compose([item], access.host, context.config.appliance.name, clock.now())
    started = clock.monotonic()
    said = kind_named(entry.kind).send(access, message)
    took = round((clock.monotonic() - started) * 1000)
    context.narrator.tell(NotificationSent(channel=name, subject=message.subject))
    return NotificationTest(name=name, kind=entry.kind, said=said, milliseconds=took)


def opened(view: View, vault: Vault, entry: NotificationConfig, cancel: CancelToken) -> Access:
    """Open an entry with its secrets. Nothing is sent yet.

    Raises NotFound for a kind that there is not; UsageError (`usage`) where a field has no value or a wrong one; VaultError.
    """
    kind = kind_named(entry.kind)
    settings = {field.key: field.default for field in kind.settings if field.default} | dict(entry.settings)
    found = {field.key: vault.find(secret_name(entry.name, field.key)) for field in kind.secrets}
    secrets = {key: value.decode("utf-8", "replace") for key, value in found.items() if value is not None}
    # People edit the configuration by hand, and a secret can get lost: what was checked when it was added is checked again.
    if wrong := missing_or_wrong(kind.fields, settings, secrets):
        raise UsageError(
            f"The notification {entry.name} is not valid.",
            f"{'; '.join(f'{key}: {problem}' for key, problem in wrong.items())}.",
            f"Correct it with: certdeck notify add {entry.name} --replace.",
            details={"notification": entry.name},
        )
    host = view.config.appliance.hostname or view.env.host.name()
    return Access(name=entry.name, settings=settings, secrets=secrets, host=host, env=view.env, cancel=cancel)


def secret_name(entry: str, key: str) -> str:
    """Return the vault's name for a secret of an entry."""
    return f"notify/{entry}/{key}"


def the_channel(config: Config, name: str) -> NotificationConfig:
    """Return an entry of the configuration. Raises NotFound (`not-found`) that names the nearest one."""
    entry = config.notifications.get(name)
    if entry is None:
        from difflib import get_close_matches

        known = sorted(config.notifications)
        near = get_close_matches(name, known, n=1)
        raise NotFound(
            f"The notification {name!r} does not exist.",
            f"Did you mean {near[0]!r}?" if near else "The configuration has no entry with that name.",
            f"Available: {', '.join(known)}." if known else "Add one first: certdeck notify add",
        )
    return entry


def unforeseen(name: str, exc: Exception) -> NotifyError:
    """Return the error for what no channel should raise, without its words: they may repeat a secret."""
    import logging
    from traceback import format_tb

    where = "".join(format_tb(exc.__traceback__))
    logging.getLogger(__name__).error("the notification %s failed: %s\n%s", name, type(exc).__name__, where)
    return NotifyError(
        f"The notification {name} was not sent.",
        f"Sending failed with an unexpected error: {type(exc).__name__}.",
        "This is a bug in certdeck. Please report it with the details from its log.",
        details={"notification": name, "reason": "refused"},
    )


def _secrets_of(vault: Vault, entry: str) -> tuple[str, ...]:
    prefix = secret_name(entry, "")
    return tuple(name.removeprefix(prefix) for name in vault.names() if name.startswith(prefix))


def _forget_secrets(vault: Vault, entry: str, keep: set[str] | None = None) -> None:
    for key in _secrets_of(vault, entry):
        if key not in (keep or set()):
            vault.delete(secret_name(entry, key))


def _info(entry: NotificationConfig, vault: Vault) -> NotificationInfo:
    kind: Kind = kind_named(entry.kind)
    there = _secrets_of(vault, entry.name)
    return NotificationInfo(
        name=entry.name,
        kind=entry.kind,
        title=kind.title,
        on=entry.on or NOTIFICATION_EVENTS,
        settings=entry.settings,
        secrets={field.key: field.key in there for field in kind.secrets},
        missing=tuple(
            field.key
            for field in kind.fields
            if field.required
            and not field.default
            and not (field.key in there if field.secret else entry.settings.get(field.key))
        ),
    )


def _text(secret: bytes) -> str:
    return secret.decode("utf-8", "replace").strip()
