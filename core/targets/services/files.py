"""`files`: any service that reads PEM files. Test and reload commands are set in the target."""

from __future__ import annotations

from core.targets.kind import COMBINED, KEY_FIRST, LEAF, NO_ACTION, SEPARATE, Action, Files, Kind

KIND = Kind(
    name="files",
    title="Files",
    group="any",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST, LEAF)),
    action=Action(how=NO_ACTION),
    remarks=("No command is run unless the target has a test or reload command.",),
    proven=True,
)
