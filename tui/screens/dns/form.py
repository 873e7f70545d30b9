"""The form of a DNS provider, built from the fields of its kind (ST-23, SO-26). A secret is never shown after it was typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from core.config.model import DnsProviderConfig
from core.errors import CertdeckError
from core.operations import DnsKind, DnsProviderInfo, EntryField
from tui.action import Action, Situation
from tui.actions import bindings, of_scope
from tui.screens.dns.asked import KEPT, AskedField, content_of, sentence
from tui.screens.form import FORM_CSS, FormPage
from tui.widgets.field import wrong
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose, marked
from tui.wording import text

_SEPARATORS: Final = re.compile(r"[\s,;]+")
_SELDOM: Final = frozenset({"endpoint", "ca_bundle"})
_MORE: Final = "more-settings"
_MORE_SECRETS: Final = "more-secrets"
_LEAST_LABEL: Final = 12
_MOST_LABEL: Final = 30


class _Fields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Scrolls with the focus. The screen handles the arrow keys: they move between fields."""


class ProviderForm(FormPage):
    """Adds or changes an entry of one kind. The engine validates each field."""

    BINDINGS: ClassVar = bindings(of_scope("dns-form"))
    HELP_TEXT = (
        "The settings of this provider. The line at the bottom explains the current field; a problem is shown when "
        "you leave the field.\n\n"
        "A secret is never shown, neither while you type nor later. It is stored encrypted in the vault. ctrl+o "
        "reads it from a file, for keys of several lines. When you change an entry, secrets that you leave empty are "
        "kept.\n\n"
        "Zones are the domains whose records this provider serves; the entry is used for them. Without zones, "
        "certdeck asks the provider. A delegation is for a domain whose _acme-challenge is a CNAME into another zone "
        "that this box cannot resolve. It names the target: example.com=validation.example.net."
    )
    CSS_PATH: ClassVar = [FORM_CSS, Path(__file__).parent / "dns.tcss"]

    def __init__(self, kind: DnsKind, entry: DnsProviderInfo | None = None) -> None:
        """`entry`: the entry to change; None adds one."""
        super().__init__()
        self._kind, self._entry = kind, entry
        self._taken: frozenset[str] = frozenset()
        self.saved_as = ""
        """The name of the entry, once it has been saved."""
        self.page_title = text.printable(f"Change {entry.name}") if entry else "New provider"
        self.page_detail = text.printable(kind.title)

    # -- the fields --------------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        with _Fields(id="form"):
            yield Prose(self._intro_lines, id="about-kind")
            yield Prose(id="intro")
            yield from self.fields()
            yield Prose(id="verdict")
        yield Prose(id="field-help", classes="panel")

    def fields(self) -> ComposeResult:
        if self._entry is None:
            yield AskedField(
                "name",
                "Name",
                value=self._free_name(),
                help="Its name in the wizard and in commands.",
                problem=self._problem,
                id="name",
            )
        yield AskedField(
            "zones",
            "Zones",
            value=" ".join(self._entry.zones) if self._entry else "",
            hint="e.g. example.com example.net" if self._kind.has_zones else "(none needed)",
            help="The domains whose records it serves, separated by spaces. "
            + (
                "Empty: certdeck asks the provider."
                if self._kind.has_zones
                else "Certificates for names in them use it."
            ),
            problem=self._problem,
            id="zones",
        )
        for number, field in enumerate(self._ordered()):
            yield self._asked(number, field)
        yield AskedField(
            "delegations",
            "Delegations",
            value=_joined(self._entry.delegations) if self._entry else "",
            hint="(none)",
            help="DOMAIN=WHERE: the records of DOMAIN are at WHERE, the target of a CNAME that this box cannot see.",
            problem=self._problem,
            id="delegations",
        )
        if self._kind.takes_any:
            yield from self._more()

    def _ordered(self) -> list[EntryField]:
        """Return the fields in the kind's order, with the rarely used ones last."""
        return sorted(self._kind.fields, key=lambda field: not field.required and field.key in _SELDOM)

    def _asked(self, number: int, field: EntryField) -> Widget:
        id = f"asked-{number}"
        known = self._entry.settings.get(field.key) if self._entry and not field.secret else None
        if field.choices:
            first = [] if field.required or field.default else [("", "(unset)")]
            chooser = OneOf([*first, *((each, each) for each in field.choices)], value=known or field.default, id=id)
            return Horizontal(Static(field.label, classes="label", markup=False), chooser, classes="line")
        hint = f"({field.default})" if field.default else "" if field.required else "(optional)"
        if field.secret and self._entry is not None and self._entry.secrets.get(field.key):
            hint = KEPT
        return AskedField(
            field.key,
            field.label,
            value=known or "",
            hint=hint,
            help=field.help,
            secret=field.secret,
            problem=self._problem,
            id=id,
        )

    def _more(self) -> ComposeResult:
        """Yield the fields for what a kind takes beyond its own fields: raw pairs."""
        declared = {field.key for field in self._kind.fields}
        known = (
            {key: value for key, value in self._entry.settings.items() if key not in declared} if self._entry else {}
        )
        kept = [key for key, has in self._entry.secrets.items() if has and key not in declared] if self._entry else []
        yield AskedField(
            _MORE,
            "Settings",
            value=_joined(known),
            hint="e.g. REGION=eu",
            help="Further KEY=VALUE pairs for the provider, separated by spaces; quote a value with spaces.",
            problem=self._problem,
            id=_MORE,
        )
        yield AskedField(
            _MORE_SECRETS,
            "Secrets",
            hint=f"({', '.join(kept)} kept)" if kept else "",
            help="Further secret KEY=VALUE pairs: stored in the vault, passed on in the same way.",
            secret=True,
            problem=self._problem,
            id=_MORE_SECRETS,
        )

    def on_mount(self) -> None:
        super().on_mount()
        labels = [str(each.label) for each in self.query(AskedField)] + [
            field.label for field in self._kind.fields if field.choices
        ]
        cells = min(max(max(map(len, labels)) + 2, _LEAST_LABEL), _MOST_LABEL)
        for field in self.query(AskedField):
            field.indent(cells)
        for label in self.query(".line .label"):
            label.styles.width = cells + 1

    def _intro_lines(self, width: int, ink: Ink) -> list[Line]:
        lines = marked("·", "key", self._kind.help, width, ink)
        for note in self._kind.notes:
            lines += marked("▲", "severity-yellow", note, width, ink)
        return lines

    def _free_name(self) -> str:
        """Return an unused entry name, derived from the kind."""
        try:
            self._taken = frozenset(self.engine.config().dns_providers)
        except CertdeckError:
            self._taken = frozenset()
        wanted = self._kind.name.rpartition(":")[2]
        number = 2
        name = wanted
        while name in self._taken:
            name, number = f"{wanted}-{number}", number + 1
        return name

    # -- the field with the focus --------------------------------------------------------------------------------------

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._show_help()
        self.refresh_actions()

    @property
    def _here(self) -> AskedField | None:
        """Return the field that has the focus, or None."""
        focused = self.focused
        return next(
            (each for each in self.query(AskedField) if focused is not None and focused in each.walk_children()), None
        )

    def _show_help(self) -> None:
        here, words, title = self._here, "", ""
        if here is not None:
            words, title = here.help, here.label
            if here.is_secret:
                words = f"{words} {_SECRET_WORDS}".strip()
        elif isinstance(self.focused, OneOf) and self.focused.id is not None:
            field = self._ordered()[int(self.focused.id.rpartition("-")[2])]
            words, title = field.help or "Left and right choose.", field.label
        prose = self.query_one("#field-help", Prose)
        prose.border_title = text.printable(title)
        prose.say(words or "certdeck knows only its name.")

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.SCOPE, "dns-form", "page", "app")

    def actions(self) -> tuple[Action, ...]:
        return of_scope(*self.scopes)

    def situation(self) -> Situation:
        here = self._here if self.is_mounted else None
        return replace(super().situation(), row_kind="secret" if here is not None and here.is_secret else "")

    def action_choose_file(self) -> None:
        """Read the secret of the field that has the focus from a file."""
        here = self._here
        if here is None or not here.is_secret:
            return
        from tui.screens.dialogs.path import PathDialog

        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                here.take(content_of(str(path)), path.name)
            except CertdeckError as exc:
                self.deck.show_error(exc)

        self.app.push_screen(
            PathDialog(
                f"{text.printable(here.label)} from a file", "The file must contain only the secret.", must_exist=True
            ),
            chosen,
        )

    # -- what was entered ----------------------------------------------------------------------------------------------

    def _entered(self) -> tuple[str, ...]:
        given = tuple(field.given.decode("utf-8", "replace") for field in self.query(AskedField))
        return given + tuple(each.value for each in self.query(OneOf))

    def _config(self) -> DnsProviderConfig:
        given = {field.key: field.value for field in self.query(AskedField)}
        settings = {
            field.key: given[field.key] for field in self._kind.fields if given.get(field.key) and not field.secret
        }
        for chooser in self.query(OneOf):
            field = self._ordered()[int((chooser.id or "").rpartition("-")[2])]
            if chooser.value:
                settings[field.key] = chooser.value
        return DnsProviderConfig(
            name=self._entry.name if self._entry else given["name"],
            kind=self._kind.name,
            zones=tuple(filter(None, _SEPARATORS.split(given["zones"]))),
            settings=settings | _pairs(given.get(_MORE, "")),
            delegations=_pairs(given["delegations"]),
        )

    def _secrets(self) -> dict[str, bytes]:
        keys = {field.key for field in self._kind.fields if field.secret}
        given = {field.key: field.given for field in self.query(AskedField) if field.key in keys and field.given}
        more = next(
            (field.given.decode("utf-8", "replace") for field in self.query(AskedField) if field.key == _MORE_SECRETS),
            "",
        )
        return given | {key: value.encode() for key, value in _pairs(more).items()}

    def _problem(self, key: str) -> str | None:
        """Return what is wrong with the current value of a field, or None."""
        config = self._config()
        if key == "name" and self._entry is None and config.name in self._taken:
            return f"The entry {config.name} already exists. Choose another name."
        if key in ("delegations", _MORE, _MORE_SECRETS):
            field = next(each for each in self.query(AskedField) if each.key == key)
            if not _are_pairs(field.given.decode("utf-8", "replace")):
                return (
                    "Write KEY=VALUE, several separated by spaces." if key != "delegations" else "Write DOMAIN=WHERE."
                )
        try:
            return self.engine.check_dns_provider(config, self._secrets()).get(key)
        except CertdeckError as exc:
            return exc.what

    # -- saving --------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        config, secrets, replacing = self._config(), self._secrets(), self._entry is not None
        self.saved_as = config.name
        said = text.printable(f"{config.name} is saved. x tests it.")
        self.query_one("#verdict", Prose).say("◐ Saving …")
        self.keep(lambda: self.engine.add_dns_provider(config, secrets, replace=replacing), said)

    def refuse(self, error: CertdeckError) -> None:
        """Show each problem at its field, and below the fields those that belong to none."""
        problems = error.details.get("problems")
        found: Mapping[str, str] = problems if isinstance(problems, Mapping) else {}
        at = {field.key: field for field in self.query(AskedField) if field.key in found}
        for key, field in at.items():
            field.tell(CertdeckError(str(found[key]), "", field.help))
        verdict = self.query_one("#verdict", Prose)
        rest = [(key, str(words)) for key, words in found.items() if key not in at]
        if at and not rest:
            verdict.write(None)
        elif rest:
            verdict.write(
                lambda width, ink: [
                    line
                    for key, words in rest
                    for line in marked("✖", "severity-red", sentence(self._label(key), words), width, ink)
                ]
            )
        else:
            verdict.write(lambda width, ink: wrong(error, width, ink))
        if at:
            next(iter(at.values())).query_one(Input).focus()
        else:
            verdict.scroll_visible(animate=False)

    def _label(self, key: str) -> str:
        return next((field.label for field in self._kind.fields if field.key == key), key)


_SECRET_WORDS: Final = "It is stored in the vault and never shown; ^o reads it from a file."


def _pairs(typed: str) -> dict[str, str]:
    """Return the `KEY=VALUE` pairs; other words are left out."""
    return {key: value for key, sign, value in (word.partition("=") for word in _words(typed)) if key and sign}


def _are_pairs(typed: str) -> bool:
    words = _words(typed)
    return bool(words) and all(key and sign and value for key, sign, value in (word.partition("=") for word in words))


def _words(typed: str) -> list[str]:
    try:
        return shlex.split(typed)
    except ValueError:
        return []


def _joined(pairs: Mapping[str, str]) -> str:
    """Return pairs in the form in which they are typed."""
    return " ".join(shlex.quote(f"{key}={value}") for key, value in pairs.items())
