"""`certdeck target …`: the services that certificates go to."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import UsageError
from tui.cli import exits
from tui.cli.jsonout import fields, findings_json
from tui.cli.parser import Command
from tui.cli.results_text import finding_lines
from tui.cli.tables import table
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import TargetInfo
    from tui.cli.call import Call


def _none(parser: argparse.ArgumentParser) -> None:
    del parser


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="TARGET")


def _list(call: Call) -> int:
    targets = call.engine.targets()
    rows = [
        [
            printable(each.name),
            printable(each.kind),
            printable(each.lineage or "–"),
            printable(each.certificate),
            printable(", ".join(each.probe) or "–"),
        ]
        for each in targets
    ]
    none = ["There is no target yet. `certdeck target add` sets one up."]
    lines = table(["NAME", "KIND", "CARRIES", "CERTIFICATE", "PROBE"], rows) if rows else none
    call.result({"targets": [_target_json(each) for each in targets]}, lines)
    return exits.DONE


def _target_json(target: TargetInfo) -> dict[str, object]:
    """Return a target as in `target list --json`; its probe is a text or a list of texts, as in the configuration."""
    probe = target.probe[0] if len(target.probe) == 1 else list(target.probe) or None
    return {**fields(target), "probe": probe}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("--kind", metavar="KIND", help="nginx or files (default)")
    parser.add_argument("--certificate", metavar="FILE", help="where the service reads the fullchain")
    parser.add_argument("--key", metavar="FILE", help="where the service reads the private key")
    parser.add_argument("--chain", metavar="FILE", help="where the intermediates alone go, if the service wants them")
    parser.add_argument("--test", metavar="COMMAND", help="tests its configuration; quoted, run without a shell")
    parser.add_argument(
        "--reload", metavar="COMMAND", help="makes it read the files again; quoted, run without a shell"
    )
    parser.add_argument(
        "--probe",
        metavar="HOST:PORT",
        action="append",
        help="where TLS is spoken after the reload; a name stands for all its addresses, smtp://HOST:PORT for STARTTLS; repeatable",
    )
    parser.add_argument(
        "--probe-name", metavar="NAME", help="server name to ask for (default: one that the certificate covers)"
    )
    parser.add_argument("--mode", choices=("link", "copy"), help="copy: for services that refuse symlinks")
    parser.add_argument("--owner", metavar="USER", help="of new files")
    parser.add_argument("--group", metavar="GROUP", help="of new files")
    parser.add_argument("--file-mode", metavar="MODE", help="of a new key file, e.g. 0640")


def _add(call: Call) -> int:
    args = call.args
    had = call.engine.config().targets.get(args.name)
    if had is None and not (args.certificate and args.key):
        raise UsageError(
            f"A new target needs --certificate and --key: {printable(args.name)}.",
            "They are the two files that the service reads.",
            "`certdeck target add --help` has examples.",
        )
    had = had or TargetConfig(name=args.name)
    config = replace(
        had,
        kind=args.kind or had.kind,
        certificate=args.certificate or had.certificate,
        key=args.key or had.key,
        chain=args.chain or had.chain,
        test=_words("--test", args.test) or had.test,
        reload=_words("--reload", args.reload) or had.reload,
        probe=tuple(args.probe or had.probe),
        probe_name=args.probe_name or had.probe_name,
        mode=args.mode or had.mode,
        owner=args.owner or had.owner,
        group=args.group or had.group,
        file_mode=args.file_mode or had.file_mode,
    )
    with call.working(tell=False):
        call.engine.add_target(config)
    name = printable(args.name)
    said = [
        f"{name} is set. `certdeck target test {name}` looks at it; `certdeck deploy NAME --target {name}` uses it."
    ]
    if config.kind == "nginx" and not (config.test and config.reload):
        said.append(
            "It is tested with `nginx -t` and reloaded with `nginx -s reload`: that is the nginx of the system, with its own "
            "configuration. For another one give --test and --reload, with its -c FILE."
        )
    call.result({"name": args.name, "changed": True}, said)
    return exits.DONE


def _words(option: str, command: str | None) -> tuple[str, ...]:
    """Split a quoted command into its words; no shell ever sees it."""
    try:
        return tuple(shlex.split(command or ""))
    except ValueError as exc:
        raise UsageError(
            f"{option} cannot be split into words.",
            f"{str(exc).capitalize()}: {printable(command or '')}",
            "Close every quotation mark.",
        ) from exc


def _remove(call: Call) -> int:
    with call.working(tell=False):
        call.engine.remove_target(call.args.name)
    call.result({"name": call.args.name, "changed": True}, [f"Removed {printable(call.args.name)}; its files stay."])
    return exits.DONE


def _test(call: Call) -> int:
    with call.working(tell=False):
        findings = call.engine.test_target(call.args.name, cancel=call.cancel)
    call.result(findings_json(findings), finding_lines(findings, call.output.out))
    return exits.FAILED if any(finding.status == "fail" for finding in findings) else exits.DONE


COMMANDS = (
    Command(words="target list", arguments=_none, run=_list, examples=("target list",)),
    Command(
        words="target add",
        arguments=_add_arguments,
        run=_add,
        examples=(
            "target add web --kind nginx --certificate /etc/ssl/web.crt --key /etc/ssl/web.key --probe 127.0.0.1:443",
            "target add mail --certificate /etc/mail.crt --key /etc/mail.key --reload 'postfix reload' --probe smtp://[::1]:25",
        ),
        notes="For a target that is there, only what is given is changed.",
    ),
    Command(words="target test", arguments=_name, run=_test, examples=("target test web",)),
    Command(words="target remove", arguments=_name, run=_remove, examples=("target remove web",)),
)
