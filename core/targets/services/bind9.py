"""BIND: its reload reports a pair that it cannot load; named-checkconf does not read the files."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="bind9",
    title="BIND 9",
    group="dns",
    measured="bind9 9.18.49-1~deb12u1",
    package="bind9",
    unit="named.service",
    key=KeyReader(at_start="bind", at_reload="bind", group="bind"),
    test=ConfigTest(command=("named-checkconf",), missing=False, mismatch=False),
    action=Action(
        command=("rndc", "reconfig"),
        idle_signs=("connection refused",),
        bad_pair='The reload fails with "TLS error", and the old certificate stays in use.',
    ),
    probe=Probing(usual=("127.0.0.1:853",)),
    detect=Detection(
        programs=("named",),
        configuration=("/etc/bind/named.conf", "/etc/named.conf"),
        options=("-c",),
        tool=("named-checkconf", "-p", "{configuration}"),
        certificate=("cert-file",),
        key=("key-file",),
    ),
    proven=True,
)
