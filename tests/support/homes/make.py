"""Makes a home with an earlier release, as a fixture for `tests/contract/test_earlier_homes.py`.

usage: python -m tests.support.homes.make CHECKOUT PYTHON NAME

CHECKOUT is a folder with that release, PYTHON an interpreter with its packages. Run it from this repository before the format of
a state file changes; NAME.tar.gz is written beside this file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.support.authority import Authority
from tests.support.pebble import PebbleServer

PLACE = "/earlier-release"
"""Stands for the folder of the home in the archive; a test puts its own there."""
NAMES = ("shop.example.com", "www.shop.example.com")


def main(checkout: str, python: str, name: str) -> None:
    """Make the archive."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder).resolve()
        pebble = PebbleServer(base / "pebble")
        pebble.start()
        try:
            _use(Path(checkout), python, base / "box", pebble)
        finally:
            pebble.stop()
        _pack(base / "box", Path(__file__).parent / f"{name}.tar.gz")


def _use(checkout: Path, python: str, box: Path, pebble: PebbleServer) -> None:
    """Leave every sort of file: an ACME certificate with two versions and a target, an upload, a signing request, an open order,
    a deleted certificate, entries with secrets, a backup, and what a scheduled run leaves."""
    home = box / "home"
    config = home / "etc" / "certdeck.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    (box / "tls").mkdir()
    config.write_text(
        f"""# Written by hand.
[defaults]
issuer = "pebble"

[issuers.pebble]
directory = "{pebble.directory_url}"
ca_bundle = "{pebble.ca_pem}"
agree_tos = true
email = "admin@example.com"

[http01]
address = "127.0.0.1"
port = {pebble.http01_port}

[targets.web]
kind = "files"
certificate = "{box}/tls/web.crt"
key = "{box}/tls/web.key"
""",
        encoding="utf-8",
    )

    def run(*argv: str, status: int = 0) -> str:
        done = subprocess.run(
            [python, "-c", "import sys; from tui.__main__ import main; sys.exit(main())", *argv],
            check=False,
            cwd=checkout,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(box),
                "CERTDECK_HOME": str(home),
                "PYTHONPATH": str(checkout),
                "LANG": "C.UTF-8",
                "TZ": "UTC",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    authority = Authority.new()
    run("first-boot", "--hostname", "box.example.com")
    run("issue", *(word for name in NAMES for word in ("-d", name)), "--name", "shop", "--target", "web")
    run("renew", "shop", "--force")
    for number in (1, 2):
        leaf = authority.leaf(["corp.example.com"])
        leaf.write(box / f"corp-{number}.crt", box / f"corp-{number}.key")
        run("import", "corp", "--cert", f"{box}/corp-{number}.crt", "--key", f"{box}/corp-{number}.key")
    run("csr", "mail", "-d", "mail.example.com")
    run("issue", "-d", "open.example.com", "--name", "open", "--manual", "--no-rehearsal", status=3)
    run("import", "gone", "--cert", f"{box}/corp-1.crt", "--key", f"{box}/corp-1.key")
    run("delete", "gone", "--yes")
    secret = box / "secret"
    secret.write_text("secret-of-the-earlier-release")
    run("dns", "add", "lab", "--kind", "cloudflare", "--zone", "example.com", "--secret", f"api_token={secret}")
    run(
        "notify",
        "add",
        "chat",
        "--kind",
        "webhook",
        "--set",
        "url=http://127.0.0.1:9/",
        "--secret",
        f"signing_key={secret}",
    )
    run("backup", "--out", f"{box}/box.backup", "--passphrase-file", str(secret))
    run("renew")
    shown = json.loads(run("status", "--json"))
    (box / "shown.json").write_text(json.dumps(shown, indent=1), encoding="utf-8")


def _pack(box: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as out:
        for path in sorted(box.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.suffix in {".toml", ".json"}:
                path.write_bytes(path.read_bytes().replace(str(box).encode(), PLACE.encode()))
            out.add(path, path.relative_to(box), recursive=False, filter=_of_nobody)


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


if __name__ == "__main__":
    main(*sys.argv[1:])
