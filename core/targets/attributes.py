"""Owner, group and mode of a new file of a target; an existing file keeps its own (`core.foreign.attributes`)."""

from __future__ import annotations

from core.config.model import TargetConfig
from core.errors import StageFailed
from core.foreign.attributes import GIVEN_BITS, Attributes

KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


def attributes_for_new(target: TargetConfig, *, is_key: bool) -> Attributes:
    """Return the configured attributes for a file that did not exist.

    Raises StageFailed (`stage-failed`) for an owner or group that does not exist on this machine.
    """
    uid, gid = owner_of_new(target)
    mode = CERTIFICATE_MODE
    if is_key:
        mode = int(target.file_mode, 8) if target.file_mode else KEY_MODE
    return Attributes(mode=mode & GIVEN_BITS, uid=uid, gid=gid)


def owner_of_new(target: TargetConfig) -> tuple[int | None, int | None]:
    """Return the configured owner and group by number, each None if it is not configured.

    Raises StageFailed (`stage-failed`) for one that does not exist on this machine.
    """
    import grp
    import pwd

    uid = gid = None
    try:
        if target.owner is not None:
            uid = int(target.owner) if target.owner.isdecimal() else pwd.getpwnam(target.owner).pw_uid
        if target.group is not None:
            gid = int(target.group) if target.group.isdecimal() else grp.getgrnam(target.group).gr_gid
    except KeyError as exc:
        wanted, what = ("owner", "account") if uid is None and target.owner is not None else ("group", "group")
        raise StageFailed(
            f"The files of target {target.name} cannot be given to the {wanted} that is configured.",
            f"This box has no {what} {getattr(target, wanted)!r}.",
            f"Correct {wanted} in [targets.{target.name}], or create the {what}.",
            details={"target": target.name, "live": "old"},
        ) from exc
    return uid, gid
