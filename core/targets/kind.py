"""A kind of target as data: how one service takes a new certificate.

One row is one value of `Kind`, in a file of its own in `core/targets/services/`. The forms, the command's help, `target kinds`,
`target show`, the doctor, and the table in the README are all made from it. A row holds what was seen with the version that it
names; where something was not tried it says nothing (None, or an empty text).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from core.targets.detection import Detection

SEPARATE = "separate"
"""Certificate with its chain in one file, the key in another."""
COMBINED = "combined"
"""Certificate, chain and key in one file, in this order."""
KEY_FIRST = "key-first"
"""Key, certificate and chain in one file, in this order."""
LEAF = "leaf"
"""The certificate alone, its chain, and the key in three files."""
LAYOUTS = (SEPARATE, COMBINED, KEY_FIRST, LEAF)

RELOAD, RESTART, NO_ACTION = "reload", "restart", "none"
LIVE, IDLE_CLOSED, CUT = "live", "idle-closed", "cut"

ROOT = "root"

Run = Callable[[Sequence[str]], str | None]
"""Runs a program and returns its output; None where it failed."""


class Files(Struct, frozen=True, kw_only=True):
    """How certificate and key lie on the disk."""

    layouts: tuple[str, ...] = (SEPARATE,)
    """The layouts that the service takes, each one of LAYOUTS; the first is the default."""
    certificate: str = ""
    """Usual path of the certificate, where the service has one; also shows a name that it insists on."""
    key: str = ""
    links: bool = True
    """It follows a link that is switched by a rename."""
    remark: str = ""


class KeyReader(Struct, frozen=True, kw_only=True):
    """Which account reads the key."""

    at_start: str = ROOT
    at_reload: str = ROOT
    group: str = ""
    """Group through which `at_reload` may read the key; empty where root reads it."""
    certain: bool = True
    """False: whether `at_reload` reads it depends on the service's configuration, so nothing is refused because of it."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Those beside root that have to read the key."""
        return tuple(dict.fromkeys(each for each in (self.at_start, self.at_reload) if each != ROOT))


class ConfigTest(Struct, frozen=True, kw_only=True):
    """The service's own configuration test. What it does not notice is why certdeck checks the pair itself."""

    command: tuple[str, ...] = ()
    missing: bool | None = None
    """It notices a missing file. None: not tried, or there is no test."""
    mismatch: bool | None = None
    """It notices a key of another certificate."""


class Exchange(Struct, frozen=True, kw_only=True):
    """What is said to a service over a socket, in the place of a command."""

    socket: str
    """Path of a Unix socket, or `{probe}`: the first probe of the target, over TLS."""
    say: tuple[str, ...]
    """Messages, each of which waits for an answer. Placeholders as in `Action.command`; `{pem}`: certificate and key themselves."""
    on_failure: str = ""
    """Said when an answer is no success."""


class Action(Struct, frozen=True, kw_only=True):
    """What makes new connections get the new certificate."""

    how: str = RELOAD
    """`reload`, `restart`, or `none`: it reads the files for each connection."""
    command: tuple[str, ...] = ()
    """Argument list, run without a shell. `{certificate}`, `{key}` and `{chain}` are the target's paths."""
    stdin: str = ""
    """What the command reads, with the same placeholders."""
    exchange: Exchange | None = None
    """In the place of a command."""
    push: bool = False
    """In the place of a command: `core.targets.remote` takes the files to another machine and reloads there."""
    before: Callable[[Run, Sequence[str]], tuple[tuple[str, ...], ...]] | None = None
    """Returns commands to run first, found by asking the service; its second argument is the reload command."""
    says: tuple[str, ...] = ()
    """How a line of the output of `command`, or of the answer to each message of `exchange`, begins. Case does not matter."""
    failure_signs: tuple[str, ...] = ()
    """In the output they mean failure, whatever the exit status says. Lower case."""
    idle_signs: tuple[str, ...] = ()
    """What the command says when the service does not run at all. Lower case."""
    sessions: str = LIVE
    """Established connections: `live`, `idle-closed` (requests under way finish), or `cut`."""
    bad_pair: str = ""
    """What the service does when the pair on the disk does not match: one sentence."""
    recover: tuple[str, ...] = ()
    """Brings the service back where the same action with the old pair does not, or where it has ended."""
    seconds: int = 0
    """How long the service may take until it serves the new certificate; 0: no time worth waiting for."""


class Probing(Struct, frozen=True, kw_only=True):
    """How the service is asked for its certificate."""

    usual: tuple[str, ...] = ()
    """Probes of an installation as packaged: `127.0.0.1:443`, `smtp://127.0.0.1:25`. Empty: its port is up to its administrator."""
    needs_name: bool = False
    """Without a server name that it knows it answers with an alert."""
    possible: bool = True
    """False: it speaks no TLS that a probe can speak (IKE, OpenVPN)."""
    seconds: int = 10
    """Time limit of the look after the action."""


class Kind(Struct, frozen=True, kw_only=True):
    """A row of the catalogue in `core.targets.kinds`."""

    name: str
    title: str
    group: str = "other"
    """`web`, `proxy`, `mail`, `database`, `directory`, `messaging`, `dns`, `ftp`, `vpn`, `logging`, `printing`, `any`."""
    measured: str = ""
    """Package and version whose behavior this row describes (Debian 12)."""
    package: str = ""
    """Debian's package."""
    unit: str = ""
    """Its systemd unit."""
    files: Files = Files()
    key: KeyReader = KeyReader()
    test: ConfigTest = ConfigTest()
    action: Action = Action()
    probe: Probing = Probing()
    detect: Detection | None = None
    """None: it is not looked for."""
    remarks: tuple[str, ...] = ()
    """What an administrator should know. Each is one or two sentences."""
    proven: bool = False
    """certdeck's own tests deploy to the real service."""
