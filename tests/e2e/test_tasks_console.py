"""What an administrator does in the console, each task from its first key to its real result, with no more keys than it takes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from core.engine import Engine
from core.operations import IssueRequest
from tests.support.authority import self_signed
from tests.support.hands import Hands
from tests.support.nginx import NginxServer
from tests.support.pebble import PebbleServer
from tests.support.programs import wait_until
from tests.support.receivers import MailServer
from tests.support.tmux import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
Terminals = Callable[..., Terminal]
NAME = "shop.example.com"


def _box(home: Path, *more: str) -> Engine:
    """Make a box whose private CA issues, with the given tables of settings."""
    (home / "etc").mkdir(parents=True)
    text = '[appliance]\nhostname = "box.example.com"\n' + "".join(more)
    (home / "etc" / "certdeck.toml").write_text(text)
    return Engine.open({"CERTDECK_HOME": str(home), "PATH": os.environ["PATH"]})


def _lab(pebble: PebbleServer) -> str:
    return (
        f'[issuers.lab]\ndirectory = "{pebble.directory_url}"\nca_bundle = "{pebble.ca_pem}"\nprofile = "default"\n'
        f'agree_tos = true\n[defaults]\nissuer = "lab"\n[http01]\naddress = "127.0.0.1"\nport = {pebble.http01_port}\n'
    )


def _issue(engine: Engine, *targets: str, name: str = NAME, issuer: str = "appliance-ca", force: bool = False) -> None:
    engine.issue(IssueRequest(domains=(name,), issuer=issuer, targets=targets, force=force))


def _console(terminals: Terminals, *, cwd: Path | None = None) -> Hands:
    return Hands(terminals(["certdeck"], cwd=cwd))


def test_a_service_is_added(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 2: a target is added by its form, is under the cursor, and its test passes."""
    engine = _box(home)
    _issue(engine)
    hands = _console(terminals)
    hands.press("y", until="No target yet")
    hands.press("n", until="New target")
    hands.type("web")
    hands.press("Tab", "Tab")
    hands.type(str(nginx.certificate))
    hands.press("Tab")
    hands.type(str(nginx.key))
    hands.press("Tab")
    hands.type(" ".join(nginx.test_command))
    hands.press("Tab")
    hands.type(" ".join(nginx.reload_command))
    hands.press("Tab")
    hands.type(nginx.address)
    hands.press("Enter", until="web is saved")
    assert hands.keys <= 10
    hands.press("x", until="TLS works on")
    assert [(each.name, each.kind, each.probe) for each in engine.targets()] == [("web", "nginx", (nginx.address,))]


