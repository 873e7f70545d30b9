"""`certdeck fleet …`: several boxes, coordinated by etcd. Hubs order and renew, devices receive and deploy."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.parser import Command
from tui.cli.prompts import confirm, secret_from
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.fleet_status import Member
    from tui.cli.call import Call


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="ID of the box, from `certdeck fleet devices`")


# -- getting in --------------------------------------------------------------------------------------------------------


def _init_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--auth", action="store_true", help="create etcd's users and roles, and enable its authentication"
    )
    parser.add_argument(
        "--root-password-file", metavar="FILE", help="password of etcd's root, if authentication is already enabled"
    )


def _init(call: Call) -> int:
    from tui.cli.fleet_text import joined_json, joined_lines

    password = None
    if call.args.root_password_file:
        password = secret_from(call.args.root_password_file).decode()
    with call.working(tell=False) as report:
        done = call.engine.fleet_init(auth=call.args.auth, root_password=password, report=report, cancel=call.cancel)
    call.result({**joined_json(done), "created": done.created}, joined_lines(done))
    return exits.DONE


def _ticket(call: Call) -> int:
    with call.working(tell=False) as report:
        ticket = call.engine.fleet_ticket(report=report)
    call.result({"ticket": ticket}, [ticket])
    return exits.DONE


def _join_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ticket", metavar="FILE", help="output of `certdeck fleet ticket` on a hub; - is standard input"
    )


def _join(call: Call) -> int:
    from tui.cli.fleet_text import joined_json, joined_lines

    ticket = secret_from(call.args.ticket).decode("utf-8", "replace") if call.args.ticket else None
    with call.working(tell=False) as report:
        done = call.engine.fleet_join(ticket=ticket, report=report, cancel=call.cancel)
    call.result(joined_json(done), joined_lines(done))
    return exits.DONE


# -- boxes -------------------------------------------------------------------------------------------------------------


def _devices(call: Call) -> int:
    from tui.cli.fleet_text import member_json, member_lines

    found = call.engine.fleet_devices(cancel=call.cancel)
    call.result({"devices": [member_json(each) for each in found]}, member_lines(found))
    return exits.DONE


def _approve_arguments(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--fingerprint", metavar="F", help="the fingerprint that the box shows; any other is rejected")


def _approve(call: Call) -> int:
    from tui.cli.fleet_text import member_json

    args = call.args
    if args.fingerprint is None and call.can_ask:
        asking = _asking(call, args.id)
        if asking is not None:
            call.output.err.line(f"{printable(asking.name)} asks to join as {asking.role}. Fingerprint:")
            call.output.err.line(f"  {asking.fingerprint}")
            confirm(call, "Does the box itself show the same fingerprint (certdeck fleet join)?", "Approving the box")
    with call.working(tell=False) as report:
        member = call.engine.fleet_approve(args.id, expected=args.fingerprint, report=report, cancel=call.cancel)
    said = f"Approved {printable(member.name)} as {member.role}. It gets its certificates with its next request."
    call.result({**member_json(member), "changed": True}, [said])
    return exits.DONE


def _asking(call: Call, id: str) -> Member | None:
    return next((each for each in call.engine.fleet_devices() if each.id == id and each.state == "waiting"), None)


def _remove_arguments(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _remove(call: Call) -> int:
    from tui.cli.fleet_text import removed_lines

    args = call.args
    if not args.yes and call.can_ask:
        confirm(
            call,
            f"Remove {printable(args.id)}? It gets no more certificates, and its certificates are renewed with new keys.",
            "Removing the box",
        )
    with call.working() as report:
        done = call.engine.fleet_remove(args.id, report=report, cancel=call.cancel)
    value = {"id": done.id, "changed": True, "rotated": list(done.rotated), "failed": list(done.failed)}
    call.result(value, removed_lines(done))
    return exits.FAILED if done.failed else exits.DONE


def _status(call: Call) -> int:
    from tui.cli.fleet_text import status_json, status_lines

    found = call.engine.fleet_status(cancel=call.cancel)
    now = call.engine.env.clock.now()
    call.result(status_json(found), status_lines(found, now))
    return exits.DONE


# -- a device ----------------------------------------------------------------------------------------------------------


def _sync(call: Call) -> int:
    from tui.cli.fleet_text import received_json, received_lines, refused_lines

    with call.working() as report:
        done = call.engine.fleet_sync(report=report, cancel=call.cancel)
    call.result(received_json(done), received_lines(done))
    if not call.wants_json:
        call.output.err.lines(refused_lines(done))
    return exits.FAILED if done.failed else exits.DONE


def _watch(call: Call) -> int:
    from core.errors import Cancelled

    with call.working() as report, suppress(Cancelled):
        call.engine.fleet_watch(report=report, cancel=call.cancel)
    call.result({"stopped": True}, ())
    return exits.DONE


def _service_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("switch", metavar="on|off", choices=("on", "off"))


def _service(call: Call) -> int:
    with call.working(tell=False) as report:
        is_on = call.engine.fleet_service(on=call.args.switch == "on", report=report, cancel=call.cancel)
    said = "The service is running, and starts at boot." if is_on else "The service is off."
    call.result({"on": is_on}, [said])
    return exits.DONE


COMMANDS = (
    Command(
        words="fleet init",
        arguments=_init_arguments,
        run=_init,
        examples=("fleet init", "fleet init --auth    # etcd then requires passwords"),
        notes='Needs [fleet] in certdeck.toml with endpoints of etcd (3.4 or newer) and role = "hub" or "both".',
    ),
    Command(
        words="fleet join",
        arguments=_join_arguments,
        run=_join,
        examples=("fleet join", "fleet join --ticket ticket.txt"),
        notes="Creates the key of this box, which never leaves its vault, and shows the fingerprint to compare on the hub.",
    ),
    Command(words="fleet ticket", run=_ticket, examples=("fleet ticket > ticket.txt",)),
    Command(words="fleet devices", run=_devices, examples=("fleet devices",)),
    Command(
        words="fleet approve",
        arguments=_approve_arguments,
        run=_approve,
        examples=(
            "fleet approve 3f2a9c01d4e8b677",
            "fleet approve 3f2a9c01d4e8b677 --fingerprint 3f2a:9c01:d4e8:b677:…",
        ),
        notes="The ID is the start of the fingerprint. Take it from the box itself: certdeck compares the key with it.",
    ),
    Command(
        words="fleet remove",
        arguments=_remove_arguments,
        run=_remove,
        examples=("fleet remove 3f2a9c01d4e8b677",),
    ),
    Command(words="fleet status", run=_status, examples=("fleet status", "fleet status --json")),
    Command(words="fleet sync", run=_sync, examples=("fleet sync",)),
    Command(
        words="fleet service",
        arguments=_service_arguments,
        run=_service,
        examples=("fleet service on", "fleet service off"),
        notes="Installs certdeck-fleet.service, which runs `certdeck fleet watch`, and starts it.",
    ),
    Command(
        words="fleet watch",
        run=_watch,
        examples=("fleet watch",),
        notes="What certdeck-fleet.service runs. A device deploys published versions immediately. A hub takes part in the "
        "election and renews while it is the leader.",
    ),
)
