"""strongSwan: swanctl reads the files and hands them to the daemon; success is reported for a key that does not match."""

from __future__ import annotations

from core.targets.kind import LEAF, Action, Files, Kind, Probing

KIND = Kind(
    name="strongswan",
    title="strongSwan",
    group="vpn",
    measured="charon-systemd 5.9.8-5+deb12u6",
    package="charon-systemd",
    unit="strongswan.service",
    files=Files(
        layouts=(LEAF,),
        certificate="/etc/swanctl/x509/certdeck.pem",
        key="/etc/swanctl/private/certdeck.pem",
        remark="The certificate alone belongs in x509, the key in private, the intermediates in x509ca.",
    ),
    action=Action(
        command=("swanctl", "--load-creds", "--clear", "--noprompt"),
        idle_signs=("connecting to 'default' uri failed", "connecting to 'unix:"),
        failure_signs=("failed",),
        bad_pair="The command reports success, and peers get the old certificate or are refused.",
    ),
    probe=Probing(possible=False),
    remarks=(
        "Without --clear peers go on getting the old certificate when the new one has the same key.",
        "--clear also unloads what was loaded by hand, such as a key with a passphrase.",
        "Peers see the new certificate at the next IKE_SA. `swanctl --list-conns` names the old one until --load-conns.",
        "What it serves cannot be probed: make a connection after a deployment.",
    ),
    proven=True,
)
