"""`certdeck check`: runs only the upload checks. Changes nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.cli import exits
from tui.cli.parser import Command
from tui.cli.uploads import ask_passphrase, checklist, upload_arguments, upload_json, upload_of

if TYPE_CHECKING:
    from core.upload.values import Upload, UploadCheck
    from tui.cli.call import Call

_TRIES = 3


def _arguments(parser: argparse.ArgumentParser) -> None:
    upload_arguments(parser)
    parser.add_argument("--name", metavar="NAME", help="compare with the live version of this certificate")
    parser.set_defaults(words="check")


def _run(call: Call) -> int:
    upload = upload_of(call)
    check = _checked(call, upload)
    for _ in range(_TRIES):
        if not check.passphrase or not call.can_ask:
            break
        upload = replace(upload, passphrase=ask_passphrase(check.passphrase == "wrong"))
        check = _checked(call, upload)
    call.result(upload_json(check), checklist(check, call.output.out))
    return exits.DONE if check.accepted else exits.FAILED


def _checked(call: Call, upload: Upload) -> UploadCheck:
    args = call.args
    return call.engine.check_upload(upload, host=args.host, name=args.name, fetch_chain=args.fetch_chain)


COMMANDS = (
    Command(
        words="check",
        arguments=_arguments,
        run=_run,
        meant="--cert",
        examples=(
            "check --cert site.crt --key site.key --chain ca.crt --host www.example.com",
            "check --pfx site.pfx --passphrase-file secret",
            "check --cert - < everything.pem",
        ),
        notes=(
            "--cert accepts any format, with certificate, chain and key in any order. A file for --key, --chain or --pfx must\n"
            "contain exactly that. The key of a request made here (`certdeck csr`) is found automatically."
        ),
    ),
)
