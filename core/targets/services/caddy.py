"""Caddy: a reload with an unchanged Caddyfile does nothing unless it is forced."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import IDLE_CLOSED, Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="caddy",
    title="Caddy",
    group="web",
    measured="caddy 2.11.4",
    package="caddy",
    unit="caddy.service",
    key=KeyReader(at_start="caddy", at_reload="caddy", group="caddy"),
    test=ConfigTest(command=("caddy", "validate", "--config", "/etc/caddy/Caddyfile"), missing=True, mismatch=True),
    action=Action(
        command=("caddy", "reload", "--force", "--config", "/etc/caddy/Caddyfile"),
        idle_signs=("connection refused",),
        sessions=IDLE_CLOSED,
        bad_pair="The reload fails, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("127.0.0.1:443",), needs_name=True),
    detect=Detection(
        programs=("caddy",),
        configuration=("/etc/caddy/Caddyfile",),
        options=("--config", "-config"),
        reader="caddy",
    ),
    remarks=(
        "Measured with 2.11.4; certdeck's tests use Debian's 2.6.2.",
        "Without --force, a reload with the same Caddyfile exits with status 0 and does nothing.",
    ),
    proven=True,
)
