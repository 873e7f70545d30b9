"""Text about DNS providers: their kinds, the entries, and connection tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from tui.cli.output import Stream
from tui.cli.tables import cells, labelled, padded, table
from tui.glyphs import printable
from tui.wording import text
from tui.wording.narration import step_shown

if TYPE_CHECKING:
    from core.fields import EntryField, EntryInfo
    from core.operations import DnsKind, DnsProviderInfo, DnsTest, ServerView

_NONE: Final = "–"
_COLOURS: Final = {
    "pass": "green",
    "warn": "yellow",
    "fail": "red",
    "has": "green",
    "lacks": "yellow",
    "refuses": "red",
}
_STEP_CELLS: Final = 16
_TIME_CELLS: Final = 8
_WIDTH: Final = 100
"""Width of long texts. A narrower terminal wraps them again."""


# -- entries -----------------------------------------------------------------------------------------------------------


def provider_lines(entries: Sequence[DnsProviderInfo]) -> Iterator[str]:
    """Yield a line for each entry, and what entries still lack."""
    if not entries:
        yield "There is no DNS provider yet. `certdeck dns kinds` lists the kinds; `certdeck dns add` adds one."
        return
    rows = [
        [
            printable(each.name),
            printable(each.kind),
            _listed(each.zones),
            _listed(each.lineages),
            "incomplete" if each.missing else "complete",
        ]
        for each in entries
    ]
    yield from table(["NAME", "KIND", "ZONES", "USED BY", "STATE"], rows)
    for each in entries:
        if each.missing:
            missing = ", ".join(map(printable, each.missing))
            yield f"{printable(each.name)} lacks {missing}: `certdeck dns add {printable(each.name)} --replace` adds it."


def _listed(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(map(text.name_shown, names[:most]))
    return (f"{shown} +{len(names) - most}" if len(names) > most else shown) or _NONE


def added_lines(entry: DnsProviderInfo, kind: DnsKind) -> Iterator[str]:
    """Yield the saved entry without secrets, information about the provider, and what to do next."""
    name = printable(entry.name)
    yield f"{name} was saved."
    pairs = [("Provider", printable(entry.title))]
    if kind.has_zones:
        pairs.append(("Zones", ", ".join(map(text.name_shown, entry.zones)) or "found automatically"))
    pairs += values_shown(entry)
    pairs += [("Delegated", f"{printable(domain)} to {printable(to)}") for domain, to in entry.delegations.items()]
    yield from labelled(pairs)
    for note in kind.notes:
        yield from wrapped(f"Note: {note}")
    if at := entry.settings.get("fulldomain"):
        yield "Create, once, a CNAME for each name:"
        yield f"_acme-challenge.DOMAIN. IN CNAME {printable(at)}."
    domain = "" if entry.zones else " --domain DOMAIN"
    yield f"Try it: certdeck dns test {name}{domain}"
    yield f"Use it: certdeck issue -d DOMAIN --dns {name}"


def values_shown(entry: EntryInfo) -> list[tuple[str, str]]:
    """Return the settings of an entry, and the names of its secrets, as (label, value) pairs."""
    pairs = [(printable(key), printable(value)) for key, value in sorted(entry.settings.items())]
    pairs += [(printable(key), "in the vault") for key, is_there in sorted(entry.secrets.items()) if is_there]
    return pairs


# -- kinds -------------------------------------------------------------------------------------------------------------


def kinds_lines(kinds: Sequence[DnsKind], lexicon: Sequence[str]) -> Iterator[str]:
    """Yield every kind with its fields."""
    rows = [
        [
            printable(kind.name),
            printable(kind.title),
            ", ".join(_key(field) for field in kind.fields if not field.secret and not _is_of_all(field)) or _NONE,
            ", ".join(_key(field) for field in kind.fields if field.secret) or ("any" if kind.takes_any else _NONE),
        ]
        for kind in kinds
    ]
    yield from table(["KIND", "PROVIDER", "SETTINGS", "SECRETS"], rows)
    yield "[…] is optional. Every kind that uses HTTP also has endpoint and ca_bundle."
    yield "`certdeck dns kinds KIND` explains each."
    if lexicon:
        yield ""
        yield f"Of dns-lexicon, {text.plural(len(lexicon), 'more provider')}, as --kind lexicon:PROVIDER:"
        yield from _filled(lexicon)


def _is_of_all(field: EntryField) -> bool:
    """Tell whether every HTTP kind has this field, so that a list need not repeat it."""
    return field.key in ("endpoint", "ca_bundle") and not field.required


def _key(field: EntryField) -> str:
    return printable(field.key) if field.required and not field.default else f"[{printable(field.key)}]"


def _filled(names: Sequence[str], width: int = 78) -> Iterator[str]:
    line = " "
    for name in map(printable, names):
        if cells(line) + 1 + cells(name) > width:
            yield line
            line = " "
        line += f" {name}"
    yield line


def kind_lines(kind: DnsKind) -> Iterator[str]:
    """Yield one kind in full: what to create at the provider, each field, special behavior, and an example."""
    yield f"{printable(kind.name)}: {printable(kind.title)}"
    yield from wrapped(kind.help)
    yield ""
    for field in kind.fields:
        yield f"  {field_where(field)}"
        yield from wrapped(field_about(field), "      ")
    if kind.takes_any:
        yield "  More settings and secrets are passed on as they are."
    if kind.notes:
        yield ""
    for note in kind.notes:
        yield from wrapped(f"Note: {note}")
    yield ""
    yield f"For example: {example(kind)}"


def wrapped(words: str, indent: str = "") -> list[str]:
    """Return a long text, wrapped in lines."""
    from textwrap import wrap

    return wrap(printable(words), _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def field_where(field: EntryField) -> str:
    """Return the option for a field."""
    key = printable(field.key)
    return f"--secret {key}=FILE" if field.secret else f"--set {key}=…"


def field_about(field: EntryField) -> str:
    """Return the description of a field."""
    parts = [field.label]
    if field.default:
        parts.append(f"(default {field.default})")
    elif not field.required:
        parts.append("(optional)")
    if field.choices:
        parts.append(f"(one of {', '.join(field.choices)})")
    return " ".join(parts) + (f": {field.help}" if field.help else "")


def example(kind: DnsKind) -> str:
    """Return a `dns add` command with the required fields; if there are none, with the secrets."""
    needed = [field for field in kind.fields if field.required and not field.default]
    words = [f"certdeck dns add NAME --kind {printable(kind.name)}"]
    words += ["--zone example.com"] if kind.has_zones else []
    chosen = needed or [field for field in kind.fields if field.secret]
    words += [field_where(field) for field in chosen if not field.secret]
    words += [field_where(field) for field in chosen if field.secret]
    return " ".join(words)


# -- connection test ---------------------------------------------------------------------------------------------------


def step_line(step: str, status: str, detail: str, milliseconds: int, stream: Stream) -> str:
    """Return one step of a test: its mark, name, duration and result."""
    mark = stream.painted(text.MARKS[status].glyph, _COLOURS.get(status, "dim"))
    took = "" if status == "skip" else text.elapsed(milliseconds / 1000)
    return f"{mark} {padded(step_shown(step), _STEP_CELLS)}{took:>{_TIME_CELLS}}  {printable(detail)}".rstrip()


def tested_lines(test: DnsTest, stream: Stream, *, steps: bool) -> Iterator[str]:
    """Yield the result of a test. `steps`: also the steps, if they were not shown while it ran."""
    if steps:
        for step in test.steps:
            yield step_line(step.id, step.status, step.detail, step.milliseconds, stream)
    if test.servers:
        yield ""
        yield from server_lines(test.servers, stream)
    fixes = [step for step in test.steps if step.fix and step.status != "pass"]
    if fixes:
        yield ""
    for step in fixes:
        yield f"fix: {printable(step.fix)}"
    yield ""
    name, domain = printable(test.name), text.name_shown(test.domain)
    if test.is_good:
        yield f"{name} works for {domain}. Use it: certdeck issue -d {domain} --dns {name}"
    else:
        yield f"{name} does not work for {domain} yet."


def server_lines(servers: Sequence[ServerView], stream: Stream) -> Iterator[str]:
    """Yield a table of name servers and their answers about a record."""
    rows = [
        [
            printable(one.server),
            printable(one.address) if one.address != one.server else "",
            f"{text.MARKS[one.state].glyph} {text.MARKS[one.state].word}",
            f"{one.milliseconds} ms" if one.answers else "",
        ]
        for one in servers
    ]
    head, *lines = table(["NAME SERVER", "ADDRESS", "RECORD", "TIME"], rows)
    yield stream.painted(head, "dim")
    for one, line in zip(servers, lines, strict=True):
        glyph = text.MARKS[one.state].glyph
        before, _, after = line.rpartition(glyph)
        yield f"{before}{stream.painted(glyph, _COLOURS.get(one.state, 'dim'))}{after}"
