"""Names that are often ordered together with a domain: `www.`, or the wildcard `*.` (SO-14, SO-15). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import UsageError
from core.identifiers import Identifier, parse_identifiers

WWW = "www."
WILDCARD = "*."


def companions(domains: Sequence[str], *, www: bool, wildcard: bool) -> tuple[str, ...]:
    """Return the names to add to `domains`, without those that are already there.

    Raises UsageError (`usage`) if both are requested, or if neither can be added to any of the names.
    """
    if www and wildcard:
        raise UsageError(
            "--with-www and --with-wildcard cannot be used together.",
            "A wildcard already covers www.",
            "Use only one of them: --with-www works with http-01, --with-wildcard needs validation through DNS.",
        )
    if not (www or wildcard):
        return ()
    prefix = WWW if www else WILDCARD
    given = parse_identifiers(domains)
    bare = [each for each in given if _is_bare(each)]
    if not bare:
        option = "--with-www" if www else "--with-wildcard"
        raise UsageError(
            f"{option} cannot be added to any of the given names.",
            f"{prefix} can be added to a domain, but not to an address, a wildcard, a www. name or a name without a dot.",
            f"Omit {option}, or give the bare domain: -d example.com.",
        )
    there = {each.value for each in given}
    wanted = dict.fromkeys(f"{prefix}{each.value}" for each in bare)
    return tuple(name for name in wanted if name not in there)


def _is_bare(identifier: Identifier) -> bool:
    name = identifier.value
    return identifier.type == "dns" and not identifier.wildcard and not name.startswith(WWW) and "." in name
