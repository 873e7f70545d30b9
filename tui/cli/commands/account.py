"""`certdeck account …`: this box's accounts at its CAs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import AccountError, UsageError
from tui.cli import exits
from tui.cli.jsonout import fields, rfc3339
from tui.cli.parser import Command
from tui.cli.prompts import confirm, secret_from, secret_lines_from
from tui.cli.tables import table
from tui.cli.uploads import ask_passphrase
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.operations import AccountInfo
    from tui.cli.call import Call


_TRIES = 3
"""How often a passphrase is asked for."""


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
    none = ["There is no account yet. The first order at a CA creates one."]
    value = [_account_json(each) for each in accounts]
    call.result({"accounts": value}, table(["ISSUER", "CONTACT", "KEY", "URL"], rows) if rows else none)
    return exits.DONE


def _eab_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("issuer", metavar="ISSUER")
    parser.add_argument("--kid", required=True, metavar="KID", help="the key ID from the CA")
    parser.add_argument(
        "--hmac", required=True, metavar="FILE", help="file with the HMAC key, base64url; - is standard input"
    )


def _eab(call: Call) -> int:
    hmac = secret_from(call.args.hmac)
    with call.working(tell=False):
        call.engine.set_eab(call.args.issuer, kid=call.args.kid, hmac=hmac)
    value = {"issuer": call.args.issuer, "kid": call.args.kid}
    call.result(
        value, [f"The next account at {printable(call.args.issuer)} will be bound to {printable(call.args.kid)}."]
    )
    return exits.DONE


def _issuer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("issuer", metavar="ISSUER")


def _contact_arguments(parser: argparse.ArgumentParser) -> None:
    _issuer(parser)
    parser.add_argument("--email", metavar="ADDRESS", help="the new address")
    parser.add_argument("--none", action="store_true", help="remove the address")


def _contact(call: Call) -> int:
    args = call.args
    if (args.email is None) is not args.none:
        raise UsageError(
            "A contact is one address or none.",
            "Give exactly one of the two options.",
            "Give --email ADDRESS, or --none.",
        )
    with call.working() as report:
        account = call.engine.set_account_contact(args.issuer, args.email, report=report, cancel=call.cancel)
    said = (
        f"{printable(account.issuer)} now uses the contact {printable(account.contact)}."
        if account.contact
        else "The contact was removed."
    )
    return _show(call, account, said)


def _rollover(call: Call) -> int:
    with call.working() as report:
        account = call.engine.roll_over_account(call.args.issuer, report=report, cancel=call.cancel)
    said = f"The account at {printable(account.issuer)} has a new key: {printable(account.thumbprint)}"
    return _show(call, account, said)


def _deactivate_arguments(parser: argparse.ArgumentParser) -> None:
    _issuer(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _deactivate(call: Call) -> int:
    shown = printable(call.args.issuer)
    question = f"Deactivate the account at {shown}? This cannot be undone; certificates stay valid, open orders end."
    confirm(call, question, "Deactivating an account")
    with call.working() as report:
        call.engine.deactivate_account(call.args.issuer, report=report, cancel=call.cancel)
    value = {"issuer": call.args.issuer, "deactivated": True}
    call.result(value, [f"The account at {shown} was deactivated. The next order there creates a new one."])
    return exits.DONE


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    _issuer(parser)
    parser.add_argument(
        "--key", required=True, metavar="FILE", help="the account's key, PEM or JWK; - is standard input"
    )
    parser.add_argument("--replace", action="store_true", help="replace an existing account")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="file with the passphrase of an encrypted key; - is standard input"
    )


def _import(call: Call) -> int:
    args = call.args
    if args.key == args.passphrase_file == "-":
        raise UsageError(
            "Standard input cannot be both the key and its passphrase.",
            "It can be read only once.",
            "Put one of the two into a file.",
        )
    key = secret_lines_from(args.key)
    passphrase = secret_from(args.passphrase_file) if args.passphrase_file else None
    account = _imported(call, key, passphrase)
    said = [f"Orders at {printable(account.issuer)} now use this account: {printable(account.url)}"]
    if account.replaced:
        said.append(f"No longer used: the account {printable(account.replaced)}. It still exists at the CA.")
    call.result({"account": _account_json(account)}, said)
    return exits.DONE


def _imported(call: Call, key: bytes, passphrase: bytes | None) -> AccountInfo:
    """Import the account. On a terminal, ask for the passphrase of an encrypted key."""
    args, tries = call.args, _TRIES if call.can_ask else 0
    while True:
        try:
            with call.working() as report:
                return call.engine.import_account(
                    args.issuer, key, replace=args.replace, passphrase=passphrase, report=report, cancel=call.cancel
                )
        except AccountError as exc:
            state = exc.details.get("passphrase")
            if state is None or not tries:
                raise
            tries -= 1
            passphrase = ask_passphrase(state == "wrong")


def _show(call: Call, account: AccountInfo, said: str) -> int:
    call.result({"account": _account_json(account)}, [said])
    return exits.DONE


def _account_json(account: AccountInfo) -> dict[str, object]:
    """Return the JSON of an account, with `replaced` only after an import that replaced another account."""
    found = {**fields(account), "created": rfc3339(account.created) if account.created else None}
    return found if account.replaced else {key: value for key, value in found.items() if key != "replaced"}


COMMANDS = (
    Command(words="account list", run=_list, examples=("account list",)),
    Command(
        words="account eab",
        arguments=_eab_arguments,
        run=_eab,
        examples=("account eab zerossl --kid 4fIk6 --hmac hmac.txt",),
        notes="The HMAC key is kept in the vault, never in the configuration.",
    ),
    Command(
        words="account contact",
        arguments=_contact_arguments,
        run=_contact,
        examples=("account contact letsencrypt --email admin@example.com", "account contact letsencrypt --none"),
        meant="--email",
    ),
    Command(
        words="account rollover",
        arguments=_issuer,
        run=_rollover,
        examples=("account rollover letsencrypt",),
        notes="Use it if the key may have leaked. The account stays; the old key is no longer valid.",
    ),
    Command(
        words="account import",
        arguments=_import_arguments,
        run=_import,
        examples=(
            "account import letsencrypt --key private_key.json    # certbot: below /etc/letsencrypt/accounts",
            "account import letsencrypt --key account.key         # acme.sh; lego keeps EMAIL.key",
            "account import letsencrypt --key account.pem --passphrase-file key.txt    # mod_md: `key` of its md_store.json",
        ),
        notes="The CA must have an account for the key. The limits and bindings of that account stay in effect.",
    ),
    Command(
        words="account deactivate",
        arguments=_deactivate_arguments,
        run=_deactivate,
        examples=("account deactivate letsencrypt",),
    ),
)
