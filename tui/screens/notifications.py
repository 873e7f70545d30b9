"""Notification channels: the list, a test message, and the form of a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.widgets import Input

from core.config.model import NotificationConfig
from core.errors import CertdeckError, UsageError
from core.fields import EntryField
from core.notifications import NotificationInfo, NotificationKind, NotificationTest
from tui.actions import bindings, of_scope
from tui.screens.form import FormPage, needed, wrong_name
from tui.screens.list_page import TestedListPage
from tui.widgets.field import Field
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import Prose, facts, marked
from tui.widgets.row_list import Column, Row
from tui.widgets.tick import Tick
from tui.wording import text

EVENTS: Final[Mapping[str, str]] = {
    "failed": "a renewal or deployment failed",
    "expiring": "a certificate expires soon and is not renewed",
    "deadline": "renewal is overdue",
    "renewed": "a certificate was renewed",
    "recovered": "a failure has ended",
    "rolled-back": "a deployment was rolled back",
    "not-served": "a service serves another certificate",
    "timer": "the timer is off or missing",
    "run-missed": "a scheduled run did not happen",
    "credentials": "a secret is missing or was rejected",
    "revoked": "a certificate is revoked",
    "fallback": "the fallback certificate is served",
}
"""The events, with the meaning of each."""


class NotificationsScreen(TestedListPage[NotificationInfo, NotificationTest]):
    """The channels; Enter sends a test message."""

    SCOPE = "notifications"
    BINDINGS: ClassVar = bindings(of_scope("notifications", "page"))
    HELP_TEXT = (
        "Where certdeck sends messages: by mail (SMTP), to a webhook, or through Apprise to chat services. Each channel gets the "
        "events that are ticked in its form.\n\nA test sends a real message. Secrets are kept in the vault and are never shown "
        "again."
    )
    COLUMNS: ClassVar = (Column("Name"), Column("Kind"), Column("Events", flexible=True))
    LIST_TITLE = "Notifications"
    EMPTY: ClassVar = (
        "No notifications",
        "A channel tells you about failures and other events. There is none yet, so a failed renewal is shown only here.",
        "n adds one: mail, a webhook, or a chat service.",
    )
    TESTING = "Sending a test message …"
    page_title = "Notifications"

    def fetch(self) -> Sequence[NotificationInfo]:
        return self.engine.notifications()

    def name_of(self, item: NotificationInfo) -> str:
        return item.name

    def row(self, item: NotificationInfo) -> Row:
        sign = ("▲", "severity-yellow") if item.missing else ("●", "severity-green")
        told = "everything" if len(item.on) == len(EVENTS) else ", ".join(item.on)
        return Row(item.name, (item.name, (item.title, "text-muted"), (told, "text-muted")), sign)

    def about(self, item: NotificationInfo, width: int, ink: Ink) -> list[Line]:
        lines = self.tested(item, width, ink)
        if item.missing:
            lines += marked("▲", "severity-yellow", f"Incomplete: {', '.join(item.missing)} is missing.", width, ink)
        kind = next((each for each in self.engine.notification_kinds() if each.name == item.kind), None)
        labels = {field.key: field.label for field in kind.fields} if kind is not None else {}
        secrets = [
            f"{labels.get(key, key).lower()} is {'set' if there else 'missing' if key in item.missing else 'not set'}"
            for key, there in item.secrets.items()
        ]
        rows = [
            ("Kind", item.title),
            *((labels.get(key, key), value) for key, value in item.settings.items()),
            ("Secrets", ", ".join(secrets)),
            (
                "Events",
                "everything" if len(item.on) == len(EVENTS) else "\n".join(EVENTS.get(each, each) for each in item.on),
            ),
        ]
        return [*lines, *facts(rows, width, ink)]

    def test(self, name: str) -> NotificationTest:
        return self.engine.test_notification(name)

    def found(self, answer: NotificationTest, width: int, ink: Ink) -> list[Line]:
        words = f"The message was accepted in {answer.milliseconds} ms: {answer.said}"
        return marked("✔", "severity-green", words, width, ink, bold=True)

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_add(self) -> None:
        from tui.screens.dialogs.choice import ChoiceDialog

        kinds = {each.name: each for each in self.engine.notification_kinds()}
        options = [(each.name, each.title, each.help.partition(".")[0]) for each in kinds.values()]

        def chosen(kind: str | None) -> None:
            if kind is not None:
                self.open_form(NotificationForm(kinds[kind]))

        self.deck.open_dialog(ChoiceDialog("New notification", "The kind of channel.", options, yes="Next"), chosen)

    def action_change(self) -> None:
        item = self.chosen
        if item is None:
            return
        kind = next((each for each in self.engine.notification_kinds() if each.name == item.kind), None)
        if kind is not None:
            self.open_form(NotificationForm(kind, item))

    def action_remove(self) -> None:
        if self.chosen is None:
            return
        name = self.chosen.name
        self.ask_first(
            f"Remove {name}?",
            "It gets no more messages. Its secrets are removed from the vault.",
            lambda: self.engine.remove_notification(name),
            f"{name} is removed.",
        )


class NotificationForm(FormPage):
    """The form of a channel: the fields of its kind, and the events."""

    def __init__(self, kind: NotificationKind, known: NotificationInfo | None = None) -> None:
        super().__init__()
        self._kind, self._known = kind, known
        self.page_title = "Change a notification" if known else "New notification"
        self.page_detail = text.printable(known.name if known else kind.title)
        self.intro = kind.help

    def fields(self) -> ComposeResult:
        known = self._known
        name = Field("Name", hint="e.g. admins", value=known.name if known else "", check=wrong_name, id="name")
        name.display = known is None
        yield name
        for field in self._kind.fields:
            yield self._field(field)
        yield Prose(id="events")
        for event, words in EVENTS.items():
            yield Tick(words, value=known is None or event in known.on, id=f"on-{event}")

    def _field(self, field: EntryField) -> Field:
        known = self._known
        value = (known.settings.get(field.key, "") if known else "") or ("" if field.secret else field.default)
        is_kept = known is not None and known.secrets.get(field.key, False)
        note = f"{field.help} Kept unless you enter a new one." if is_kept else field.help
        choices = f" One of: {', '.join(field.choices)}." if field.choices else ""
        wanted = field.required and not is_kept
        return Field(
            field.label,
            value="" if field.secret else value,
            note=f"{note}{choices}".strip(),
            secret=field.secret,
            check=needed(field.label, field.default) if wanted else None,
            id=f"field-{field.key}",
        )

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#events", Prose).say("Send a message when", "foreground")
        next(field for field in self.query(Field) if field.display).query_one(Input).focus()

    def save(self) -> None:
        values = {field.key: self.value(f"field-{field.key}") for field in self._kind.fields}
        secret = {field.key for field in self._kind.fields if field.secret}
        config = NotificationConfig(
            name=self._known.name if self._known else self.value("name"),
            kind=self._kind.name,
            on=tuple(event for event in EVENTS if self.query_one(f"#on-{event}", Tick).value),
            settings={key: value for key, value in values.items() if value and key not in secret},
        )
        secrets = {key: value.encode() for key, value in values.items() if value and key in secret}
        try:
            wrong = self.engine.check_notification(config, secrets)
        except CertdeckError as exc:
            self.refuse(exc)
            return
        if wrong and self._point_at(wrong):
            return
        replace = self._known is not None
        self.keep(
            lambda: self.engine.add_notification(config, secrets, replace=replace),
            f"{config.name} is saved. x sends a test message.",
        )

    def _point_at(self, wrong: Mapping[str, str]) -> bool:
        """Show each problem at its field; return whether there is such a field."""
        found = False
        for key, words in wrong.items():
            for field in self.query(f"#field-{key}" if key != "name" else "#name").results(Field):
                field.tell(UsageError(f"{words[:1].upper()}{words[1:].rstrip('.')}.", "", ""))
                found = True
        return found
