"""`certdeck target …`: the services that use the certificates."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import NotFound, UsageError
from tui.cli import exits
from tui.cli.jsonout import fields, findings_json
from tui.cli.parser import Command
from tui.cli.remote_options import add_remote_options, remote_settings
from tui.cli.results_text import finding_lines
from tui.cli.tables import table
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import TargetInfo
    from tui.cli.call import Call


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
    none = ["There is no target yet. Add one with `certdeck target add`."]
    lines = table(["NAME", "KIND", "CARRIES", "CERTIFICATE", "PROBE"], rows) if rows else none
    call.result({"targets": [_target_json(each) for each in targets]}, lines)
    return exits.DONE


def _target_json(target: TargetInfo) -> dict[str, object]:
    """Return a target as in `target list --json`. As in the configuration, its probe is a text or a list of texts."""
    probe = target.probe[0] if len(target.probe) == 1 else list(target.probe) or None
    return {**fields(target), "probe": probe}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("--kind", metavar="KIND", help="the service (`certdeck target kinds`); default: files")
    parser.add_argument("--detected", metavar="ID", help="use the settings of a service from `certdeck target detect`")
    parser.add_argument("--certificate", metavar="FILE", help="path from which the service reads the fullchain")
    parser.add_argument("--key", metavar="FILE", help="path from which the service reads the private key")
    parser.add_argument("--chain", metavar="FILE", help="path for the intermediates alone, if the service needs them")
    parser.add_argument(
        "--also",
        metavar="FORMAT:FILE",
        action="append",
        help="a further file for another program: fullchain, certificate, chain, key, combined, key-first, der or pfx; repeatable",
    )
    parser.add_argument(
        "--names",
        metavar="NAME",
        action="append",
        help="a name that clients use for the service; compared with its certificate; repeatable",
    )
    parser.add_argument(
        "--single",
        action=argparse.BooleanOptionalAction,
        help="the service takes only one certificate: a certificate that lacks one of its names is rejected",
    )
    parser.add_argument("--pfx-passphrase-file", metavar="FILE", help="file with the passphrase of PFX files")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        help="write domain.crt, domain.key and the other usual names into this folder, instead of --certificate and --key",
    )
    parser.add_argument("--primary", metavar="NAME", help="with --folder: files named after this domain as well")
    parser.add_argument(
        "--test", metavar="COMMAND", help="command that tests its configuration; quoted, run without a shell"
    )
    parser.add_argument(
        "--reload", metavar="COMMAND", help="command that makes it load the files; quoted, run without a shell"
    )
    parser.add_argument(
        "--probe",
        metavar="HOST:PORT",
        action="append",
        help="address to check over TLS after the reload; a name means all its addresses, smtp://HOST:PORT uses "
        "STARTTLS; repeatable",
    )
    parser.add_argument(
        "--probe-name", metavar="NAME", help="server name for the probe (default: a name of the certificate)"
    )
    parser.add_argument(
        "--probe-key",
        choices=("rsa", "ec"),
        help="key type for the probe, if the service has certificates of both types",
    )
    parser.add_argument("--mode", choices=("link", "copy"), help="copy: for services that refuse symlinks")
    parser.add_argument("--owner", metavar="USER", help="owner of new files")
    parser.add_argument("--group", metavar="GROUP", help="group of new files")
    parser.add_argument("--file-mode", metavar="MODE", help="mode of a new key file, e.g. 0640")
    parser.add_argument(
        "--layout",
        choices=("separate", "combined", "key-first", "leaf"),
        help="which files: certificate and key separate, in one file in this order, or the certificate without its chain",
    )
    parser.add_argument(
        "--in-place",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="overwrite the existing file, for a mounted single file; not atomic",
    )
    parser.add_argument("--socket", metavar="PATH", help="control socket, for kinds that use one")
    parser.add_argument(
        "--window", metavar="FROM-TO", help="scheduled runs deploy only in this window, e.g. 02:00-04:00; -: any time"
    )
    add_remote_options(parser)


def _add(call: Call) -> int:
    args = call.args
    if args.detected:
        return _add_detected(call)
    if args.folder:
        _take_folder(args)
    had = call.engine.config().targets.get(args.name)
    if had is None:
        _check_paths(call)
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
        probe_key=args.probe_key or had.probe_key,
        mode=args.mode or had.mode,
        owner=args.owner or had.owner,
        group=args.group or had.group,
        file_mode=args.file_mode or had.file_mode,
        layout=args.layout or had.layout,
        in_place=had.in_place if args.in_place is None else args.in_place,
        socket=args.socket or had.socket,
        also=tuple(args.also or ()) or had.also,
        names=tuple(args.names or ()) or had.names,
        single=had.single if args.single is None else args.single,
        pfx_passphrase_file=args.pfx_passphrase_file or had.pfx_passphrase_file,
        window=None if args.window == "-" else args.window or had.window,
        **remote_settings(args, _words),
    )
    with call.working(tell=False):
        call.engine.add_target(config)
    name = printable(args.name)
    said = [f"{name} is set. `certdeck target test {name}` checks it; `certdeck deploy NAME --target {name}` uses it."]
    said += _kind_lines(call, config)
    call.result({"name": args.name, "changed": True}, said)
    return exits.DONE


def _take_folder(args: argparse.Namespace) -> None:
    """Set the paths in a folder that several programs read."""
    from core.extra_files import usual_files

    if args.certificate or args.key:
        raise UsageError(
            "--folder was given together with --certificate or --key.",
            "--folder sets domain.crt and domain.key in that folder.",
            "Omit --certificate and --key, or omit --folder.",
        )
    if not args.folder.startswith("/"):
        raise UsageError(
            f"--folder is not an absolute path: {printable(args.folder)}.",
            "A service and a timer have different working folders.",
            "Give a path that begins with /.",
        )
    base = args.folder.rstrip("/")
    args.certificate, args.key = f"{base}/domain.crt", f"{base}/domain.key"
    args.also = [*usual_files(base, args.primary), *(args.also or ())]


def _check_paths(call: Call) -> None:
    """Raise UsageError if a new target lacks a path that its kind needs."""
    args = call.args
    if args.kind:
        try:
            kind = call.engine.target_kind(args.kind)
        except NotFound as exc:  # a wrong kind is a wrong argument, not a missing entry
            raise UsageError(exc.what, exc.why, exc.fix) from exc
        layout = args.layout or kind.layouts[0]
    else:
        layout = args.layout or "separate"
    is_one_file = layout in ("combined", "key-first")
    if args.certificate and (args.key or is_one_file):
        return
    wanted = "--certificate" if is_one_file else "--certificate and --key"
    raise UsageError(
        f"A new target needs {wanted}: {printable(args.name)}.",
        "It is the one file that the service reads."
        if is_one_file
        else "They are the two files that the service reads.",
        "`certdeck target add --help` has examples.",
    )


def _kind_lines(call: Call, config: TargetConfig) -> list[str]:
    """Return information about a new target of this kind."""
    kind = call.engine.target_kind(config.kind)
    said = []
    if kind.command and not config.reload:
        tested = f"tested with `{shlex.join(kind.test)}` and " if kind.test and not config.test else ""
        done = "restarted" if kind.action == "restart" else "reloaded"
        said.append(
            f"It is {tested}{done} with `{shlex.join(kind.command)}`: this is the {kind.title} of the system, with its "
            "default configuration. For another instance, set --test and --reload."
        )
        if kind.action == "restart" and kind.sessions == "cut":
            said.append(
                "It loads a new certificate only at a restart, which closes its connections. With --window 02:00-04:00, "
                "scheduled runs wait for that time."
            )
    return said


def _kinds_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="?", help="show only this kind, in detail")


def _kinds(call: Call) -> int:
    from tui.cli.target_text import kind_lines, kinds_lines

    if call.args.kind:
        kind = call.engine.target_kind(call.args.kind)
        call.result(fields(kind), kind_lines(kind))
    else:
        kinds = call.engine.target_kinds()
        call.result({"kinds": [fields(each) for each in kinds]}, kinds_lines(kinds))
    return exits.DONE


def _show(call: Call) -> int:
    from tui.cli.target_text import target_lines

    target = next((each for each in call.engine.targets() if each.name == call.args.name), None)
    if target is None:
        raise NotFound(
            f"There is no target {call.args.name!r}.",
            "The configuration has no target with that name.",
            "List the targets with `certdeck target list`.",
        )
    kind = call.engine.target_kind(target.kind)
    call.result({**_target_json(target), "about": fields(kind)}, target_lines(target, kind))
    return exits.DONE


def _add_detected(call: Call) -> int:
    with call.working(tell=False) as report:
        call.engine.take_over([call.args.detected], name=call.args.name, cancel=call.cancel, report=report)
    name = printable(call.args.name)
    call.result(
        {"name": call.args.name, "changed": True},
        [f"{name} is set. `certdeck deploy NAME --target {name}` deploys a certificate to it."],
    )
    return exits.DONE


def _words(option: str, command: str | None) -> tuple[str, ...]:
    """Split a quoted command into words. It is never run by a shell. Raises UsageError."""
    try:
        return tuple(shlex.split(command or ""))
    except ValueError as exc:
        raise UsageError(
            f"{option} is not a valid command line.",
            f"{str(exc).capitalize()}: {printable(command or '')}",
            "Close every quotation mark.",
        ) from exc


def _remove(call: Call) -> int:
    with call.working(tell=False):
        call.engine.remove_target(call.args.name)
    call.result({"name": call.args.name, "changed": True}, [f"Removed {printable(call.args.name)}. Its files stay."])
    return exits.DONE


def _test(call: Call) -> int:
    with call.working(tell=False):
        findings = call.engine.test_target(call.args.name, cancel=call.cancel)
    good, bad = "Nothing prevents a deployment", "would prevent a deployment"
    call.result(findings_json(findings), finding_lines(findings, call.output.out, good=good, bad=bad))
    return exits.FAILED if any(finding.status == "fail" for finding in findings) else exits.DONE


COMMANDS = (
    Command(words="target list", run=_list, examples=("target list",)),
    Command(
        words="target kinds",
        arguments=_kinds_arguments,
        run=_kinds,
        examples=("target kinds", "target kinds postfix"),
    ),
    Command(words="target show", arguments=_name, run=_show, examples=("target show web",)),
    Command(
        words="target add",
        arguments=_add_arguments,
        run=_add,
        examples=(
            "target add web --kind nginx --certificate /etc/ssl/web.crt --key /etc/ssl/web.key --probe 127.0.0.1:443",
            "target add mail --kind postfix --certificate /etc/mail.crt --key /etc/mail.key --probe smtp://[::1]:25",
            "target add proxy --kind haproxy --certificate /etc/haproxy/certs/site.pem --probe 127.0.0.1:443",
            "target add radio --certificate /etc/radio.crt --key /etc/radio.key --reload 'systemctl restart radio'",
            "target add web --detected nginx",
            "target add domains --folder /etc/ssl/domains --primary shop.example.com",
            "target add mail --certificate /etc/mail.crt --key /etc/mail.key --reload 'postfix reload' --probe smtp://[::1]:25",
        ),
        notes="For an existing target, only the given settings are changed.",
    ),
    Command(words="target test", arguments=_name, run=_test, examples=("target test web",)),
    Command(words="target remove", arguments=_name, run=_remove, examples=("target remove web",)),
)
