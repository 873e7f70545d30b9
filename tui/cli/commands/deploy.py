"""`certdeck deploy` and `certdeck rollback`: choose the version that the services use."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import deployment_json
from tui.cli.parser import Command
from tui.cli.results_text import deployment_lines

if TYPE_CHECKING:
    from core.operations import Deployment
    from tui.cli.call import Call


def _deploy_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--target",
        metavar="TARGET",
        nargs="+",
        action="extend",
        help="deploy to these targets from now on (default: its targets)",
    )
    parser.add_argument(
        "--version",
        metavar="N",
        type=int,
        dest="number",
        help="deploy this version (default: the newest that was not rolled back)",
    )
    _force_argument(parser)


def _force_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="also replace a newer certificate of another program")


def _deploy(call: Call) -> int:
    args = call.args
    targets = None if args.target is None else tuple(args.target)
    with call.working() as report:
        done = call.engine.deploy(
            args.name, targets=targets, version=args.number, force=args.force, report=report, cancel=call.cancel
        )
    return _show(call, done)


def _rollback_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    _force_argument(parser)


def _rollback(call: Call) -> int:
    with call.working() as report:
        done = call.engine.rollback(call.args.name, force=call.args.force, report=report, cancel=call.cancel)
    return _show(call, done)


def _show(call: Call, done: Deployment) -> int:
    call.result(deployment_json(done), deployment_lines(done))
    return exits.DONE


COMMANDS = (
    Command(
        words="deploy",
        arguments=_deploy_arguments,
        run=_deploy,
        examples=("deploy shop", "deploy shop --target nginx postfix", "deploy shop --version 3    # after a rollback"),
        notes="Deploys to all targets or none: if one fails, all of them return to the previous certificate.",
    ),
    Command(words="rollback", arguments=_rollback_arguments, run=_rollback, examples=("rollback shop",)),
)
