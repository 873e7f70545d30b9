"""OpenVPN: SIGHUP stops the process if the pair is mismatched, or if the account that it runs as cannot read the key."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import CUT, Action, Kind, Probing

KIND = Kind(
    name="openvpn",
    title="OpenVPN",
    group="vpn",
    measured="openvpn 2.6.14-0+deb12u2",
    package="openvpn",
    unit="openvpn.service",
    action=Action(
        command=("systemctl", "reload", "openvpn"),
        sessions=CUT,
        bad_pair="The process ends.",
        recover=("systemctl", "restart", "openvpn"),
    ),
    probe=Probing(possible=False),
    detect=Detection(
        programs=("openvpn",),
        configuration=("/etc/openvpn/*.conf", "/etc/openvpn/server/*.conf"),
        options=("--config",),
        certificate=("cert",),
        key=("key",),
        dialects=(),
    ),
    remarks=(
        "certdeck cannot probe it: connect once after a deployment.",
        "With `user NAME`, that account reads the key at SIGHUP: set its group in the target. certdeck does not set it.",
        "SIGUSR1 reads the files only without persist-key.",
    ),
    proven=True,
)
