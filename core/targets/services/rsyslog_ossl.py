"""rsyslog with the driver ossl: only a restart reads the files."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import CUT, RESTART, Action, ConfigTest, Kind, Probing

DETECTION = Detection(
    programs=("rsyslogd",),
    configuration=("/etc/rsyslog.conf",),
    options=("-f",),
    certificate=("DefaultNetstreamDriverCertFile", "streamDriver.CertFile"),
    key=("DefaultNetstreamDriverKeyFile", "streamDriver.KeyFile"),
    contains="ossl",
)

KIND = Kind(
    name="rsyslog-ossl",
    title="rsyslog (ossl)",
    group="logging",
    measured="rsyslog 8.2302.0-1+deb12u2",
    package="rsyslog-openssl",
    unit="rsyslog.service",
    test=ConfigTest(command=("rsyslogd", "-N1"), missing=True, mismatch=False),
    action=Action(
        how=RESTART,
        command=("systemctl", "restart", "rsyslog"),
        sessions=CUT,
        bad_pair="It starts, without TLS.",
        recover=("systemctl", "restart", "rsyslog"),
    ),
    probe=Probing(usual=("127.0.0.1:6514",)),
    detect=DETECTION,
    remarks=("SIGHUP keeps the old certificate.",),
    proven=True,
)
