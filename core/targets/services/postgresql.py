"""PostgreSQL: a reload that keeps the old certificate also returns `t`; a key that others can read is rejected."""

from __future__ import annotations

from core.targets.detection import Detection
from core.targets.kind import Action, KeyReader, Kind, Probing

KIND = Kind(
    name="postgresql",
    title="PostgreSQL",
    group="database",
    measured="postgresql-15 15.20-0+deb12u1",
    package="postgresql",
    unit="postgresql.service",
    key=KeyReader(at_start="postgres", at_reload="postgres", group="postgres"),
    action=Action(
        command=("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c", "select pg_reload_conf()"),
        says=("t",),
        idle_signs=("no such file or directory", "connection refused"),
        bad_pair="The response is the same as for success, and the old certificate stays in use.",
    ),
    probe=Probing(usual=("postgres://127.0.0.1:5432",)),
    detect=Detection(
        programs=("postgres",),
        configuration=("/etc/postgresql/*/*/postgresql.conf", "/var/lib/pgsql/data/postgresql.conf"),
        reader="postgresql",
        dialects=("postgres",),
    ),
    remarks=(
        "The key has mode 0600 and belongs to postgres, or has mode 0640 and belongs to root with the group postgres.",
        "There is no configuration test: `postgres -C ssl_cert_file` prints the path even if the file does not exist.",
    ),
    proven=True,
)
