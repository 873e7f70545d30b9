"""A separate program: makes one change of TXT values with a provider of dns-lexicon.

It reads a request as JSON from standard input, secrets included, and writes the result as the last line of its output.
The provider's class is used without lexicon's `Client`, which would download a list of public suffixes to guess a zone that
we know. Nothing of certdeck is imported: this file runs alone, in its own interpreter.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

MARK = "certdeck-lexicon:"
"""Precedes the result, to distinguish it from what a provider prints."""


def change(provider: Any, add: Sequence[Sequence[str]], remove: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Add and remove single values, `[name, value]` each, and read back afterwards.

    Listing first evens out differences between lexicon's providers: some add a value twice, some fail to remove a missing one.
    Values of others that a provider has lost in between are restored.

    Returns:
        `changed`: number of changes made; `stands`: the wanted state was read back; `alone`: no other client has values there.
    """
    names = list(dict.fromkeys(name for name, _ in (*add, *remove)))
    before = {name: _listed(provider, name) for name in names}
    changed = 0
    for name, value in add:
        if value not in before[name]:
            _must(provider.create_record("TXT", name, value), name)
            changed += 1
    for name, value in remove:
        if value in before[name]:
            _must(provider.delete_record(None, "TXT", name, before[name][value]), name)
            changed += 1
    after = {name: _listed(provider, name) for name in names} if changed else before
    ours = {(name, value) for name, value in (*add, *remove)}
    others = [(name, value) for name in names for value in before[name] if (name, value) not in ours]
    for name, value in others:
        if value not in after[name]:
            _must(provider.create_record("TXT", name, value), name)
            changed += 1
    missing = any(value not in after[name] for name, value in add)
    surplus = any(value in after[name] for name, value in remove)
    return {"changed": changed, "stands": not missing and not surplus, "alone": not others}


def opened(provider: str, zone: str, options: dict[str, Any], ttl: int | None) -> Any:
    """Return the provider of lexicon, authenticated for a zone."""
    config = import_module("lexicon.config").ConfigResolver()
    given: dict[str, Any] = {"provider_name": provider, "domain": zone, provider: {"domain": zone, **options}}
    if ttl is not None:
        given["ttl"] = ttl
    made = import_module(f"lexicon._private.providers.{provider}").Provider(config.with_dict(given))
    made.authenticate()
    return made


def plain(content: str) -> str:
    """Return a value without the quotes that some providers leave around it."""
    text = content.strip()
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return content
    return "".join(text[1:-1].split('" "')).replace('\\"', '"').replace("\\\\", "\\")


def _listed(provider: Any, name: str) -> dict[str, str]:
    """Return the values at a name: plain value → as the provider returns it."""
    found: Iterable[dict[str, Any]] = provider.list_records("TXT", name) or ()
    # Names should be fully qualified, but some providers return them relative to the zone.
    known_as = (name, name.removesuffix(f".{provider.domain}"))
    there = [each for each in found if str(each.get("name", name)).rstrip(".").lower() in known_as]
    return {plain(str(each["content"])): str(each["content"]) for each in there}


def _must(is_done: object, name: str) -> None:
    if is_done is False:
        raise RuntimeError(f"the provider did not change {name}, without a reason")


def main() -> None:
    """Do what standard input asks for; always write a result."""
    try:
        asked = json.load(sys.stdin)
        provider = opened(asked["provider"], asked["zone"], asked["options"], asked["ttl"])
        try:
            said = change(provider, asked["add"], asked["remove"])
        finally:
            provider.cleanup()
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a provider raises becomes an error message in the parent
        kinds = [each.__name__ for each in type(exc).__mro__]
        status = getattr(getattr(exc, "response", None), "status_code", None)
        said = {"error": kinds, "said": str(exc)[:2000], "status": status if isinstance(status, int) else None}
    sys.stdout.write(f"\n{MARK}{json.dumps(said)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
