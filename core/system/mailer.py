"""Sends mail over SMTP, with the standard library. Trusts the same roots as the HTTPS transport."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ports import MailFailure, MailReply, MailServer

if TYPE_CHECKING:
    import smtplib
    import ssl


class SmtpMailer:
    """The port `Mailer`, over SMTP (RFC 5321)."""

    def send(
        self, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes, *, timeout: float
    ) -> MailReply:
        import smtplib
        import ssl

        place = f"{server.host}:{server.port}"
        try:
            talk = _opened(server, timeout)
            try:
                return _sent(talk, server, sender, recipients, mail)
            finally:
                with suppress(OSError, smtplib.SMTPException):
                    talk.quit()
                talk.close()
        except ssl.SSLCertVerificationError as exc:
            said = exc.verify_message.rstrip(".")
            raise MailFailure("untrusted", f"The certificate of {place} does not verify: {said}.") from exc
        except ssl.SSLError as exc:
            words = (exc.reason or "no TLS").lower().replace("_", " ")
            raise MailFailure("unreachable", f"{place} does not speak TLS as expected: {words}.") from exc
        except smtplib.SMTPServerDisconnected as exc:
            raise MailFailure("unreachable", f"{place} closed the connection.") from exc
        except smtplib.SMTPResponseException as exc:
            kind = "credentials" if isinstance(exc, smtplib.SMTPAuthenticationError) else "refused"
            raise MailFailure(kind, f"{place} returned {_said(exc.smtp_code, exc.smtp_error)}") from exc
        except smtplib.SMTPNotSupportedError as exc:
            raise MailFailure("credentials", f"{place} offers no login method that certdeck supports.") from exc
        except smtplib.SMTPException as exc:
            raise MailFailure("refused", f"{place} returned a response that is not SMTP.") from exc
        except TimeoutError as exc:
            raise MailFailure("timeout", f"{place} did not respond within {timeout:g} s.") from exc
        except (OSError, UnicodeError) as exc:
            words = (getattr(exc, "strerror", None) or "the name is not valid").lower()
            raise MailFailure("unreachable", f"{place} cannot be reached: {words}.") from exc


def _opened(server: MailServer, timeout: float) -> smtplib.SMTP:
    """Connect and greet. Always passes `local_hostname`: otherwise smtplib looks it up in DNS, which may take a minute."""
    import smtplib

    if server.security == "tls":
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=server.helo, timeout=timeout, context=_trust(server)
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=server.helo, timeout=timeout)


def _trust(server: MailServer) -> ssl.SSLContext:
    from core.system.trusted_roots import client_context

    return client_context(server.ca_bundle)


def _sent(talk: smtplib.SMTP, server: MailServer, sender: str, recipients: Sequence[str], mail: bytes) -> MailReply:
    talk.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        if not talk.has_extn("starttls"):
            raise MailFailure("no-starttls", f"{server.host}:{server.port} does not offer STARTTLS.")
        talk.starttls(context=_trust(server))
        talk.ehlo_or_helo_if_needed()
    if server.username:
        if server.security == "none" and not _is_here(talk):
            raise MailFailure("no-tls", f"The connection to {server.host}:{server.port} is not encrypted.")
        talk.login(server.username, server.password or "")
    _must(server, talk.mail(sender), "the sender")
    refused: dict[str, str] = {}
    for each in recipients:
        code, said = talk.rcpt(each)
        if code not in (250, 251):
            refused[each] = _said(code, said)
    if len(refused) == len(recipients):
        words = "; ".join(f"{each}: {said}" for each, said in refused.items())
        raise MailFailure("refused", f"{server.host}:{server.port} accepted none of the recipients: {words}")
    code, said = talk.data(mail)
    _must(server, (code, said), "the mail")
    return MailReply(said=_said(code, said), refused=refused)


def _must(server: MailServer, answer: tuple[int, bytes], what: str) -> None:
    code, said = answer
    if code != 250:
        raise MailFailure("refused", f"{server.host}:{server.port} refused {what}: {_said(code, said)}")


def _is_here(talk: smtplib.SMTP) -> bool:
    """Tell whether the server is on this box."""
    from ipaddress import ip_address

    assert talk.sock is not None
    return ip_address(talk.sock.getpeername()[0].partition("%")[0]).is_loopback


def _said(code: int, said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {words}".strip()
