"""`certdeck backup` and `certdeck restore`: write everything except the log to one encrypted file, and restore it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from tui.cli import exits
from tui.cli.jsonout import rfc3339
from tui.cli.parser import Command
from tui.cli.prompts import asked_secret, new_passphrase, secret_from, secret_lines_from
from tui.glyphs import printable
from tui.wording.text import moment_in_words, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.archives import BackupDone, RestoreDone
    from tui.cli.call import Call

_PASSPHRASE_COST = "Store the passphrase separately from the file: without it, the backup cannot be opened."
_KEY_COST = "Store the private key outside this box: without it, the backup cannot be opened."


def _backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", help="output file; an existing file is replaced")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="file with the passphrase; - is standard input (default: ask)"
    )
    parser.add_argument("--to-key", metavar="FILE", help="seal it to an X25519 public key (PEM) instead")
    parser.add_argument("--elsewhere", action="store_true", help="do not remind: this box is backed up by other means")


def _backup(call: Call) -> int:
    args = call.args
    if args.elsewhere:
        return _elsewhere(call)
    if args.out is None or args.out == "-":
        raise UsageError(
            "A backup is written to a file.",
            "--out FILE is missing." if args.out is None else "Standard output cannot be written atomically.",
            "Run: certdeck backup --out FILE",
        )
    if args.to_key is not None and args.passphrase_file is not None:
        raise UsageError(
            "A backup is sealed with one secret.", "Both a passphrase and a key were given.", "Omit one of them."
        )
    to_key = None if args.to_key is None else secret_lines_from(args.to_key)
    passphrase = None if to_key is not None else new_passphrase(call, args.passphrase_file, "A backup")
    with call.working(tell=False) as report:
        done = call.engine.backup(
            Path(args.out), passphrase=passphrase, to_key=to_key, report=report, cancel=call.cancel
        )
    warnings = _warnings(done)
    value: dict[str, object] = {
        "path": str(done.path),
        "files": done.files,
        "bytes": done.bytes,
        "certificates": done.certificates,
        "sealed_for": done.sealed_for,
        "master_key": done.key_source,
    }
    if warnings:
        value["warnings"] = warnings
    said = f"{plural(done.certificates, 'certificate')}, {plural(done.files, 'file')}, {_size(done.bytes)}"
    lines = [f"Wrote {printable(str(done.path))} ({said}).", _KEY_COST if to_key is not None else _PASSPHRASE_COST]
    call.result(value, [*lines, *(f"{each['what']} {each['fix']}" for each in warnings)])
    return exits.DONE


def _elsewhere(call: Call) -> int:
    if call.args.out is not None:
        raise UsageError(
            "A backup is either made here or elsewhere.", "--out creates a backup here.", "Omit --elsewhere or --out."
        )
    with call.working(tell=False) as report:
        call.engine.backed_up_elsewhere(report=report)
    call.result({"elsewhere": True}, ["Saved: this box is backed up by other means."])
    return exits.DONE


def _warnings(done: BackupDone) -> list[dict[str, str]]:
    found = []
    if done.key_source in ("passphrase", "credential"):
        word = "the passphrase of the vault" if done.key_source == "passphrase" else "a systemd credential"
        found.append(
            {
                "code": "master-key-not-in-backup",
                "what": f"The master key comes from {word}, which is not in the backup.",
                "fix": "Keep a copy of it too.",
            }
        )
    for path in done.skipped:
        what = f"{printable(path)} is not in the backup: it is a link, a device, or too large."
        found.append({"code": "not-in-backup", "what": what, "fix": "If you need it, copy it by other means."})
    return found


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 10_000 else f"{count / 1024:,.0f} KiB"


# -- restore -----------------------------------------------------------------------------------------------------------


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="file with the passphrase; - is standard input (default: ask)"
    )
    parser.add_argument("--key", metavar="FILE", help="the X25519 private key (PEM) that it was sealed to")
    parser.add_argument(
        "--dry-run", action="store_true", help="read the whole backup and show what would change; change nothing"
    )
    parser.add_argument("--replace", action="store_true", help="move the existing settings and state of this box aside")


def _restore(call: Call) -> int:
    args = call.args
    if args.key is not None and args.passphrase_file is not None:
        raise UsageError(
            "A backup is opened with one secret.", "Both a passphrase and a key were given.", "Omit one of them."
        )
    key = None if args.key is None else secret_lines_from(args.key)
    passphrase = None if key is not None else _passphrase(call)
    file = Path(args.file)
    if args.dry_run:
        done = call.engine.look_at_backup(file, passphrase=passphrase, key=key)
    else:
        with call.working(tell=False) as report:
            done = call.engine.restore(
                file, passphrase=passphrase, key=key, replace=args.replace, report=report, cancel=call.cancel
            )
    call.result(_restored_json(done), _restored_lines(done))
    return exits.DONE


def _passphrase(call: Call) -> bytes:
    if call.args.passphrase_file is not None:
        return secret_from(call.args.passphrase_file)
    if not call.can_ask:
        raise UsageError(
            "A backup needs its passphrase.",
            "There is no terminal to ask for it, and a passphrase is never an argument.",
            "Put it into a file and add --passphrase-file FILE (- reads standard input), or give --key FILE.",
        )
    return asked_secret("Passphrase of the backup: ")


def _restored_json(done: RestoreDone) -> dict[str, object]:
    return {
        "path": str(done.path),
        "applied": done.applied,
        "made": rfc3339(done.made),
        "version": done.version,
        "hostname": done.hostname,
        "certificates": done.certificates,
        "files": done.files,
        "bytes": done.bytes,
        "needs_replace": done.needs_replace,
        "differences": [
            {"kind": each.kind, "name": each.name, "state": each.state, "text": each.text} for each in done.differences
        ],
        "set_aside": [str(folder) for folder in done.set_aside],
    }


def _restored_lines(done: RestoreDone) -> Iterator[str]:
    made = f"made on {printable(done.hostname)} on {moment_in_words(done.made)}"
    said = f"{plural(done.certificates, 'certificate')}, {plural(done.files, 'file')}, {_size(done.bytes)}"
    yield f"{'Restored' if done.applied else 'The backup is valid:'} {printable(str(done.path))}, {made} ({said})."
    for each in done.differences:
        yield f"  {printable(each.text)}"
    if not done.applied:
        yield "Nothing was changed." + (" To restore it here, add --replace." if done.needs_replace else "")
        return
    for folder in done.set_aside:
        yield f"The previous files are in {printable(str(folder))}. Remove them when they are no longer needed."
    yield "No service was changed. `certdeck status` shows what each service serves; `certdeck deploy NAME` updates it."


COMMANDS = (
    Command(
        words="backup",
        arguments=_backup_arguments,
        run=_backup,
        examples=(
            "backup --out /mnt/usb/box.backup --passphrase-file secret",
            "backup --out box.backup --to-key backup.pub",
            "backup --elsewhere    # the whole box is backed up by other means",
        ),
        notes=(
            "Contains settings, certificates with their keys, accounts, the vault and the master key; not the log. The file is\n"
            "sealed (scrypt or X25519, AES-256-GCM) and readable only by you (0600). A key pair for --to-key:\n"
            "  openssl genpkey -algorithm X25519 -out backup.key\n"
            "  openssl pkey -in backup.key -pubout -out backup.pub"
        ),
    ),
    Command(
        words="restore",
        arguments=_restore_arguments,
        run=_restore,
        examples=(
            "restore box.backup --dry-run",
            "restore box.backup --passphrase-file secret",
            "restore box.backup --key backup.key --replace",
        ),
        notes=(
            "Restores everything or nothing. No service is changed. With --replace, the existing files move to folders\n"
            "replaced-TIME next to the restored ones. The log of this box stays."
        ),
    ),
)
