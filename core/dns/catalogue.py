"""The table of all kinds of DNS providers. The module of a kind is imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from core.dns.provider import ProviderKind
from core.errors import NotFound

KINDS = {
    "cloudflare": "cloudflare",
    "route53": "route53",
    "godaddy": "godaddy",
    "namecheap": "namecheap",
    "aliyun": "aliyun",
    "dynu": "dynu",
    "desec": "desec",
    "powerdns": "powerdns",
    "acme-dns": "acme_dns",
    "rfc2136": "rfc2136",
    "hook": "hook",
}
"""Name of the kind → module below `core.dns.providers`, in the order in which they are offered."""
LEXICON = "lexicon:"
"""Prefix of the kinds that dns-lexicon provides."""


def kind_named(name: str) -> ProviderKind:
    """Return a kind. Raises NotFound (`not-found`) with the closest name; also for `lexicon:X` if dns-lexicon is not installed."""
    if name.startswith(LEXICON):
        from core.dns.providers.lexicon import lexicon_kind

        return lexicon_kind(name.removeprefix(LEXICON))
    module = KINDS.get(name)
    if module is None:
        from difflib import get_close_matches

        near = get_close_matches(name, KINDS, n=1)
        raise NotFound(
            f"There is no kind of DNS provider {name!r}.",
            f"Did you mean {near[0]}?" if near else "There is no built-in provider with that name.",
            f"Kinds: {', '.join(KINDS)}, and lexicon:PROVIDER for the providers of dns-lexicon.",
        )
    kind = import_module(f"core.dns.providers.{module}").KIND
    assert isinstance(kind, ProviderKind)
    return kind


def all_kinds() -> Iterator[ProviderKind]:
    """Yield the built-in kinds in the order in which they are offered."""
    return map(kind_named, KINDS)
