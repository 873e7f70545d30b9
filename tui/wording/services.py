"""Wording about kinds of services, for both front ends."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.operations import KindInfo


def told_words(kind: KindInfo) -> str:
    """Return how a service is told to use a new certificate."""
    if kind.command:
        return shlex.join(kind.command)
    if kind.socket == "{probe}":
        return "through its TLS port"
    if kind.socket:
        return f"through {kind.socket}"
    if kind.action == "none":
        return "no action is needed" if kind.group != "any" else "the target's reload command"
    return "the target's reload command"


def sessions_words(kind: KindInfo) -> str:
    """Return what happens to established connections."""
    words = {"live": "stay", "idle-closed": "idle ones are closed", "cut": "end"}
    restart = " (restart)" if kind.action == "restart" else ""
    return f"{words[kind.sessions]}{restart}" if kind.measured else "–"


def key_words(kind: KindInfo) -> str:
    """Return who reads the key, and the file mode that this requires."""
    accounts = (kind.key_reader_at_start, kind.key_reader_at_reload)
    if accounts == ("root", "root"):
        return "read by root (mode 0600)"
    who = (
        f"read by {accounts[0]}"
        if accounts[0] == accounts[1]
        else f"read by {accounts[0]} at the start, later by {accounts[1]}"
    )
    return f"{who} (mode 0640, group {kind.key_group or accounts[1]})"


def test_words(kind: KindInfo) -> str:
    """Return the service's configuration test, and what it does not detect."""
    command = shlex.join(kind.test) or "none"
    flaws = [
        word
        for word, notices in (
            ("a missing file", kind.test_notices_missing),
            ("a key that does not match", kind.test_notices_mismatch),
        )
        if notices is False
    ]
    return f"{command}; it does not detect {' and '.join(flaws)}" if flaws and kind.test else command


def kind_facts(kind: KindInfo) -> list[tuple[str, str]]:
    """Return the facts of a kind as (label, value) pairs."""
    facts = [
        ("Layouts", ", ".join(kind.layouts) + (f". {kind.files_remark}" if kind.files_remark else "")),
        ("Key", key_words(kind)),
        ("Test", test_words(kind)),
        ("New certificate", told_words(kind)),
        ("Sessions", sessions_words(kind)),
    ]
    if kind.bad_pair:
        facts.append(("Mismatch", kind.bad_pair))
    if kind.seconds:
        facts.append(("Without that", f"it can take {kind.seconds} s to serve a new certificate"))
    if kind.recover:
        facts.append(("Rollback", shlex.join(kind.recover)))
    if kind.certificate:
        facts.append(("Usual files", f"{kind.certificate}{f', {kind.key}' if kind.key else ''}"))
    probe = ", ".join(kind.probe) or ("its address" if kind.can_probe else "impossible")
    facts.append(("Probe", probe + (", with a name of the service" if kind.probe_needs_name else "")))
    return facts


def measured_words(kind: KindInfo) -> str:
    """Return how the behavior of a kind was verified."""
    if not kind.measured:
        return "certdeck's tests deploy to it."
    tests = (
        "certdeck's tests deploy to the real service" if kind.proven else "certdeck's tests do not start this service"
    )
    return f"Measured with {kind.measured}; {tests}."
