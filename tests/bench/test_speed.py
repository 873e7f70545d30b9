"""What certdeck costs, beside certbot where it can be had (`CERTBOT=/path/to/certbot make bench`). Prints, judges nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.bench.measure import Run, Series, peak_mib, run
from tests.support.pebble import PebbleOptions, PebbleServer

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
CERTDECK = str(Path(sys.executable).with_name("certdeck"))
CERTBOT = os.environ.get("CERTBOT") or shutil.which("certbot")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PebbleServer]:
    """Pebble without sleeps, refused nonces, reuse or Retry-After: the clients' own waits show."""
    server = PebbleServer(tmp_path_factory.mktemp("ca"), PebbleOptions())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ours(ca: PebbleServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a certdeck that has its account at the CA."""
    etc = tmp_path / "deck" / "etc"
    etc.mkdir(parents=True)
    (etc / "certdeck.toml").write_text(
        f'[issuers.bench]\ndirectory = "{ca.directory_url}"\nca_bundle = "{ca.ca_pem}"\nprofile = "default"\nagree_tos = true\n'
        f'[defaults]\nissuer = "bench"\n[http01]\naddress = "127.0.0.1"\nport = {ca.http01_port}\n'
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CERTDECK_HOME": str(tmp_path / "deck"),
        "LANG": "C.UTF-8",
    }
    run([CERTDECK, "issue", "-d", "first.certdeck.test"], env)
    return env


@pytest.fixture
def theirs(ca: PebbleServer, tmp_path: Path) -> Callable[..., list[str]] | None:
    """Makes certbot's command lines, its account made; None where there is no certbot."""
    if CERTBOT is None:
        print("certbot is not here: figures without a ratio")
        return None
    where = tmp_path / "certbot"
    common = ["--config-dir", f"{where}/etc", "--work-dir", f"{where}/work", "--logs-dir", f"{where}/log", "-n"]
    common += ["--server", ca.directory_url, "--http-01-port", str(ca.http01_port), "--http-01-address", "127.0.0.1"]

    def command(verb: str, *more: str) -> list[str]:
        assert CERTBOT is not None
        return [CERTBOT, verb, *common, *more]

    run(command("register", "--agree-tos", "-m", "bench@example.com", "--no-eff-email"), certbot_env(ca))
    return command


def certbot_env(ca: PebbleServer) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "REQUESTS_CA_BUNDLE": str(ca.ca_pem), "LANG": "C.UTF-8"}


def map_concurrently(
    label: str, count: int, mine: Callable[[int], Run], other: Callable[[int], Run] | None
) -> tuple[Series, Series | None]:
    """Run both in turn, so that a drift of the machine hits both; print the figures."""
    a, b = [], []
    for i in range(count):
        a.append(mine(i))
        if other is not None:
            b.append(other(i))
    one = Series(f"{label}: certdeck", tuple(a))
    two = Series(f"{label}: certbot", tuple(b)) if b else None
    print()
    print(one.line(two))
    if two is not None:
        print(two.line())
    return one, two


@pytest.mark.parametrize("names", [1, 100])
def test_one_certificate(
    ca: PebbleServer, ours: Mapping[str, str], theirs: Callable[..., list[str]] | None, names: int
) -> None:
    """One certificate with one and with a hundred names, HTTP-01, the account there."""

    def domains(who: str, i: int) -> list[str]:
        return [word for k in range(names) for word in ("-d", f"s{k}.r{i}.{names}.{who}.test")]

    def certbot(i: int) -> Run:
        assert theirs is not None
        more = ["--standalone", "--key-type", "ecdsa", "--elliptic-curve", "secp256r1", *domains("certbot", i)]
        return run(theirs("certonly", *more), certbot_env(ca))

    map_concurrently(
        f"issue, {names} name(s)",
        7 if names == 1 else 3,
        lambda i: run([CERTDECK, "issue", *domains("certdeck", i)], ours),
        certbot if theirs else None,
    )
    peak = peak_mib([CERTDECK, "issue", *domains("peak", 0)], ours)
    print(f"issue, {names} name(s): certdeck's peak memory {peak:.1f} MiB")


def test_fifty_renewals(ca: PebbleServer, ours: Mapping[str, str], theirs: Callable[..., list[str]] | None) -> None:
    """Fifty single-name certificates, renewed by force in one call."""
    for i in range(49):
        run([CERTDECK, "issue", "-d", f"b{i}.certdeck.test"], ours)
        if theirs:
            more = ["--standalone", "--key-type", "ecdsa", "-d", f"b{i}.certbot.test"]
            run(theirs("certonly", *more), certbot_env(ca))

    def certbot(_: int) -> Run:
        assert theirs is not None
        return run(theirs("renew", "--force-renewal", "--no-random-sleep-on-renew"), certbot_env(ca))

    map_concurrently(
        "50 forced renewals", 1, lambda _: run([CERTDECK, "--renew", "--force"], ours), certbot if theirs else None
    )


@pytest.mark.parametrize("count", [1, 100, 1000, 10_000])
def test_nothing_due(ca: PebbleServer, ours: Mapping[str, str], tmp_path: Path, count: int) -> None:
    """The scheduled run when nothing is due, over 1 to 10,000 certificates."""
    clone(Path(ours["CERTDECK_HOME"]), "first.certdeck.test", count)
    run([CERTDECK, "--renew"], ours)
    map_concurrently(f"nothing due, {count} certificate(s)", 7, lambda _: run([CERTDECK, "--renew"], ours), None)
    print(f"nothing due, {count} certificate(s): peak memory {peak_mib([CERTDECK, '--renew'], ours):.1f} MiB")


def clone(home: Path, source: str, count: int) -> None:
    """Make `count` lineages out of one that was really issued."""
    version = os.readlink(home / "state/live" / source).rsplit("/", 1)[-1]
    for i in range(1, count):
        name = f"clone{i}"
        shutil.copy(home / f"etc/certificates.d/{source}.toml", home / f"etc/certificates.d/{name}.toml")
        shutil.copytree(home / "state/lineages" / source, home / "state/lineages" / name)
        (home / "state/live" / name).symlink_to(f"../lineages/{name}/{version}")
