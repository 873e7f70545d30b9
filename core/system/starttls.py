"""Upgrades plain-text connections to TLS, with one small function for each protocol.

Everything that the server sends is limited in size and time, and is used only to decide whether to continue.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping

MAX_LINE_BYTES = 4096
MAX_ANSWER_BYTES = 64 * 1024
"""Limit of everything that the server sends before TLS."""
_SHOWN_CHARACTERS = 120


class Refused(Exception):
    """The service does not upgrade to TLS. The text continues a sentence after its address, and contains no control characters."""


class Conversation:
    """A connection from which lines or bytes are read, with one deadline. Raises TimeoutError after it, and Refused."""

    def __init__(self, plain: socket.socket, deadline: float, name: str) -> None:
        """`deadline`: in the time of `time.monotonic`. `name`: of the server, for protocols that send it."""
        self._plain = plain
        self._deadline = deadline
        self._buffer = b""
        self._read = 0
        self.name = name

    def send(self, data: bytes) -> None:
        self._plain.settimeout(self._left())
        self._plain.sendall(data)

    def line(self) -> str:
        """Return the next line without its end."""
        end = self._until(b"\n", MAX_LINE_BYTES)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line.rstrip(b"\r\n").decode("ascii", "replace")

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes."""
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def through(self, *ends: bytes) -> bytes:
        """Return everything up to and including the first occurrence of any of `ends`."""
        while True:
            found = [at + len(end) for end in ends if (at := self._buffer.find(end)) >= 0]
            if found:
                taken, self._buffer = self._buffer[: min(found)], self._buffer[min(found) :]
                return taken
            self._more()

    def check_nothing_more(self) -> None:
        """Raise Refused if plain text follows the reply that starts TLS: it would be taken for a handshake."""
        if self._buffer:
            raise Refused(f"sends unexpected data before TLS: {shown(self._buffer.decode('ascii', 'replace'))}")

    def _until(self, end: bytes, limit: int) -> int:
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > limit:
                raise Refused("returns a line that is too long.")
            self._more()
        return at + len(end)

    def _more(self) -> None:
        if self._read > MAX_ANSWER_BYTES:
            raise Refused("sends too much data before TLS.")
        self._plain.settimeout(self._left())
        chunk = self._plain.recv(4096)
        if not chunk:
            raise Refused(f"closes the connection before TLS{_after(self._buffer)}.")
        self._read += len(chunk)
        self._buffer += chunk

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


Dialect = Callable[[Conversation], None]


def shown(text: str) -> str:
    """Return a service's text as one short, printable line."""
    plain = "".join(char if " " <= char <= "~" else " " for char in text)
    return " ".join(plain.split())[:_SHOWN_CHARACTERS]


def _after(buffer: bytes) -> str:
    said = shown(buffer.decode("ascii", "replace"))
    return f", after {said!r}" if said else ""


def _not_offered(answer: str = "") -> Refused:
    said = shown(answer).rstrip(".")
    return Refused(f"does not offer TLS: {said}." if said else "does not offer TLS.")


def _reply(talk: Conversation) -> tuple[str, list[str]]:
    """Return code and lines of an SMTP or FTP reply: `250-text` continues, `250 text` ends it (RFC 5321 §4.2, RFC 959 §4.2)."""
    first = talk.line()
    code, texts = first[:3], [first[4:]]
    if first[3:4] == "-":
        while True:
            line = talk.line()
            texts.append(line[4:] if line[:3] == code else line)
            if line[:3] == code and line[3:4] in (" ", ""):
                break
    return code, texts


def _expect(code: str, wanted: str, texts: list[str]) -> None:
    if code != wanted:
        raise _not_offered(f"{code} {' '.join(texts)}" if code.isdigit() else "it uses another protocol")


def smtp(talk: Conversation) -> None:
    """RFC 3207."""
    code, texts = _reply(talk)
    _expect(code, "220", texts)
    talk.send(b"EHLO localhost\r\n")
    code, texts = _reply(talk)
    _expect(code, "250", texts)
    if not any(text.split()[:1] == ["STARTTLS"] for text in map(str.upper, texts)):
        raise _not_offered()
    talk.send(b"STARTTLS\r\n")
    code, texts = _reply(talk)
    _expect(code, "220", texts)


def imap(talk: Conversation) -> None:
    """RFC 9051 §6.2.1."""
    greeting = talk.line()
    if not greeting.upper().startswith(("* OK", "* PREAUTH")):
        raise _not_offered(greeting)
    talk.send(b"a STARTTLS\r\n")
    answer = talk.line()
    while answer.startswith("* ") and not answer.upper().startswith("* BYE"):
        answer = talk.line()
    if not answer.upper().startswith("A OK"):
        raise _not_offered(answer)


def pop3(talk: Conversation) -> None:
    """RFC 2595 §4."""
    _expect_line(talk.line(), "+OK")
    talk.send(b"STLS\r\n")
    _expect_line(talk.line(), "+OK")


def _expect_line(line: str, beginning: str) -> None:
    if not line.upper().startswith(beginning):
        raise _not_offered(line)


def sieve(talk: Conversation) -> None:
    """RFC 5804 §2.2: the server sends its capabilities first, and again within TLS."""
    offered = False
    while not (line := talk.line()).upper().startswith(("OK", "NO", "BYE")):
        offered = offered or line.strip().upper() == '"STARTTLS"'
    _expect_line(line, "OK")
    if not offered:
        raise _not_offered()
    talk.send(b"STARTTLS\r\n")
    _expect_line(talk.line(), "OK")


