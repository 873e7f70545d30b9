"""What a child program said last, fit to stand in an error: with no secret in it."""

from __future__ import annotations

from collections.abc import Iterable

from core.dns.api import shown

LINES = 3
LONG_ENOUGH = 6
"""Characters of a line of a secret that is looked for by itself; shorter ones stand in innocent words, too."""


def stderr_tail(output: str, secrets: Iterable[str]) -> str:
    """Return the last lines of an output as one sentence; empty when it said nothing."""
    for secret in sorted(_parts(secrets), key=len, reverse=True):
        output = output.replace(secret, "…")
    lines = [line for line in map(str.strip, output.splitlines()) if line]
    return shown(" ".join(lines[-LINES:])) if lines else ""


def _parts(secrets: Iterable[str]) -> set[str]:
    """Return every form in which a secret may be said: whole, stripped, and, like a key in PEM, line by line."""
    found = set()
    for secret in secrets:
        found |= {secret, secret.strip()}
        found |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= LONG_ENOUGH}
    return found - {""}
