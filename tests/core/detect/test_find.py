"""What is made of programs and configurations, without any that run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.detect.find import detect
from core.detected import DetectedService
from core.errors import NotFound, UsageError
from core.ports import Places, RunningProgram, Served
from core.workflows.detecting.take_over import named
from tests.support.authority import self_signed
from tests.support.boxes import the_environment
from tests.support.clock import NOON
from tests.support.runner import FakeRunner

LEAF = self_signed(["svc.example.com"], subject="svc")


class Prober:
    """Presents one certificate on some addresses; nobody listens on any other."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, str | None]] = []

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return (probe,)

    def served(self, listener: str, *, server_name: str | None, timeout: float) -> Served:
        from cryptography.hazmat.primitives.serialization import Encoding

        self.asked.append((listener, server_name))
        if listener in self.addresses:
            return Served(certificate=LEAF.certificate.public_bytes(Encoding.DER))
        return Served(failure=f"Nothing listens at {listener}.", closed=True)


def found(root: Path, prober: Prober, *programs: RunningProgram) -> tuple[DetectedService, ...]:
    env = replace(
        the_environment(),
        prober=prober,
        runner=FakeRunner(),
        places=Places(root=root),
        programs=lambda: programs,
    )
    return detect(env, own=frozenset(), targets={}, now=NOON)


def test_what_the_system_refuses_is_a_problem_of_that_service(tmp_path: Path) -> None:
    """A configuration that cannot be opened stops nobody: it is reported with its service, and the others are found."""
    long = f"/{'x' * 300}"
    haproxy = RunningProgram(
        name="haproxy", pid=2, uid=0, arguments=("haproxy", "-f", long), sockets=(("127.0.0.1", 443),)
    )
    (seen,) = found(tmp_path, Prober("127.0.0.1:443"), haproxy)
    assert "File name too long" in seen.problems[0]
    assert [each.subject for each in seen.listeners] == ["svc"]
    assert seen.suggest is None


def test_a_container_is_not_read(tmp_path: Path) -> None:
    """The paths of a program with another root are not those of this box; what it presents is shown all the same."""
    program = RunningProgram(name="nginx", pid=2, uid=0, sockets=(("0.0.0.0", 443),), is_contained=True)
    (seen,) = found(tmp_path, Prober("127.0.0.1:443"), program)
    assert (seen.certificate, "container" in seen.problems[0], len(seen.listeners)) == (None, True, 1)


def test_unknown_programs_are_asked_on_ports_for_tls_alone(tmp_path: Path) -> None:
    """A program that is not known is asked on ports that are registered for TLS, and nothing is sent to its others."""
    prober = Prober("[::1]:8443")
    program = RunningProgram(name="node\x1b[2J", pid=2, uid=7, sockets=(("::", 8443), ("127.0.0.1", 9999)))
    (seen,) = found(tmp_path, prober, program)
    assert prober.asked == [("[::1]:8443", None)]
    assert ("\x1b" in seen.title, seen.kind, seen.running) == (False, "files", True)


def test_an_id_stays_while_other_services_come_and_go(tmp_path: Path) -> None:
    """What was listed under an id is what is taken over under it, also when another service was started in between."""

    def serve(folder: str) -> RunningProgram:
        certificate, key, configuration = (tmp_path / folder / name for name in ("c", "k", "haproxy.cfg"))
        certificate.parent.mkdir()
        LEAF.write(certificate, key)
        certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
        configuration.write_text(f"frontend web\n  bind 127.0.0.1:8443 ssl crt {certificate}\n")
        return RunningProgram(
            name="haproxy",
            pid=2,
            uid=0,
            arguments=("haproxy", "-f", str(configuration)),
            sockets=(("127.0.0.1", 8443),),
        )

    late = serve("late")
    (alone,) = found(tmp_path, Prober(), late)
    both = {each.id: each for each in found(tmp_path, Prober(), serve("early"), late)}
    assert both[alone.id].certificate == alone.certificate == str(tmp_path / "late" / "c")
    assert named("haproxy", {alone.id: alone}) is alone
    with pytest.raises(UsageError, match="several services of kind haproxy"):
        named("haproxy", both)
    with pytest.raises(NotFound, match="'nginx'"):
        named("nginx", both)


def test_files_that_are_missing_shared_or_open_are_told(tmp_path: Path) -> None:
    """For each service it is said which of its files is missing, who else reads it, and whether everybody can read the key."""
    certificate, key = tmp_path / "c", tmp_path / "k"
    LEAF.write(certificate, key)
    key.chmod(0o644)
    text = f"certfile {certificate}\nkeyfile {key}\n"
    for name, words in (
        ("etc/mosquitto/mosquitto.conf", text),
        ("etc/turnserver.conf", f"cert={certificate}\npkey=/none\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(words)
    mosquitto, coturn = found(tmp_path, Prober())
    assert (mosquitto.running, mosquitto.shared_with, coturn.shared_with) == (False, (coturn.id,), (mosquitto.id,))
    assert mosquitto.problems == (f"Every user on this box can read the key {key}.",)
    assert coturn.problems == ("The key /none is missing.",)
    assert mosquitto.suggest is not None
    assert mosquitto.suggest.file_mode == "0640"
