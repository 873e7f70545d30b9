"""A certificate from a CA that is asked by hand, from the request to a real nginx: by command, and in the console (CL-15)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.engine import Engine
from tests.support.authority import Authority, fingerprint
from tests.support.command import Answer, process
from tests.support.nginx import NginxServer
from tests.support.pki import pki_server
from tests.support.tmux import Terminal
from tests.support.uploads import answer_to

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
Terminals = Callable[..., Terminal]

NAMES = ("shop.example.com", "www.shop.example.com")


@pytest.fixture
def bought(tmp_path: Path) -> Authority:
    """A CA that this system trusts."""
    authority = Authority.new("Bought")
    (tmp_path / "roots.pem").write_bytes(authority.root_pem)
    return authority


def configured(home: Path, nginx: NginxServer) -> dict[str, str]:
    """Set up a box with nginx as its service; return what its processes have in their environment."""
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "certdeck.toml").write_text(nginx.target_toml("nginx"))
    return {"SSL_CERT_FILE": str(home.parent / "roots.pem")}


def sha256_of(answer: bytes) -> str:
    return fingerprint(x509.load_pem_x509_certificate(answer))


def secrets_below(folder: Path) -> list[Path]:
    """Return the files that hold a private key which anybody who gets the file could use."""
    return [path for path in folder.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def test_by_command(home: Path, tmp_path: Path, bought: Authority, nginx: NginxServer) -> None:
    """The key never is on the disk in the clear before its certificate comes; that needs no key file, and nginx serves it."""
    env = configured(home, nginx)

    def run(*argv: str) -> Answer:
        return process(*argv, home=home, env=env)

    csr = tmp_path / "shop.csr"
    made = run("csr", "shop", "-d", *NAMES, "--subject", "O=Acme Ltd,C=DE", "--out", str(csr))
    assert made.status == 0, made.err
    assert secrets_below(home) == []
    answer = answer_to(csr.read_text(), bought)
    (tmp_path / "shop.crt").write_bytes(answer)
    checked = run("check", "--cert", str(tmp_path / "shop.crt"))
    assert "the key on this box, from the request shop" in checked.out
    nginx.break_config()
    refused = run("import", "shop", "--cert", str(tmp_path / "shop.crt"), "--target", "nginx")
    assert refused.status == 1
    assert run("csr", "--json").json["requests"][0]["name"] == "shop"
    nginx.mend_config()
    done = run("import", "shop", "--cert", str(tmp_path / "shop.crt"), "--target", "nginx", "--json")
    assert done.status == 0, done.out
    nginx.wait_served(sha256_of(answer))
    assert run("csr", "--json").json["requests"] == []


def test_the_missing_intermediate_comes_from_the_cas_server(
    home: Path, tmp_path: Path, bought: Authority, nginx: NginxServer
) -> None:
    """A leaf alone is completed from the address in it where that was asked for; unasked nobody is spoken to."""
    env = configured(home, nginx)
    der = bought.intermediate.certificate.public_bytes(Encoding.DER)
    with pki_server({"/inter.crt": der}) as address:
        pem = process("csr", "shop", "-d", *NAMES, home=home, env=env).out
        answer = answer_to(pem, bought, chain=False, urls=[f"{address}/inter.crt"])
        (tmp_path / "leaf.crt").write_bytes(answer)
        alone = process("check", "--cert", str(tmp_path / "leaf.crt"), home=home, env=env)
        assert f"{address}/inter.crt (--fetch-chain" in alone.out
        done = process(
            *("import", "shop", "--cert", str(tmp_path / "leaf.crt"), "--fetch-chain", "--target", "nginx"),
            home=home,
            env=env,
        )
    assert done.status == 0, done.err
    assert "was missing and was added from the URL" in done.out
    nginx.wait_served(sha256_of(answer))
    assert nginx.certificate.read_bytes() == answer + bought.chain_pem


def test_in_the_console(home: Path, bought: Authority, nginx: NginxServer, terminals: Terminals) -> None:
    """The form, the request copied through the terminal, the pasted answer that finds its key and its chain, and nginx."""
    env = configured(home, nginx)
    engine = Engine.open({"CERTDECK_HOME": str(home), "PATH": os.environ["PATH"], **env})
    engine.first_boot()
    terminal = terminals(["certdeck"], env=env)
    terminal.wait_for("Certificates")
    terminal.press("u")
    terminal.wait_for("Certificate, chain and key")
    terminal.press("C-r")
    terminal.wait_for("New signing request")
    terminal.type(" ".join(NAMES))
    terminal.press("C-s")
    terminal.wait_for("BEGIN CERTIFICATE REQUEST")
    terminal.press("c")
    terminal.wait_for("Copied")
    pem = terminal.clipboard
    assert pem == engine.csr(NAMES[0]).pem
    with pki_server({"/inter.crt": bought.intermediate.certificate.public_bytes(Encoding.DER)}) as address:
        answer = answer_to(pem, bought, chain=False, urls=[f"{address}/inter.crt"])
        terminal.press("Escape")
        terminal.wait_for("Certificate, chain and key")
        terminal.paste(answer.decode())
        terminal.wait_for("^l Fetch chain")
        assert terminal.shows("Found  1 certificate · the key on this box")
        terminal.press("C-l")
        terminal.wait_for("1 in the chain")
        terminal.wait_for("to shop.example.com, served by nginx")
        terminal.wait_for("^s Apply")
        terminal.press("C-s")
        terminal.wait_for("shop.example.com has its new certificate")
    nginx.wait_served(sha256_of(answer))
    assert engine.csrs() == ()
    assert nginx.certificate.read_bytes() == answer + bought.chain_pem
