"""strongSwan: swanctl reads the files and passes them to the daemon; it reports success for a mismatched key."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import LEAF, Action, Files, KeyReader, Kind, Probing

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
        remark="Put only the certificate into x509, the key into private, and the intermediates into x509ca.",
    ),
    key=KeyReader(programs=("swanctl",)),
    action=Action(
        command=("swanctl", "--load-creds", "--clear", "--noprompt"),
        idle_signs=("connecting to 'default' uri failed", "connecting to 'unix:"),
        failure_signs=("failed",),
        bad_pair="The command reports success, and peers get the old certificate or are rejected.",
    ),
    probe=Probing(possible=False),
    detect=Detection(
        programs=("charon-systemd", "charon"),
        configuration=("/etc/swanctl",),
        reader="strongswan",
        dialects=(),
    ),
    remarks=(
        "Without --clear, peers still get the old certificate if the new one has the same key.",
        "--clear also unloads manually loaded credentials, such as a key with a passphrase.",
        "Peers see the new certificate at the next IKE_SA. `swanctl --list-conns` names the old one until --load-conns.",
        "certdeck cannot probe it: connect once after a deployment.",
    ),
    proven=True,
)
