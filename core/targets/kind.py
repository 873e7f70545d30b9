"""A kind of target as data: how one service loads a new certificate.

One row is one value of `Kind`, in its own file in `core/targets/services/`. The forms, the command's help, `target kinds`,
`target show`, the doctor, and the table in the README are all generated from it. A row describes what was observed with the
version that it names; what was not tested is None or empty.
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
"""Runs a program and returns its output; None if it failed."""


class Files(Struct, frozen=True, kw_only=True):
    """How certificate and key are stored on disk."""

    layouts: tuple[str, ...] = (SEPARATE,)
    """The layouts that the service accepts, each one of LAYOUTS; the first is the default."""
    certificate: str = ""
    """Usual path of the certificate, if the service has one; also shows a file name that it requires."""
    key: str = ""
    links: bool = True
    """It follows a link that is switched by a rename."""
    remark: str = ""


class KeyReader(Struct, frozen=True, kw_only=True):
    """The accounts that read the key."""

    at_start: str = ROOT
    at_reload: str = ROOT
    group: str = ""
    """Group through which `at_reload` may read the key; empty if root reads it."""
    certain: bool = True
    """False: whether `at_reload` reads it depends on the service's configuration, so nothing is refused because of it."""
    programs: tuple[str, ...] = ()
    """File names of the programs that read the files, where those are not the ones of `detect`."""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts other than root that have to read the key."""
        return tuple(dict.fromkeys(each for each in (self.at_start, self.at_reload) if each != ROOT))


class ConfigTest(Struct, frozen=True, kw_only=True):
    """The service's own configuration test. certdeck checks the pair itself, because the test may miss problems."""

    command: tuple[str, ...] = ()
    missing: bool | None = None
    """It detects a missing file. None: not tested, or there is no test."""
    mismatch: bool | None = None
    """It detects a key that does not match the certificate."""


class Exchange(Struct, frozen=True, kw_only=True):
    """Messages to a service over a socket, instead of a command."""

    socket: str
    """Path of a Unix socket, or `{probe}`: the first probe of the target, over TLS."""
    say: tuple[str, ...]
    """Messages, each of which waits for a reply. Placeholders as in `Action.command`; `{pem}`: certificate and key themselves."""
    on_failure: str = ""
    """Sent after a reply that is not a success."""


class Action(Struct, frozen=True, kw_only=True):
    """What makes new connections use the new certificate."""

    how: str = RELOAD
    """`reload`, `restart`, or `none`: it reads the files for each connection."""
    command: tuple[str, ...] = ()
    """Argument list, run without a shell. `{certificate}`, `{key}` and `{chain}` are the target's paths."""
    stdin: str = ""
    """Standard input of the command, with the same placeholders."""
    exchange: Exchange | None = None
    """Used instead of a command."""
    push: bool = False
    """Instead of a command, `core.targets.remote` copies the files to another machine and reloads there."""
    before: Callable[[Run, Sequence[str]], tuple[tuple[str, ...], ...]] | None = None
    """Returns commands to run first, determined by querying the service; its second argument is the reload command."""
    says: tuple[str, ...] = ()
    """How a line of success begins in the output of `command`, or in the reply to each message of `exchange`. Case-insensitive."""
    failure_signs: tuple[str, ...] = ()
    """Text in the output that means failure, whatever the exit status. Lower case."""
    idle_signs: tuple[str, ...] = ()
    """Output of the command if the service is not running. Lower case."""
    sessions: str = LIVE
    """Established connections: `live`, `idle-closed` (active requests finish), or `cut`."""
    bad_pair: str = ""
    """What the service does if certificate and key on disk do not match: one sentence."""
    recover: tuple[str, ...] = ()
    """Restores the service if the same action with the old pair does not, or if it has stopped."""
    seconds: int = 0
    """How long the service may take to serve the new certificate; 0: it does so almost immediately."""


class Probing(Struct, frozen=True, kw_only=True):
    """How to probe the service for its certificate."""

    usual: tuple[str, ...] = ()
    """Probes of an installation as packaged: `127.0.0.1:443`, `smtp://127.0.0.1:25`. Empty: the administrator chooses the port."""
    needs_name: bool = False
    """Without a server name that it knows, it responds with an alert."""
    possible: bool = True
    """False: it speaks no protocol that a probe supports (IKE, OpenVPN)."""
    seconds: int = 10
    """Time limit of the probe after the action."""


class Kind(Struct, frozen=True, kw_only=True):
    """A row of the table in `core.targets.kinds`."""

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
    """None: it is not detected."""
    remarks: tuple[str, ...] = ()
    """What an administrator should know. Each is one or two sentences."""
    proven: bool = False
    """certdeck's own tests deploy to the real service."""
