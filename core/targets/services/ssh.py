"""`ssh`: another machine, to which the files are copied over OpenSSH. The target's own paths are a local copy of them."""

from __future__ import annotations

from core.targets.kind import COMBINED, KEY_FIRST, LEAF, SEPARATE, Action, Files, Kind

KIND = Kind(
    name="ssh",
    title="Another machine over SSH",
    group="any",
    files=Files(
        layouts=(SEPARATE, COMBINED, KEY_FIRST, LEAF),
        remark="The target's paths are a local copy. remote_certificate, remote_key and remote_chain are the "
        "paths on the other machine.",
    ),
    action=Action(
        push=True,
        bad_pair="remote_test fails, the previous files are restored there, and nothing is reloaded.",
    ),
    remarks=(
        "The host key must be known and the login must work without a password.",
        "The other machine needs a POSIX shell. Its previous files are kept next to the new ones.",
    ),
    proven=True,
)
