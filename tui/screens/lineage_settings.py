"""The settings of one certificate, one row each, with what changing each one entails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from core.errors import CertdeckError, UsageError
from core.operations import IssuerInfo, LineageStatus
from tui.actions import bindings, of_scope
from tui.screens import operations
from tui.screens.form import FormPage
from tui.screens.issue.draft import Draft
from tui.screens.tasks import Task, TasksPage
from tui.widgets.field import Field
from tui.wording import text
from tui.wording.state import renews_shown

_ORDER = "Enter opens the wizard with the current settings. The change needs a new order; the live certificate stays until then."


class LineageSettingsScreen(TasksPage):
    """Names, key, issuer, proof, services, and whether and when it renews."""

    SCOPE = "lineage-settings"
    BINDINGS: ClassVar = bindings(of_scope("lineage-settings", "page"))
    HELP_TEXT = (
        "Every setting of one certificate. Settings that need no new order are changed here; the others open the "
        "wizard with everything filled in. The effect of a change is shown below the list."
    )
    LIST_TITLE = "Settings"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._certificate = name
        self._row: LineageStatus | None = None
        self._issuers: tuple[IssuerInfo, ...] = ()
        self.page_title = "Certificate"
        self.page_detail = text.printable(name)

    def tasks(self) -> Sequence[Task]:
        row = self.engine.status((self._certificate,)).lineages[0]
        self._row, self._issuers = row, self.engine.issuers()
        now = self.deck.now()
        uploaded = row.method == "upload"
        why_not = "It was uploaded: no CA renews it." if uploaded else ""
        auto = "off" if not row.auto_renew else "on"
        return (
            Task(
                id="auto-renew",
                title="Automatic renewal",
                state="not possible, uploaded" if uploaded else auto,
                words=(
                    why_not
                    or "Enter turns it on or off. While it is off, the certificate expires unless you renew it.",
                ),
                is_off=uploaded,
            ),
            Task(
                id="days",
                title="Renews",
                state=f"{renews_shown(row, now)}: {text.renewal_why(row)}",
                words=(
                    why_not
                    or "Enter asks how many days before expiry it renews. Empty: at the time the CA suggests, or "
                    "when a third of its lifetime is left, 30 days at most.",
                ),
                is_off=uploaded,
            ),
            Task(
                id="issuer",
                title="Issuer",
                state=text.issuer_shown(row),
                words=(why_not or "Enter chooses another issuer. The next scheduled run orders from it: one order.",),
                is_off=uploaded,
            ),
            Task(id="names", title="Names", state=", ".join(map(text.name_shown, row.domains)), words=(_ORDER,)),
            Task(id="key", title="Key type", state=text.key_shown(row.key_type), words=(_ORDER,)),
            Task(id="proof", title="Validation", state=text.method_shown(row.method), words=(_ORDER,)),
            Task(id="profile", title="Profile", state=row.profile or "the issuer's default", words=(_ORDER,)),
            Task(
                id="services",
                title="Services",
                state=", ".join(target.name for target in row.targets) or "none",
                words=("Enter chooses the services that it is deployed to. No order is needed.",),
            ),
        )

    def do(self, task: Task) -> None:
        row = self._row
        if row is None:
            return
        if task.id == "auto-renew":
            operations.auto_renew(self.deck, row)
        elif task.id == "days":
            self.open_form(DaysForm(row))
        elif task.id == "issuer":
            self._choose_issuer(row)
        elif task.id == "services":
            operations.deploy(self.deck, row)
        else:
            from tui.screens.issue import IssueScreen

            self.app.push_screen(IssueScreen(draft_of(row)))

    def _choose_issuer(self, row: LineageStatus) -> None:
        from tui.screens.dialogs.choice import ChoiceDialog

        name = row.name

        def chosen(issuer: str | None) -> None:
            if issuer is None:
                self.deck.say_nothing_changed()
                return
            self.carry_out(
                lambda: self.engine.change_issuer((name,), issuer),
                "The next scheduled run orders it from the new issuer.",
            )

        options = [
            (each.name, text.printable(each.title), "the default" if each.is_default else "") for each in self._issuers
        ]
        words = "The next scheduled run orders a new certificate from it. The live certificate stays until then."
        self.deck.open_dialog(ChoiceDialog("Another issuer", words, options, yes="Change"), chosen)


class DaysForm(FormPage):
    """Asks how many days before its expiry a certificate renews."""

    page_title = "Days before expiry"
    intro = "How many days before expiry it renews. A number that does not suit its lifetime is refused."

    def __init__(self, row: LineageStatus) -> None:
        super().__init__()
        self._lineage = row.name
        self.page_detail = text.printable(row.name)

    def fields(self) -> ComposeResult:
        yield Field(
            "Days",
            hint="e.g. 30",
            note="Empty: the CA's suggestion, or a third of its lifetime.",
            check=_wrong_days,
            id="days",
        )

    def save(self) -> None:
        days = int(self.value("days") or 0)
        name = self._lineage
        self.keep(lambda: self.engine.set_lineage(name, renew_days_before=days), "Saved.")


def _wrong_days(value: str) -> CertdeckError | None:
    if not value or (value.isascii() and value.isdigit() and 0 < int(value) < 1000):
        return None
    return UsageError(
        "This is not a number of days.", "It must be an integer from 1 to 999.", "Write, for example, 30."
    )


def draft_of(row: LineageStatus) -> Draft:
    """Return a wizard draft for an existing certificate, with its current settings and nothing added."""
    draft = Draft(
        typed=" ".join(map(text.name_shown, row.domains)),
        name=row.name,
        dns=row.dns or "",
        issuer="" if row.method == "upload" else row.ca or "",
        key_type=row.key_type,
        profile=row.profile or "",
        targets=tuple(target.name for target in row.targets),
        targets_of=row.name,
    )
    draft.repeat(row.method, ())
    draft.declined = {extra.value for extra, _ in draft.companions()}
    return draft
