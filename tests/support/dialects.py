"""The server's side of STARTTLS in each protocol, as the real daemons say it: strict about what a client sends."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

Step = bytes | Callable[[socket.socket], None]
"""Bytes are sent; anything else is done."""


def expects(wanted: bytes) -> Callable[[socket.socket], None]:
    """Return a step that reads exactly `wanted`, and ends the conversation where anything else comes."""

    def step(connection: socket.socket) -> None:
        got = b""
        while len(got) < len(wanted):
            chunk = connection.recv(len(wanted) - len(got))
            if not chunk:
                break
            got += chunk
        if got != wanted:
            raise ConnectionAbortedError(f"{got!r} instead of {wanted!r}")

    return step


def saying(*steps: Step) -> Callable[[socket.socket], None]:
    """Return what a service says on each connection before TLS."""

    def talk(connection: socket.socket) -> None:
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                step(connection)

    return talk


def _mysql_greeting(flags: int) -> bytes:
    """MariaDB 10.11's greeting: protocol 10, version, thread, eight bytes of salt, a zero, flags …"""
    body = b"\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\0" + b"\x1f\0\0\0" + b"saltsalt" + b"\0"
    body += flags.to_bytes(2, "little") + b"\x2d\x02\0\xff\x81\x15" + bytes(6) + b"\x1d\0\0\0" + b"moresaltmore\0"
    body += b"mysql_native_password\0"
    return len(body).to_bytes(3, "little") + b"\0" + body


_MYSQL_REQUEST = b"\x20\0\0\1\0\x8a\0\0\0\0\0\1\x2d" + bytes(23)
_XMPP_OPEN = (
    b"<?xml version='1.0'?><stream:stream to=\"box.example.com\" xmlns='jabber:client' "
    b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
)
_XMPP_GREETING = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    b"from='box.example.com' id='1' version='1.0' xml:lang='en'>"
)
_XMPP_OFFER = (
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
)
_XMPP_START = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
_LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"

GOOD: Mapping[str, tuple[Step, ...]] = {
    "smtp": (
        b"220-box.example.com ESMTP\r\n220 welcome\r\n",
        expects(b"EHLO localhost\r\n"),
        b"250-box.example.com\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
        expects(b"STARTTLS\r\n"),
        b"220 2.0.0 Ready to start TLS\r\n",
    ),
    "imap": (
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n",
        expects(b"a STARTTLS\r\n"),
        b"a OK Begin TLS negotiation now.\r\n",
    ),
    "pop3": (b"+OK Dovecot ready.\r\n", expects(b"STLS\r\n"), b"+OK Begin TLS negotiation now.\r\n"),
    "sieve": (
        b'"IMPLEMENTATION" "Dovecot Pigeonhole"\r\n"SASL" ""\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\nOK "Dovecot ready."\r\n',
        expects(b"STARTTLS\r\n"),
        b'OK "Begin TLS negotiation now."\r\n',
    ),
    "ftp": (b"220-hello\r\n and more\r\n220 (vsFTPd 3.0.3)\r\n", expects(b"AUTH TLS\r\n"), b"234 Proceed.\r\n"),
    "ldap": (expects(_LDAP_REQUEST), b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
    "postgres": (expects(b"\0\0\0\x08\x04\xd2\x16\x2f"), b"S"),
    "mysql": (_mysql_greeting(0xFFFE), expects(_MYSQL_REQUEST)),
    "xmpp": (
        expects(_XMPP_OPEN),
        _XMPP_GREETING + _XMPP_OFFER,
        expects(_XMPP_START),
        b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ),
}
"""A conversation of each protocol that ends with TLS."""

REFUSING: Mapping[str, tuple[tuple[Step, ...], str]] = {
    "smtp": (
        (*GOOD["smtp"][:4], b"454 4.7.0 TLS not available due to local problem\r\n"),
        "does not offer TLS: 454 4.7.0 TLS not available due to local problem.",
    ),
    "imap": (
        (*GOOD["imap"][:2], b"a OK Begin TLS negotiation now.\r\n* BYE [UNAVAILABLE] TLS initialization failed.\r\n"),
        "sends unexpected data before TLS: * BYE [UNAVAILABLE] TLS initialization failed.",
    ),
    "pop3": ((*GOOD["pop3"][:2], b"-ERR TLS is disabled.\r\n"), "does not offer TLS: -ERR TLS is disabled."),
    "sieve": ((b'"IMPLEMENTATION" "x"\r\nOK\r\n',), "does not offer TLS."),
    "ftp": (
        (*GOOD["ftp"][:2], b"530 Please login with USER and PASS.\r\n"),
        "does not offer TLS: 530 Please login with USER and PASS.",
    ),
    "ldap": (
        (expects(_LDAP_REQUEST), b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"),
        "does not offer TLS: the response to StartTLS is result 2.",
    ),
    "postgres": ((*GOOD["postgres"][:1], b"N"), "does not offer TLS."),
    "mysql": ((_mysql_greeting(0xF7FE),), "does not offer TLS."),
    "xmpp": ((_XMPP_OPEN[:0], expects(_XMPP_OPEN), _XMPP_GREETING, b"<stream:features/>"), "does not offer TLS."),
}
"""The same ending without TLS, and what is said of it."""
