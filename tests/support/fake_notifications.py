"""The part of the engine's double that notification channels go to; `known_channels` is what it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.config.model import NotificationConfig
from core.engine import ignore
from core.errors import NotFound
from core.events import Reporter
from core.notifications import NotificationInfo, NotificationKind, NotificationTest
from core.ports import CancelToken
from core.workflows.settings.notifications import kinds


class FakeNotifications:
    """Mix-in; its host has `_called`."""

    known_channels: tuple[NotificationInfo, ...] = ()

    def notification_kinds(self) -> tuple[NotificationKind, ...]:
        return kinds()

    def notifications(self) -> tuple[NotificationInfo, ...]:
        self._noted("notifications")
        return self.known_channels

    def check_notification(self, config: NotificationConfig, secrets: Mapping[str, bytes]) -> Mapping[str, str]:
        self._noted("check_notification", config=config, secrets=secrets)
        return {}

    def add_notification(
        self,
        config: NotificationConfig,
        secrets: Mapping[str, bytes],
        *,
        replace: bool = False,
        report: Reporter = ignore,
    ) -> NotificationInfo:
        self._noted("add_notification", config=config, secrets=secrets, replace=replace)
        made = NotificationInfo(
            name=config.name,
            kind=config.kind,
            title=config.kind,
            on=config.on,
            settings=config.settings,
            secrets=dict.fromkeys(secrets, True),
        )
        self.known_channels = (*(each for each in self.known_channels if each.name != config.name), made)
        return made

    def remove_notification(self, name: str, *, report: Reporter = ignore) -> None:
        self._noted("remove_notification", name=name)
        self.known_channels = tuple(each for each in self.known_channels if each != self._channel(name))

    def test_notification(
        self, name: str, *, report: Reporter = ignore, cancel: CancelToken | None = None
    ) -> NotificationTest:
        self._noted("test_notification", name=name)
        return NotificationTest(name=name, kind=self._channel(name).kind, said="HTTP 200", milliseconds=12)

    def _channel(self, name: str) -> NotificationInfo:
        for each in self.known_channels:
            if each.name == name:
                return each
        raise NotFound(f"The notification {name!r} does not exist.", "No entry has that name.", "Add one.")

    def _noted(self, method: str, **given: Any) -> None:
        self._called(method, **given)
