"""The operations on one certificate: ask for confirmation, then pass the work to the bridge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from core.errors import CertdeckError
from core.kept_version import KeptVersion
from core.operations import IssueRequest, LineageStatus, PemView, RenewalReport, TargetInfo
from tui.deck import Deck
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from tui.screens.dialogs.deploy import DeployChoice

_REASONS: Final = (
    ("unspecified", "no reason", "always accepted"),
    ("keyCompromise", "key compromised", "the private key may be compromised"),
    ("superseded", "superseded", "a newer certificate has replaced it"),
    ("cessationOfOperation", "no longer in use", "the names are no longer used"),
)
"""The revocation reasons that public CAs accept: key, title and meaning."""


def issue(deck: Deck) -> None:
    """Open the wizard."""
    from tui.screens.issue import IssueScreen

    deck.push_screen(IssueScreen())


def renew(deck: Deck, lineage: LineageStatus) -> None:
    """Order the certificate again. With manual DNS records this places an order, which a renewal never does."""
    name = lineage.name
    if text.is_manual(lineage):
        _renew_by_hand(deck, lineage)
        return
    due = (
        "It is due."
        if lineage.renew_at is not None and lineage.renew_at <= deck.now()
        else "It is not due yet; this orders a new one anyway."
    )
    ask_then(
        deck,
        f"Renew {printable(name)}?",
        f"{due} {_services(lineage)}",
        "Renew",
        lambda: deck.begin(
            f"Renew {name}",
            f"renewing {name}",
            lambda report, cancel: _renewed(deck.engine.renew((name,), force=True, report=report, cancel=cancel)),
            lineage=name,
            expects=tuple(target.name for target in lineage.targets),
        ),
    )


def _renew_by_hand(deck: Deck, lineage: LineageStatus) -> None:
    name = lineage.name
    request = IssueRequest(domains=lineage.domains, name=name, manual=True, force=True)
    ask_then(
        deck,
        f"Renew {printable(name)}?",
        "Its DNS records are set manually: the order has new values, which are shown next. The live certificate stays until then.",
        "Order",
        lambda: deck.begin(
            f"Renew {name}",
            f"renewing {name}",
            lambda report, cancel: deck.engine.issue(request, report=report, cancel=cancel),
            lineage=name,
            expects=tuple(target.name for target in lineage.targets),
        ),
    )


def _renewed(report: RenewalReport) -> RenewalReport:
    """Return the report, or raise the failure of the requested certificate."""
    if report.failed:
        raise report.failed[0].error
    return report


def deploy(deck: Deck, lineage: LineageStatus, *, back: bool = False) -> None:
    """Ask for the version and the services, then deploy. `back`: preselect the version before the live one."""
    name, has = lineage.name, tuple(target.name for target in lineage.targets)

    def listed(answer: tuple[tuple[TargetInfo, ...], tuple[KeptVersion, ...]] | CertdeckError) -> None:
        from tui.screens.dialogs.deploy import DeployDialog

        if isinstance(answer, CertdeckError):
            deck.show_error(answer)
            return
        targets, versions = answer
        if not targets and not back and (has or len(versions) <= 1):
            deck.notify("Add one first: y Targets.", title="There is no service to deploy to", markup=False)
        elif back and not any(each.number < (lineage.version or 0) and each.has_key for each in versions):
            deck.notify("No earlier version is kept with its key.", title="There is no earlier version", markup=False)
        else:
            deck.open_dialog(DeployDialog(lineage, targets, versions, deck.now(), back=back), chosen)

    def chosen(choice: DeployChoice | None) -> None:
        if choice is None:
            deck.say_nothing_changed()
            return
        wanted = None if set(choice.targets) == set(has) else choice.targets
        version = choice.version
        goes_back = version is not None and version < (lineage.version or 0)
        title, doing = (
            (f"Roll back {name}", f"rolling back {name}") if goes_back else (f"Deploy {name}", f"deploying {name}")
        )
        deck.begin(
            title,
            doing,
            lambda report, cancel: deck.engine.deploy(
                name, targets=wanted, version=version, report=report, cancel=cancel
            ),
            lineage=name,
            expects=choice.targets,
        )

    deck.bridge.ask(lambda: (deck.engine.targets(), deck.engine.versions(name)), listed)


def roll_back(deck: Deck, lineage: LineageStatus) -> None:
    """Ask which earlier version goes live again."""
    deploy(deck, lineage, back=True)


def run_now(deck: Deck) -> None:
    """Renew everything that is due, as the timer does."""
    ask_then(
        deck,
        "Run now?",
        "certdeck renews and deploys what is due, as the timer does. Nothing else is changed.",
        "Run",
        lambda: deck.begin(
            "Scheduled run",
            "renewing what is due",
            lambda report, cancel: deck.engine.renew((), report=report, cancel=cancel),
        ),
    )


def revoke(deck: Deck, lineage: LineageStatus) -> None:
    """Ask for the reason, and have the CA revoke the certificate."""
    from tui.screens.dialogs.choice import ChoiceDialog

    name = lineage.name

    def chosen(reason: str | None) -> None:
        if reason is None:
            deck.say_nothing_changed()
            return
        deck.begin(
            f"Revoke {name}",
            f"revoking {name}",
            lambda report, cancel: deck.engine.revoke(name, reason=reason, report=report, cancel=cancel),
            lineage=name,
            quiet=True,
            said=f"{name} is revoked ({next(title for key, title, _ in _REASONS if key == reason)}).",
        )

    used = f" {_users(lineage)} still serve{'s' if len(lineage.targets) == 1 else ''} it." if lineage.targets else ""
    deck.open_dialog(
        ChoiceDialog(
            f"Revoke {printable(name)}?",
            f"Clients that check revocation will reject it. This cannot be undone.{used} {_replaced_by(lineage)}",
            _REASONS,
            yes="Revoke",
            danger=True,
        ),
        chosen,
    )


def _replaced_by(lineage: LineageStatus) -> str:
    if lineage.method == "upload":
        return "u uploads a new one."
    return (
        "The scheduled run orders a new one."
        if lineage.auto_renew and lineage.timer == "active"
        else "r orders a new one."
    )


def _users(lineage: LineageStatus) -> str:
    return text.listed([printable(target.name) for target in lineage.targets])


def give_up(deck: Deck, name: str) -> None:
    """Ask for confirmation, then give up an open order."""
    ask_then(
        deck,
        f"Give up the order for {printable(name)}?",
        "The order is discarded. Its DNS records are no longer valid: a new order has new ones. The live certificate is unchanged.",
        "Give up",
        lambda: deck.begin(
            f"Order of {name}",
            f"giving up the order of {name}",
            lambda report, cancel: deck.engine.give_up(name, report=report),
            lineage=name,
            quiet=True,
            said="The order is discarded.",
        ),
        danger=True,
    )


def records(deck: Deck, lineage: LineageStatus) -> None:
    """Show the DNS records for which an order waits."""
    from tui.screens.records import RecordsScreen

    deck.push_screen(RecordsScreen(lineage.name))


def complete(deck: Deck, lineage: LineageStatus) -> None:
    name = lineage.name
    deck.begin(
        f"Complete {name}",
        f"completing {name}",
        lambda report, cancel: deck.engine.complete(name, report=report, cancel=cancel),
        lineage=name,
        expects=tuple(target.name for target in lineage.targets),
    )


def auto_renew(deck: Deck, lineage: LineageStatus) -> None:
    name, wanted = lineage.name, not lineage.auto_renew
    if lineage.method == "upload":
        deck.notify(
            "It was uploaded, so no CA renews it. u uploads a new one; i orders one from a CA.",
            title=f"{printable(name)} cannot renew automatically",
            markup=False,
        )
        return
    words = (
        f"The scheduled run will renew it automatically{'' if lineage.timer == 'active' else ' once the timer is on (S)'}."
        if wanted
        else "It will no longer be renewed automatically. When it expires, its services fail."
    )
    ask_then(
        deck,
        f"Turn automatic renewal of {printable(name)} {'on' if wanted else 'off'}?",
        words,
        "Turn on" if wanted else "Turn off",
        lambda: deck.begin(
            f"Settings of {name}",
            f"changing {name}",
            lambda report, cancel: deck.engine.set_lineage(name, auto_renew=wanted, report=report),
            lineage=name,
            quiet=True,
            said=f"{name} renews automatically." if wanted else f"{name} no longer renews automatically.",
        ),
        danger=not wanted,
    )


def delete(deck: Deck, lineage: LineageStatus) -> None:
    name, used = lineage.name, bool(lineage.targets)
    names = ", ".join(printable(target.name) for target in lineage.targets)
    words = f"It is in use by {names}: its files stay as they are, but they are no longer renewed.\n\n" if used else ""
    ask_then(
        deck,
        f"Delete {printable(name)}?",
        f"{words}Its key, its certificate and its settings are removed. A sealed copy is kept for 30 days: Undelete in the "
        "palette restores it.",
        "Delete anyway" if used else "Delete",
        lambda: deck.begin(
            f"Delete {name}",
            f"deleting {name}",
            lambda report, cancel: deck.engine.delete(name, force=used, report=report),
            lineage=name,
            quiet=True,
        ),
        danger=True,
    )


def export(deck: Deck, lineage: LineageStatus) -> None:
    from tui.screens.dialogs.export import ExportChoice, ExportDialog

    def chosen(choice: ExportChoice | None) -> None:
        if choice is None:
            deck.say_nothing_changed()
            return
        deck.begin(
            f"Export {lineage.name}",
            f"exporting {lineage.name}",
            lambda report, cancel: deck.engine.export(
                lineage.name,
                format=choice.format,
                out=choice.out,
                passphrase=choice.passphrase,
                legacy=choice.legacy,
                report=report,
            ),
            lineage=lineage.name,
            quiet=True,
        )

    deck.open_dialog(ExportDialog(lineage.name), chosen)


def show_pem(deck: Deck, lineage: LineageStatus) -> None:
    def read(answer: PemView | CertdeckError) -> None:
        from tui.screens.pem import PemScreen

        if isinstance(answer, CertdeckError):
            deck.show_error(answer)
        else:
            deck.push_screen(PemScreen(answer, of_certificate=True))

    deck.bridge.ask(lambda: deck.engine.pem(lineage.name), read)


def _services(lineage: LineageStatus) -> str:
    if not lineage.targets:
        return "No service uses it."
    names = [printable(target.name) for target in lineage.targets]
    if len(names) == 1:
        return f"Then {names[0]} is tested, switched and reloaded. If a step fails, what is live stays live."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Then {listed} are tested, switched and reloaded, all of them or none. If a step fails, what is live stays live."


def ask_then(deck: Deck, title: str, words: str, yes: str, do: Callable[[], object], *, danger: bool = False) -> None:
    from tui.screens.dialogs.confirm import ConfirmDialog

    def answered(agreed: bool | None) -> None:
        if agreed:
            do()
        else:
            deck.say_nothing_changed()

    deck.open_dialog(ConfirmDialog(title, words, yes=yes, danger=danger), answered)
