"""The output of `adopt`, as JSON and as text. Text from the other clients' files goes through `printable`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from tui.cli.jsonout import rfc3339
from tui.cli.tables import table
from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.adoption import Adoptable, Adopted, Adoption

_NAMES_SHOWN = 3
_STATES = {"new": "ready", "adopted": "adopted", "taken": "name taken", "unusable": "unusable"}


def adoption_json(done: Adoption) -> dict[str, object]:
    """Return the JSON object of `adopt`."""
    return {
        "found": [_plain(asdict(each)) | {"hooks": [asdict(hook) for hook in each.hooks]} for each in done.found],
        "adopted": [_plain(asdict(each)) for each in done.adopted],
        "failed": [_plain(asdict(each)) for each in done.failed],
        "left_out": list(done.left_out),
        "timers": [_plain(asdict(each)) for each in done.timers],
        "dry_run": done.dry_run,
        **_warnings(done),
    }


def _warnings(done: Adoption) -> dict[str, object]:
    if not done.closed:
        return {}
    return {
        "warnings": [
            {
                "code": "not-readable",
                "what": f"This user does not have permission to read {each}.",
                "fix": "Run the command as root.",
            }
            for each in done.closed
        ]
    }


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {key: _value(value) for key, value in fields.items()}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def adoption_lines(done: Adoption, *, is_list: bool, where: Sequence[str] = ()) -> Iterator[str]:
    """Yield the result as text, and what to do next. `where`: the search options, for the suggested command."""
    options = printable("".join(f" {shlex.quote(word)}" for word in where))
    if is_list:
        yield from _found(done, options)
    for each in done.closed:
        yield f"No permission to read {printable(str(each))}, so its certificates are not listed. Run the command as root."
    for adopted in done.adopted:
        yield from _adopted(adopted, dry_run=done.dry_run)
    for name in done.left_out:
        yield (
            f"{printable(name)} was skipped: another user can change its files. Check them, then run: "
            f"certdeck adopt {printable(name)}{options}"
        )
    yield from _timers(done, is_list=is_list)


def failure_lines(done: Adoption) -> Iterator[str]:
    """Yield the certificates that were not taken over, and why."""
    for failed in done.failed:
        yield f"{printable(failed.what)} {printable(failed.why)} {printable(failed.fix)}"


def _found(done: Adoption, options: str) -> Iterator[str]:
    if not done.found:
        yield "No certificate of another ACME client was found. To look in another folder: certdeck adopt --dir DIR"
        return
    rows = [
        [
            printable(each.name),
            each.client,
            _names(each),
            text.day(each.not_after) if each.not_after else "–",
            each.key_type or "–",
            printable(each.issuer or "–"),
            printable(each.dns or each.dns_name or each.challenge or "–"),
            _state(each),
        ]
        for each in done.found
    ]
    yield from table(["NAME", "CLIENT", "DOMAINS", "ENDS", "KEY", "ISSUER", "CHALLENGE", "STATE"], rows)
    for each in done.found:
        yield from _more(each)
    new = [each for each in done.found if each.state == "new"]
    if new:
        yield ""
        yield f"Preview taking one over: certdeck adopt {printable(new[0].name)}{options} --dry-run"
        yield f"Take it over: certdeck adopt {printable(new[0].name)}{options}"
        yield f"Take all of them over: certdeck adopt --all{options}"


def _names(each: Adoptable) -> str:
    more = f" +{len(each.names) - _NAMES_SHOWN}" if len(each.names) > _NAMES_SHOWN else ""
    return printable(", ".join(each.names[:_NAMES_SHOWN]) + more) or "–"


def _state(each: Adoptable) -> str:
    signs = [
        word
        for word, is_so in (("expired", each.expired), ("revoked", each.revoked), ("staging", each.is_staging))
        if is_so
    ]
    return ", ".join([*signs, _STATES[each.state]])


def _more(each: Adoptable) -> Iterator[str]:
    lines = []
    if each.account_url or each.account:
        lines.append(f"account: {each.account_url or each.account}")
    lines += [f"{hook.kind} hook: {hook.text}" for hook in each.hooks]
    lines += [f"used by: {path}" for path in each.used_by]
    lines += [each.problem] if each.problem else []
    lines += each.notes
    if lines:
        yield ""
        yield f"{printable(each.name)} ({printable(str(each.path))})"
        yield from (f"  {printable(line)}" for line in lines)


def _adopted(each: Adopted, *, dry_run: bool) -> Iterator[str]:
    name = printable(each.name)
    if each.unchanged:
        yield f"{name} was already taken over. Nothing was changed."
        return
    yield f"{name} would be taken over from {each.client}:" if dry_run else f"Took over {name} from {each.client}."
    yield from (f"  {printable(line)}" for line in each.steps)
    if each.left:
        yield "  Not taken over, or left to do:"
        yield from (f"  - {printable(line)}" for line in each.left)


def _timers(done: Adoption, *, is_list: bool) -> Iterator[str]:
    for each in done.timers:
        if not is_list and not each.names:
            continue
        yield ""
        yield f"{each.client} renews automatically: {printable(str(each.file))}: {printable(each.line)}"
        if each.names:
            more = f" and {len(each.names) - 10} more" if len(each.names) > 10 else ""
            yield f"It and certdeck both renew {printable(', '.join(each.names[:10]))}{more}."
        yield "When everything that it renews is taken over, turn it off:"
        yield f"  {printable(each.off)}"
