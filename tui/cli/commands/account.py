"""`certdeck account …`: this box's accounts at its CAs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.jsonout import fields, rfc3339
from tui.cli.parser import Command
from tui.cli.prompts import secret_from
from tui.cli.tables import table
from tui.glyphs import printable

if TYPE_CHECKING:
    from tui.cli.call import Call


def _none(parser: argparse.ArgumentParser) -> None:
    del parser


def _list(call: Call) -> int:
    accounts = call.engine.accounts()
    rows = [
        [
            printable(each.issuer),
            printable(each.contact or "–"),
            printable(each.key_type),
            printable(each.url) or "not registered yet",
        ]
        for each in accounts
    ]
    none = ["There is no account yet. The first order at a CA makes one."]
    value = [{**fields(each), "created": rfc3339(each.created) if each.created else None} for each in accounts]
    call.result({"accounts": value}, table(["ISSUER", "CONTACT", "KEY", "URL"], rows) if rows else none)
    return exits.DONE


def _eab_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("issuer", metavar="ISSUER")
    parser.add_argument("--kid", required=True, metavar="KID", help="the key id that the CA gave")
    parser.add_argument(
        "--hmac", required=True, metavar="FILE", help="holds the HMAC key, base64url; - is standard input"
    )


def _eab(call: Call) -> int:
    hmac = secret_from(call.args.hmac)
    with call.working(tell=False):
        call.engine.set_eab(call.args.issuer, kid=call.args.kid, hmac=hmac)
    value = {"issuer": call.args.issuer, "kid": call.args.kid}
    call.result(value, [f"The next account at {printable(call.args.issuer)} is bound to {printable(call.args.kid)}."])
    return exits.DONE


COMMANDS = (
    Command(words="account list", arguments=_none, run=_list, examples=("account list",)),
    Command(
        words="account eab",
        arguments=_eab_arguments,
        run=_eab,
        examples=("account eab zerossl --kid 4fIk6 --hmac hmac.txt",),
        notes="The HMAC key is kept in the vault, never in the configuration.",
    ),
)
