"""An account that exchanges names in its own folder while root works there: at every single system call, and as fast as it can."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.acme.authorization import Challenge
from core.challenges.webroot import Webroot
from core.errors import CertdeckError
from core.paths import Paths
from core.ports import CancelToken
from core.targets.pair import release
from core.workflows.keeping.out_file import place_for
from tests.support.acme_client import Told
from tests.support.changing import Changing, recovered
from tests.support.clock import FakeClock
from tests.support.hostile import Grounds, at_call

ROUNDS = int(os.environ.get("CERTDECK_TEST_ROUNDS", "60"))
"""Orders under attack for each kind of work, with many exchanges each. A longer run: CERTDECK_TEST_ROUNDS=20000."""
IS_LONG = "CERTDECK_TEST_ROUNDS" in os.environ
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be turned against its box"),
    pytest.mark.timeout(0 if IS_LONG else 120),
]
NEW = {"fullchain.pem": b"new certificate", "privkey.pem": b"new key", "chain.pem": b""}
CHALLENGE = Challenge(
    identifier="shop.example.com",
    wildcard=False,
    type="http-01",
    status="pending",
    url="https://ca.test/challenge/1",
    token="tok",
    key_authorization="tok.thumb",
)
TOLD = Told(FakeClock())
PAIR = (
    "tls",
    "tls/domain.crt",
    "tls/domain.key",
    "tls/.certdeck-web",
    "tls/.certdeck-web.domain.crt",
    "tls/.certdeck-web.domain.key",
)
ROOT = ("www", "www/.well-known", "www/.well-known/acme-challenge", "www/.well-known/acme-challenge/.certdeck-tok")
OUT = ("tls", "tls/out.pem", "tls/.certdeck-out.pem")


@pytest.fixture
def grounds() -> Iterator[Grounds]:
    """A folder that other accounts reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="certdeck-"))
    yield Grounds(folder)
    shutil.rmtree(folder)


class Work:
    """One kind of work in the folder: `prepare` what has to be there before, then `do` it."""

    mode = "link"

    def __init__(self, grounds: Grounds) -> None:
        self.grounds = grounds

    def prepare(self) -> None:
        """Nothing has to be there."""

    def do(self) -> None:
        raise NotImplementedError

    def switched(self) -> Changing:
        """Return a deployment that has come as far as its switch."""
        changing = Changing(self.grounds.target(self.mode))
        try:
            changing.stage(NEW)
            changing.adopt()
            changing.switch()
        except BaseException:
            try:
                changing.put_back()
            finally:
                changing.close()
            raise
        return changing


class Deployment(Work):
    def do(self) -> None:
        with self.switched() as changing:
            changing.settle()


class CopyMode(Deployment):
    mode = "copy"


class Rollback(Work):
    def do(self) -> None:
        with self.switched() as changing:
            changing.put_back()


class RollbackOfCopies(Rollback):
    mode = "copy"


class Recovery(Work):
    def prepare(self) -> None:
        with self.switched() as changing:
            self.change = changing.change

    def do(self) -> None:
        with recovered(self.change, self.grounds.target(self.mode)) as changing:
            changing.put_back()


class RecoveryOfCopies(Recovery):
    mode = "copy"


class Release(Work):
    def prepare(self) -> None:
        with self.switched() as changing:
            changing.settle()

    def do(self) -> None:
        release(self.grounds.target())


class WebrootOrder(Work):
    def do(self) -> None:
        with Webroot(self.grounds.site / "www").present([CHALLENGE], TOLD.narrator, CancelToken()):
            pass


class Export(Work):
    def do(self) -> None:
        home = self.grounds.folder / "home"
        paths = Paths(home / "etc", home / "state", home / "run", home / "log")
        out = self.grounds.site / "tls" / "out.pem"
        with place_for(paths, out, out) as place:
            place.write(b"exported key", 0o600)


KINDS = [
    pytest.param(Deployment, PAIR, id="deploy"),
    pytest.param(CopyMode, PAIR, id="copy-mode"),
    pytest.param(Rollback, PAIR, id="rollback"),
    pytest.param(RollbackOfCopies, PAIR, id="rollback-copies"),
    pytest.param(Recovery, PAIR, id="recovery"),
    pytest.param(RecoveryOfCopies, PAIR, id="recovery-copies"),
    pytest.param(Release, PAIR, id="release"),
    pytest.param(WebrootOrder, ROOT, id="webroot"),
    pytest.param(Export, OUT, id="export"),
]


@pytest.mark.parametrize(("kind", "places"), KINDS)
def test_an_account_that_exchanges_names_gains_nothing(
    grounds: Grounds, kind: type[Work], places: tuple[str, ...]
) -> None:
    """While another account exchanges names as fast as it can, root changes nothing outside and shows it nothing of its own."""
    work = kind(grounds)
    ends = {True: 0, False: 0}
    with grounds.attacker(places) as attacker:
        for number in range(ROUNDS):
            grounds.reset()
            work.prepare()
            with attacker.at_work():
                ends[_is_done(work)] += 1
            grounds.check(f"round {number}")
    assert ends[True], "no order came to its end: nothing was tried"


@pytest.mark.parametrize(("kind", "places"), KINDS)
def test_an_exchange_at_any_system_call_gains_nothing(
    grounds: Grounds, kind: type[Work], places: tuple[str, ...]
) -> None:
    """Whichever name is exchanged right before whichever system call, root changes nothing outside and shows nothing of its own."""
    work = kind(grounds)
    pairs = [(place, decoy) for place in places for decoy in Grounds.DECOYS]
    for number in _calls(work):
        # A short run takes another pair of names for each call, a long one all of them.
        for place, decoy in pairs if IS_LONG else [pairs[number * 7 % len(pairs)]]:
            grounds.reset()
            work.prepare()
            with at_call(number, lambda place=place, decoy=decoy: grounds.exchange(place, decoy)) as made:
                _is_done(work)
            grounds.check(f"{place} and {decoy} exchanged before call {number}: {made[number - 1 : number]}")


def _is_done(work: Work) -> bool:
    try:
        work.do()
    except (OSError, CertdeckError):
        return False
    return True


def _calls(work: Work) -> Iterator[int]:
    """Return the numbers of the calls that the work makes when nobody disturbs it."""
    work.grounds.reset()
    work.prepare()
    with at_call(0, lambda: None) as made:
        assert _is_done(work)
    yield from range(1, len(made) + 1)
