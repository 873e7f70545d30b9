from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.config.model import TargetConfig
from core.ports import Served
from core.targets.fingerprint import sha256_of_der
from core.targets.observe import observe
from tests.support.authority import Leaf, self_signed


@dataclass
class Serving:
    answer: Served

    def listeners(self, probe: str, *, timeout: float) -> Sequence[str]:
        return (probe,)

    def served(self, address: str, *, server_name: str | None, timeout: float) -> Served:
        return self.answer


@pytest.fixture(scope="module")
def leaf() -> Leaf:
    """The live version."""
    return self_signed(["localhost"])


@pytest.fixture
def live(tmp_path: Path, leaf: Leaf) -> Path:
    """The folder of the live version."""
    leaf.write(tmp_path / "live/fullchain.pem", tmp_path / "live/privkey.pem")
    return tmp_path / "live"


@pytest.fixture
def target(tmp_path: Path, leaf: Leaf) -> TargetConfig:
    """A target that carries it."""
    found = TargetConfig(
        name="web", certificate=f"{tmp_path}/web.crt", key=f"{tmp_path}/web.key", probe=("127.0.0.1:443",)
    )
    leaf.write(Path(found.certificate), Path(found.key))
    return found


def test_same_files_are_deployed(target: TargetConfig, live: Path) -> None:
    """A target whose files are the live version's is `deployed`, with what its service was last seen to serve."""
    state = observe(target, live=live, outcome={"state": "deployed", "sha256": "AA:BB", "why": ""})
    assert (state.state, state.served_sha256, state.why) == ("deployed", "AA:BB", "")


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_an_outside_change_shows(target: TargetConfig, live: Path, which: str, how: str) -> None:
    """Somebody edited or removed the certificate or the key: the target is `stale` and names the file."""
    path = Path(getattr(target, which))
    if how == "changed":
        path.write_bytes(b"other")
    else:
        path.unlink()
    state = observe(target, live=live)
    assert state.state == "stale"
    assert str(path) in state.why


def test_a_fallback_is_no_change_from_outside(target: TargetConfig, live: Path) -> None:
    """While the fallback certificate stands in nobody is blamed, and nobody is told to put the expired one back (CL-08)."""
    Path(target.certificate).write_bytes(b"the fallback")
    state = observe(target, live=live, on_fallback=True)
    assert (state.state, state.why) == ("stale", "The fallback certificate is served until renewal succeeds.")
    Path(target.certificate).unlink()
    assert "missing" in observe(target, live=live, on_fallback=True).why


def test_unreadable_is_unknown(target: TargetConfig, live: Path) -> None:
    """What cannot be read is `unknown`, not a failure of the status."""
    Path(target.key).unlink()
    Path(target.key).mkdir()
    assert observe(target, live=live).state == "unknown"
    assert observe(target, live=live / "missing").state == "unknown"


def test_a_pipe_in_a_targets_place_holds_nobody(target: TargetConfig, live: Path) -> None:
    """A pipe where a service's key should be held every `status` for ever; nobody can say what it carries."""
    Path(target.key).unlink()
    os.mkfifo(target.key)
    assert observe(target, live=live).state == "unknown"


def test_a_failed_deployment_shows(target: TargetConfig, live: Path) -> None:
    """After a failed deployment the old files are right and the target is `failed` all the same, with the reason."""
    state = observe(target, live=live, outcome={"state": "failed", "why": "nginx -t ended with status 1."})
    assert (state.state, state.why) == ("failed", "nginx -t ended with status 1.")


def test_the_service_is_asked(target: TargetConfig, live: Path, leaf: Leaf) -> None:
    """With a prober the state tells what is served: ours, another one, or nothing."""
    from cryptography.hazmat.primitives.serialization import Encoding

    ours = Serving(Served(certificate=leaf.certificate.public_bytes(Encoding.DER)))
    assert observe(target, live=live, prober=ours).state == "deployed"
    assert observe(target, live=live, prober=ours).served_sha256 == leaf.sha256
    other = observe(target, live=live, prober=Serving(Served(certificate=b"other")))
    assert (other.state, other.served_sha256) == ("stale", sha256_of_der(b"other"))
    silent = observe(target, live=live, prober=Serving(Served(failure="Nothing listens at 127.0.0.1:443.")))
    assert (silent.state, silent.served_sha256, silent.why) == ("unknown", None, "Nothing listens at 127.0.0.1:443.")
