"""The names that usually go with a domain: `www.` in front of it, or `*.` for everything below (SO-14, SO-15). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import UsageError
from core.identifiers import Identifier, parse_identifiers

WWW = "www."
WILDCARD = "*."


def companions(domains: Sequence[str], *, www: bool, wildcard: bool) -> tuple[str, ...]:
    """Return the names to add to `domains`, as written; those that are there already are left out.

    Raises UsageError (`usage`) where that makes no sense: both at once, or no name that either can stand before.
    """
    if www and wildcard:
        raise UsageError(
            "--with-www and --with-wildcard do not go together.",
            "A wildcard holds for www. already.",
            "Leave one of them out: --with-www is for http-01, --with-wildcard for a proof through the DNS.",
        )
    if not (www or wildcard):
        return ()
    prefix = WWW if www else WILDCARD
    given = parse_identifiers(domains)
    bare = [each for each in given if _is_bare(each)]
    if not bare:
        option = "--with-www" if www else "--with-wildcard"
        raise UsageError(
            f"{option} has no name to add to.",
            f"{prefix} goes before a domain, not before an address, a wildcard, www. or a name without a dot.",
            f"Leave {option} out, or give the bare domain: -d example.com.",
        )
    there = {each.value for each in given}
    wanted = dict.fromkeys(f"{prefix}{each.value}" for each in bare)
    return tuple(name for name in wanted if name not in there)


def _is_bare(identifier: Identifier) -> bool:
    name = identifier.value
    return identifier.type == "dns" and not identifier.wildcard and not name.startswith(WWW) and "." in name
