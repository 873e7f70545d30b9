"""Owner, group and mode of a target's file that was not there before; what was there keeps its own (`core.foreign.attributes`)."""

from __future__ import annotations

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.attributes import GIVEN_BITS, Attributes

KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


def attributes_for_new(target: TargetConfig, *, is_key: bool) -> Attributes:
    """Return the attributes for a file that was not there, as the configuration says.

    Raises StageFailed (`stage-failed`) for an owner or group that this machine does not have.
    """
    import grp
    import pwd

    uid = gid = None
    try:
        if target.owner is not None:
            uid = int(target.owner) if target.owner.isdigit() else pwd.getpwnam(target.owner).pw_uid
        if target.group is not None:
            gid = int(target.group) if target.group.isdigit() else grp.getgrnam(target.group).gr_gid
    except KeyError as exc:
        wanted = "owner" if uid is None and target.owner is not None else "group"
        raise StageFailed(
            f"The files of target {target.name} cannot be given to the {wanted} that is configured.",
            f"This machine has no such account: {getattr(target, wanted)!r}.",
            f"Correct {wanted} in [targets.{target.name}], or create the account.",
            details={"target": target.name, "live": "old"},
        ) from exc
    mode = CERTIFICATE_MODE
    if is_key:
        mode = int(target.file_mode, 8) if target.file_mode else KEY_MODE
    return Attributes(mode=mode & GIVEN_BITS, uid=uid, gid=gid)
