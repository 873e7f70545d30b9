"""stunnel: it has no test; with setuid its own account reads the key at a reload, and with chroot a reload finds no files."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import COMBINED, KEY_FIRST, SEPARATE, Action, Files, KeyReader, Kind

KIND = Kind(
    name="stunnel",
    title="stunnel",
    group="proxy",
    measured="stunnel4 5.68-2+deb12u1",
    package="stunnel4",
    unit="stunnel4.service",
    files=Files(layouts=(SEPARATE, COMBINED, KEY_FIRST)),
    key=KeyReader(at_reload="stunnel4", group="stunnel4", certain=False),
    action=Action(
        command=("systemctl", "reload", "stunnel4"),
        bad_pair="The signal reports nothing, and the old certificate stays in use.",
    ),
    detect=Detection(
        programs=("stunnel", "stunnel4"), configuration=("/etc/stunnel/*.conf",), certificate=("cert",), key=("key",)
    ),
    remarks=(
        "The unit stunnel@ has no reload: set it in the target to `systemctl kill --signal=HUP --kill-whom=main stunnel@NAME`.",
        "With chroot, a reload cannot open files outside it and keeps the old certificate: set a restart as the reload command.",
        "Without setuid, root reads the key, also at a reload.",
    ),
    proven=True,
)
