"""Another account that works against root in its own folder: it exchanges names there between two of root's system calls.

    grounds = Grounds(folder)                       # a folder of ACCOUNT with a target, and beside it what nobody may change
    with grounds.attacker(places) as attacker:      # a process of ACCOUNT …
        with attacker.at_work():                    # … exchanges names as fast as it can
            ...
    with at_call(7, lambda: grounds.exchange(…)):   # or: exactly one exchange, right before the seventh system call
        ...
    grounds.check("where")                          # nothing outside has changed, nothing of root's has got in

The account needs no entry in /etc/passwd. Only root can run this.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.config.model import TargetConfig

ACCOUNT = 54321
SECRET = b"what only root may read"
KEY_OF_ROOT = b"the key of a service that reads it as root"
OLD = {"domain.crt": b"old certificate", "domain.key": b"old key"}

CALLS = (
    "open", "stat", "fstat", "readlink", "listdir", "getxattr", "mkdir", "rmdir", "unlink", "symlink", "rename", "replace",
    "chmod", "chown", "fchmod", "fchown", "write",
)  # fmt: skip
"""The functions of `os` before which a name can be exchanged."""

_EXCHANGE = 2
_HERE = -100
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str | Path, other: str | Path) -> None:
    """Let two names change places in one step (renameat2(2), RENAME_EXCHANGE); where one is missing nothing happens."""
    _libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)


class Attacker:
    """The other process; it stands still until it is let."""

    def __init__(self, child: int) -> None:
        self._child = child
        self._stop()

    def _stop(self) -> None:
        os.kill(self._child, signal.SIGSTOP)
        os.waitpid(self._child, os.WUNTRACED)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let it exchange names until the context ends."""
        os.kill(self._child, signal.SIGCONT)
        try:
            yield
        finally:
            self._stop()


