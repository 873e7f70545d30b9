"""Describes every event in one plain sentence, from its kind and its facts, both for live events and for the history.

`text.describe` and the log use it. An unknown kind is shown by its name, so that an older front end can show the events of a newer
engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from core.dates import minute_shown
from core.text import listed
from tui.glyphs import printable


class _Facts:
    """Returns facts as text. Missing facts are empty. Values come from an event or from JSON."""

    def __init__(self, facts: Mapping[str, object]) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> str:
        value = self._facts.get(name)
        return "" if value is None else printable(str(value))

    def is_true(self, name: str) -> bool:
        return bool(self._facts.get(name))

    def each(self, name: str) -> list[object]:
        value = self._facts.get(name)
        return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []

    def joined(self, name: str, most: int = 3) -> str:
        return listed([printable(str(value)) for value in self.each(name)], most)

    def time(self, name: str) -> str:
        value = self._facts.get(name)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return printable(str(value))
        if not isinstance(value, datetime):
            return ""
        return minute_shown(value.astimezone())


def _after(colon: str, text: str) -> str:
    return f"{colon}{text}" if text else ""


def _issued(facts: _Facts) -> str:
    return f"{facts['issuer']} issued a certificate for {facts.joined('names')}, valid to {facts.time('not_after')}"


def _records(facts: _Facts) -> str:
    names = [printable(str(each[0])) for each in facts.each("records") if isinstance(each, Sequence) and each]
    if len(names) == 1:
        return f"A DNS record must be set at {names[0]}"
    shown = _Facts({"names": list(dict.fromkeys(names))}).joined("names")
    return f"{len(names)} DNS records must be set, at {shown}" if names else "DNS records must be set"


def _propagation(facts: _Facts) -> str:
    missing = facts.joined("missing")
    if facts["of"] in ("", "0"):
        return f"No name server responds for {facts['name']}"
    if not missing and facts["seen"] == facts["of"]:
        return f"Every name server ({facts['of']} of {facts['of']}) has {facts['name']}"
    return (
        f"{facts['seen']} of {facts['of']} name servers have {facts['name']}{_after('; still without it: ', missing)}"
    )


PROVIDER_STEPS: Final = {
    "credentials": "Credentials",
    "zone": "Zone",
    "write": "Write record",
    "seen": "Name servers",
    "remove": "Remove record",
}
"""Names of the steps of a DNS provider's connection test, in order."""
_STATUSES: Final = {"pass": "passed", "warn": "warning", "fail": "failed", "skip": "skipped"}


def step_shown(step: str) -> str:
    """Return the name of a step of a provider's connection test, for example `Write record`."""
    return PROVIDER_STEPS.get(step, printable(step))


def _tested(facts: _Facts) -> str:
    status = _STATUSES.get(facts["status"], facts["status"])
    took = f" ({facts['milliseconds']} ms)" if facts["status"] != "skip" and facts["milliseconds"] else ""
    return f"{facts['provider']}: {step_shown(facts['step']).lower()}: {status}{took}{_after('. ', facts['detail'])}"


def _probed(facts: _Facts) -> str:
    if facts.is_true("matches"):
        return f"{facts['target']} serves this certificate"
    return (
        f"{facts['target']} serves another certificate" if facts["served"] else f"{facts['target']} serves nothing yet"
    )


_RUNS: Final = {
    "issue": "Issuing",
    "renew": "Renewing",
    "deploy": "Deploying",
    "rollback": "Rolling back",
    "first-boot": "First boot",
    "export": "Exporting",
    "delete": "Deleting",
    "revoke": "Revoking",
    "complete": "Completing the order",
    "give up": "Giving up the order",
    "dns add": "Saving a DNS provider",
    "dns test": "Testing a DNS provider",
    "dns remove": "Removing a DNS provider",
}
_OUTCOMES: Final = {"done": "done", "failed": "failed", "pending": "waiting for a person", "cancelled": "cancelled"}


