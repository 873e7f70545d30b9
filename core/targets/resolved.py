"""A target with the defaults of its kind filled in."""

from __future__ import annotations

import re

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.targets.kinds import kind_of
from core.targets.layout import ONE_FILE, layout_of

COMMAND = "command"
"""The kind whose reload command may contain the target's paths as placeholders."""
_USUAL_SECONDS = TargetConfig(name="").probe_timeout_seconds
_PLACEHOLDER = re.compile(r"\{(?:certificate|key|chain)\}")


def resolved(target: TargetConfig) -> TargetConfig:
    """Return the target with its kind's commands where it has none of its own.

    Raises ConfigError (`config-invalid`) for an unknown kind.
    """
    kind = kind_of(target)
    layout = layout_of(target)
    target = replace(target, layout=layout, key=target.certificate if layout in ONE_FILE else target.key)
    reload = filled(kind.action.command, target)
    if target.reload:
        reload = filled(target.reload, target) if kind.name == COMMAND else target.reload
    exchange = kind.action.exchange
    return replace(
        target,
        test=target.test or kind.test.command,
        reload=reload,
        probe_timeout_seconds=max(target.probe_timeout_seconds, kind.probe.seconds)
        if target.probe_timeout_seconds == _USUAL_SECONDS
        else target.probe_timeout_seconds,
        socket=target.socket or (exchange.socket if exchange is not None and not target.reload else None),
    )


def filled(words: tuple[str, ...], target: TargetConfig) -> tuple[str, ...]:
    """Return a command with a target's paths in place of `{certificate}`, `{key}` and `{chain}`."""
    return tuple(in_text(word, target) for word in words)


def in_text(text: str, target: TargetConfig) -> str:
    """Return a text with a target's paths in place of `{certificate}`, `{key}` and `{chain}`."""
    paths = {"{certificate}": target.certificate, "{key}": target.key, "{chain}": target.chain or ""}
    return _PLACEHOLDER.sub(lambda found: paths[found[0]], text)
