"""The README's table of services, made from the rows of the catalogue: `python -m tests.support.service_table` writes it."""

from __future__ import annotations

from core.targets.kinds import KINDS
from core.workflows.settings.kinds import kind as kind_info
from tests.support.programs import ROOT
from tui.wording.services import key_words, sessions_words, told_words

README = ROOT / "README.md"
BEGIN = "<!-- services: made by `python -m tests.support.service_table` -->\n"
END = "<!-- services end -->\n"


def service_table() -> str:
    """Return the table in Markdown."""
    lines = [
        "| kind | measured with | files | key | new certificate | sessions | with a bad pair | tested |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in KINDS:
        kind = kind_info(name)
        if kind.group == "any":
            continue
        told = f"`{told_words(kind)}`" if kind.command else told_words(kind)
        bad = kind.bad_pair or "not tried"
        cells = (
            f"`{kind.name}`",
            kind.measured,
            ", ".join(kind.layouts),
            key_words(kind),
            told,
            sessions_words(kind),
            bad,
            "yes" if kind.proven else "no",
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table into the README."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}{service_table()}{END}{after}")


if __name__ == "__main__":
    main()
