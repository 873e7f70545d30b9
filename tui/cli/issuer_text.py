"""The text of `issuer show` and `issuer compare`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.limit_table import window_words
from core.operations import IssuerFacts, IssuerShown, LimitStanding
from tui.cli.tables import labelled, table
from tui.glyphs import printable
from tui.wording import text
from tui.wording.issuers import COUNTED_HERE, EXEMPT, NO_LIMITS, fact_rows, known, source_words

VALIDATION_NOTE = (
    "Certificates differ in what the CA has checked. DV: control over the names; ACME validates only this, and Let's\n"
    "Encrypt issues only DV. OV and EV: also the organization, checked by a person at the CA, for a fee; browsers show\n"
    "no difference. Order one with `certdeck csr` and apply it with `certdeck import`."
)
"""SO-04."""


def shown_lines(found: IssuerShown) -> Iterator[str]:
    """Yield an issuer and the state of its limits."""
    issuer = found.issuer
    yield f"{printable(issuer.title)} ({printable(issuer.name)}){', the default' if issuer.is_default else ''}"
    yield from labelled(
        [
            ("Directory", printable(issuer.directory or "on this box")),
            ("Account", printable(issuer.account_url or "none yet")),
            ("Staging", printable(issuer.staging or "none")),
            ("EAB", known(issuer.needs_eab, "needed", "not needed")),
            ("Wildcards", known(issuer.wildcard, "yes", "no")),
            ("Key types", ", ".join(issuer.key_types)),
            ("Notes", "\n".join(map(printable, issuer.notes)) or "none"),
        ]
    )
    yield ""
    if not found.limits:
        yield NO_LIMITS
    else:
        yield f"{source_words(found.limits_as_of)}, and what this box has used:"
        rows = [_row(each) for each in found.limits]
        yield from table(["LIMIT", "IN", "FOR", "USED", "LEFT", "ONE MORE"], rows)
        yield COUNTED_HERE
        if any("replaces" in each.exempt for each in found.limits):
            yield EXEMPT
    for closed in found.closed:
        about = f" for {printable(closed.domain)}" if closed.domain else ""
        said = f': "{printable(closed.said)}"' if closed.said else ""
        yield f"{printable(issuer.name)} {closed.what}{about} before {text.moment(closed.until)}{said}"


def _row(each: LimitStanding) -> list[str]:
    free = "now" if each.free_at is None else text.moment(each.free_at)
    return [
        each.words,
        window_words(each.seconds),
        printable(each.subject or "–"),
        str(each.used),
        str(each.left),
        free,
    ]


def compared_lines(found: Sequence[IssuerFacts]) -> Iterator[str]:
    """Yield the facts of each issuer, in one block for each."""
    for each in found:
        yield f"{printable(each.title)} ({printable(each.name)})"
        yield from labelled([(label, printable(value, lines=True)) for label, value in fact_rows(each)])
        yield ""
    yield from VALIDATION_NOTE.splitlines()
