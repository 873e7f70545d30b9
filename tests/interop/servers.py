"""Other ACME servers with private CAs, in a network of their own: Caddy, acme2certifier, serles, and the DNS that they ask."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.authority import Authority
from tests.support.pebble import PebbleServer
from tests.support.programs import ROOT, Program, find_program

FOLDER = ROOT / ".interop"
HOST = "ca.lab.test"


@dataclass(frozen=True, kw_only=True)
class Server:
    """One that runs."""

    directory: str
    ca_bundle: Path
    version: str
    log: Path
    http01_port: int = 80
    """Where it looks for HTTP-01."""


@contextmanager
def name_server(folder: Path) -> Iterator[None]:
    """Answer every question on port 53 with 127.0.0.1."""
    program = Program(
        [
            find_program("pebble-challtestsrv"),
            *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dnsserver", "127.0.0.1:53"),
            *("-management", "127.0.0.1:8055", "-doh", "", "-http01", "", "-https01", "", "-tlsalpn01", ""),
        ],
        folder / "dns.log",
    )
    try:
        program.wait_for_port(8055)
        yield
    finally:
        program.stop()


@contextmanager
def _running(program: Program, port: int) -> Iterator[None]:
    try:
        program.wait_for_port(port, timeout=60)
        yield
    finally:
        program.stop()


@contextmanager
def pebble(folder: Path) -> Iterator[Server]:
    """Pebble, which does not tell its version: the one that `make servers` fetches."""
    made = PebbleServer(folder)
    made.start()
    try:
        yield Server(
            directory=made.directory_url,
            ca_bundle=made.ca_pem,
            version="2.10",
            log=folder / "pebble.log",
            http01_port=made.http01_port,
        )
    finally:
        made.stop()


@contextmanager
def caddy(folder: Path) -> Iterator[Server]:
    """Caddy as an internal CA, as its documentation sets one up; certificates of 12 hours."""
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\thttp_port 8080\n"
        f"\tstorage file_system {folder}/storage\n}}\n"
        f"https://{HOST}:9443 {{\n\ttls internal\n\tacme_server {{\n\t\tresolvers 127.0.0.1:53\n\t}}\n}}\n"
    )
    binary = str(FOLDER / "bin" / "caddy")
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    argv = [binary, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.split()[0]
    with _running(Program(argv, folder / "caddy.log", home), 9443):
        yield Server(
            directory=f"https://{HOST}:9443/acme/local/directory",
            ca_bundle=folder / "storage" / "pki" / "authorities" / "local" / "root.crt",
            version=version.removeprefix("v"),
            log=folder / "caddy.log",
        )


@contextmanager
def acme2certifier(folder: Path) -> Iterator[Server]:
    """acme2certifier with its OpenSSL handler and SQLite, as its documentation sets one up; it wants a contact."""
    _authority(folder)
    (folder / "acme_srv.cfg").write_text(
        '[DEFAULT]\ndebug: False\ndns_server_list: ["127.0.0.1"]\n'
        "[CAhandler]\nhandler_module: acme2certifier.cahandlers.openssl_ca_handler\n"
        f"issuing_ca_key: {folder}/issuing.key\nissuing_ca_cert: {folder}/issuing.pem\nissuing_ca_crl: {folder}/crl.pem\n"
        f'ca_cert_chain_list: ["{folder}/root.pem"]\ncert_validity_days: 30\ncert_save_path: {folder}/certs\n'
        f"[DBhandler]\nhandler_module: acme2certifier.dbhandlers.wsgi_handler\ndbfile: {folder}/acme.db\n"
    )
    env = {"ACME_SRV_CONFIGFILE": str(folder / "acme_srv.cfg"), "ACME2CERTIFIER_BASE_DIR": str(folder)}
    app = "acme2certifier.share.acme2certifier_wsgi:application"
    yield from _served(folder, app, env, "/directory", "acme2certifier")


@contextmanager
def serles(folder: Path) -> Iterator[Server]:
    """serles with a backend that copies the names of the request into the certificate: its own OpenSSL backend does not."""
    _authority(folder)
    (folder / "named_backend.py").write_text(_SERLES_BACKEND)
    (folder / "config.ini").write_text(
        f"[serles]\nbackend = named_backend:Backend\ndatabase = sqlite:///{folder}/serles.db\n"
        "subjectNameTemplate = CN={SAN[0]}\nallowIpIdentifiers = true\n"
        f"[named]\nfolder = {folder}\n"
    )
    env = {"CONFIG": str(folder / "config.ini"), "PYTHONPATH": str(folder)}
    yield from _served(folder, "serles:create_app()", env, "/directory", "serles-acme")


def _served(folder: Path, app: str, env: dict[str, str], path: str, package: str) -> Iterator[Server]:
    """Serve a WSGI application over HTTPS with gunicorn."""
    site = Authority.new("Interop HTTPS")
    site.leaf([HOST], days_left=365, days=400).write(folder / "https.pem", folder / "https.key")
    (folder / "https-root.pem").write_bytes(site.root_pem)
    venv = FOLDER / "venv" / "bin"
    argv = [str(venv / "gunicorn"), "--bind", "127.0.0.1:9443", "--workers", "1", "--threads", "8"]
    argv += ["--certfile", str(folder / "https.pem"), "--keyfile", str(folder / "https.key"), app]
    shown = subprocess.run([venv / "pip", "show", package], capture_output=True, text=True, check=True).stdout
    version = next(line.partition(": ")[2] for line in shown.splitlines() if line.startswith("Version: "))
    # gunicorn keeps a control socket in the home folder.
    with _running(Program(argv, folder / "server.log", {"HOME": str(folder), **env}), 9443):
        yield Server(
            directory=f"https://{HOST}:9443{path}",
            ca_bundle=folder / "https-root.pem",
            version=version,
            log=folder / "server.log",
        )


def _authority(folder: Path) -> None:
    """Write an issuing CA below a root, and its key."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = Authority.new("Interop")
    (folder / "certs").mkdir()
    (folder / "root.pem").write_bytes(made.root_pem)
    issuing = made.intermediate
    (folder / "issuing.pem").write_bytes(issuing.certificate.public_bytes(Encoding.PEM))
    key = issuing.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "issuing.key").write_bytes(key)


_SERLES_BACKEND = """\
from datetime import datetime, timedelta, timezone
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


class Backend:
    def __init__(self, config):
        self.folder = config["named"]["folder"]

    def sign(self, csr, subjectDN, subjectAltNames, email):
        read = lambda name: open(f"{self.folder}/{name}", "rb").read()
        request = x509.load_pem_x509_csr(csr if isinstance(csr, bytes) else csr.encode())
        issuer = x509.load_pem_x509_certificate(read("issuing.pem"))
        key = serialization.load_pem_private_key(read("issuing.key"), None)
        now = datetime.now(timezone.utc)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(names.value, critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = made.public_bytes(serialization.Encoding.PEM) + read("issuing.pem")
        return pem.decode(), None
"""
