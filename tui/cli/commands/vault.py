"""`certdeck vault …`: changes or moves the master key, or creates a new vault if the key is lost."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.text import listed
from tui.cli import exits
from tui.cli.parser import Command
from tui.cli.prompts import confirm
from tui.glyphs import printable
from tui.wording.text import plural
from tui.wording.vault import AFTER_CREDENTIAL, credential_commands, moved_lines, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.kept import LostSecret
    from tui.cli.call import Call

_COSTS = {
    "account": ("account key", "The next order at its CA creates a new account."),
    "eab": ("external account binding", "Set it again: `certdeck account eab`."),
    "dns": ("secret of a DNS provider", "Set it again: `certdeck dns add NAME --replace`."),
    "notify": ("secret of a notification", "Set it again: `certdeck notify add NAME --replace`."),
    "ca": (
        "root of this box's own CA",
        "A new root is created, and clients must trust it: `certdeck issuer root`.",
    ),
    "version": ("key of an earlier version", "That version can no longer be deployed."),
    "order": ("key of an open order", "The order starts again."),
    "request": ("key of a signing request", "Create the request again."),
    "deleted": ("copy of a deleted certificate", "It cannot be restored."),
    "other": ("other secret", "Set it again where it is used."),
}
"""By kind of secret: its name, and the consequence of its loss."""


def _rotate(call: Call) -> int:
    with call.working(tell=False):
        count = call.engine.rotate_vault()
    call.result({"resealed": count}, [f"Sealed {plural(count, 'secret')} under a new master key."])
    return exits.DONE


def _move_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", required=True, choices=("file", "passphrase", "credential"), help="new place of the key"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="for credential: write the key to this new file, for `systemd-creds encrypt`"
    )


def _move(call: Call) -> int:
    args = call.args
    if args.out is not None and args.to != "credential":
        raise UsageError(
            f"A move to the {args.to} does not support --out.",
            "Only a credential is created from a file.",
            "Omit --out.",
        )
    if args.out == "-":
        raise UsageError("The key is written to a file.", "Standard output could expose the key.", "Name a new file.")
    with call.working(tell=False):
        done = call.engine.move_vault(args.to, out=None if args.out is None else Path(args.out).absolute())
    value: dict[str, object] = {
        "from": done.from_,
        "to": done.to,
        "done": done.is_done,
        "resealed": done.resealed,
        "removed": [str(path) for path in done.removed],
        "key_file": None if done.key_file is None else str(done.key_file),
    }
    if done.key_file is not None:
        commands = credential_commands(done.key_file)
        value["next"] = commands
        lines = [
            written_out(done.key_file),
            "Next, as root:",
            *(f"    {printable(each)}" for each in commands),
            *AFTER_CREDENTIAL,
        ]
    else:
        lines = list(moved_lines(done))
    call.result(value, lines)
    return exits.DONE


def _new_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _new(call: Call) -> int:
    if not call.args.yes and call.can_ask:
        for line in _lost_lines(call.engine.lost_secrets()):
            call.output.err.line(line)
    confirm(
        call,
        "Set these secrets aside and create a new vault? First look for a backup of etc/master.key, and check whether "
        "the key comes from a systemd credential or a passphrase that this shell does not have.",
        "Creating a new vault",
    )
    with call.working(tell=False):
        done = call.engine.new_vault()
    made = " A new master key was created: keep a copy of it." if done.is_new_key else ""
    aside = (
        f" The secrets that cannot be opened are in {printable(str(done.set_aside))}, in case the key is found."
        if done.set_aside
        else ""
    )
    value = {
        "lost": [{"kind": each.kind, "name": each.name} for each in done.lost],
        "set_aside": None if done.set_aside is None else str(done.set_aside),
        "new_key": done.is_new_key,
    }
    call.result(value, [*_lost_lines(done.lost), f"A new vault was created.{made}{aside}"])
    return exits.DONE


def _lost_lines(lost: Sequence[LostSecret]) -> Iterator[str]:
    """Yield the secrets that cannot be opened, by kind, with the consequences."""
    yield f"No key opens {plural(len(lost), 'secret')}. Certificates in service are not affected."
    for kind, (what, cost) in _COSTS.items():
        names = [printable(each.name.partition("/")[2] or each.name) for each in lost if each.kind == kind]
        if names:
            yield f"  {what}: {listed(names, 5)}. {cost}"


COMMANDS = (
    Command(
        words="vault new",
        arguments=_new_arguments,
        run=_new,
        examples=("vault new", "vault new --yes"),
        notes=(
            "Use it if the master key is lost and there is no backup. Secrets that no key opens are moved to\n"
            "state/set-aside; nothing is removed. If the key is found later, move the files back and restore the key."
        ),
    ),
    Command(
        words="vault move",
        arguments=_move_arguments,
        run=_move,
        examples=(
            "vault move --to passphrase",
            "vault move --to credential --out /root/certdeck-key",
            "vault move --to credential",
            "vault move --to file",
        ),
        notes=(
            "For a passphrase, set CERTDECK_PASSPHRASE_FILE. For a systemd credential, write the key to a file with\n"
            "--out, run the commands shown, and repeat the move with the credential loaded: certdeck then removes the key on\n"
            "disk. After an interruption, run the same command again. Earlier backups need the old key."
        ),
    ),
    Command(
        words="vault rotate",
        run=_rotate,
        examples=("vault rotate",),
        notes="Use it if the master key may have leaked. Older backups need the old key.",
    ),
)
