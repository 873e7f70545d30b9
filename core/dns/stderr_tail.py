"""The last output of a child program for use in an error: without secrets."""

from __future__ import annotations

from collections.abc import Iterable

from core.dns.api import shown

LINES = 3
LONG_ENOUGH = 6
"""Minimum length in characters of a secret's line that is searched for separately; shorter ones occur in ordinary words."""


def stderr_tail(output: str, secrets: Iterable[str]) -> str:
    """Return the last lines of an output as one sentence; empty if there is no output."""
    for secret in sorted(_parts(secrets), key=len, reverse=True):
        output = output.replace(secret, "…")
    lines = [line for line in map(str.strip, output.splitlines()) if line]
    return shown(" ".join(lines[-LINES:])) if lines else ""


def _parts(secrets: Iterable[str]) -> set[str]:
    """Return every form in which a secret may appear: whole, stripped, and, as in a PEM key, line by line."""
    found = set()
    for secret in secrets:
        found |= {secret, secret.strip()}
        found |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= LONG_ENOUGH}
    return found - {""}
