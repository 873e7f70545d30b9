"""`certdeck adopt`: finds certificates of other ACME clients on this machine, and takes them over."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.adoption import AdoptRequest
from core.errors import UsageError
from tui.cli import exits
from tui.cli.adopt_text import adoption_json, adoption_lines, failure_lines
from tui.cli.parser import Command
from tui.cli.prompts import secret_from

if TYPE_CHECKING:
    from tui.cli.call import Call


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="take over these certificates (default: list all)")
    parser.add_argument("--all", action="store_true", help="take over everything possible")
    parser.add_argument(
        "--from", dest="client", metavar="CLIENT", help="certbot, acme.sh, lego … (default: all of them)"
    )
    parser.add_argument("--dir", metavar="DIR", help="look in this folder instead of the usual places")
    parser.add_argument("--issuer", metavar="ISSUER", help="the CA, if the other client's files do not name it")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="file with the passphrase of an encrypted key; - is standard input"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done; change nothing")


def _run(call: Call) -> int:
    args = call.args
    folder = Path(args.dir) if args.dir is not None else None
    if args.all and args.names:
        raise UsageError("Give either names or --all.", "--all takes over everything.", "Omit one of them.")
    if not args.names and not args.all:
        done = call.engine.adoptable(client=args.client, folder=folder)
    else:
        passphrase = secret_from(args.passphrase_file) if args.passphrase_file else None
        with call.working() as report:
            request = AdoptRequest(
                args.names,
                every=args.all,
                client=args.client,
                folder=folder,
                issuer=args.issuer,
                passphrase=passphrase,
                dry_run=args.dry_run,
            )
            done = call.engine.adopt(request, report=report, cancel=call.cancel)
    given = (("--from", args.client), ("--dir", args.dir))
    where = [word for option, value in given if value is not None for word in (option, value)]
    call.result(adoption_json(done), adoption_lines(done, is_list=not args.names and not args.all, where=where))
    if not call.wants_json:
        call.output.err.lines(failure_lines(done))
    return exits.FAILED if done.failed else exits.DONE


COMMANDS = (
    Command(
        words="adopt",
        arguments=_arguments,
        run=_run,
        examples=(
            "adopt",
            "adopt www.example.com --dry-run",
            "adopt --from certbot --all",
            "adopt --dir /mnt/old/etc/letsencrypt www.example.com",
        ),
        notes=(
            "Supports certbot, acme.sh, lego, dehydrated, uacme, getssl, Caddy, mod_md and acmetool. Takes over the\n"
            "certificate, its key, the account, and its validation settings. The other client's files are not changed.\n"
            "The exit status is 1 when a name could not be taken over."
        ),
    ),
)
