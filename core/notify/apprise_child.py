"""A separate program: sends one message through Apprise.

It reads a request as JSON from standard input, including the URL, and writes the result as the last line of its output.
Nothing of certdeck is imported: this file runs alone, in its own interpreter.
"""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module
from typing import Any

MARK = "certdeck-apprise:"
"""Precedes the result, to distinguish it from what the library prints."""


class _Gathered(logging.Handler):
    """Collects the library's warnings: `notify` itself returns only success or failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def sent(asked: dict[str, Any]) -> dict[str, Any]:
    """Send the requested message and return the result: `sent`, and `said` (the warnings) or `unknown` (the URL is invalid)."""
    gathered = _Gathered()
    logging.getLogger("apprise").addHandler(gathered)
    library = import_module("apprise")
    services = library.Apprise()
    if not services.add(asked["url"]):
        return {"sent": False, "unknown": True}
    done = services.notify(title=asked["title"], body=asked["body"], body_format="text")
    return {"sent": bool(done), "said": "\n".join(gathered.said)[:2000]}


def main() -> None:
    """Do what standard input asks for; always write a result."""
    try:
        said = sent(json.load(sys.stdin))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a service raises becomes an error message in the parent
        said = {"sent": False, "said": f"{type(exc).__name__}: {exc}"[:2000]}
    sys.stdout.write(f"\n{MARK}{json.dumps(said)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