def operation_shown(operation: str) -> str:
    """Return the name of an operation while it runs, for example `Issuing`."""
    return _RUNS.get(operation, printable(operation).capitalize())


_SENTENCES: Final[Mapping[str, Callable[[_Facts], str]]] = {
    "run-started": lambda f: f"{operation_shown(f['operation'])} started",
    "run-finished": lambda f: (
        f"{operation_shown(f['operation'])}: {_OUTCOMES.get(f['outcome'], f['outcome'])}{_after('. ', f['why'])}"
    ),
    "lineage-skipped": lambda f: f"Nothing to do{_after(': ', f['why'])}",
    "account-ready": lambda f: (
        f"Account at {f['issuer']} {'created' if f.is_true('created') else 'ready'}{_after(': ', f['url'])}"
    ),
    "order-created": lambda f: (
        f"Order {'continued' if f.is_true('resumed') else 'placed'} at {f['issuer']} for {f.joined('identifiers')}"
        f"{_after(', profile ', f['profile'])}"
    ),
    "authorization-reused": lambda f: f"{f['identifier']} was validated before, and this is still valid",
    "challenge-presented": lambda f: f"The challenge response for {f['identifier']} is ready at {f['where']}",
    "validator-seen": lambda f: f"{f['address']} requested the challenge response for {f['identifier']}",
    "record-added": lambda f: f"{f['provider']}: TXT record created at {f['name']}",
    "record-removed": lambda f: f"{f['provider']}: TXT record removed at {f['name']}",
    "provider-tested": _tested,
    "propagation-checked": _propagation,
    "challenge-validated": lambda f: f"{f['identifier']} is validated",
    "challenge-failed": lambda f: f"{f['identifier']} was rejected: {f['problem']}",
    "records-required": _records,
    "waiting": lambda f: f"Waiting: {f['why']}{_after(' until ', f.time('until'))}",
    "issuer-fell-back": lambda f: f"{f['to_issuer']} instead of {f['from_issuer']}: {f['why']}",
    "retry-scheduled": lambda f: f"Next attempt {f.time('retry_at')}: {f['why']}",
    "certificate-issued": _issued,
    "rehearsal-passed": lambda facts: f"The rehearsal at {facts['issuer']} passed; nothing was stored",
    "version-stored": lambda f: f"Stored as version {f['version']}",
    "version-switched": lambda f: f"Version {f['version']} is live",
    "sessions-end": lambda f: (
        f"{f['target']}: the service is restarted to use the new certificate, which closes its connections"
    ),
    "target-staged": lambda f: f"{f['target']}: files staged",
    "target-switched": lambda f: f"{f['target']}: files switched",
    "target-tested": lambda f: f"{f['target']}: configuration test passed",
    "target-reloaded": lambda f: f"{f['target']}: reloaded",
    "target-probed": _probed,
    "target-rolled-back": lambda f: f"{f['target']}: rolled back{_after('. ', f['why'])}",
    "key-used": lambda f: f"Key {f['key']} used to {f['purpose']}",
    "changed": lambda f: f"Changed: {f['what']}",
    "recovered": lambda f: f"Fixed: {f['what']}",
    "log-pruned": lambda f: f"Removed {f['entries']} old entries from the log, up to number {f['through']}",
    "log-chain-started": lambda f: f"Started a new log; the previous one ended with entry {f['previous_entries']}",
    "log-end-doubtful": lambda f: f"The end of the log is in doubt: {f['why']}",
    "notification-sent": lambda f: f"Notified {f['channel']}{_after(': ', f['subject'])}",
    "warned": lambda f: f"Warning: {f['what']}{_after(' ', f['fix'])}",
    "failed": lambda f: f"Failed: {f['what']} {f['why']} {f['fix']}".rstrip(),
    "progressed": lambda f: f"{f['done']} of {f['of']}",
}


def sentence(kind: str, facts: Mapping[str, object]) -> str:
    """Return an event as one line of text. `facts`: its fields."""
    told = _SENTENCES.get(kind)
    return told(_Facts(facts)) if told else printable(kind.replace("-", " ").capitalize())
