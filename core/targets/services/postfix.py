"""Postfix: without a reload, the old and new certificate are served alternately; only postmap updates the copies in SNI maps."""

from __future__ import annotations

from collections.abc import Sequence

from core.targets.detection import Detection
from core.targets.kind import KEY_FIRST, SEPARATE, Action, ConfigTest, Files, Kind, Probing, Run


def renew_sni_maps(run: Run, reload: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the postmap commands for the compiled SNI maps (tls_server_sni_maps) of the instance that `reload` names with -c."""
    config = ("-c", reload[reload.index("-c") + 1]) if "-c" in reload[:-1] else ()
    maps = run(("postconf", *config, "-h", "tls_server_sni_maps")) or ""
    compiled = ("hash:", "btree:", "lmdb:", "cdb:", "dbm:", "sdbm:")
    return tuple(
        ("postmap", *config, "-F", each) for each in maps.replace(",", " ").split() if each.startswith(compiled)
    )


KIND = Kind(
    name="postfix",
    title="Postfix",
    group="mail",
    measured="postfix 3.7.11-0+deb12u1",
    package="postfix",
    unit="postfix.service",
    files=Files(
        layouts=(SEPARATE, KEY_FIRST), remark="In smtpd_tls_chain_files the key must come first: layout key-first."
    ),
    test=ConfigTest(command=("postfix", "check"), missing=False, mismatch=False),
    action=Action(
        command=("postfix", "reload"),
        before=renew_sni_maps,
        idle_signs=("the postfix mail system is not running",),
        bad_pair="The reload reports success. STARTTLS is offered but returns 454, and mail may be accepted unencrypted.",
    ),
    probe=Probing(usual=("smtp://127.0.0.1:25",)),
    detect=Detection(
        programs=("postfix/sbin/master",),
        configuration=("/etc/postfix/main.cf",),
        reader="postfix",
        dialects=("smtp", ""),
    ),
    remarks=(
        "Without a reload, the old and the new certificate are served alternately.",
        "With maillog_file, a reload that logs many warnings can block forever: remove duplicate settings from main.cf.",
        "A compiled map of tls_server_sni_maps holds copies of certificate and key. certdeck runs postmap -F before the reload.",
    ),
    proven=True,
)
