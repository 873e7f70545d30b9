"""The table of kinds, and a target with its kind's defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.errors import ConfigError
from core.targets import files, nginx
from core.targets.kind import Kind

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (files.KIND, nginx.KIND)}


def kind_of(target: TargetConfig) -> Kind:
    """Return the kind of a target.

    Raises ConfigError (`config-invalid`) that names the known kinds.
    """
    kind = KINDS.get(target.kind)
    if kind is not None:
        return kind
    from difflib import get_close_matches

    near = get_close_matches(target.kind, KINDS, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    what = f"The target {target.name} has the unknown kind {target.kind!r}."
    raise ConfigError(
        what,
        f"Known kinds are {', '.join(sorted(KINDS))}.{meant}",
        f'Set kind in [targets.{target.name}]; "files" fits every service that reads PEM files.',
        details={"problems": [what]},
    )


def resolved(target: TargetConfig) -> TargetConfig:
    """Return the target with the commands of its kind where it gives none.

    Raises ConfigError (`config-invalid`) for an unknown kind.
    """
    kind = kind_of(target)
    return replace(target, test=target.test or kind.test, reload=target.reload or kind.reload)