def ftp(talk: Conversation) -> None:
    """RFC 4217 §4."""
    code, texts = _reply(talk)
    _expect(code, "220", texts)
    talk.send(b"AUTH TLS\r\n")
    code, texts = _reply(talk)
    _expect(code, "234", texts)


def ldap(talk: Conversation) -> None:
    """RFC 4511 §4.14: an ExtendedRequest whose name is the OID of StartTLS. The resultCode tells the outcome."""
    talk.send(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037")
    tag, message = _element(talk)
    if tag != 0x30:
        raise Refused("does not use LDAP.")
    rest = _inner(message)  # messageID, then [APPLICATION 24] ExtendedResponse
    if not rest or rest[-1][0] != 0x78:
        rest = [each for each in rest if each[0] == 0x78]
    code = next((value for tag, value in (_inner(rest[-1][1]) if rest else []) if tag == 0x0A), None)
    if code != b"\x00":
        number = "no result" if code is None else f"result {int.from_bytes(code, 'big')}"
        raise _not_offered(f"the response to StartTLS is {number}")


def _element(talk: Conversation) -> tuple[int, bytes]:
    """Read one BER element with a definite length (RFC 4511 §5.1)."""
    tag, length = talk.take(2)
    if length & 0x80:
        size = length & 0x7F
        if not 0 < size <= 4:
            raise Refused("does not use LDAP.")
        length = int.from_bytes(talk.take(size), "big")
    if length > MAX_LINE_BYTES:
        raise Refused("sends too much data before TLS.")
    return tag, talk.take(length)


def _inner(value: bytes) -> list[tuple[int, bytes]]:
    """Return the complete elements in a BER value."""
    found, at = [], 0
    while at + 2 <= len(value):
        tag, length = value[at], value[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(value[at : at + size], "big")
            at += size
        if at + length > len(value):
            break
        found.append((tag, value[at : at + length]))
        at += length
    return found


def postgres(talk: Conversation) -> None:
    """SSLRequest, answered by one byte (PostgreSQL's frontend/backend protocol, "SSL Session Encryption")."""
    talk.send(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
    answer = talk.take(1)
    if answer != b"S":
        raise _not_offered("" if answer == b"N" else f"it returns {answer!r}")


def mysql(talk: Conversation) -> None:
    """After the greeting, send an SSLRequest: the first 32 bytes of a login (MySQL's protocol, "Protocol::SSLRequest")."""
    length = int.from_bytes(talk.take(3), "little")
    talk.take(1)  # packet number
    if length > MAX_LINE_BYTES:
        raise Refused("does not use the MySQL protocol.")
    greeting = talk.take(length)
    if greeting[:1] == b"\xff":
        raise Refused(f"refuses the connection: {shown(greeting[3:].decode('ascii', 'replace'))}")
    after_version = greeting.find(b"\0", 1) + 1
    flags = int.from_bytes(greeting[after_version + 13 : after_version + 15], "little")
    if greeting[:1] != b"\x0a" or not after_version:
        raise Refused("does not use the MySQL protocol.")
    if not flags & 0x0800:  # CLIENT_SSL
        raise _not_offered()
    # CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; packets of 16 MiB; utf8mb4
    talk.send(
        b"\x20\x00\x00\x01" + (0x8A00).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23)
    )


def mysql_farewell(tls: socket.socket) -> None:
    """Try to log in as an unknown user, and be refused.

    A connection that ends before a login counts as an error: after `max_connect_errors` (100) of them, MariaDB (10.11) blocks all
    clients of this address, except loopback. A refused login does not count.
    """
    login = (
        (0x8A00).to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23) + b"certdeck-probe\0\0"
    )
    tls.sendall(len(login).to_bytes(3, "little") + b"\x02" + login)
    answer = tls.recv(MAX_LINE_BYTES)
    if answer[4:5] == b"\xfe":  # the server asks for another authentication method: send an empty response
        tls.sendall(b"\0\0\0" + bytes([(answer[3] + 1) & 0xFF]))
        tls.recv(MAX_LINE_BYTES)


def xmpp(talk: Conversation) -> None:
    """RFC 6120 §5."""
    from xml.sax.saxutils import quoteattr

    talk.send(
        f"<?xml version='1.0'?><stream:stream to={quoteattr(talk.name)} xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>".encode()
    )
    features = talk.through(b"</stream:features>", b"<stream:features/>", b"</stream:error>", b"</stream:stream>")
    if b"urn:ietf:params:xml:ns:xmpp-tls" not in features:
        raise _not_offered(_xml_tail(features) if b"error" in features else "")
    talk.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    answer = talk.through(b">")
    if b"<proceed" not in answer:
        raise _not_offered(_xml_tail(answer))
    if not answer.endswith(b"/>"):
        talk.through(b"</proceed>")


def _xml_tail(answer: bytes) -> str:
    return answer.decode("ascii", "replace")[-_SHOWN_CHARACTERS:]


DIALECTS: Mapping[str, Dialect] = {
    "smtp": smtp,
    "imap": imap,
    "pop3": pop3,
    "sieve": sieve,
    "ftp": ftp,
    "ldap": ldap,
    "postgres": postgres,
    "mysql": mysql,
    "xmpp": xmpp,
}

FAREWELLS: Mapping[str, Callable[[socket.socket], None]] = {"mysql": mysql_farewell}
"""Functions that end a connection within TLS, for protocols where just closing it has consequences. Their failures are ignored."""
