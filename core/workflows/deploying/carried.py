"""Which certificate a target carries, once a deployment has been verified: that of one lineage, and its settings say so."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from core.config.model import LineageConfig
from core.errors import CertdeckError
from core.events import SERVICE_DROPPED, SERVICE_TAKEN_OVER, Warned
from core.targets.command_result import shown
from core.workflows.context import Context
from core.workflows.issuing.method import SELF_SIGNED


def keep_settings(context: Context, spec: LineageConfig) -> None:
    """Write the lineage's settings, and say which services are no longer among its targets."""
    from core.config.edit import write_lineage
    from core.config.load import load_lineage

    had: tuple[str, ...] = ()
    with suppress(CertdeckError):  # it is new; or its file cannot be read, which the writing says
        had = load_lineage(context.paths, spec.name).targets
    write_lineage(context.paths, spec)
    dropped = [target for target in had if target not in spec.targets and target in context.config.targets]
    if dropped:
        keeps = (
            "which keeps its current certificate and gets no renewal"
            if len(dropped) == 1
            else "which keep their current certificates and get no renewal"
        )
        context.narrator.tell(
            Warned(
                code=SERVICE_DROPPED,
                what=f"{spec.name} is no longer deployed to {', '.join(dropped)}, {keeps}.",
                fix=f"If this was not intended: {_deploy_to(spec.name, [*spec.targets, *dropped])}",
            )
        )


def take_over(context: Context, spec: LineageConfig) -> None:
    """Remove the lineage's targets from every other lineage: a target carries one certificate."""
    from core.config.edit import write_lineage
    from core.config.load import load_lineage

    if not spec.targets:
        return
    mine = set(spec.targets)
    for path in sorted(context.paths.certificates.glob("*.toml")):
        if path.stem == spec.name:
            continue
        with suppress(CertdeckError, OSError):  # a file that cannot be read is reported by status
            text = path.read_text("utf-8", "replace")
            if not any(target in text for target in mine):
                continue  # parsing a thousand files to find one name would take seconds
            other = load_lineage(context.paths, path.stem)
            taken = [target for target in spec.targets if target in other.targets]
            if taken:
                if other.issuer != SELF_SIGNED:  # to replace that one is what an order is for
                    _tell_taken(context, spec.name, other, taken)
                write_lineage(context.paths, replace(other, targets=tuple(t for t in other.targets if t not in mine)))


def _tell_taken(context: Context, name: str, other: LineageConfig, taken: list[str]) -> None:
    """Say that a service no longer shows another lineage's certificate: with one mistyped name that is not what was meant."""
    context.narrator.tell(
        Warned(
            code=SERVICE_TAKEN_OVER,
            what=f"{', '.join(taken)} now {'serves' if len(taken) == 1 else 'serve'} {name} instead of {other.name}.",
            fix=f"If this was not intended: {_deploy_to(other.name, other.targets)}",
        )
    )


def _deploy_to(name: str, targets: Sequence[str]) -> str:
    return shown(("certdeck", "deploy", name, "--target", *targets))
