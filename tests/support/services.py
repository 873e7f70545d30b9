"""Doubles for deployments: services that keep their certificate until they are told to reload, and a box without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from core.config.model import Config, LineageConfig, TargetConfig
from core.events import Narrator, Report
from core.paths import Paths
from core.ports import OUTPUT_LIMIT_BYTES, CancelToken, Completed, Environment, Places, Served
from core.store import lineages
from core.store.versions import CertificateFacts, VersionFacts
from core.workflows.context import Context
from core.workflows.deploying.transaction import deploy_version
from tests.support.authority import Authority, Leaf, self_signed
from tests.support.clock import NOON, FakeClock, FakeRandom

_open = open
"""As it was at first: what a service reads is no operation of ours where operations are watched and made to fail."""


@dataclass
class Service:
    """One TLS service: `test` and `reload` read its two files as nginx does, `serves` is what it has in memory."""

    target: TargetConfig
    memory: Path
    """Where it keeps what it serves: in a file, because whoever tells it to reload may be another process."""
    is_running: bool = True
    test_answers: list[Completed] = field(default_factory=list)
    """Said instead of really testing, one after the other."""
    reload_answers: list[Completed] = field(default_factory=list)
    is_deaf: bool = False
    """Reloads without reading anything anew."""
    did: list[str] = field(default_factory=list)

    @property
    def serves(self) -> bytes | None:
        """The fullchain in memory."""
        return self.memory.read_bytes() if self.memory.exists() else None

    @serves.setter
    def serves(self, fullchain: bytes) -> None:
        self.memory.write_bytes(fullchain)

    def pair(self) -> tuple[bytes, bytes] | None:
        """Return what stands at its paths, or None unless both are there."""
        try:
            with _open(self.target.certificate, "rb") as certificate, _open(self.target.key, "rb") as key:
                return certificate.read(), key.read()
        except FileNotFoundError:
            return None

    def command(self, word: str) -> Completed:
        """Carry out `test` or `reload`."""
        self.did.append(word)
        answers = self.test_answers if word == "test" else self.reload_answers
        if answers:
            return answers.pop(0)
        pair = self.pair()
        if pair is None or not _belong_together(*pair):
            return Completed(returncode=1, output=f"service: cannot load certificate {self.target.certificate}\n")
        if word == "reload":
            if not self.is_running:
                return Completed(returncode=1, output="service is not active, cannot reload.\n")
            if not self.is_deaf:
                self.serves = pair[0]
        return Completed(returncode=0, output="")


class Services:
    """The ports `Runner` and `Prober` over some services: commands are `[NAME, test|reload]`, addresses `NAME:443`."""

    def __init__(self) -> None:
        self.by_name: dict[str, Service] = {}

    def add(self, folder: Path, name: str, *, probe: bool = True, mode: str = "link") -> Service:
        """Make a service and its target, with paths in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        target = TargetConfig(
            name=name,
            certificate=str(folder / f"{name}.crt"),
            key=str(folder / f"{name}.key"),
            test=(name, "test"),
            reload=(name, "reload"),
            probe=(f"{name}:443",) if probe else (),
            mode=mode,
        )
        service = self.by_name[name] = Service(target, folder.with_name(f"{folder.name}.{name}-serves"))
        return service

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        service = self.by_name.get(argv[0])
        if service is None:
            return Completed(returncode=127, output=f"{argv[0]}: no such program.")
        return service.command(argv[1])

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return (probe,)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        service = self.by_name[address.removesuffix(":443")]
        if service.serves is None or not service.is_running:
            return Served(failure=f"Nothing listens at {address}.")
        return Served(certificate=_der(service.serves))


@dataclass
class Box:
    """A certdeck home with lineages and services, without an engine around it."""

    paths: Paths
    services: Services
    told: list[Report] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    random: FakeRandom = field(default_factory=FakeRandom)
    authority: Authority = field(default_factory=lambda: Authority.new(now=NOON))
    cancel: CancelToken = field(default_factory=CancelToken)

    @classmethod
    def at(cls, home: Path) -> Box:
        """Make a box whose four folders lie below `home`."""
        return cls(Paths(home / "etc", home / "state", home / "run", home / "log"), Services())

    @property
    def context(self) -> Context:
        """What a workflow gets."""
        env = SimpleNamespace(
            check_command=lambda argv: None,
            reads_as=lambda account, file: None,
            programs=lambda: (),
            clock=self.clock,
            random=self.random,
            runner=self.services,
            prober=self.services,
            variables={},
            places=Places(root=self.paths.etc.parent / "root"),
        )
        return Context(
            paths=self.paths,
            env=cast("Environment", env),
            config=Config(targets={name: service.target for name, service in self.services.by_name.items()}),
            narrator=Narrator(report=self.told.append, now=self.clock.now, run="00000000"),
            cancel=self.cancel,
        )

    def events(self, *kinds: type) -> list[str]:
        """Return the names of the told events, or only those of `kinds`."""
        return [type(r.event).__name__ for r in self.told if not kinds or isinstance(r.event, kinds)]

    def store(self, spec: LineageConfig, leaf: Leaf | None = None, *, key: bytes | None = None) -> tuple[int, Leaf]:
        """Store a new version for the lineage; returns its number and the pair."""
        leaf = leaf or self.authority.leaf(list(spec.domains))
        facts = CertificateFacts(
            subject=spec.domains[0],
            issuer="Test Intermediate",
            names=spec.domains,
            serial=f"{leaf.certificate.serial_number:X}",
            not_before=leaf.certificate.not_valid_before_utc,
            not_after=leaf.certificate.not_valid_after_utc,
            key_type="ec-256",
            sha256=leaf.sha256,
            self_signed=False,
            chain_length=2,
        )
        version = lineages.store_version(
            self.paths,
            spec.name,
            privkey=key or leaf.key_pem,
            cert=leaf.certificate_pem,
            chain=leaf.chain_pem,
            fullchain=leaf.fullchain_pem,
            facts=VersionFacts(
                created=NOON,
                ca="test",
                directory=None,
                method="http-01",
                certificate=facts,
                spec=lineages.spec_of(spec),
            ),
        )
        return version, leaf

    def put(self, spec: LineageConfig) -> tuple[int, Leaf]:
        """Store a new version and deploy it to the lineage's targets."""
        version, leaf = self.store(spec)
        targets = [self.context.config.targets[name] for name in spec.targets]
        deploy_version(self.context, spec.name, version, targets, spec=spec)
        return version, leaf

    def serving(self, folder: Path, name: str = "web") -> tuple[Service, Leaf]:
        """Add a service that runs on a pair which is none of ours."""
        service = self.services.add(folder, name)
        old = self_signed(["old.example.com"])
        old.write(Path(service.target.certificate), Path(service.target.key))
        service.serves = old.fullchain_pem
        return service, old


def _belong_together(fullchain: bytes, key: bytes) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return x509.load_pem_x509_certificate(fullchain).public_key() == load_pem_private_key(key, None).public_key()
    except ValueError:
        return False


def _der(pem: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
