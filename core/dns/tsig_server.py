"""A client of a name server for messages signed with a TSIG key (RFC 8945): queries and updates (RFC 2136).

Every failure becomes an error with what, why and fix. Temporary failures are retried: an update states what should exist and
what should not, so applying one twice does no harm.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.dns.provider import Access, provider_error
from core.errors import DnsProviderError
from core.http import Backoff
from core.ports import TransportFailure

if TYPE_CHECKING:
    import dns.message
    import dns.tsig

ALGORITHMS = {
    "hmac-sha256": "hmac-sha256",
    "hmac-sha512": "hmac-sha512",
    "hmac-sha384": "hmac-sha384",
    "hmac-sha224": "hmac-sha224",
    "hmac-sha1": "hmac-sha1",
    "hmac-md5": "hmac-md5.sig-alg.reg.int",
}
"""Configured name → name in messages."""
SECONDS = 10.0
PAUSES_SECONDS = (0.5, 1.5)


def secret_problem(secret: str) -> str | None:
    """Return what is wrong with a TSIG secret, without showing it; None if it is valid."""
    try:
        is_good = bool(b64decode("".join(secret.split()), validate=True))
    except (binascii.Error, ValueError):
        is_good = False
    return None if is_good else "this is not base64; use the text between the quotes after `secret`"


def port_problem(port: str) -> str | None:
    is_good = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536
    return None if is_good else "a port is a number from 1 to 65535"


class TsigServer:
    """The server of an entry. Does not use the network before the first query."""

    def __init__(self, access: Access) -> None:
        """Read the settings and the secret of an entry of the kind rfc2136. Raises DnsProviderError."""
        self._access = access
        self.name = access.settings["server"]
        self.port = self._port()
        self.key_name = access.settings["tsig_name"].rstrip(".")
        self.algorithm = access.settings["tsig_algorithm"]
        self._key = self._opened_key()

    def ask(self, messages: Sequence[dns.message.Message]) -> tuple[dns.message.Message, ...]:
        """Sign and send messages over one connection; return the responses with verified signatures, whatever their status.

        Raises DnsProviderError for a key that the server does not accept (`credentials`), clocks that differ (`clock`), a server
        that does not respond (`unreachable`) and invalid responses (`refused`); Cancelled.
        """
        import dns.rcode

        env, cancel = self._access.env, self._access.cancel
        backoff = Backoff(env.clock, env.random, cancel, PAUSES_SECONDS)
        while True:
            cancel.check()
            for message in messages:
                message.use_tsig(self._key)
            wires = [message.to_wire() for message in messages]
            try:
                said = env.dns_exchange.exchange(self.name, self.port, wires, timeout=SECONDS, cancel=cancel)
            except TransportFailure as failure:
                backoff.wait_or_raise(self._silent(failure))
                continue
            answers = tuple(self._read(*pair) for pair in zip(messages, said, strict=True))
            if all(answer.rcode() != dns.rcode.SERVFAIL for answer in answers) or not backoff.wait():
                return answers

    def _port(self) -> int:
        port, algorithm = self._access.settings["port"], self._access.settings["tsig_algorithm"]
        if port_problem(port) is None and algorithm in ALGORITHMS:
            return int(port)
        key, value = ("tsig_algorithm", algorithm) if port_problem(port) is None else ("port", port)
        raise provider_error(
            self._access,
            "refused",
            f"The setting {key} of {self._access.name} is not valid: {value!r}.",
            f"Valid values: {', '.join(ALGORITHMS)}."
            if key == "tsig_algorithm"
            else "A port is a number from 1 to 65535.",
            "Correct it in the configuration.",
        )

    def _opened_key(self) -> dns.tsig.Key:
        import dns.exception
        import dns.name
        import dns.tsig

        secret = self._access.secrets.get("tsig_secret", "")
        if not secret or secret_problem(secret):
            raise provider_error(
                self._access,
                "credentials",
                f"The TSIG secret of {self._access.name} is not valid.",
                "It is not base64." if secret else "It is not in the vault.",
                f"Set it again: certdeck dns add {self._access.name} --replace … --secret tsig_secret=FILE; FILE "
                "contains the text between the quotes after `secret` in the key file on the server.",
            )
        try:
            name = dns.name.from_text(self.key_name)
        except (dns.exception.DNSException, UnicodeError) as exc:
            raise provider_error(
                self._access,
                "credentials",
                f"{self.key_name!r} is not a valid TSIG key name.",
                "A key name has the form of a host name: labels of at most 63 characters, separated by dots.",
                "Set `tsig_name` to the name after `key` in the key file on the server.",
            ) from exc
        return dns.tsig.Key(name, "".join(secret.split()), ALGORITHMS[self.algorithm])

    def _read(self, asked: dns.message.Message, wire: bytes) -> dns.message.Message:
        import dns.exception
        import dns.message
        import dns.rcode
        import dns.tsig

        try:
            answer = dns.message.from_wire(wire, keyring=self._key, request_mac=asked.mac, ignore_trailing=True)
        except dns.tsig.PeerBadKey as exc:
            raise self._key_unknown() from exc
        except (dns.tsig.PeerBadSignature, dns.tsig.PeerBadTruncation) as exc:
            raise self._secret_wrong() from exc
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime) as exc:
            raise self._clocks_differ() from exc
        except (dns.exception.DNSException, ValueError) as exc:
            answer = self._unsigned(wire, exc)
        if not asked.is_response(answer):
            raise self._nonsense("Its response belongs to a different query.")
        return answer

    def _unsigned(self, wire: bytes, cause: Exception) -> dns.message.Message:
        """Parse a response without a signature: a refusal may be unsigned (Knot's are); data and success may not."""
        import dns.exception
        import dns.message
        import dns.rcode

        try:
            answer = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError) as exc:
            raise self._nonsense("Its response is not signed with this key.") from exc
        if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise self._nonsense("Its response is not signed, so anyone could have sent it.") from cause
        return answer

    # -- failures ------------------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The server for messages: its name, with the port if it is not 53."""
        return self.name if self.port == 53 else f"{self.name}, port {self.port}"

    def _key_unknown(self) -> DnsProviderError:
        return provider_error(
            self._access,
            "credentials",
            f"The name server {self.place} does not accept the key {self.key_name}.",
            f"It returned BADKEY: it has no key with that name and {self.algorithm}, or (Knot) its ACL does not allow "
            "this key to change these records.",
            "Compare `tsig_name` and `tsig_algorithm` with the key on the server; in Knot also the `acl` of the zone: `key`, "
            "`action: update`, `update-owner-name`.",
        )

    def _secret_wrong(self) -> DnsProviderError:
        return provider_error(
            self._access,
            "credentials",
            f"The secret of the key {self.key_name} does not match the one on the name server {self.place}.",
            "It returned BADSIG: the signature is wrong.",
            f"Set the secret again: certdeck dns add {self._access.name} --replace … --secret tsig_secret=FILE.",
        )

    def _clocks_differ(self) -> DnsProviderError:
        return provider_error(
            self._access,
            "clock",
            f"The clocks of this box and of the name server {self.place} differ.",
            "Signed messages are valid for only five minutes, and the server returned BADTIME.",
            "Correct the clocks of both machines (NTP), then try again.",
        )

    def _silent(self, failure: TransportFailure) -> DnsProviderError:
        return provider_error(
            self._access,
            "unreachable",
            f"The name server {self.place} cannot be reached.",
            str(failure),
            f"Check `server` and `port`, that the server is running, and that no firewall blocks TCP port {self.port}.",
        )

    def _nonsense(self, why: str) -> DnsProviderError:
        return provider_error(
            self._access,
            "refused",
            f"The response of {self.place} is not valid.",
            why,
            "Check `server` and `port`: it must be the primary name server of the zone, not a forwarder.",
        )
