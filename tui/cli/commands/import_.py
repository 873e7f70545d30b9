"""`certdeck import`: checks and deploys a provided certificate."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import Cancelled
from core.lineage_status import METHODS_WITHOUT_CA
from core.upload.rejected import InputRejected
from core.upload.values import ImportRequest
from tui.cli import exits
from tui.cli.jsonout import certificate_json
from tui.cli.parser import Command
from tui.cli.prompts import agrees
from tui.cli.uploads import ask_passphrase, checklist, upload_arguments, upload_json, upload_of
from tui.glyphs import printable

if TYPE_CHECKING:
    from core.upload.values import Imported
    from tui.cli.call import Call

_TRIES = 3
_CHAIN_LINES = {
    "private": "Its chain is complete. Its CA is private: every client must trust the root.",
    "open": "The root of its chain is not known here. With a private CA, nothing is missing: every client must trust the root. "
    "With a public CA, `certdeck import {name} --cert FILE --chain FILE`, or with --fetch-chain, completes the chain.",
    "incomplete": "Its chain is not complete: many clients will reject it. "
    "`certdeck import {name} --cert FILE --chain FILE`, or with --fetch-chain, completes it.",
    "refused": "Clients will reject its chain: see above.",
}
"""Advice by state of the chain. A complete or self-signed one needs none."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the certificate")
    upload_arguments(parser)
    parser.add_argument("--target", metavar="TARGET", nargs="+", action="extend", help="deploy to these services")
    parser.add_argument("--force", action="store_true", help="apply it even if the chain or a host name is wrong")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="also replace a certificate that renews automatically; it then no longer renews",
    )
    parser.add_argument(
        "--keep-issuer",
        action="store_true",
        help="keep its renewal: for a newer certificate of another ACME client for the same names",
    )
    parser.set_defaults(words="import NAME")


def _run(call: Call) -> int:
    request = ImportRequest(
        name=call.args.name,
        upload=upload_of(call),
        host=call.args.host,
        targets=call.args.target,
        force=call.args.force,
        fetch_chain=call.args.fetch_chain,
        replace=_is_sure(call),
        keep_issuer=call.args.keep_issuer,
    )
    try:
        done = _attempt(call, request)
    except InputRejected as exc:
        if exc.outcome is None:
            raise
        if not call.wants_json:
            call.output.out.lines(checklist(exc.outcome, call.output.out))
            raise
        call.result(upload_json(exc.outcome), ())
        return exits.FAILED
    call.result(upload_json(done.check, certificate_json(done.status)), _lines(call, done))
    return exits.DONE


def _attempt(call: Call, request: ImportRequest) -> Imported:
    tries = _TRIES if call.can_ask else 0
    while True:
        try:
            with call.working() as report:
                return call.engine.import_upload(request, report=report, cancel=call.cancel)
        except InputRejected as exc:
            if exc.outcome is None or not exc.outcome.passphrase or not tries:
                raise
            tries -= 1
            passphrase = ask_passphrase(exc.outcome.passphrase == "wrong")
            request = replace(request, upload=replace(request.upload, passphrase=passphrase))


def _is_sure(call: Call) -> bool:
    """Ask for confirmation if a CA renews the certificate, or an order is open. Without a terminal, the engine refuses."""
    name = call.args.name
    if call.args.replace or not call.can_ask:
        return bool(call.args.replace)
    questions = []
    if name in call.engine.open_orders():
        questions.append(
            f"{printable(name)} has an open order. The import cancels it, and its DNS records become invalid. Continue?"
        )
    now = next((each for each in call.engine.status().lineages if each.name == name), None)
    if now is not None and now.method not in METHODS_WITHOUT_CA and not call.args.keep_issuer:
        questions.append(
            f"{printable(name)} currently renews automatically. An uploaded certificate does not. Continue?"
        )
    for question in questions:
        if not agrees(call, question):
            raise Cancelled("Nothing was done.", "You did not confirm.", "Answer y, or add --replace.")
    return bool(questions)


def _lines(call: Call, done: Imported) -> list[str]:
    from tui.wording.facts import target_shown

    lines = list(checklist(done.check, call.output.out))
    served = ", ".join(map(target_shown, done.status.targets)) or "no target yet"
    verb = "Already imported; deployed again:" if done.unchanged else "Imported"
    lines[-1] = f"{verb} {printable(done.status.name)}. Served by: {served}."
    if done.check.chain_state in _CHAIN_LINES:
        lines.append(_CHAIN_LINES[done.check.chain_state].format(name=printable(done.status.name)))
    if not call.args.keep_issuer:
        lines.append("It does not renew automatically; `certdeck status` shows when the next one is needed.")
    return lines


COMMANDS = (
    Command(
        words="import",
        meant="--cert",
        arguments=_arguments,
        run=_run,
        examples=(
            "import shop --cert shop.crt --key shop.key --chain ca.crt --target nginx",
            "import shop --pfx shop.pfx --passphrase-file secret",
            "import shop --cert shop.crt --fetch-chain",
        ),
        notes=(
            "Checks it first (`certdeck check`). If a service rejects it, the previous certificate is restored.\n"
            "No key is needed if the request was created here (`certdeck csr`)."
        ),
    ),
)
