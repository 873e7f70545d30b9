"""acme-dns: registration, and updates of an account's two values, the oldest first."""

from __future__ import annotations

import ipaddress
import re
import uuid

from core.ports import Response
from tests.support.transport import Asked, reply
from tests.support.vendor import Vendor, json_of, path_of

DOMAIN = "auth.example.org"
PEER = "192.0.2.10"


class AcmeDnsVendor(Vendor):
    """A server with no account at first."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, tuple[str, str, list[str]]] = {}
        """User name → password, subdomain, allowed networks."""
        self.values: dict[str, list[str]] = {}
        """Subdomain → its two values, the oldest first; empty ones at first."""
        self.is_closed = False
        """Registration is switched off."""

    def answer(self, asked: Asked) -> Response:
        if path_of(asked) == "/register" and not self.is_closed:
            return self._register(asked) if asked.method == "POST" else reply(405, "Method Not Allowed")
        if path_of(asked) == "/update":
            return self._update(asked) if asked.method == "POST" else reply(405, "Method Not Allowed")
        return reply(404, "404 page not found\n")

    def _register(self, asked: Asked) -> Response:
        networks = json_of(asked).get("allowfrom", [])
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                return reply(400, {"error": "invalid_allowfrom_cidr"})
        number = len(self.accounts)
        username, subdomain = (str(uuid.UUID(int=number * 2 + each, version=4)) for each in (0, 1))
        password = f"{number:040d}"
        self.accounts[username] = (password, subdomain, networks)
        self.values[subdomain] = ["", ""]
        said = {
            "username": username,
            "password": password,
            "fulldomain": f"{subdomain}.{DOMAIN}",
            "subdomain": subdomain,
            "allowfrom": networks,
        }
        return reply(201, said)

    def _update(self, asked: Asked) -> Response:
        sent = json_of(asked)
        password, subdomain, networks = self.accounts.get(asked.headers.get("x-api-user", ""), ("", "", []))
        is_near = not networks or any(
            ipaddress.ip_address(PEER) in ipaddress.ip_network(network) for network in networks
        )
        if (
            not password
            or asked.headers.get("x-api-key") != password
            or sent.get("subdomain") != subdomain
            or not is_near
        ):
            return reply(401, {"error": "forbidden"})
        value = sent.get("txt", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", value):
            return reply(400, {"error": "bad_txt"})
        self.values[subdomain] = [self.values[subdomain][1], value]
        return reply(200, {"txt": value})
