"""The facts of a certificate, each with one label and one wording. A front end chooses facts and arranges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from tui.glyphs import printable
from tui.wording import text

if TYPE_CHECKING:
    from core.operations import LineageStatus, TargetState

WAY_OUT: Final = (
    "It can renew automatically with a DNS provider, with a CNAME of _acme-challenge into a zone of a provider,",
    "or with one permanent record (dns-persist-01) if the CA supports that.",
)
"""How to make a certificate with manual DNS records renew automatically (ST-17)."""


class Fact(NamedTuple):
    """A label with its value, which may have several lines."""

    label: str
    value: str


def certificate_facts(lineage: LineageStatus, *labels: str) -> list[Fact]:
    """Return the facts of a certificate with these labels, in this order. Missing ones, such as a profile, are left out."""
    return [Fact(label, value) for label in labels if (value := _FACTS[label](lineage))]


def served_by(targets: Sequence[TargetState]) -> str:
    """Return the services in one line, each with its state unless it is good: `nginx, postfix (failed)`."""
    return ", ".join(map(target_shown, targets)) or "no service"


def target_shown(target: TargetState) -> str:
    """Return the name of a target, with its state unless it is good."""
    why = f" ({printable(target.why) or target.state})" if target.state != "deployed" else ""
    return f"{printable(target.name)}{why}"


def chain_note(lineage: LineageStatus) -> str:
    """Return the consequence of an uploaded certificate without chain. Empty: it has one, or needs none."""
    if not lineage.sha256 or lineage.method != "upload" or lineage.chain or lineage.self_signed:
        return ""
    return f"only clients that trust {printable(lineage.issuer)} directly accept it"


def failure_times(lineage: LineageStatus, now: datetime) -> str:
    """Return when the last attempt failed, how many failed, and when the next one is, as one sentence. Empty: none failed."""
    said = lineage.last_error or {}
    parts: list[str] = []
    with suppress(ValueError):
        at = str(said.get("at") or "")
        parts = [f"failed {text.moment(datetime.fromisoformat(at))}"] if at else []
    if lineage.failures > 1:
        parts.append(f"{lineage.failures} attempts in a row")
    if lineage.renew_why == "retry" and lineage.renew_at is not None:
        parts.append(f"next attempt {text.soon(lineage.renew_at, now)}")
    return f"{', '.join(parts)[:1].upper()}{', '.join(parts)[1:]}." if parts else ""


def _moment(when: datetime | None) -> str:
    return text.moment(when) if when is not None else ""


def _chain(lineage: LineageStatus) -> str:
    if not lineage.chain:
        return "none needed" if lineage.self_signed else "no intermediates"
    count = lineage.chain_length - lineage.root_sent
    parts = ["complete", *([text.plural(count, "intermediate")] if count else [])]
    return ", ".join([*parts, "with the root"] if lineage.root_sent else parts)


def _chain_end(lineage: LineageStatus) -> str:
    if not lineage.chain_end or lineage.chain_not_after is None:
        return ""
    return f"{text.moment(lineage.chain_not_after)}, when {printable(lineage.chain_end)} expires"


def _method(lineage: LineageStatus) -> str:
    return f"{text.method_shown(lineage.method)}{f' with {printable(lineage.dns)}' if lineage.dns else ''}"


_FACTS: Final[Mapping[str, Callable[[LineageStatus], str]]] = {
    "Names": lambda one: ", ".join(map(text.name_shown, one.domains)) or "–",
    "Subject": lambda one: text.name_shown(one.subject) or "none; the names count",
    "Issuer": lambda one: printable(one.issuer),
    "CA": lambda one: printable(one.ca or ""),
    "Valid from": lambda one: _moment(one.not_before),
    "Valid to": lambda one: _moment(one.not_after),
    "Chain to": _chain_end,
    "Self-signed": lambda one: "yes: browsers warn" if one.self_signed else "no",
    "Chain": _chain,
    "Key": lambda one: text.key_shown(one.key_type),
    "Serial": lambda one: printable(one.serial),
    "SHA-256": lambda one: printable(one.sha256),
    "Profile": lambda one: printable(one.profile or ""),
    "Method": _method,
    "Auto-renew": lambda one: "yes" if one.auto_renew else "no",
    "Fix": lambda one: "\n".join(WAY_OUT) if text.is_manual(one) else "",
    "Version": lambda one: str(one.version) if one.version is not None else "",
    "Served by": lambda one: served_by(one.targets),
}
