"""Notification channels and the events that they report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.config.model import NotificationConfig
from core.engine.base import EngineBase, ignore

if TYPE_CHECKING:
    from core.events import Reporter
    from core.notifications import NotificationInfo, NotificationKind, NotificationTest
    from core.ports import CancelToken


class Notifications(EngineBase):
    """Entries of `[notifications]` with their secrets."""

    def notification_kinds(self) -> tuple[NotificationKind, ...]:
        """Return the kinds of channels, in the order in which they are offered."""
        from core.workflows.settings.notifications import kinds

        return kinds()

    def notifications(self) -> tuple[NotificationInfo, ...]:
        """Return the entries of `[notifications]`, sorted. Decrypts no secret."""
        from core.workflows.settings.notifications import channels

        return channels(self._reading())

    def check_notification(self, config: NotificationConfig, secrets: Mapping[str, bytes]) -> Mapping[str, str]:
        """Return the problems of a new entry, by field (`name`, `on`, a setting, a secret). Works offline.

        Secrets that an existing entry with this name already has need not be given again. Raises NotFound for an unknown kind.
        """
        from core.workflows.settings.notifications import problems

        return problems(self._reading(), config, secrets)

    def add_notification(
        self,
        config: NotificationConfig,
        secrets: Mapping[str, bytes],
        *,
        replace: bool = False,
        report: Reporter = ignore,
    ) -> NotificationInfo:
        """Store an entry: its settings in `certdeck.toml`, its secrets in the vault. Nothing is sent.

        Args:
            secrets: by key; with `replace`, those not given are kept.
            replace: allow replacing an existing entry with this name.

        Raises UsageError (`usage`), with `details["problems"]` by field; NotFound for an unknown kind.
        """
        from core.workflows.settings.notifications import add_channel

        with self._writing("notify add", report) as context:
            return add_channel(context, config, secrets, replace=replace)

    def remove_notification(self, name: str, *, report: Reporter = ignore) -> None:
        """Delete an entry and its secrets. Raises NotFound."""
        from core.workflows.settings.notifications import remove_channel

        with self._writing("notify remove", report) as context:
            remove_channel(context, name)

    def test_notification(
        self, name: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> NotificationTest:
        """Send a test message now and return the receiver's reply. Takes half a minute at most.

        Raises NotFound, UsageError, NotifyError (`notify-failed`), Cancelled.
        """
        from core.workflows.settings.notifications import test_channel

        with self._writing("notify test", report, cancel) as context:
            return test_channel(context, name)
