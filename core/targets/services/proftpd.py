"""ProFTPD: reads the files for each session and sends no intermediates from the certificate's file."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import LEAF, NO_ACTION, Action, ConfigTest, Files, Kind, Probing

KIND = Kind(
    name="proftpd",
    title="ProFTPD",
    group="ftp",
    measured="proftpd-core 1.3.8+dfsg-4+deb12u5",
    package="proftpd-core",
    unit="proftpd.service",
    files=Files(
        layouts=(LEAF,),
        remark="TLSRSACertificateFile sends only the certificate: put the intermediates into TLSCertificateChainFile.",
    ),
    test=ConfigTest(command=("proftpd", "-t"), missing=True, mismatch=False),
    action=Action(how=NO_ACTION, bad_pair="Every session is closed before the greeting, plain FTP too."),
    probe=Probing(usual=("ftp://127.0.0.1:21",)),
    detect=Detection(
        programs=("proftpd",),
        configuration=("/etc/proftpd/proftpd.conf",),
        options=("-c", "--config"),
        certificate=("TLSRSACertificateFile", "TLSECCertificateFile"),
        key=("TLSRSACertificateKeyFile", "TLSECCertificateKeyFile"),
        dialects=("ftp",),
    ),
    remarks=("Do not send SIGHUP while a file is missing: it stops the server.",),
    proven=True,
)
