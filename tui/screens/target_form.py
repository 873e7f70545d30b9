"""The form of a target: a service, its files, and its commands."""

from __future__ import annotations

import shlex
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.suggester import SuggestFromList
from textual.widgets import Input

from core.config.model import TargetConfig
from core.errors import CertdeckError, UsageError
from core.operations import KindInfo
from core.probe_address import broken
from tui.actions import bindings, of_scope
from tui.screens.form import FormPage, needed, wrong_name, wrong_path
from tui.screens.remote_fields import IDS, REMOTE, remote_fields, remote_values
from tui.widgets.field import Check, Field
from tui.wording import text
from tui.wording.services import key_words, told_words

_ONE_FILE: Final = ("combined", "key-first")
"""File layouts that keep the key in the certificate's file."""


class TargetForm(FormPage):
    """Adds or changes a target; settings that the form does not show are kept."""

    BINDINGS: ClassVar = bindings(of_scope("target-form"))

    intro = "A service that uses a certificate. Commands run without a shell: their arguments are shown as passed."

    def __init__(self, target: TargetConfig | None = None) -> None:
        """`target`: the target to change; None adds one."""
        super().__init__()
        self._target = target
        self._kinds: dict[str, KindInfo] = {}
        self.page_title = "Change a target" if target else "New target"
        self.page_detail = text.printable(target.name) if target else ""

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.SCOPE, "target-form", "page", "app")

    def fields(self) -> ComposeResult:
        known = self._target or TargetConfig(name="", kind="nginx")
        self._kinds = {kind.name: kind for kind in self.engine.target_kinds()}
        name = Field(
            "Name",
            value=known.name,
            hint="e.g. nginx",
            note="Its name here and in commands.",
            check=wrong_name,
            id="name",
        )
        name.display = self._target is None
        yield name
        yield Field("Kind", value=known.kind, hint="e.g. nginx, postfix, files", check=self._wrong_kind, id="kind")
        yield Field(
            "Certificate",
            value=known.certificate,
            hint="e.g. /etc/ssl/domains/domain.crt",
            check=_path_of("certificate"),
            id="certificate",
        )
        yield Field("Key", value=known.key, hint="e.g. /etc/ssl/domains/domain.key", check=self._wrong_key, id="key")
        yield Field("Test", value=shlex.join(known.test), hint="e.g. nginx -t", check=_wrong_words, id="test")
        yield Field(
            "Reload",
            value=shlex.join(known.reload),
            hint="e.g. systemctl reload nginx",
            check=_wrong_words,
            id="reload",
        )
        for field in remote_fields(known, _wrong_words):
            field.display = known.kind == REMOTE
            yield field
        yield Field(
            "TLS address",
            value=" ".join(known.probe),
            hint="e.g. 127.0.0.1:443 [::1]:443",
            note="HOST:PORT or smtp://HOST:PORT, one or more, checked after each deployment. Empty: no check.",
            check=_wrong_probe,
            id="probe",
        )
        yield Field(
            "Server name",
            value=known.probe_name or "",
            hint="(one that the certificate covers)",
            note="The server name for the check (SNI).",
            id="probe-name",
        )

    def on_mount(self) -> None:
        super().on_mount()
        if self._target is not None:
            self.query_one("#certificate Input").focus()
        self.query_one("#kind Input", Input).suggester = SuggestFromList(list(self._kinds), case_sensitive=False)
        self._show_commands()

    @on(Field.Changed)
    def _show_commands(self) -> None:
        """Show the arguments of each command separately, so that a wrong quote is visible."""
        kind = self._kinds.get(self.value("kind"))
        self.query_one("#kind", Field).note = _about(kind)
        for id in IDS:
            self.query_one(f"#{id}", Field).display = self.value("kind") == REMOTE
        usual = {
            "test": kind and kind.test and shlex.join(kind.test),
            "reload": kind and kind.group != "any" and told_words(kind),
        }
        for id, command in usual.items():
            field = self.query_one(f"#{id}", Field)
            words = _words(field.value)
            field.note = " ".join(f"[{word}]" for word in words) or f"Empty: {command or 'nothing is run'}."

    def action_choose_kind(self) -> None:
        """Choose the kind from a list that explains each."""
        from tui.screens.target_kinds import KindsScreen

        def taken(name: str) -> None:
            self.query_one("#kind", Field).value = name

        self.app.push_screen(KindsScreen(self.value("kind"), taken))

    def _wrong_kind(self, value: str) -> CertdeckError | None:
        if value in self._kinds:
            return None
        try:
            self.engine.target_kind(value)
        except CertdeckError as exc:
            return exc
        return None

    def _wrong_key(self, value: str) -> CertdeckError | None:
        """Check the path of the key; a kind that uses a single file has none."""
        kind = self._kinds.get(self.value("kind"))
        if not value and kind is not None and kind.layouts[0] in _ONE_FILE:
            return None
        return _path_of("key")(value)

    def save(self) -> None:
        known = self._target or TargetConfig(name=self.value("name"))
        config = replace(
            known,
            kind=self.value("kind"),
            certificate=self.value("certificate"),
            key=self.value("key"),
            test=_words(self.value("test")),
            reload=_words(self.value("reload")),
            probe=_probes(self.value("probe")),
            probe_name=self.value("probe-name") or None,
            **(remote_values(self.value, _words) if self.value("kind") == REMOTE else {}),
        )
        is_new = self._target is None
        self.keep_unless_there(
            config.name,
            lambda: is_new and any(each.name == config.name for each in self.engine.targets()),
            lambda: self.engine.add_target(config),
            f"{config.name} is saved. x tests it.",
        )


def _about(kind: KindInfo | None) -> str:
    """Return what to know about a kind before entering its files."""
    if kind is None:
        return "A service, or files. ^o lists every kind; the right arrow completes the word."
    if kind.group == "any":
        return kind.remarks[0]
    one = " Certificate and key are in one file, so leave the key empty." if kind.layouts[0] in _ONE_FILE else ""
    ends = (
        " It needs a restart, which closes its sessions." if kind.action == "restart" and kind.sessions == "cut" else ""
    )
    return f"{kind.title}: the key is {key_words(kind)}.{one}{ends}"


def _words(value: str) -> tuple[str, ...]:
    """Return the arguments of a command; empty if its quotes do not match."""
    try:
        return tuple(shlex.split(value))
    except ValueError:
        return ()


def _wrong_words(value: str) -> CertdeckError | None:
    try:
        shlex.split(value)
    except ValueError:
        return UsageError("The command cannot be read.", "A quotation mark is not closed.", "Close it, or remove it.")
    return None


def _path_of(word: str) -> Check:
    wanted = needed(f"The path of the {word}", f"/etc/ssl/domains/domain.{'crt' if word == 'certificate' else 'key'}")

    def check(value: str) -> CertdeckError | None:
        return wanted(value) or wrong_path(value)

    return check


def _probes(value: str) -> tuple[str, ...]:
    """Return the typed addresses, which are separated by spaces or commas."""
    return tuple(value.replace(",", " ").split())


def _wrong_probe(value: str) -> CertdeckError | None:
    for each in _probes(value):
        wrong = broken(each)
        if wrong is not None:
            return UsageError(f"{wrong[0]}.", "It is the address where the service uses TLS.", wrong[1])
    return None
