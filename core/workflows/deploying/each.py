"""Deploys to every target that takes the certificate: one that does not keeps it from no other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from core.config.model import LineageConfig, TargetConfig
from core.errors import CertdeckError, TargetError
from core.lineage_status import TargetState
from core.store import renewal_state
from core.store.records import rfc3339
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version


def deploy_to_each(
    context: Context, name: str, version: int, targets: Sequence[TargetConfig], *, spec: LineageConfig
) -> tuple[tuple[TargetState, ...], tuple[TargetError, ...]]:
    """Deploy as `deploy_version` does, once more without each target that fails.

    Returns what the others show, and the failures. What failed stays among the targets of `spec` and is remembered as failed.

    Raises what `deploy_version` raises where no target takes it, or where it is not known what a service shows by now.
    """
    left: list[TargetConfig] = list(targets)
    failed: list[TargetError] = []
    while True:
        try:
            seen = deploy_version(context, name, version, left, spec=spec)
        except TargetError as exc:
            rest = [target for target in left if target.name != exc.details.get("target")]
            if not rest or len(rest) == len(left) or exc.details.get("live", "old") != "old":
                raise
            left = rest
            failed.append(exc)
        else:
            if failed:
                _remember(context, name, failed)
            return seen, tuple(failed)


def partly(failed: Sequence[TargetError], seen: Sequence[TargetState], again: str) -> TargetError:
    """Return the first failure, with what was done all the same. `again`: the command that tries once more."""
    first = failed[0]
    others = "".join(f" {each.what} {each.why}" for each in failed[1:])
    done = ", ".join(each.name for each in seen)
    fix = first.fix.partition(" Then run `")[0]
    return type(first)(
        first.what,
        f"{first.why}{others} The certificate was deployed to {done}.",
        f"{fix} Then run `{again}`.",
        lineage=first.lineage,
        details={**first.details, "live": "old", "deployed": [each.name for each in seen]},
    )


def _remember(context: Context, name: str, failed: Sequence[TargetError]) -> None:
    """Keep which targets failed, so that status shows them and the next try takes them up. A full disk is no second error."""
    now = context.env.clock.now()
    with suppress(CertdeckError):
        state = renewal_state.load(context.paths, name)
        targets = dict(state.targets)
        for error in failed:
            target = str(error.details.get("target"))
            targets[target] = {"state": "failed", "sha256": None, "at": rfc3339(now), "why": error.why}
        kept = replace(state, last_error=renewal_state.error_record(failed[0], now), targets=targets)
        renewal_state.save(context.paths, name, kept)
