"""slapd: even a rejected change disables TLS, and only writing the attributes again restores it. SIGHUP stops it."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import LEAF, SEPARATE, Action, ConfigTest, Files, KeyReader, Kind, Probing

KIND = Kind(
    name="slapd",
    title="OpenLDAP slapd",
    group="directory",
    measured="slapd 2.5.13+dfsg-5",
    package="slapd",
    unit="slapd.service",
    files=Files(layouts=(SEPARATE, LEAF)),
    key=KeyReader(at_start="openldap", at_reload="openldap", group="openldap"),
    test=ConfigTest(command=("slaptest", "-u", "-F", "/etc/ldap/slapd.d"), missing=False, mismatch=False),
    action=Action(
        command=("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///"),
        stdin=(
            "dn: cn=config\nchangetype: modify\nreplace: olcTLSCertificateFile\nolcTLSCertificateFile: {certificate}\n-\n"
            "replace: olcTLSCertificateKeyFile\nolcTLSCertificateKeyFile: {key}\n"
        ),
        idle_signs=("can't contact ldap server",),
        bad_pair="The change is rejected, and TLS is off until the attributes are written again.",
    ),
    probe=Probing(usual=("ldap://127.0.0.1:389",)),
    detect=Detection(
        programs=("slapd",),
        configuration=("/etc/ldap/slapd.d", "/etc/openldap/slapd.d"),
        options=("-F",),
        certificate=("olcTLSCertificateFile",),
        key=("olcTLSCertificateKeyFile",),
        dialects=("ldap", ""),
    ),
    remarks=("SIGHUP stops slapd. Never use it to reload.", "slaptest accepts even a missing file."),
    proven=True,
)
