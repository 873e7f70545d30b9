"""`command`: a service that is reloaded by a custom program, which gets the paths of certificate and key."""

from __future__ import annotations

from core.targets.kind import COMBINED, KEY_FIRST, LEAF, SEPARATE, Action, Files, Kind

KIND = Kind(
    name="command",
    title="Command",
    group="any",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST, LEAF)),
    action=Action(),
    remarks=(
        "The reload command is required. {certificate}, {key} and {chain} in its arguments are replaced by the target's paths.",
        "It runs after the files have been switched, without a shell, and again with the old files when a deployment fails.",
    ),
    proven=True,
)
