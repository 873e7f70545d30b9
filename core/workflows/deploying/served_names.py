"""The names that clients use for a service, compared with those of the certificate that it is to get (SO-02, SO-12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.events import NAMES_NOT_COVERED, Warned
from core.text import listed
from core.workflows.context import Context

_MOST_NAMED = 10


def missing_names(target: TargetConfig, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a target that a certificate with `names` is not good for; a wildcard is covered by itself alone."""
    from core.upload.names import covers

    have = {each.lower() for each in names}
    return tuple(
        each for each in target.names if each.lower() not in have and (each.startswith("*.") or not covers(names, each))
    )


def check_names(context: Context, targets: Iterable[TargetConfig], names: Sequence[str]) -> None:
    """Tell which names of a target the certificate does not cover; refuse where the target takes only one certificate.

    Raises StageFailed (`stage-failed`): nothing was touched.
    """
    for target in targets:
        missing = missing_names(target, names)
        if not missing:
            continue
        named = listed(missing, _MOST_NAMED)
        if target.single:
            raise StageFailed(
                f"Target {target.name} cannot get this certificate.",
                f"The service supports only one certificate, and this one does not cover {named}.",
                f"Order one with all names, or correct names in [targets.{target.name}].",
                details={"target": target.name, "missing": list(missing), "live": "old"},
            )
        context.narrator.tell(
            Warned(
                code=NAMES_NOT_COVERED,
                what=f"The certificate on {target.name} does not cover {named}, which clients use there.",
                fix=f"Order one with these names, or correct names in [targets.{target.name}].",
            )
        )
