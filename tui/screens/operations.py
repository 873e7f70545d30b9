"""What a screen does with one certificate: ask first, then hand the work to the bridge."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import CertdeckError
from core.operations import IssueRequest, LineageStatus, PemView, RenewalReport, TargetInfo
from tui.deck import Deck
from tui.glyphs import printable
from tui.wording import text


def issue(deck: Deck) -> None:
    """Open the wizard."""
    from tui.screens.issue import IssueScreen

    deck.push_screen(IssueScreen())


def renew(deck: Deck, lineage: LineageStatus) -> None:
    """Order the certificate anew. What is proved by hand has to be ordered: a renewal never begins such an order by itself."""
    name = lineage.name
    if text.is_manual(lineage):
        _renew_by_hand(deck, lineage)
        return
    due = (
        "It is due."
        if lineage.renew_at is not None and lineage.renew_at <= deck.now()
        else "It is not due yet; this orders a new one all the same."
    )
    _ask_then(
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
    _ask_then(
        deck,
        f"Renew {printable(name)}?",
        "Its DNS records are set by hand: the order has new values, which are shown next. What is live stays live until then.",
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
    """Return the report, or raise the failure of the one certificate that was asked for."""
    if report.failed:
        raise report.failed[0].error
    return report


def deploy(deck: Deck, lineage: LineageStatus) -> None:
    """Ask which services, and put the newest version onto them."""
    name, has = lineage.name, tuple(target.name for target in lineage.targets)

    def listed(answer: tuple[TargetInfo, ...] | CertdeckError) -> None:
        from tui.screens.dialogs.deploy import DeployDialog

        if isinstance(answer, CertdeckError):
            deck.show_error(answer)
        elif not answer:
            deck.notify("Add one first: y Targets.", title="There is no service to deploy to", markup=False)
        else:
            deck.push_screen(DeployDialog(lineage, answer), chosen)

    def chosen(targets: tuple[str, ...] | None) -> None:
        if targets is None:
            return
        wanted = None if set(targets) == set(has) else targets
        deck.begin(
            f"Deploy {name}",
            f"deploying {name}",
            lambda report, cancel: deck.engine.deploy(name, targets=wanted, report=report, cancel=cancel),
            lineage=name,
            expects=targets,
        )

    deck.bridge.ask(deck.engine.targets, listed)


def roll_back(deck: Deck, lineage: LineageStatus) -> None:
    name = lineage.name
    _ask_then(
        deck,
        f"Roll {printable(name)} back?",
        f"The version before {lineage.version} goes live again. {_services(lineage)} A renewal brings a newer one as usual.",
        "Roll back",
        lambda: deck.begin(
            f"Roll back {name}",
            f"rolling back {name}",
            lambda report, cancel: deck.engine.rollback(name, report=report, cancel=cancel),
            lineage=name,
            expects=tuple(target.name for target in lineage.targets),
        ),
        danger=True,
    )


def records(deck: Deck, lineage: LineageStatus) -> None:
    """Show the DNS records that an order waits for."""
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
    words = (
        "The scheduled run renews it by itself again."
        if wanted
        else "Nobody renews it any more until you do, or switch this on again. When it ends, services that use it fail."
    )
    _ask_then(
        deck,
        f"Switch automatic renewal of {printable(name)} {'on' if wanted else 'off'}?",
        words,
        "Switch on" if wanted else "Switch off",
        lambda: deck.begin(
            f"Settings of {name}",
            f"changing {name}",
            lambda report, cancel: deck.engine.set_lineage(name, auto_renew=wanted, report=report),
            lineage=name,
            quiet=True,
        ),
        danger=not wanted,
    )


def delete(deck: Deck, lineage: LineageStatus) -> None:
    name, used = lineage.name, bool(lineage.targets)
    names = ", ".join(printable(target.name) for target in lineage.targets)
    words = (
        f"It is in use by {names}: the files there stay as they are, but nothing renews them any more.\n\n"
        if used
        else ""
    )
    _ask_then(
        deck,
        f"Delete {printable(name)}?",
        f"{words}Its key, its certificate and its settings go. A sealed copy is kept for 30 days.",
        "Delete all the same" if used else "Delete",
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

    deck.push_screen(ExportDialog(lineage.name), chosen)


def show_pem(deck: Deck, lineage: LineageStatus) -> None:
    def read(answer: PemView | CertdeckError) -> None:
        from tui.screens.pem import PemScreen

        if isinstance(answer, CertdeckError):
            deck.show_error(answer)
        else:
            deck.push_screen(PemScreen(answer))

    deck.bridge.ask(lambda: deck.engine.pem(lineage.name), read)


def _services(lineage: LineageStatus) -> str:
    if not lineage.targets:
        return "No service uses it."
    names = [printable(target.name) for target in lineage.targets]
    if len(names) == 1:
        return f"Then {names[0]} is tested, switched and reloaded. If anything goes wrong, what is live stays live."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Then {listed} are tested, switched and reloaded, all of them or none. If anything goes wrong, what is live stays live."


def _ask_then(deck: Deck, title: str, words: str, yes: str, do: Callable[[], object], *, danger: bool = False) -> None:
    from tui.screens.dialogs.confirm import ConfirmDialog

    def answered(agreed: bool | None) -> None:
        if agreed:
            do()

    deck.push_screen(ConfirmDialog(title, words, yes=yes, danger=danger), answered)
