"""Who is told, on loopback: a mail server with STARTTLS, TLS and login, and a webhook receiver that fails when a test wants it."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.authority import Authority
from tests.support.programs import free_port


@dataclass(frozen=True, kw_only=True)
class Received:
    """One mail as the server got it."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    is_tls: bool
    user: str | None


class MailServer:
    """A running mail server; `received` holds what it took."""

    def __init__(self, folder: Path, security: str = "none", *, login: tuple[str, str] | None = None) -> None:
        """`security`: `none`, `starttls` (demanded before anything else), `tls`. `login`: demanded where given."""
        authority = Authority.new("Mail CA")
        leaf = authority.leaf(["localhost", "127.0.0.1"])
        leaf.write(folder / "mail.crt", folder / "mail.key")
        self.ca_bundle = folder / "mail-ca.pem"
        self.ca_bundle.write_bytes(authority.root.certificate_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "mail.crt", folder / "mail.key")
        self.received: list[Received] = []
        self.refuses: set[str] = set()
        """Recipients that it does not take."""
        self._login = login
        options: dict[str, Any] = {}
        if security == "starttls":
            options = {"tls_context": context, "require_starttls": True}
        if login is not None:
            options |= {"authenticator": self._authenticated, "auth_required": True}
            options["auth_require_tls"] = security == "starttls"
        if security == "tls":
            options["ssl_context"] = context
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        assert self._login is not None
        is_good = (data.login, data.password) == tuple(each.encode() for each in self._login)
        return AuthResult(success=is_good, handled=False, auth_data=data.login.decode())

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.content or b"", policy=default)
        self.received.append(
            Received(
                sender=envelope.mail_from or "",
                recipients=list(envelope.rcpt_tos),
                mail=mail,
                is_tls=session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
                user=session.auth_data if isinstance(session.auth_data, str) else None,
            )
        )
        return "250 2.0.0 queued as 4FsB7"


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    def is_signed(self, key: str) -> bool:
        """Tell whether the signature is the HMAC-SHA256 of the body."""
        wanted = hmac.new(key.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers.get("x-certdeck-signature", ""), wanted)


@dataclass
class WebhookReceiver:
    """A running HTTP receiver, with TLS where a folder for the certificate is given."""

    folder: Path | None = None
    answers: list[int] = field(default_factory=list)
    """Statuses that are used up one by one; then 200."""
    stalls: threading.Event | None = None
    """Where given, a request is not answered before it is set."""
    posted: list[Posted] = field(default_factory=list)
    ca_bundle: Path | None = None

    def __enter__(self) -> WebhookReceiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posted.append(Posted(method=self.command, path=self.path, headers=headers, body=body))
                if receiver.stalls is not None:
                    receiver.stalls.wait(60)
                status = receiver.answers.pop(0) if receiver.answers else 200
                said = b'{"message": "noted"}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_GET = answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if self.folder is not None:
            authority = Authority.new("Hook CA")
            authority.leaf(["localhost", "127.0.0.1"]).write(self.folder / "hook.crt", self.folder / "hook.key")
            self.ca_bundle = self.folder / "hook-ca.pem"
            self.ca_bundle.write_bytes(authority.root.certificate_pem)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.folder / "hook.crt", self.folder / "hook.key")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        scheme = "http" if self.folder is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}/hook"
