"""MariaDB: FLUSH SSL reads the files, and rejects a mismatched pair."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, ConfigTest, KeyReader, Kind, Probing

KIND = Kind(
    name="mariadb",
    title="MariaDB",
    group="database",
    measured="mariadb-server 10.11.19-0+deb12u1",
    package="mariadb-server",
    unit="mariadb.service",
    key=KeyReader(at_start="mysql", at_reload="mysql", group="mysql"),
    test=ConfigTest(missing=False, mismatch=False),
    action=Action(
        command=("mariadb-admin", "flush-ssl"),
        idle_signs=("can't connect to",),
        bad_pair="FLUSH SSL fails, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("mysql://127.0.0.1:3306",)),
    detect=Detection(
        programs=("mariadbd", "mysqld"),
        configuration=("/etc/mysql/my.cnf", "/etc/my.cnf"),
        options=("--defaults-file",),
        tool=("mariadbd", "--defaults-file={configuration}", "--print-defaults"),
        certificate=("--ssl-cert", "--ssl_cert"),
        key=("--ssl-key", "--ssl_key"),
        dialects=("mysql",),
    ),
    remarks=("SIGHUP does not read the files.", "`mariadbd --verbose --help` opens neither certificate nor key."),
    proven=True,
)
