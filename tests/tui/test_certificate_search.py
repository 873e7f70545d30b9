"""The palette's search for certificates finds the same ones in the same order as a sort of everything would."""

from __future__ import annotations

import pytest

from tests.support.lineages import lineage, many
from tui.certificate_search import CertificateSearch, begun


@pytest.mark.parametrize("typed", ["", "site", "ite", "1", "00 ex", "site-00042", "xample 7", "certificate", "nothing"])
def test_finds_what_a_sort_of_everything_finds(typed: str) -> None:
    """Words that stand at the beginning of a word come first, then the order of the list; a few keep that order."""
    rows, words = many(300), typed.split()
    texts = {row.name: f"certificate {row.name} {' '.join(row.domains)}" for row in rows}
    hits = [row for row in rows if all(word in texts[row.name] for word in words)]
    wanted = sorted(hits, key=lambda row: -begun(texts[row.name], words))[:60] if len(hits) > 60 else hits
    assert [row.name for _, row in CertificateSearch(rows).best(words, 60)] == [row.name for row in wanted]


def test_a_name_in_another_script_is_found_as_it_is_shown() -> None:
    """An A-label is searched in Unicode, as the list shows it."""
    search = CertificateSearch([lineage("books", "xn--bcher-kva.example"), lineage("shop", "shop.example")])
    assert [row.name for _, row in search.best(["bücher"], 60)] == ["books"]