def test_a_certificate_of_the_private_ca(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 4: the wizard leads to the private CA by "No validation", and the service serves its certificate."""
    engine = _box(home, nginx.target_toml("nginx"))
    engine.first_boot()
    hands = _console(terminals)
    hands.press("i", until="Names of the certificate")
    hands.type("intra.example.com")
    hands.press("Enter", until="signed at once by the private CA of this box")
    hands.press("End", until="(●) No validation")
    hands.press("Enter", until="Private CA of this box")
    hands.press("Enter", until="[ ] nginx")
    hands.press("Space", until="[✔] nginx")
    hands.press("Enter", until="Nothing prevents issuing")
    hands.press("Enter", until="has its certificate")
    assert hands.keys <= 11
    nginx.wait_served(engine.status(("intra.example.com",)).lineages[0].sha256)


def test_roll_back_and_forward(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 10: b shows both versions and puts the previous one back; d chooses the newer one again."""
    engine = _box(home, nginx.target_toml("nginx"))
    _issue(engine, "nginx")
    first = engine.status((NAME,)).lineages[0].sha256
    _issue(engine, "nginx", force=True)
    second = engine.status((NAME,)).lineages[0].sha256
    hands = _console(terminals)
    screen = hands.press("b", until="Roll back shop.example.com")
    assert first[:20] in screen
    assert second[:20] in screen
    hands.press("y", until="Version 1 of shop.example.com is live, on nginx")
    assert hands.keys <= 4
    nginx.wait_served(first)
    hands.press("Enter", until="Certificates  1")
    hands.press("d", until="[1 live]")
    hands.press("Right", until="[2]")
    hands.press("y", until="Version 2 of shop.example.com is live, on nginx")
    nginx.wait_served(second)


def test_export_as_pfx(home: Path, terminals: Terminals) -> None:
    """Task 11: the passphrase is typed twice into fields of its own, and the file opens with it."""
    engine = _box(home)
    _issue(engine)
    hands = _console(terminals, cwd=home.parent)
    hands.press("e", until="fullchain  certificate and chain")
    hands.press("Down", "Down", "Down", until="protects the PKCS#12 file")
    hands.press("Enter")
    hands.type("pw12345")
    hands.press("Enter")
    hands.terminal.wait_for(re.compile("•{7}"))
    hands.terminal.type("pw12345")
    hands.terminal.wait_gone("the passphrase once more")
    hands.press("Enter", until=re.compile(r"\bwritten\."))  # the message wraps where the path is long
    assert hands.keys <= 7
    written = (home.parent / f"{NAME}.pfx").read_bytes()
    _, certificate, _ = pkcs12.load_key_and_certificates(written, b"pw12345")
    assert certificate is not None
    assert "pw12345" not in hands.terminal.screen()


def test_delete_and_undelete(home: Path, terminals: Terminals) -> None:
    """Task 12: D deletes after asking, and the palette brings the certificate back with its key."""
    engine = _box(home)
    _issue(engine)
    before = engine.status((NAME,)).lineages[0].sha256
    hands = _console(terminals)
    hands.press("D", until="Delete shop.example.com?")
    hands.press("y", until="There is no certificate yet")
    assert hands.keys <= 5
    hands.start_counting()
    hands.press("C-p", until="a command, or a certificate")
    hands.type("undelete")
    hands.press("Enter", until="Kept until")
    hands.press("Enter", until="is restored")
    assert hands.keys <= 4
    assert engine.status((NAME,)).lineages[0].sha256 == before


def test_a_failure_is_understood_and_fixed(
    home: Path, pebble: PebbleServer, terminals: Terminals, fresh_name: Callable[[str], str]
) -> None:
    """Task 13: the first screen says that the renewal failed, why and what to do; after the fix, r renews."""
    name = fresh_name("night")
    engine = _box(home, _lab(pebble))
    _issue(engine, name=name, issuer="lab")
    config = home / "etc" / "certdeck.toml"
    good = config.read_text()
    config.write_text(good.replace(f"port = {pebble.http01_port}", "port = 1"))
    report = engine.renew((name,), force=True)
    assert [each.name for each in report.failed] == [name], report
    config.write_text(good)
    hands = _console(terminals)
    screen = hands.terminal.wait_for(re.compile(r"why\s+\S"))
    assert "1 failed" in screen
    assert "renewal failed" in screen
    hands.press("r", until=f"Renew {name}?")
    hands.press("y", until=f"{name} renewed")
    assert hands.keys <= 3
    hands.press("Enter", until="Certificates  1")
    hands.terminal.wait_gone("1 failed")
    assert engine.status((name,)).lineages[0].version == 2


def test_a_service_that_serves_another_certificate(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 15: the row says which service serves another certificate, and a deployment puts it right."""
    engine = _box(home, nginx.target_toml("nginx"))
    _issue(engine, "nginx")
    right = engine.status((NAME,)).lineages[0].sha256
    self_signed(["other.example.com"]).write(nginx.certificate.resolve(), nginx.key.resolve())
    subprocess.run(nginx.reload_command, check=True, capture_output=True)
    hands = _console(terminals)
    hands.press("C-r", until="nginx serves another")
    hands.press("d", until="Deploy shop.example.com")
    hands.press("y", until="is live, on nginx")
    assert hands.keys <= 6
    nginx.wait_served(right)


def test_the_certificate_is_copied(home: Path, terminals: Terminals) -> None:
    """Task 16: v shows certificate and chain as PEM, c puts them on the clipboard, and the key is in neither."""
    engine = _box(home)
    _issue(engine)
    hands = _console(terminals)
    hands.press("v", until="BEGIN CERTIFICATE")
    hands.press("c", until="Copied")
    assert hands.keys <= 3
    wait_until(lambda: "END CERTIFICATE" in hands.terminal.clipboard, "the clipboard")
    copied = hands.terminal.clipboard
    assert "PRIVATE" not in copied
    found = x509.load_pem_x509_certificates(copied.encode())[0]
    assert found.serial_number == int(engine.status((NAME,)).lineages[0].serial, 16)


def test_the_doctor_is_one_key_away(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 17: x checks the certificate under the cursor, the worst finding first, with what to do."""
    engine = _box(home, nginx.target_toml("nginx"))
    _issue(engine, "nginx")
    nginx.break_config()
    hands = _console(terminals)
    screen = hands.press("x", until=re.compile(r"✖ nginx"))
    assert re.search(r"▸ ✖ nginx +", screen), "the worst finding has the cursor"
    assert screen.index("✖") < screen.index("✔")
    assert hands.keys == 1


def test_the_list_is_filtered(home: Path, terminals: Terminals) -> None:
    """Task 18: / and a word leave the certificates that match, the title says how many, and Esc shows all again."""
    engine = _box(home)
    for number in range(4):
        _issue(engine, name=f"web{number}.example.com")
    _issue(engine)
    hands = _console(terminals)
    hands.press("/", until=re.compile(r"^  / ", re.MULTILINE))
    hands.type("web -web3")
    hands.press("Enter", until="Certificates  3 of 5")
    assert hands.keys <= 2
    hands.press("Escape", until=re.compile(r"Certificates  5 "))


def test_a_theme_is_kept(home: Path, terminals: Terminals) -> None:
    """Task 19: the theme under the cursor applies at once, Enter saves it, and the next console opens with it."""
    engine = _box(home)
    _issue(engine)
    hands = _console(terminals)
    hands.press(",", until="(●) dark")
    hands.press("Down", until="(●) light")
    hands.press("Enter", until="The console now opens")
    assert hands.keys <= 3
    again = _console(terminals)
    again.press(",", until="(●) light")
    assert engine.config().appliance.theme == "light"


def test_the_log_tells_a_run_with_its_steps(home: Path, nginx: NginxServer, terminals: Terminals) -> None:
    """Task 20: l lists the runs with their results, and Enter opens one to its steps and their times."""
    engine = _box(home, nginx.target_toml("nginx"))
    _issue(engine, "nginx")
    engine.deploy(NAME)
    hands = _console(terminals)
    screen = hands.press("l", until=re.compile(r"▸ ✔ \S+  Deploy +shop.example.com +version 1 is live"))
    assert "Issue" in screen
    screen = hands.press("Enter", until="nginx serves this certificate")
    assert hands.keys <= 2
    assert re.search(r"\d\.\d s ✔ Version 1 is live", screen)
    hands.press("Escape", until="Log  2 runs")


def test_a_certificate_is_revoked(
    home: Path, pebble: PebbleServer, terminals: Terminals, fresh_name: Callable[[str], str]
) -> None:
    """Task 21: R asks for the reason and revokes at the CA, and the row says so."""
    name = fresh_name("stolen")
    engine = _box(home, _lab(pebble))
    _issue(engine, name=name, issuer="lab")
    serial = int(engine.status((name,)).lineages[0].serial, 16)
    hands = _console(terminals)
    hands.press("R", until=f"Revoke {name}?")
    hands.press("Down")
    hands.press("y", until="compromised).")
    assert hands.keys <= 3
    assert pebble.certificate_status(serial)["Status"] == "Revoked"
    hands.terminal.wait_for("1 needs you")


def test_the_contact_and_the_key_of_an_account(
    home: Path, pebble: PebbleServer, terminals: Terminals, fresh_name: Callable[[str], str]
) -> None:
    """Task 22: on the page of the issuers, o changes the contact at the CA, and K replaces the account key."""
    engine = _box(home, _lab(pebble))
    _issue(engine, name=fresh_name("account"), issuer="lab")
    before = engine.accounts()[0].thumbprint
    hands = _console(terminals)
    hands.press("m", until="▸ ● lab (default)")
    hands.press("o", until="Account contact")
    hands.type("admin@example.com")
    hands.press("Enter", until="The contact is saved at the CA")
    assert "admin@example.com" in str(engine.accounts()[0].contact)
    hands.press("K", until="New account key at lab?")
    hands.press("y", until="The account has a new key")
    assert engine.accounts()[0].thumbprint != before
    assert hands.keys <= 5


def test_the_settings_of_a_certificate(home: Path, terminals: Terminals) -> None:
    """Task 23: o shows every setting; the days before expiry are changed there, and the page shows the new date."""
    engine = _box(home)
    _issue(engine)
    hands = _console(terminals)
    hands.press("o", until="Automatic renewal  on")
    hands.press("Down", until="▸ Renews")
    hands.press("Enter", until="days before expiry")
    hands.type("20")
    hands.press("Enter", until="the configured number of days before expiry")
    assert hands.keys <= 4
    assert engine.status((NAME,)).lineages[0].renew_why == "days-before"


def test_mail_is_set_up_and_tested(home: Path, tmp_path: Path, terminals: Terminals) -> None:
    """Task 24: N and n ask for the mail server, the new channel is under the cursor, and x sends a message that arrives."""
    engine = _box(home)
    _issue(engine)
    with MailServer(tmp_path / "mail") as mail:
        hands = _console(terminals)
        hands.press("N", until="No notifications")
        hands.press("n", until="Mail (SMTP)")
        hands.press("Enter", until="New notification")
        for number, value in enumerate(("mailroom", "127.0.0.1", str(mail.port), "none")):
            if number:
                hands.press("Tab")
            hands.type(value)
        hands.press("Tab", "Tab", "Tab", "Tab")
        hands.type("ops@example.com")
        hands.press("Enter", until="▸ ● mailroom")
        hands.press("x", until=re.compile("sent|accepted", re.IGNORECASE))
        wait_until(lambda: bool(mail.received), "the message")
