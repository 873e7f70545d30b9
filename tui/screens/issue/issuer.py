"""Step 3: the issuer and the key. What an issuer does not accept is not offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from core.errors import CertdeckError, UsageError
from core.operations import Finding, IssuerInfo, IssuerTest
from tui.screens.issue.draft import NO_PROOF, Draft
from tui.screens.issue.step import WizardStep
from tui.widgets.field import Field, wrong
from tui.widgets.finding_lines import finding_lines
from tui.widgets.ink import Ink
from tui.widgets.lines import Line
from tui.widgets.one_of import OneOf
from tui.widgets.prose import Prose, marked
from tui.widgets.row_list import Column, Row, RowList
from tui.widgets.tick import Tick
from tui.wording import text

_REST_SECONDS: Final = 0.4
"""How long the cursor rests on an issuer before its directory is queried, so that moving past sends no requests."""


class IssuerStep(WizardStep):
    """Issuer, key, profile, contact, terms, rehearsal."""

    TITLE = "Issuer & key"
    HELP = (
        "Issuer & key: only options that the issuer supports are offered. If it has terms of service, you must "
        "accept them once; their address is read from the issuer. A rehearsal orders from the issuer's staging "
        "directory first: nothing of it is kept, and it does not count towards the issuer's limits. It is selected "
        "for the first order of these names; if it fails, nothing is ordered from the issuer itself."
    )

    def compose(self) -> ComposeResult:
        columns = (Column("Issuer"), Column("Kind", flexible=True, optional=True))
        yield RowList(columns, marking="one", titles=False, id="issuer")
        yield Prose(id="notes")
        with Horizontal(classes="line"):
            yield Static("Key", classes="label", markup=False)
            yield OneOf(id="key")
        with Horizontal(classes="line", id="profiles"):
            yield Static("Profile", classes="label", markup=False)
            yield OneOf(id="profile")
        yield Prose(id="profile-note", classes="indented")
        yield Field("Profile", hint="(the issuer's default)", id="profile-text")
        yield Field("E-mail", hint="(optional: the CA writes to it about problems)", check=_wrong_email, id="email")
        yield Prose(id="terms")
        yield Tick("I accept these terms of service", id="agree")
        yield Tick("Rehearse first", id="rehearse")
        yield Prose(id="verdict")

    def on_mount(self) -> None:
        self._resting: Timer | None = None
        self._wants_agreement = False

    # -- the issuer --------------------------------------------------------------------------------------------------

    @property
    def issuer(self) -> IssuerInfo | None:
        return self.offer.issuer(self.draft.issuer) if self.offer is not None else None

    def _fitting(self) -> list[IssuerInfo]:
        """Return the issuers that support the chosen proof."""
        wanted = "private-ca" if self.draft.proof == NO_PROOF else "acme"
        return [each for each in (self.offer.issuers if self.offer is not None else ()) if each.kind == wanted]

    def enter(self) -> None:
        fitting = self._fitting()
        if self.draft.issuer not in [each.name for each in fitting]:
            self.draft.issuer = fitting[0].name if fitting else ""
        listed = self.query_one("#issuer", RowList)
        listed.show([Row(each.name, (each.title, (_in_short(each, self.draft), "text-muted"))) for each in fitting])
        listed.choose(self.draft.issuer)
        self.query_one("#email", Field).value = self.draft.email
        self.query_one("#profile-text", Field).value = self.draft.profile
        self._show()
        self._rest()

    def leave(self) -> None:
        if self._resting is not None:
            self._resting.stop()

    def first(self) -> Widget | None:
        return self.query_one("#issuer")

    @on(RowList.Moved, "#issuer")
    def _on_moved(self, message: RowList.Moved) -> None:
        message.stop()
        self.draft.issuer = message.key
        self.draft.profile = ""
        self._wants_agreement = False
        self.query_one("#profile-text", Field).value = ""
        listed = self.query_one("#issuer", RowList)
        row = listed.virtual_region.y + listed.keys.index(message.key)
        self.scroll_to_region(Region(0, row, 1, 1), animate=False, force=True)
        self._show()
        self._rest()

    def _rest(self) -> None:
        """Query the directory once the cursor has rested on an issuer."""
        if self._resting is not None:
            self._resting.stop()
        issuer = self.issuer
        if issuer is not None and issuer.kind == "acme" and issuer.name not in self.draft.tests:
            self._resting = self.set_timer(_REST_SECONDS, self._ask)

    def _ask(self) -> None:
        name = self.draft.issuer

        def answered(answer: IssuerTest | CertdeckError) -> None:
            self.draft.tests[name] = answer
            if self.is_mounted and name == self.draft.issuer:
                self._show()

        self.wizard.ask(lambda: self.wizard.engine.test_issuer(name), answered)

    # -- the rest ----------------------------------------------------------------------------------------------------

    @on(OneOf.Changed, "#key")
    def _on_key_type(self, message: OneOf.Changed) -> None:
        message.stop()
        self.draft.key_type = message.value
        self._judge()

    @on(OneOf.Changed, "#profile")
    def _on_profile(self, message: OneOf.Changed) -> None:
        message.stop()
        self.draft.profile = message.value
        self._show()

    @on(Field.Changed, "#profile-text")
    def _on_profile_typed(self, message: Field.Changed) -> None:
        message.stop()
        self.draft.profile = message.value

    @on(Field.Changed, "#email")
    def _on_email(self, message: Field.Changed) -> None:
        message.stop()
        self.draft.email = message.value

    @on(Tick.Changed, "#agree")
    def _on_agreed(self, message: Tick.Changed) -> None:
        message.stop()
        self._wants_agreement = False
        (self.draft.agreed.add if message.value else self.draft.agreed.discard)(self.draft.issuer)
        self._show()

    @on(Tick.Changed, "#rehearse")
    def _on_rehearse(self, message: Tick.Changed) -> None:
        message.stop()
        if self.offer is not None:
            # If unchanged, the engine decides: it continues without a staging environment that does not work.
            is_default = message.value == self.draft.rehearses_by_default(self.offer)
            self.draft.rehearse = None if is_default else message.value

    @on(events.DescendantBlur)
    def _on_left(self) -> None:
        self._judge()

    def _show(self) -> None:
        issuer = self.issuer
        if issuer is None or self.offer is None:
            self.query_one("#notes", Prose).say(
                "The issuers are being read …" if self.offer is None else "No issuer supports this validation."
            )
            return
        self._show_key(issuer)
        self._show_profile(issuer)
        email = self.query_one("#email", Field)
        email.display = issuer.kind == "acme" and issuer.account_url is None
        rehearse = self.query_one("#rehearse", Tick)
        rehearse.display = self.draft.can_rehearse(self.offer)
        staging = self.offer.issuer(issuer.staging or "")
        if staging is not None:
            rehearse.say(
                f"Rehearse with {staging.title} first: mistakes cost nothing there; the order follows automatically"
            )
        rehearse.value = self.draft.rehearses(self.offer)
        self.query_one("#notes", Prose).write(lambda width, ink: self._note_lines(issuer, width, ink))
        self._show_terms(issuer)
        self._judge()

    def _show_key(self, issuer: IssuerInfo) -> None:
        assert self.offer is not None
        wanted = self.draft.key_type or self.offer.config.defaults.key_type
        chooser = self.query_one("#key", OneOf)
        chooser.offer([(each, text.key_shown(each)) for each in issuer.key_types], wanted)
        self.draft.key_type = chooser.value

    def _show_profile(self, issuer: IssuerInfo) -> None:
        said = self.draft.tests.get(issuer.name)
        choices = dict(said.profiles) if isinstance(said, IssuerTest) else {}
        # Until the directory has answered a profile can be typed; afterwards only its own profiles are offered.
        self.query_one("#profiles").display = bool(choices)
        self.query_one("#profile-text", Field).display = issuer.kind == "acme" and not isinstance(said, IssuerTest)
        if choices:
            chooser = self.query_one("#profile", OneOf)
            chooser.offer(
                [
                    ("", "as the issuer does" if "default" in choices else "default"),
                    *((each, each) for each in choices),
                ],
                self.draft.profile,
            )
            self.draft.profile = chooser.value
        elif isinstance(said, IssuerTest):
            self.draft.profile = ""
        self.query_one("#profile-note", Prose).say(choices.get(self.draft.profile, ""))

    def _note_lines(self, issuer: IssuerInfo, width: int, ink: Ink) -> list[Line]:
        count = len(self.draft.identifiers())
        limits = [f"{issuer.max_names:,} {'name' if issuer.max_names == 1 else 'names'} at most, you have {count:,}"]
        limits += ["no wildcards"] if issuer.wildcard is False else []
        limits += ["no IP addresses"] if issuer.ip is False else []
        lines: list[Line] = []
        for note in issuer.notes:
            lines += marked("·", "text-muted", note, width, ink, of="text-muted")
        lines += marked("·", "text-muted", f"It supports {', '.join(limits)}.", width, ink, of="text-muted")
        if issuer.needs_eab and issuer.account_url is None and not self._has_eab(issuer.name):
            words = "It requires an external account binding, and none is set. Add it under Issuers (m)."
            lines += marked("▲", "severity-yellow", words, width, ink)
        return lines

    def _has_eab(self, name: str) -> bool:
        entry = self.offer.config.issuers.get(name) if self.offer is not None else None
        return entry is not None and entry.eab_kid is not None

    # -- terms -------------------------------------------------------------------------------------------------------

    def _needs_agreement(self, issuer: IssuerInfo) -> bool:
        said = self.draft.tests.get(issuer.name)
        has_none = isinstance(said, IssuerTest) and said.terms_of_service is None
        return issuer.kind == "acme" and not issuer.terms_agreed and not has_none

    def _show_terms(self, issuer: IssuerInfo) -> None:
        said = self.draft.tests.get(issuer.name)
        agree = self.query_one("#agree", Tick)
        # While the directory cannot be read its terms are unknown, so there is nothing to accept.
        agree.display = self._needs_agreement(issuer) and not isinstance(said, CertdeckError)
        agree.value = issuer.name in self.draft.agreed

        def terms(width: int, ink: Ink) -> list[Line]:
            if isinstance(said, CertdeckError):
                return [[], *wrong(said, width, ink)]
            if said is None:
                words = "Terms: already accepted." if issuer.terms_agreed else "Terms: reading the directory …"
                return [[], *marked("○", "text-muted", words, width, ink, of="text-muted")]
            if said.terms_of_service is None:
                return [[], *marked("✔", "severity-green", "It has no terms of service.", width, ink, of="text-muted")]
            words = f"Terms: {said.terms_of_service}{', accepted' if issuer.terms_agreed else ''}"
            return [[], *marked("✔" if issuer.terms_agreed else "·", "severity-green", words, width, ink)]

        self.query_one("#terms", Prose).write(terms if issuer.kind == "acme" else None)

    # -- is it right? ------------------------------------------------------------------------------------------------

    def _judge(self) -> bool:
        """Have the engine check the request offline; show any problem, and return whether there is none."""
        findings: tuple[Finding, ...] = ()
        try:
            findings = self.wizard.engine.check_request(self.draft.request())
        except CertdeckError as exc:
            findings = (Finding(id=exc.code, status="fail", title=exc.what, detail=exc.why, fix=exc.fix),)
        issuer, wants = self.issuer, self._wants_agreement

        def verdict(width: int, ink: Ink) -> list[Line]:
            lines: list[Line] = [[], *finding_lines(findings, width, ink)]
            if wants and issuer is not None:
                words = f"{issuer.title} issues nothing until you accept its terms. Space selects the line above."
                lines += marked("✖", "severity-red", words, width, ink)
            return lines

        self.query_one("#verdict", Prose).write(verdict if findings or wants else None)
        return not any(each.status == "fail" for each in findings)

    def proceed(self, go: Callable[[], None]) -> None:
        issuer = self.issuer
        if issuer is None:
            return
        email = self.query_one("#email", Field)
        if email.display and not email.examine():
            self.query_one("#email Input").focus()
        elif not self._judge():
            self.query_one("#issuer").focus()
            self.query_one("#verdict").scroll_visible(animate=False)
        elif self._needs_agreement(issuer) and issuer.name not in self.draft.agreed:
            if not self.query_one("#agree").display:
                self.query_one("#terms").scroll_visible(animate=False)
                return
            self._wants_agreement = True
            self._judge()
            self.query_one("#agree").focus()
        else:
            go()


def _in_short(issuer: IssuerInfo, draft: Draft) -> str:
    words = ["default"] if issuer.is_default else []
    if issuer.account_url is not None:
        words.append("account ready")
    elif issuer.needs_eab:
        words.append("needs EAB")
    if issuer.staging and not draft.is_set_by_hand:
        words.append("can rehearse")
    return ", ".join(words)


def _wrong_email(value: str) -> CertdeckError | None:
    local, at, domain = value.partition("@")
    if not value or (at and local and "." in domain and not any(sign in value for sign in " ,;<>")):
        return None
    return UsageError(
        f"{value!r} is not an e-mail address.",
        "It must have the form name@example.com.",
        "Correct it, or leave it empty.",
    )
