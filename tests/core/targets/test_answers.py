"""What services say when they are told: their words decide, not their exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from core.config.model import TargetConfig
from core.ports import CancelToken, Completed, Environment
from core.targets.answers import is_own, judged, program_of
from core.targets.kinds import kind_named
from core.targets.resolved import resolved
from core.targets.service import action_of, run_recover, run_reload
from core.targets.services.postfix import renew_sni_maps
from tests.support.authority import self_signed


class Programs:
    """The ports `Runner` and `Talker`: says what it is given, and keeps what it was told."""

    def __init__(self, *answers: Completed) -> None:
        self.answers = list(answers)
        self.ran: list[tuple[str, ...]] = []
        self.read: list[bytes | None] = []
        self.said: list[tuple[str, str]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
    ) -> Completed:
        self.ran.append(tuple(argv))
        self.read.append(stdin)
        return self.answers.pop(0)

    def say(self, address: str, message: bytes, *, timeout: float) -> Completed:
        self.said.append((address, message.decode()))
        return self.answers.pop(0)

    @property
    def env(self) -> Environment:
        found = SimpleNamespace(runner=self, talker=self, check_command=lambda argv: None)
        return cast("Environment", found)


def answer(output: str, returncode: int = 0) -> Completed:
    return Completed(returncode=returncode, output=output)


def target(kind: str, **more: object) -> TargetConfig:
    given = {"name": "svc", "kind": kind, "certificate": "/tls/c.pem", "key": "/tls/k.pem", **more}
    return resolved(TargetConfig(**given))


def test_redis_refuses_with_status_0() -> None:
    """`ERR …` of redis-cli is a failure although it ends with status 0, and `OK` is success (redis 7.0)."""
    said = "ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update TLS configuration."
    programs = Programs(answer(said), answer("OK\n"))
    verdict = run_reload(programs.env, target("redis"))
    assert not verdict.ok
    assert "Unable to update TLS configuration" in verdict.why
    assert run_reload(programs.env, target("redis")).ok
    assert programs.ran[0][-4:] == ("tls-cert-file", "/tls/c.pem", "tls-key-file", "/tls/k.pem")


@pytest.mark.parametrize(
    ("kind", "output", "ok"),
    [("postgresql", "t\n", True), ("postgresql", "f\n", False), ("rabbitmq", "ok\n", True), ("rabbitmq", "", False)],
)
def test_an_answer_must_say_success(kind: str, output: str, ok: bool) -> None:
    """Where a service answers a word, only that word is success."""
    assert run_reload(Programs(answer(output)).env, target(kind)).ok is ok


def test_a_command_of_the_administrator_is_judged_by_its_status() -> None:
    """Another program than the kind's own means what its exit status says: its words are not known."""
    assert run_reload(Programs(answer("ERR x")).env, target("redis", reload=("/usr/local/bin/mine",))).ok


def test_slapd_gets_its_change_on_standard_input() -> None:
    """ldapmodify reads the change with the paths of the target, also where other options are given."""
    programs = Programs(answer("modifying entry"), answer("modifying entry"))
    run_reload(programs.env, target("slapd"))
    run_reload(programs.env, target("slapd", reload=("ldapmodify", "-H", "ldapi://%2Fx")))
    assert programs.read[0] == programs.read[1]
    assert b"replace: olcTLSCertificateFile\nolcTLSCertificateFile: /tls/c.pem\n" in (programs.read[0] or b"")


def test_a_socket_is_told_in_words(tmp_path: Path) -> None:
    """HAProxy gets certificate and key without empty lines, and an abort after a refusal; its echo shows no key."""
    leaf = self_signed(["a.example.com"])
    pem = tmp_path / "site.pem"
    pem.write_bytes(leaf.fullchain_pem + b"\n\n" + leaf.key_pem)
    secret = leaf.key_pem.decode().splitlines()[1]
    haproxy = target("haproxy-runtime", certificate=str(pem), key="", socket="/run/h.sock")
    programs = Programs(answer(f"Transaction created for certificate {pem}!"), answer("Committing\nSuccess!\n"))
    assert run_reload(programs.env, haproxy).ok
    address, said = programs.said[0]
    assert address == "/run/h.sock"
    assert said.startswith(f"set ssl cert {pem} <<\n-----BEGIN CERTIFICATE-----\n")
    assert "\n\n" not in said[:-1]

    programs = Programs(
        answer("Transaction updated"), answer(f"Can't commit: inconsistencies; {secret}"), answer("aborted")
    )
    verdict = run_reload(programs.env, haproxy)
    assert not verdict.ok
    assert secret not in verdict.why + verdict.output
    assert programs.said[-1][1] == f"abort ssl cert {pem}\n"


def test_memcached_is_told_where_it_is_probed() -> None:
    """A kind that is told over its TLS port takes the first probe, and says so where there is none."""
    programs = Programs(answer("OK\r\n"))
    memcached = target("memcached", probe=("127.0.0.1:11211",), certificate=__file__, key=__file__)
    assert run_reload(programs.env, memcached).ok
    assert programs.said == [("127.0.0.1:11211", "refresh_certs\r\n")]
    assert "has no probe" in run_reload(Programs().env, target("memcached")).why


def test_compiled_sni_maps_are_renewed_before_the_reload() -> None:
    """Postfix' compiled maps hold copies of certificate and key, so postmap -F comes first; other maps are read as they are."""
    programs = Programs(answer("hash:/etc/postfix/sni, inline:{x=y}\n"), answer(""), answer(""))
    assert run_reload(programs.env, target("postfix", reload=("postfix", "-c", "/etc/p2", "reload"))).ok
    assert programs.ran[1] == ("postmap", "-c", "/etc/p2", "-F", "hash:/etc/postfix/sni")
    assert renew_sni_maps(lambda argv: None, ("postfix", "reload")) == ()


def test_a_way_back_is_only_used_for_the_systems_own_service() -> None:
    """What brings a service back belongs to the service that the kind's own command reloads, not to one with its own commands."""
    programs = Programs(answer(""))
    assert run_recover(programs.env, target("syslog-ng")) is not None
    assert programs.ran == [("systemctl", "restart", "syslog-ng")]
    assert run_recover(Programs().env, target("lighttpd", reload=("pkill", "-USR1", "lighttpd"))) is None
    assert run_recover(Programs().env, target("nginx")) is None


def test_wrappers_are_looked_through() -> None:
    """`runuser -u postgres -- psql` is psql, wherever it lies."""
    assert program_of(("/usr/sbin/runuser", "-u", "x", "--", "/usr/bin/psql", "-c", "y")) == "psql"
    kind = kind_named("postgresql")
    assert kind is not None
    assert is_own(("psql", "-c", "select pg_reload_conf()"), kind.action)
    assert not is_own((), kind.action)
    assert judged("", (), (), "x").ok


def test_services_with_one_action_are_told_once() -> None:
    """Two targets with the same command are one service; those told by what is said about their files are not."""
    assert action_of(target("nginx", name="a")) == action_of(target("nginx", name="b"))
    assert action_of(target("slapd", name="a")) != action_of(target("slapd", name="b"))


def test_variables_before_a_program_are_no_program() -> None:
    """`env A=B swanctl` is swanctl."""
    assert program_of(("env", "A=B", "C=", "/usr/sbin/swanctl", "--load-creds")) == "swanctl"
