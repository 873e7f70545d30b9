"""The theme, automatic renewal, and the rest of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from core.config.model import Config
from core.errors import CertdeckError
from core.operations import LineageStatus
from tui import theming
from tui.actions import bindings, of_scope
from tui.deck import StatusRead
from tui.screens.page import Page
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.prose import facts, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.sheet import Sheet
from tui.wording import text
from tui.wording.state import renews_shown

_THEMES: Final = (Column("Theme", flexible=True),)
_RENEWALS: Final = (Column("Certificate", flexible=True), Column("Renewal"))


class SettingsScreen(Page[None]):
    """Two lists of settings to change, and a view of the configuration."""

    SCOPE = "settings"
    BINDINGS: ClassVar = bindings(of_scope("settings", "page"))
    HELP_TEXT = (
        "Tab moves between the lists. The theme under the cursor applies at once, for this session; Enter saves it. "
        "Space turns the automatic renewal of a certificate on or off.\n\n"
        "Everything else is in certdeck.toml, which you may edit; certdeck keeps your comments and the order of your "
        "lines."
    )
    AUTO_FOCUS = "#themes"
    CSS_PATH = Path(__file__).parent / "settings.tcss"

    page_title = "Settings"

    def body(self) -> ComposeResult:
        with Horizontal(id="lists"):
            yield RowList(_THEMES, marking="one", titles=False, id="themes")
            yield RowList(_RENEWALS, marking="many", titles=False, id="renewals")
        yield Sheet(id="configuration")

    def on_mount(self) -> None:
        super().on_mount()
        themes = self.query_one("#themes", RowList)
        themes.border_title = "Theme"
        themes.show([Row(theme.name, (theme.name,)) for theme in self.deck.deck_themes()])
        themes.choose(self.app.theme)
        self.query_one("#renewals").border_title = "Renews automatically"
        self._show_renewals()
        self._show_configuration()

    def heard(self, message: Message) -> None:
        if isinstance(message, StatusRead):
            self._show_renewals()
            self._show_configuration()

    # -- the theme ---------------------------------------------------------------------------------------------------

    @on(RowList.Moved, "#themes")
    def _on_theme(self, message: RowList.Moved) -> None:
        message.stop()
        self.app.theme = message.key
        self._show_configuration()

    def action_keep_theme(self) -> None:
        """Write the current theme to the configuration."""
        theme = self.app.theme

        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            else:
                self.notify(f"The console now opens with the theme {theme}.", markup=False)
            self.deck.refresh_status()

        self.ask_to_change(lambda: self.engine.set_theme(theme), answered)

    # -- automatic renewal -------------------------------------------------------------------------------------------

    def _lineages(self) -> list[LineageStatus]:
        """Return the certificates that can be renewed automatically."""
        status = self.deck.status
        return [each for each in (status.lineages if status else ()) if each.method != "upload"]

    def _show_renewals(self) -> None:
        lineages, now = self._lineages(), self.deck.now()
        listed = self.query_one("#renewals", RowList)
        listed.show([Row(each.name, (each.name, (renews_shown(each, now), "text-muted"))) for each in lineages])
        listed.mark([each.name for each in lineages if each.auto_renew])

    @on(RowList.Marked, "#renewals")
    def _on_renewal(self, message: RowList.Marked) -> None:
        message.stop()
        listed = message.row_list
        lineage = next((each for each in self._lineages() if each.name == listed.chosen), None)
        if lineage is None:
            return
        # The list shows the actual state; only the engine changes it.
        listed.mark([each.name for each in self._lineages() if each.auto_renew])
        if self.bridge.busy:
            self.deck.say_busy()
        elif lineage.auto_renew:
            self._ask_before_off(lineage)
        else:
            self._switch(lineage.name, True)

    def _ask_before_off(self, lineage: LineageStatus) -> None:
        from tui.screens.dialogs.confirm import ConfirmDialog

        def decided(agreed: bool | None) -> None:
            if agreed:
                self._switch(lineage.name, False)
            else:
                self.deck.say_nothing_changed()

        end = f" on {text.day(lineage.not_after)}" if lineage.not_after else ""
        words = f"{text.printable(lineage.name)} expires{end}, unless you renew it."
        self.deck.open_dialog(ConfirmDialog("Turn automatic renewal off?", words, yes="Turn off", danger=True), decided)

    def _switch(self, name: str, wanted: bool) -> None:
        def answered(answer: object) -> None:
            if isinstance(answer, CertdeckError):
                self.deck.show_error(answer)
            self.deck.refresh_status()

        self.ask_to_change(lambda: self.engine.set_lineage(name, auto_renew=wanted), answered)

    def action_change(self) -> None:
        """Save the theme, which is previewed while the cursor is on it; in the other list act like the space key."""
        focused = self.focused
        if isinstance(focused, RowList) and focused.id == "themes":
            self.action_keep_theme()
        elif isinstance(focused, RowList):
            focused.action_mark()

    # -- the configuration ---------------------------------------------------------------------------------------------

    def _show_configuration(self) -> None:
        sheet, path = self.query_one("#configuration", Sheet), self.engine.paths.config
        sheet.border_title = text.printable(str(path))
        theme = self.app.theme
        try:
            config = self.engine.config()
        except CertdeckError as exc:
            error = exc
            sheet.write(lambda width, ink: wrong(error, width, ink))
            return
        wanted = config.appliance.theme
        kept = theming.native(self.engine.paths.etc, wanted) if self.deck.terminal.native else wanted or theming.DEFAULT
        sheet.write(lambda width, ink: _configuration_lines(config, theme != kept, width, ink))


def _configuration_lines(config: Config, is_new: bool, width: int, ink: Ink) -> list[Line]:
    appliance, defaults, http01 = config.appliance, config.defaults, config.http01
    lines: list[Line] = []
    if is_new:
        words = "The theme applies to this session. Enter saves it."
        lines += marked("·", "key", words, width, ink)
    days = defaults.renew_days_before
    proof = (
        f"webroot {http01.webroot}" if http01.mode == "webroot" else f"own listener on {http01.address}:{http01.port}"
    )
    rows = [
        ("Appliance", appliance.name),
        ("Host name", appliance.hostname or "the system's host name"),
        ("External URL", appliance.external_url or "none"),
        (
            "Issuer",
            f"{defaults.issuer}{', then ' + ', '.join(defaults.fallback_issuers) if defaults.fallback_issuers else ''}",
        ),
        ("Key", text.key_shown(defaults.key_type)),
        (
            "Auto-renew",
            "on, unless a certificate says otherwise"
            if defaults.auto_renew
            else "off, unless a certificate says otherwise",
        ),
        (
            "Renews",
            f"{text.plural(days, 'day')} before expiry"
            if days
            else "when the CA suggests, or in the last third of its lifetime",
        ),
        ("Revocation", "CAs are asked once a day" if defaults.check_revocation else "CAs are not asked"),
        ("Fallback", f"{defaults.fallback_certificate}, after {defaults.reminders} failed days"),
        ("HTTP-01", proof),
        ("Issuers", ", ".join(config.issuers) or "only built-in ones"),
        ("Targets", ", ".join(config.targets) or "none"),
        (
            "Console",
            f"{'ASCII' if config.console.ascii else 'Unicode'}, mouse {'on' if config.console.mouse else 'off'}",
        ),
    ]
    return [*lines, *facts(rows, width, ink, label=14)]
