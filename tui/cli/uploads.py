"""The common parts of `check` and `import`: files, passphrase, and the text of the checklist."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core.errors import UsageError
from core.upload.values import MOST_BYTES, Part, Upload, UploadCheck
from tui.cli.jsonout import certificate_json, rfc3339
from tui.cli.output import Stream
from tui.cli.prompts import asked_secret, passphrase_from, standard_input
from tui.cli.tables import labelled
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from tui.cli.call import Call

_STDIN = "-"


def upload_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the files of an upload."""
    every = {"metavar": "FILE", "nargs": "+", "action": "extend", "default": []}
    parser.add_argument("--cert", help="the certificate; may also contain chain and key", **every)  # type: ignore[arg-type]  # mypy knows no types of the values of a mapping
    parser.add_argument("--key", help="the private key", **every)  # type: ignore[arg-type]  # mypy knows no types of the values of a mapping
    parser.add_argument("--chain", help="intermediate certificates, in any order", **every)  # type: ignore[arg-type]  # mypy knows no types of the values of a mapping
    parser.add_argument("--pfx", metavar="FILE", help="everything in one PKCS#12 file (.pfx, .p12)")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="for a protected key or PFX; may be empty (default: ask)"
    )
    parser.add_argument("--host", metavar="HOST", help="a name that clients use: the certificate must cover it")
    parser.add_argument(
        "--fetch-chain",
        action="store_true",
        help="fetch missing intermediates from the URL in the certificate (HTTP); otherwise nothing is fetched",
    )


def upload_of(call: Call) -> Upload:
    """Read the files in the arguments, each once. Raises UsageError (`usage`)."""
    args = call.args
    if not args.cert and not args.pfx:
        raise UsageError(
            "No certificate was given.",
            "The options are --cert FILE with --key and --chain, or --pfx FILE.",
            f"For example: certdeck {call.args.words} --cert site.crt --key site.key.",
        )
    if args.cert and args.pfx:
        raise UsageError("--cert and --pfx cannot be used together.", "Only one of them can be used.", "Omit one.")
    given = {"cert": args.cert, "key": args.key, "chain": args.chain, "pfx": [args.pfx] if args.pfx else []}
    files = [file for named in given.values() for file in named]
    if [*dict.fromkeys(files), args.passphrase_file].count(_STDIN) > 1:
        raise UsageError(
            "Standard input cannot be two things.", "- can be used only once.", "Put the passphrase into a file."
        )
    parts = tuple(
        replace(_part(call, file), roles=tuple(role for role, named in given.items() if file in named))
        for file in dict.fromkeys(files)
    )
    passphrase = None if args.passphrase_file is None else passphrase_from(args.passphrase_file)
    return Upload(parts, passphrase)


def _part(call: Call, file: str) -> Part:
    if file != _STDIN:
        return call.engine.read_part(Path(file))
    return Part("standard input", standard_input(MOST_BYTES))


def ask_passphrase(wrong: bool) -> bytes:
    """Ask for a passphrase without echo. Enter alone is the empty one. Raises Cancelled (`cancelled`), UsageError (`usage`)."""
    return asked_secret("Wrong. Passphrase: " if wrong else "Passphrase: ")


def upload_json(check: UploadCheck, certificate: object | None = None) -> dict[str, object]:
    """Return `check --json` and `import --json`. `certificate`: the status after an import."""
    if certificate is None and check.certificate is not None:
        certificate = certificate_json(check.certificate)
    return {
        "accepted": check.accepted,
        "checks": [{"id": each.id, "status": each.status, "detail": each.detail} for each in check.checks],
        "certificate": certificate,
        "notes": list(check.notes),
        "left_out": [
            {
                "kind": each.kind,
                "what": each.what,
                "not_after": None if each.not_after is None else rfc3339(each.not_after),
                "sha256": each.sha256 or None,
            }
            for each in check.left_out
        ],
    }


def checklist(check: UploadCheck, stream: Stream) -> Iterator[str]:
    """Yield the recognized content, each check, and the result."""
    if check.found:
        yield f"Found {', '.join(check.found)}."
    yield from map(printable, check.notes)
    if check.certificate is not None:
        status = check.certificate
        yield from labelled(
            [
                ("Names", ", ".join(map(text.name_shown, status.domains[:10])) or "none"),
                ("Issuer", printable(status.issuer)),
                ("Valid to", text.moment(status.not_after) if status.not_after else ""),
                ("SHA-256", printable(status.sha256)),
            ]
        )
    yield ""
    for each in check.checks:
        if each.status == "skip":
            continue
        mark = text.MARKS["warn" if each.forced else each.status]
        colour = {"pass": "green", "warn": "yellow", "fail": "red"}[each.status]
        forced = " (forced)" if each.forced else ""
        yield f"{stream.painted(mark.glyph, colour)} {each.title}: {printable(each.detail)}{forced}"
        if each.fix and each.status != "pass":
            yield f"  fix: {printable(each.fix)}"
    yield ""
    if not check.accepted:
        more = " --force applies it anyway." if check.can_be_forced else ""
        yield f"Refused.{more}"
    else:
        told = f", {text.plural(len(check.warnings), 'warning')}" if check.warnings else ""
        yield f"Good{told}."
