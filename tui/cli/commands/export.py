"""`certdeck export` and `certdeck pem`: copy a certificate for another program, or show it (SO-36)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from tui.cli import exits
from tui.cli.parser import Command
from tui.cli.prompts import new_passphrase
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call

_FORMATS = ("pem", "fullchain", "pfx", "der", "haproxy")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--format", required=True, choices=_FORMATS, help=", ".join(_FORMATS))
    parser.add_argument("--out", required=True, metavar="FILE", help="output file; an existing file is replaced")
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help="for pfx: file with the passphrase; - is standard input (default: ask)",
    )
    parser.add_argument(
        "--legacy",
        action="store_true",
        help="for pfx: an encryption that Windows Server 2016, Java 8 and GnuPG 2.2 support",
    )


def _run(call: Call) -> int:
    args = call.args
    if args.out == "-":
        raise UsageError(
            "An export is written to a file.",
            "Standard output could expose the private key.",
            "Give a file. `certdeck pem` shows the certificate without the key.",
        )
    passphrase = None
    if args.format == "pfx":
        passphrase = new_passphrase(call, args.passphrase_file, "A pfx file")
    elif args.passphrase_file is not None or args.legacy:
        raise UsageError(
            f"The format {args.format} does not support a passphrase.",
            "Only pfx supports encryption and --legacy.",
            "Omit --passphrase-file and --legacy, or use --format pfx.",
        )
    with call.working(tell=False):
        done = call.engine.export(
            args.name, format=args.format, out=Path(args.out), passphrase=passphrase, legacy=args.legacy
        )
    key = "with its private key, readable only by you" if done.has_key else "without a key"
    value: dict[str, object] = {
        "name": args.name,
        "path": str(done.path),
        "format": done.format,
        "has_key": done.has_key,
    }
    lines = [f"Wrote {printable(str(done.path))} ({done.format}, {key})."]
    if passphrase is not None and not passphrase.isascii():
        what = "Java cannot open this file: its passphrase has non-ASCII characters."
        fix = "For Java, export it again with an ASCII passphrase."
        value["warnings"] = [{"code": "passphrase-not-ascii", "what": what, "fix": fix}]
        lines.append(f"{what} {fix}")
    call.result(value, lines)
    return exits.DONE


def _pem_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _pem(call: Call) -> int:
    view = call.engine.pem(call.args.name)
    value = {"name": view.name, "sha256": view.sha256, "fullchain": view.fullchain}
    call.result(value, map(printable, view.fullchain.splitlines()))
    return exits.DONE


COMMANDS = (
    Command(
        words="pem",
        arguments=_pem_arguments,
        run=_pem,
        examples=("pem shop", "pem shop | openssl x509 -noout -text"),
        notes="`certdeck export` writes files, in other formats, and with the key.",
    ),
    Command(
        words="export",
        arguments=_arguments,
        run=_run,
        examples=(
            "export shop --format pfx --out shop.pfx --passphrase-file secret",
            "export shop --format fullchain --out shop.crt",
        ),
        notes="pem and haproxy contain the private key. The file is readable only by you (0600).",
    ),
)
