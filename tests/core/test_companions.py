"""Which names are added beside a domain, and what makes no sense (SO-14, SO-15)."""

from __future__ import annotations

import pytest

from core.companions import companions
from core.errors import UsageError


@pytest.mark.parametrize(
    ("domains", "www", "wildcard", "added"),
    [
        (["example.com"], False, False, ()),
        (["example.com"], True, False, ("www.example.com",)),
        (["example.com"], False, True, ("*.example.com",)),
        (["example.com", "www.example.com"], True, False, ()),
        (["example.com", "*.example.com"], False, True, ()),
        (["a.example.com", "example.org"], True, False, ("www.a.example.com", "www.example.org")),
        (["example.com", "www.example.org", "192.0.2.1"], True, False, ("www.example.com",)),
        (["bücher.example"], True, False, ("www.xn--bcher-kva.example",)),
        (["EXAMPLE.com", "example.com"], True, False, ("www.example.com",)),
    ],
)
def test_what_is_added(domains: list[str], www: bool, wildcard: bool, added: tuple[str, ...]) -> None:
    """Each bare domain gets its companion, unless that is there; addresses, wildcards and www. get none."""
    assert companions(domains, www=www, wildcard=wildcard) == added


@pytest.mark.parametrize("domains", [["www.example.com"], ["*.example.com"], ["192.0.2.1"], ["box"]])
@pytest.mark.parametrize("wildcard", [False, True])
def test_nothing_to_add_to(domains: list[str], wildcard: bool) -> None:
    """Asking for a companion where no name can have one is refused, and says what to give."""
    with pytest.raises(UsageError, match="cannot be added to any of the given names"):
        companions(domains, www=not wildcard, wildcard=wildcard)


def test_both_at_once() -> None:
    """A wildcard covers www. already."""
    with pytest.raises(UsageError, match="cannot be used together"):
        companions(["example.com"], www=True, wildcard=True)
