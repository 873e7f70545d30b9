"""FreeRADIUS (RadSec): SIGHUP reads only the virtual servers; only a restart reads the certificate."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import CUT, RESTART, Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="freeradius",
    title="FreeRADIUS",
    group="directory",
    measured="freeradius 3.2.1+dfsg-4+deb12u1",
    package="freeradius",
    unit="freeradius.service",
    key=KeyReader(at_start="freerad", at_reload="freerad", group="freerad"),
    test=ConfigTest(command=("freeradius", "-C"), missing=True, mismatch=True),
    action=Action(
        how=RESTART,
        command=("systemctl", "restart", "freeradius"),
        sessions=CUT,
        bad_pair="The restart fails, and the service is down.",
        recover=("systemctl", "restart", "freeradius"),
    ),
    probe=Probing(usual=("127.0.0.1:2083",)),
    detect=Detection(
        programs=("freeradius", "radiusd"),
        configuration=("/etc/freeradius/3.0/sites-enabled", "/etc/raddb/sites-enabled"),
        certificate=("certificate_file",),
        key=("private_key_file",),
    ),
    remarks=("Measured for RadSec. Certificates for EAP were not tested.",),
    proven=True,
)
