"""rsyslog with the driver gtls: it reads the files for each connection, and signs with whatever key it finds."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import NO_ACTION, Action, ConfigTest, Kind, Probing

KIND = Kind(
    name="rsyslog-gtls",
    title="rsyslog (gtls)",
    group="logging",
    measured="rsyslog 8.2302.0-1+deb12u2",
    package="rsyslog-gnutls",
    unit="rsyslog.service",
    test=ConfigTest(command=("rsyslogd", "-N1"), missing=True, mismatch=False),
    action=Action(how=NO_ACTION, bad_pair="It is served immediately: clients see an invalid signature."),
    probe=Probing(usual=("127.0.0.1:6514",)),
    detect=Detection(
        programs=("rsyslogd",),
        configuration=("/etc/rsyslog.conf",),
        options=("-f",),
        certificate=("DefaultNetstreamDriverCertFile", "streamDriver.CertFile"),
        key=("DefaultNetstreamDriverKeyFile", "streamDriver.KeyFile"),
        contains="gtls",
    ),
    remarks=("With a mismatched pair, the start succeeds without TLS.",),
    proven=True,
)
