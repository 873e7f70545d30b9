"""A hundred names in one order: through the DNS (BIND, RFC 2136) beside HTTP-01, on the same CA. Prints, judges nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.measure import Series, peak_mib, run
from tests.support.bind import BindServer
from tests.support.pebble import PebbleOptions, PebbleServer
from tests.support.zones import KEY

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
CERTDECK = str(Path(sys.executable).with_name("certdeck"))


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    server = BindServer(tmp_path / "bind")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cas(bind: BindServer, tmp_path: Path) -> Iterator[dict[str, PebbleServer]]:
    """One CA that asks BIND, and one whose names all lead to this machine."""
    servers = {
        "dns-01": PebbleServer(tmp_path / "by-dns", PebbleOptions(name_server=bind.address)),
        "http-01": PebbleServer(tmp_path / "by-http", PebbleOptions()),
    }
    for server in servers.values():
        server.start()
    yield servers
    for server in servers.values():
        server.stop()


def env_of(ca: PebbleServer, home: Path, more: str) -> dict[str, str]:
    etc = home / "etc"
    etc.mkdir(parents=True)
    (etc / "certdeck.toml").write_text(
        f'[issuers.bench]\ndirectory = "{ca.directory_url}"\nca_bundle = "{ca.ca_pem}"\nagree_tos = true\n'
        f'[defaults]\nissuer = "bench"\n[http01]\naddress = "127.0.0.1"\nport = {ca.http01_port}\n{more}'
    )
    return {"PATH": os.environ["PATH"], "HOME": str(home), "CERTDECK_HOME": str(home), "LANG": "C.UTF-8"}


def test_a_hundred_names(cas: dict[str, PebbleServer], bind: BindServer, tmp_path: Path) -> None:
    """One order of a hundred names, the account there, each way three times in turn."""
    by_dns = env_of(cas["dns-01"], tmp_path / "d", f'[dns01]\nresolvers = ["{bind.address}"]\n')
    by_http = env_of(cas["http-01"], tmp_path / "h", "")
    secret = tmp_path / "secret"
    secret.write_text(KEY.secret)
    settings = ["--set", "server=127.0.0.1", "--set", f"port={bind.port}", "--set", f"tsig_name={KEY.name}"]
    run(
        [
            *(CERTDECK, "dns", "add", "bind", "--kind", "rfc2136", "--zone", "example.com"),
            *(*settings, "--secret", f"tsig_secret={secret}"),
        ],
        by_dns,
    )
    run([CERTDECK, "issue", "-d", "first.example.com", "--dns", "bind"], by_dns)
    run([CERTDECK, "issue", "-d", "first.example.com"], by_http)
    dns, http = [], []
    for turn in range(3):
        names = [word for k in range(100) for word in ("-d", f"s{k}.r{turn}.example.com")]
        http.append(run([CERTDECK, "issue", *names], by_http))
        dns.append(run([CERTDECK, "issue", *names, "--dns", "bind"], by_dns))
    one, other = Series("100 names: dns-01", tuple(dns)), Series("100 names: http-01", tuple(http))
    print()
    print(one.line(other))
    print(other.line())
    names = [word for k in range(100) for word in ("-d", f"s{k}.peak.example.com")]
    print(f"100 names: dns-01's peak memory {peak_mib([CERTDECK, 'issue', *names, '--dns', 'bind'], by_dns):.1f} MiB")
