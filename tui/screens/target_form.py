"""The form of a target: a service, its files, and what is run."""

from __future__ import annotations

import shlex
from typing import Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from core.config.model import TargetConfig
from core.errors import CertdeckError, UsageError
from core.probe_address import broken
from tui.screens.form import FormPage, needed, wrong_name, wrong_path
from tui.widgets.field import Check, Field
from tui.widgets.one_of import OneOf
from tui.wording import text

_KINDS: Final = (("nginx", "nginx"), ("files", "files"))
_KIND_NOTES: Final = {
    "nginx": "Empty: nginx -t, and nginx -s reload.",
    "files": "Empty: nothing is run.",
}


class TargetForm(FormPage):
    """Adds a target, or changes one; what the form does not ask for stays as it is configured."""

    intro = "A service that uses a certificate. Commands are run without a shell: their words are shown as they will be passed on."

    def __init__(self, target: TargetConfig | None = None) -> None:
        """`target`: the one to change."""
        super().__init__()
        self._target = target
        self.page_title = "Change a target" if target else "New target"
        self.page_detail = text.printable(target.name) if target else ""

    def fields(self) -> ComposeResult:
        known = self._target or TargetConfig(name="", kind="nginx")
        name = Field(
            "Name",
            value=known.name,
            hint="e.g. nginx",
            note="What it is called here and in commands.",
            check=wrong_name,
            id="name",
        )
        name.display = self._target is None
        yield name
        with Horizontal(classes="line"):
            yield Static("Kind", classes="label", markup=False)
            yield OneOf(_KINDS, value=known.kind, id="kind")
        yield Field(
            "Certificate",
            value=known.certificate,
            hint="e.g. /etc/ssl/domains/domain.crt",
            check=_path_of("certificate"),
            id="certificate",
        )
        yield Field("Key", value=known.key, hint="e.g. /etc/ssl/domains/domain.key", check=_path_of("key"), id="key")
        yield Field("Test", value=shlex.join(known.test), hint="e.g. nginx -t", check=_wrong_words, id="test")
        yield Field(
            "Reload",
            value=shlex.join(known.reload),
            hint="e.g. systemctl reload nginx",
            check=_wrong_words,
            id="reload",
        )
        yield Field(
            "Speaks TLS",
            value=" ".join(known.probe),
            hint="e.g. 127.0.0.1:443 [::1]:443",
            note="HOST:PORT or smtp://HOST:PORT, one or more, looked at after each deployment. Empty: not looked at.",
            check=_wrong_probe,
            id="probe",
        )
        yield Field(
            "Server name",
            value=known.probe_name or "",
            hint="(one that the certificate covers)",
            note="What is asked for there (SNI).",
            id="probe-name",
        )

    def on_mount(self) -> None:
        super().on_mount()
        if self._target is not None:
            self.query_one("#certificate Input").focus()
        self._show_commands()

    @on(OneOf.Changed, "#kind")
    @on(Field.Changed)
    def _show_commands(self) -> None:
        """Show the words of each command one by one, so that a wrong quote is seen."""
        kind = self.query_one("#kind", OneOf).value
        for id in ("test", "reload"):
            field = self.query_one(f"#{id}", Field)
            words = _words(field.value)
            field.note = " ".join(f"[{word}]" for word in words) or _KIND_NOTES[kind]

    def save(self) -> None:
        known = self._target or TargetConfig(name=self.value("name"))
        config = replace(
            known,
            kind=self.query_one("#kind", OneOf).value,
            certificate=self.value("certificate"),
            key=self.value("key"),
            test=_words(self.value("test")),
            reload=_words(self.value("reload")),
            probe=_probes(self.value("probe")),
            probe_name=self.value("probe-name") or None,
        )
        is_new = self._target is None
        self.keep_unless_there(
            config.name,
            lambda: is_new and any(each.name == config.name for each in self.engine.targets()),
            lambda: self.engine.add_target(config),
            f"{config.name} is saved. x tests it.",
        )


def _words(value: str) -> tuple[str, ...]:
    """Return the words of a command; empty where quotes do not match."""
    try:
        return tuple(shlex.split(value))
    except ValueError:
        return ()


def _wrong_words(value: str) -> CertdeckError | None:
    try:
        shlex.split(value)
    except ValueError:
        return UsageError(
            "The command cannot be read.", "A quote is opened and not closed.", "Close the quote, or leave it out."
        )
    return None


def _path_of(word: str) -> Check:
    wanted = needed(f"The path of the {word}", f"/etc/ssl/domains/domain.{'crt' if word == 'certificate' else 'key'}")

    def check(value: str) -> CertdeckError | None:
        return wanted(value) or wrong_path(value)

    return check


def _probes(value: str) -> tuple[str, ...]:
    """Return the addresses in what was typed: blanks or commas stand between them."""
    return tuple(value.replace(",", " ").split())


def _wrong_probe(value: str) -> CertdeckError | None:
    for each in _probes(value):
        wrong = broken(each)
        if wrong is not None:
            return UsageError(f"{wrong[0]}.", "It is where the service speaks TLS.", wrong[1])
    return None
