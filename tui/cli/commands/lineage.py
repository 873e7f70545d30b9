"""`certdeck set`, `revoke` and `delete`: change a certificate without ordering one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import UsageError
from tui.cli import exits
from tui.cli.parser import Command
from tui.cli.prompts import confirm
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import IssuerChange
    from tui.cli.call import Call


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+")
    parser.add_argument("--issuer", metavar="ISSUER", help="order from this issuer at the next run")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--auto-renew", choices=("on", "off"), help="whether the scheduled run renews it")
    parser.add_argument(
        "--renew-days-before", metavar="N", type=int, help="days before it expires; 0: the default rule"
    )
    parser.add_argument(
        "--fallback",
        metavar="NAME",
        help="the certificate to serve if renewal fails; -: the self-signed one of the box",
    )


def _set(call: Call) -> int:
    args = call.args
    fallback = "" if args.fallback == "-" else args.fallback
    own = args.auto_renew is not None or args.renew_days_before is not None or fallback is not None
    if not own and args.issuer is None:
        raise UsageError(
            "Nothing to set was given.",
            "The options are --auto-renew, --renew-days-before, --fallback and --issuer.",
            f"For example: certdeck set {printable(args.names[0])} --auto-renew on",
        )
    if args.renew_days_before is not None and args.renew_days_before < 0:
        raise UsageError("Days cannot be negative.", "They count back from the expiry.", "Give 0 or more days.")
    auto_renew = None if args.auto_renew is None else args.auto_renew == "on"
    names = list(dict.fromkeys(args.names))
    changes = _agreed_changes(call, names) if args.issuer is not None else ()
    with call.working(tell=False):
        if own:
            for name in names:
                call.engine.set_lineage(
                    name, auto_renew=auto_renew, renew_days_before=args.renew_days_before, fallback=fallback
                )
        if changes:
            call.engine.change_issuer([change.name for change in changes], args.issuer)
    given = {
        "auto_renew": auto_renew,
        "renew_days_before": args.renew_days_before,
        "fallback": fallback,
        "issuer": args.issuer,
    }
    value = {"name": names[0], **{key: each for key, each in given.items() if each is not None}}
    if len(names) > 1:
        value["names"] = names
    lines = [f"Changed the settings of {', '.join(map(printable, names))}."]
    if args.issuer is not None:
        value["changed"] = [{"name": change.name, "before": change.before} for change in changes]
        lines = [*map(_change_line, changes)] or [f"Nothing to change: all already use {printable(args.issuer)}."]
        lines += [
            f"`certdeck doctor {printable(change.name)}` shows what would stop the order." for change in changes[:1]
        ]
    call.result(value, lines)
    return exits.DONE


def _agreed_changes(call: Call, names: list[str]) -> tuple[IssuerChange, ...]:
    """Return the certificates that get another issuer, after the user has confirmed the list."""
    changes = call.engine.change_issuer(names, call.args.issuer, dry_run=True)
    if changes:
        listed = ", ".join(f"{printable(each.name)} (now {printable(each.before)})" for each in changes)
        confirm(call, f"Order {listed} from {printable(call.args.issuer)} at the next run?", "Changing the issuer")
    return changes


def _change_line(change: IssuerChange) -> str:
    when = f"start with `certdeck renew {printable(change.name)}`" if change.by_hand else "at the next run"
    return f"{printable(change.name)}: {printable(change.before)} -> {printable(change.after)}, {when}"


def _sure_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    _sure_arguments(parser)
    parser.add_argument(
        "--reason",
        default="unspecified",
        metavar="REASON",
        help="unspecified (default), keyCompromise, superseded or cessationOfOperation",
    )


def _revoke(call: Call) -> int:
    name = call.args.name
    shown = _existing(call, name)
    call.engine.check_revocable(name, reason=call.args.reason)
    confirm(
        call,
        f"Revoke {shown} at its CA? Clients that check revocation will reject it. This cannot be undone.",
        "Revoking",
    )
    with call.working() as report:
        call.engine.revoke(name, reason=call.args.reason, report=report, cancel=call.cancel)
    value = {"name": name, "revoked": True, "reason": call.args.reason}
    call.result(
        value, [f"Revoked {printable(name)}. It stays in use: `certdeck renew {printable(name)} --force` replaces it."]
    )
    return exits.DONE


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    _sure_arguments(parser)
    parser.add_argument(
        "--force", action="store_true", help="delete it even if a service uses it; the service keeps its files"
    )


def _delete(call: Call) -> int:
    name = call.args.name
    if call.engine.is_of_fleet(name):
        question = (
            f"Delete {printable(name)} from the fleet? Devices keep their current files, which are no longer renewed."
        )
    else:
        question = f"Delete {_existing(call, name)}? A sealed copy stays for 30 days."
    confirm(call, question, "Deleting")
    with call.working() as report:
        done = call.engine.delete(name, force=call.args.force, report=report)
    from tui.cli.jsonout import rfc3339
    from tui.wording.text import moment

    value = {"name": done.name, "kept_until": None if done.kept_until is None else rfc3339(done.kept_until)}
    kept = f" A sealed copy stays until {moment(done.kept_until)}." if done.kept_until else ""
    call.result(value, [f"Deleted {printable(done.name)}.{kept}"])
    return exits.DONE


def _existing(call: Call, name: str) -> str:
    """Return name and domains of a lineage, for a question. Raises NotFound."""
    from tui.wording.text import names_shown

    status = call.engine.status((name,))
    domains = names_shown(status.lineages[0].domains) if status.lineages else "its file cannot be read"
    return f"{printable(name)} ({domains})"


COMMANDS = (
    Command(
        words="set",
        arguments=_set_arguments,
        run=_set,
        examples=(
            "set shop --auto-renew off",
            "set shop --renew-days-before 20",
            "set shop --fallback wild",
            "set shop mail --issuer zerossl    # shows a list and asks",
        ),
    ),
    Command(
        words="revoke",
        arguments=_revoke_arguments,
        run=_revoke,
        examples=("revoke shop --reason keyCompromise",),
        notes="The files stay, because a service cannot start without its certificate.",
    ),
    Command(words="delete", arguments=_delete_arguments, run=_delete, examples=("delete shop", "delete shop --yes")),
)