class Grounds:
    """A folder `site` of ACCOUNT, in it a target's folder `tls` and a document root `www`; and `outside`, which is root's."""

    PLACES = (
        "tls", "tls/domain.crt", "tls/domain.key", "tls/.certdeck-web", "tls/.certdeck-web.domain.crt",
        "tls/.certdeck-web.domain.key", "www", "www/.well-known", "www/.well-known/acme-challenge",
        "www/.well-known/acme-challenge/.certdeck-tok", "tls/.certdeck-out.pem", "tls/out.pem",
    )  # fmt: skip
    DECOYS = (
        "decoys/to-secret", "decoys/hard-link", "decoys/hard-program", "decoys/to-victim", "decoys/pair", "decoys/pipe",
        "www/private", "tls/.certdeck-mail", "decoys/file",
    )  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.outside = folder / "outside"
        folder.chmod(0o755)
        victim = self.outside / "victim"
        (victim / ".well-known" / "acme-challenge").mkdir(parents=True)
        for name in ("0", "1", ".certdeck-web"):
            (victim / name).mkdir()
        for name in ("fullchain.pem", "privkey.pem", "domain.crt", "domain.key", "0/privkey.pem", "out.pem"):
            (victim / name).write_bytes(SECRET)
        (victim / ".well-known/acme-challenge/tok").write_bytes(SECRET)
        for path in [victim, *victim.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        (self.outside / "secret").write_bytes(SECRET)
        (self.outside / "secret").chmod(0o600)
        (self.outside / "program").write_bytes(b"#!/bin/sh\n")
        (self.outside / "program").chmod(0o4755)
        self.reset()
        self.at_first = self._state_outside()

    def reset(self) -> None:
        """Make the site anew, as an honest account has it, with the decoys beside."""
        shutil.rmtree(self.site, ignore_errors=True)
        for name in ("tls", "www", "decoys", "decoys/pair", "decoys/pair/0", "decoys/pair/1"):
            (self.site / name).mkdir(parents=True, exist_ok=True)
        for name, content in OLD.items():
            (self.site / "tls" / name).write_bytes(content)
            (self.site / "tls" / name).chmod(0o600 if name == "domain.key" else 0o644)
        decoys = self.site / "decoys"
        (decoys / "to-secret").symlink_to(self.outside / "secret")
        (decoys / "to-victim").symlink_to(self.outside / "victim")
        for number in ("0", "1"):
            for name in ("fullchain.pem", "privkey.pem"):
                (decoys / "pair" / number / name).symlink_to(self.outside / "secret")
        (decoys / "pair" / "current").symlink_to("0")
        os.mkfifo(decoys / "pipe")
        (decoys / "file").write_bytes(b"anything")
        for path in [self.site, *self.site.rglob("*")]:
            os.chown(path, ACCOUNT, ACCOUNT, follow_symlinks=False)
        # What the account could only link with protected_hardlinks off, and what root has made in its folders:
        os.link(self.outside / "secret", decoys / "hard-link")
        os.link(self.outside / "program", decoys / "hard-program")
        private = self.site / "www" / "private"
        private.mkdir(mode=0o700)
        (private / "note").write_bytes(SECRET)
        self.private = private.stat().st_ino
        mail = self.site / "tls" / ".certdeck-mail"
        for number in ("0", "1"):
            (mail / number).mkdir(parents=True)
            for name in ("fullchain.pem", "privkey.pem"):
                (mail / number / name).write_bytes(KEY_OF_ROOT)
                (mail / number / name).chmod(0o600)
        (mail / ".target").write_text("mail")
        (mail / "current").symlink_to("0")

    def target(self, mode: str = "link") -> TargetConfig:
        tls = self.site / "tls"
        return TargetConfig(name="web", certificate=str(tls / "domain.crt"), key=str(tls / "domain.key"), mode=mode)

    def exchange(self, place: str, decoy: str) -> None:
        """Exchange two names of the site, with the rights of ACCOUNT."""
        os.seteuid(ACCOUNT)
        try:
            exchange(self.site / place, self.site / decoy)
        finally:
            os.seteuid(0)

    @contextmanager
    def attacker(self, places: tuple[str, ...]) -> Iterator[Attacker]:
        """Start a process of ACCOUNT that exchanges `places` with the decoys, forth and back, while it is let."""
        child = os.fork()
        if child == 0:
            try:
                self._attack(places)
            finally:
                os._exit(1)
        attacker = Attacker(child)
        try:
            yield attacker
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _attack(self, places: tuple[str, ...]) -> None:
        os.chdir(self.folder)
        os.setgroups([])
        os.setresgid(ACCOUNT, ACCOUNT, ACCOUNT)
        os.setresuid(ACCOUNT, ACCOUNT, ACCOUNT)
        dice = random.Random(1)
        while os.getppid() != 1:
            place, decoy = f"site/{dice.choice(places)}", f"site/{dice.choice(self.DECOYS)}"
            for _ in range(2):
                exchange(place, decoy)
                for _ in range(dice.randrange(400)):
                    pass

    def check(self, where: str) -> None:
        """Fail where something outside has changed, where root's content got into the site, or where a set-ID bit is."""
        assert self._state_outside() == self.at_first, where
        planted = {(self.outside / name).stat().st_ino for name in ("secret", "program")}
        for at, folders, files in os.walk(self.site):
            for name in [*folders, *files]:
                with suppress(FileNotFoundError):
                    self._check_entry(Path(at, name), planted, where)

    def _check_entry(self, path: Path, planted: set[int], where: str) -> None:
        status = path.lstat()
        if path.is_symlink() or status.st_ino in planted or path.is_fifo():
            return
        assert not status.st_mode & 0o7000, f"{where}: {path} has mode {status.st_mode:o}"
        if status.st_ino == self.private:
            assert status.st_mode & 0o777 == 0o700, f"{where}: {path}"
        if path.is_file() and path.name != "note":
            content = path.read_bytes()
            assert SECRET not in content, f"{where}: {path} holds what only root may read"
            if KEY_OF_ROOT in content:
                assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600), f"{where}: {path} shows root's key"

    def _state_outside(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in [self.outside, *sorted(self.outside.rglob("*"))]:
            status = path.lstat()
            content = b"" if path.is_dir() else path.read_bytes()
            found[str(path)] = (status.st_ino, status.st_mode, status.st_uid, status.st_gid, content)
        return found


@contextmanager
def at_call(number: int, act: Callable[[], None]) -> Iterator[list[str]]:
    """Call `act` once, right before the system call of that number among CALLS; gives the calls that have been made."""
    made: list[str] = []
    real = {name: getattr(os, name) for name in CALLS}
    is_busy = False

    def around(name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal is_busy
            if not is_busy:
                made.append(name)
                if len(made) == number:
                    is_busy = True
                    try:
                        act()
                    finally:
                        is_busy = False
            return real[name](*args, **options)

        return call

    for name in CALLS:
        setattr(os, name, around(name))
    try:
        yield made
    finally:
        for name, function in real.items():
            setattr(os, name, function)
