"""rsyslog with the driver gtls: it reads the files for each connection, and signs with any key that it finds."""

from __future__ import annotations

from msgspec.structs import replace

from core.targets.kind import NO_ACTION, Action
from core.targets.services import rsyslog_ossl

KIND = replace(
    rsyslog_ossl.KIND,
    name="rsyslog-gtls",
    title="rsyslog (gtls)",
    package="rsyslog-gnutls",
    action=Action(how=NO_ACTION, bad_pair="It is served immediately: clients see an invalid signature."),
    detect=replace(rsyslog_ossl.DETECTION, contains="gtls"),
    remarks=("With a mismatched pair, the start succeeds without TLS.",),
)
