"""Lists, checks, adds, tests and removes notification channels. Settings are in the configuration, secrets in the vault."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace as changed

from core.config.edit import remove_table, set_notification
from core.config.model import NotificationConfig
from core.config.rules import NAME, NAME_FIX, NOTIFICATION_EVENTS, some_of
from core.errors import NotifyError
from core.events import Changed, KeyUsed, NotificationSent
from core.fields import missing_or_wrong, unknown_keys
from core.notifications import NotificationInfo, NotificationKind, NotificationTest
from core.notify.catalogue import all_kinds, kind_named
from core.notify.channel import Access, ChannelKind, Item
from core.ports import CancelToken
from core.store.vault import Vault
from core.workflows.context import Context, View
from core.workflows.settings.entries import NOTIFICATIONS, missing_fields, secret_text, without_blanks


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
    """Return the problems of an entry as sentences, by field, without network access. Raises NotFound for an unknown kind."""
    kind = kind_named(config.kind)
    found: dict[str, str] = {}
    if not NAME.fullmatch(config.name):
        found["name"] = NAME_FIX
    if broken := some_of(*NOTIFICATION_EVENTS)(config.on):
        found["on"] = f"{broken[0]}. {broken[1]}"
    there = NOTIFICATIONS.kept_secrets(context.vault, config, context.config.notifications.get(config.name))
    given = {key: secret_text(value) for key, value in secrets.items()}
    found |= missing_or_wrong(kind.fields, config.settings, given, there)
    found |= unknown_keys(kind.title, kind.fields, config.settings, secrets)
    return found


def add_channel(
    context: Context, config: NotificationConfig, secrets: Mapping[str, bytes], *, replace: bool
) -> NotificationInfo:
    """Save an entry. `replace`: change an existing one. Raises NotFound; UsageError with `details["problems"]` by field."""
    config = changed(config, on=tuple(dict.fromkeys(config.on)), settings=without_blanks(config.settings))
    secrets = {key: value.strip() for key, value in secrets.items()}
    had = context.config.notifications.get(config.name)
    if not replace:
        NOTIFICATIONS.refuse_existing(had)
    kind = kind_named(config.kind)
    NOTIFICATIONS.refuse_wrong(config, kind, problems(context, config, secrets))
    vault = context.vault
    NOTIFICATIONS.put_secrets(vault, config.name, secrets)
    set_notification(context.paths, config)
    if had is None or had.kind != config.kind:
        NOTIFICATIONS.forget_secrets(vault, config.name, keep=secrets)
    context.narrator.tell(Changed(what=f"notification {config.name} ({kind.title})"))
    return _info(config, vault)


def remove_channel(context: Context, name: str) -> None:
    """Remove an entry and its secrets. Raises NotFound."""
    NOTIFICATIONS.require(context.config.notifications, name)
    remove_table(context.paths, ("notifications", name))
    NOTIFICATIONS.forget_secrets(context.vault, name)
    context.narrator.tell(Changed(what=f"notification {name} removed"))


def test_channel(context: Context, name: str) -> NotificationTest:
    """Send a test message now, even in a quiet period. Raises NotFound, UsageError, VaultError, NotifyError, Cancelled."""
    from core.notify.message import compose

    entry = NOTIFICATIONS.require(context.config.notifications, name)
    access = opened(context, context.vault, entry, context.cancel)
    if access.secrets:
        context.narrator.tell(
            KeyUsed(key=NOTIFICATIONS.secret_name(name, "*"), purpose=f"test the notification {name}")
        )
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
    """Load an entry with its secrets. Sends nothing.

    Raises NotFound for an unknown kind; UsageError (`usage`) if a field has no value or an invalid one; VaultError.
    """
    kind = kind_named(entry.kind)
    settings = NOTIFICATIONS.settings_of(entry, kind)
    secrets = NOTIFICATIONS.open_secrets(vault, entry, [field.key for field in kind.secrets])
    NOTIFICATIONS.refuse_unusable(entry, kind, settings, secrets)
    host = view.config.appliance.hostname or view.env.host.name()
    return Access(name=entry.name, settings=settings, secrets=secrets, host=host, env=view.env, cancel=cancel)


def unforeseen(name: str, exc: Exception) -> NotifyError:
    """Return the error for an unexpected exception of a channel, without its text, which may contain a secret."""
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


def _info(entry: NotificationConfig, vault: Vault) -> NotificationInfo:
    kind: ChannelKind = kind_named(entry.kind)
    there = NOTIFICATIONS.secret_keys(vault, entry.name)
    return NotificationInfo(
        name=entry.name,
        kind=entry.kind,
        title=kind.title,
        on=entry.on or NOTIFICATION_EVENTS,
        settings=entry.settings,
        secrets={field.key: field.key in there for field in kind.secrets},
        missing=missing_fields(kind.fields, entry.settings, there),
    )
