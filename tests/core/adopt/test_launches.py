"""What only a crontab, a systemd service or a script says: CA, challenge, DNS access and hooks of lego and uacme."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.adopt.found import FoundCertificate
from core.adopt.search import found_on, way_of
from core.adopt.ways import DnsAccess, Way
from tests.support.other_clients import unpack

LEGO = '--email a@example.org --dns cloudflare -d "*.wild.example.org" -d wild.example.org --path /root/.lego'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return unpack("uacme", unpack("lego", tmp_path))


def way(root: Path, client: str, name: str) -> Way:
    (found,) = [each for each in found_on(root) if (each.client, each.name, each.revoked) == (client, name, False)]
    return way_of(root, found)


def write(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755 if text.startswith("#!") else 0o600)
    return file


CLOUDFLARE = DnsAccess(kind="cloudflare", secrets={"api_token": "s3cret"})
PLACES = {
    "line of a crontab": {
        "etc/cron.d/lego": f"SHELL=/bin/sh\n12 3 * * * root CLOUDFLARE_DNS_API_TOKEN=s3cret /usr/local/bin/lego {LEGO} renew\n"
    },
    "head of a crontab": {
        "var/spool/cron/crontabs/root": f"CF_DNS_API_TOKEN = 's3cret'\n@daily cd /root && lego {LEGO} renew >/dev/null 2>&1\n"
    },
    "script of a crontab": {
        "etc/crontab": "1 2 * * * root /opt/renew\n",
        "opt/renew": f"#!/bin/sh\nexport CLOUDFLARE_DNS_API_TOKEN='s3cret'\n/usr/bin/lego \\\n  {LEGO} \\\n  renew --days 20\n",
    },
    "daily script": {
        "etc/cron.daily/certs": f'#!/bin/bash\nTOKEN=s3cret\nCLOUDFLARE_DNS_API_TOKEN="$TOKEN" lego {LEGO} renew\n'
    },
    "service": {
        "etc/systemd/system/lego.service": "[Service]\nEnvironment=CLOUDFLARE_DNS_API_TOKEN=s3cret\n"
        f"ExecStart=/usr/bin/lego {LEGO} renew\n"
    },
    "environment file": {
        "lib/systemd/system/lego.service": f"[Service]\nEnvironmentFile=-/etc/lego.env\nExecStart=/usr/bin/lego {LEGO} renew\n",
        "etc/lego.env": "CLOUDFLARE_DNS_API_TOKEN=s3cret\n",
    },
    "drop-in and secret file": {
        "lib/systemd/system/lego.service": f"[Service]\nExecStart=/usr/bin/lego {LEGO} renew\n",
        "lib/systemd/system/lego.service.d/token.conf": "[Service]\nEnvironment=CLOUDFLARE_DNS_API_TOKEN_FILE=/etc/token\n",
        "etc/token": "s3cret\n",
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_the_access_of_lego_is_read_wherever_it_stands(root: Path, place: str) -> None:
    """Plug-in and credentials are found in the line, above it, in the script, in the service and in files that these name."""
    for path, text in PLACES[place].items():
        write(root, path, text)
    found = way(root, "lego", "_.wild.example.org")
    assert (found.challenge, found.dns_name, found.dns) == ("dns-01", "cloudflare", CLOUDFLARE)
    assert way(root, "lego", "plain.example.org").dns is None, "that line is about another certificate"
    assert "s3cret" not in repr(found)


def test_the_other_options_of_lego_are_read(root: Path) -> None:
    """Directory, webroot, hook, days and profile come from the command."""
    write(
        root,
        "etc/cron.d/lego",
        "0 0 * * * root lego --server=https://ca.example/dir --http --http.webroot /var/www -d plain.example.org renew "
        "--days 15 --renew-hook 'systemctl reload nginx' --profile short\n",
    )
    found = way(root, "lego", "plain.example.org")
    assert (found.directory, found.challenge, found.webroots) == ("https://ca.example/dir", "http-01", ("/var/www",))
    assert (found.renew_days, found.profile, [each.text for each in found.hooks]) == (
        15,
        "short",
        ["systemctl reload nginx"],
    )


def test_a_name_server_of_lego_is_split_into_address_and_port(root: Path) -> None:
    """RFC2136_NAMESERVER holds both, and the algorithm ends with a dot."""
    variables = (
        "RFC2136_NAMESERVER=192.0.2.53:5353\nRFC2136_TSIG_KEY=box.\n"
        "RFC2136_TSIG_ALGORITHM=hmac-sha256.\nRFC2136_TSIG_SECRET=c2VjcmV0\n"
    )
    write(root, "etc/cron.d/lego", f"{variables}0 0 * * * root lego --dns rfc2136 -d plain.example.org renew\n")
    found = way(root, "lego", "plain.example.org").dns
    assert found is not None
    assert found.settings == {
        "server": "192.0.2.53",
        "port": "5353",
        "tsig_name": "box",
        "tsig_algorithm": "hmac-sha256",
    }


@pytest.mark.parametrize("is_staging", [True, False])
def test_uacme_says_its_ca_and_hook(root: Path, is_staging: bool) -> None:
    """uacme's CA, webroot and days are in its command alone; without one it is said that none was found."""
    bare = way(root, "uacme", "plain.example.org")
    assert bare.directory == ""
    assert "no crontab or systemd service" in bare.notes[0]
    write(
        root,
        "etc/cron.d/uacme",
        "UACME_CHALLENGE_PATH=/var/www/.well-known/acme-challenge\n"
        f"6 15 * * * root /usr/bin/uacme {'-s ' if is_staging else ''}-c /etc/ssl/uacme -h /usr/share/uacme/uacme.sh -d 20 "
        "issue plain.example.org www.plain.example.org && systemctl reload nginx\n",
    )
    found = way(root, "uacme", "plain.example.org")
    assert ("staging" in found.directory) == is_staging
    assert (found.challenge, found.webroots, found.renew_days) == ("http-01", ("/var/www",), 20)
    assert way(root, "uacme", "multi.example.org").directory == ""


def test_hostile_tables_stop_nothing(root: Path) -> None:
    """Unbalanced quotes, loops of scripts, binary noise and relative paths: read past, never run."""
    marker = root / "ran"
    write(root, "etc/cron.d/lego", f'* * * * * root lego -d "plain.example.org --dns $(touch {marker})\n')
    write(root, "etc/cron.d/noise", "\x00\x01 lego \udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
    write(root, "etc/crontab", "1 1 * * * root /opt/loop\n= lego\n@reboot\n")
    write(root, "opt/loop", "#!/bin/sh\n/opt/loop\nlego --path ../x -d plain.example.org\n")
    assert way(root, "lego", "plain.example.org").dns is None
    assert not marker.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another account")
def test_a_table_of_another_account_does_not_speak_for_roots_certificates(root: Path) -> None:
    """What another account can change decides nothing about certificates of root; about that account's own it does."""
    for path, text in PLACES["head of a crontab"].items():
        os.chown(write(root, path, text), 1234, 1234)
    (found,) = [each for each in found_on(root) if each.name == "_.wild.example.org"]
    assert isinstance(found, FoundCertificate)
    assert way_of(root, found).dns is None
    os.chown(found.base, 1234, 1234)
    assert way_of(root, found).dns == CLOUDFLARE
