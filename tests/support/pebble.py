"""Pebble, a real ACME server, with pebble-challtestsrv as its DNS: on loopback, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.authority import Authority
from tests.support.programs import Program, find_program, free_port

NINETY_DAYS: Mapping[str, int] = {"default": 90 * 86400}
WITH_SHORTLIVED: Mapping[str, int] = {"default": 90 * 86400, "shortlived": 6 * 86400}


@dataclass(frozen=True, kw_only=True)
class PebbleOptions:
    """How this CA behaves. The defaults are the fast and friendly ones."""

    nosleep: bool = True
    """False: validations take 0 to 5 seconds, as in the wild."""
    nonce_reject: int = 0
    """Per cent of good nonces that are refused."""
    retry_after: tuple[int, int] = (0, 0)
    """Seconds for authorizations and orders; 0: no such header."""
    authz_reuse: int = 0
    """Per cent of valid authorizations that a new order may reuse."""
    profiles: Mapping[str, int] = field(default_factory=lambda: dict(NINETY_DAYS))
    """Lifetime in seconds by profile. With several, an order that names none gets one at random."""
    eab_keys: Mapping[str, str] = field(default_factory=dict)
    """HMAC keys (base64url) by key id; when there are any, accounts need one."""
    alternate_roots: int = 0
    chain_length: int = 1
    always_valid: bool = False
    """True: nothing is validated, every challenge passes."""
    name_server: str = ""
    """`HOST:PORT` that Pebble asks instead of pebble-challtestsrv."""
    extra_env: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal for equal options."""
        return json.dumps(vars(self), sort_keys=True, default=dict)


class PebbleServer:
    """A running CA and its DNS."""

    def __init__(self, folder: Path, options: PebbleOptions | None = None) -> None:
        self.folder = folder
        self.options = options or PebbleOptions()
        self.acme_port, self.management_port, self.http01_port, self.tls_port = (free_port() for _ in range(4))
        self.dns_port, self.challtestsrv_port = free_port(), free_port()
        self.ca_pem = folder / "ca.pem"
        """Trust for the directory's own HTTPS; the issued certificates chain up to `root_pem()` instead."""
        self._programs: list[Program] = []

    @property
    def directory_url(self) -> str:
        return f"https://localhost:{self.acme_port}/dir"

    @property
    def management_url(self) -> str:
        return f"https://localhost:{self.management_port}"

    @property
    def challtestsrv_url(self) -> str:
        return f"http://127.0.0.1:{self.challtestsrv_port}"

    @property
    def dns_address(self) -> str:
        """`HOST:PORT` of the DNS server that Pebble asks."""
        return f"127.0.0.1:{self.dns_port}"

    @property
    def log(self) -> str:
        """What Pebble has said so far: its requests and validations."""
        return (self.folder / "pebble.log").read_text(errors="replace")

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start both programs and return when both answer (about 50 ms)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.ca_pem.exists():
            authority = Authority.new("Pebble HTTPS")
            leaf = authority.leaf(["localhost", "127.0.0.1"], days_left=365, days=400)
            leaf.write(self.folder / "cert.pem", self.folder / "key.pem")
            self.ca_pem.write_bytes(authority.root_pem)
        config = self.folder / "pebble.json"
        config.write_text(json.dumps(self._config()))
        dns = Program(
            [
                find_program("pebble-challtestsrv"),
                *("-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
                *("-dnsserver", self.dns_address, "-management", f"127.0.0.1:{self.challtestsrv_port}"),
                *("-doh", "", "-http01", "", "-https01", "", "-tlsalpn01", ""),
            ],
            self.folder / "challtestsrv.log",
        )
        self._programs.append(dns)
        pebble = Program(
            [
                find_program("pebble"),
                "-config",
                str(config),
                "-dnsserver",
                self.options.name_server or self.dns_address,
            ],
            self.folder / "pebble.log",
            self._environment(),
        )
        self._programs.append(pebble)
        dns.wait_for_port(self.challtestsrv_port)
        pebble.wait_for_port(self.acme_port)
        pebble.wait_for_port(self.management_port)

    def stop(self) -> None:
        """End both. Pebble keeps everything in memory: after a `start` it is a new CA that knows no account."""
        for program in self._programs:
            program.stop()
        self._programs.clear()

    def _config(self) -> dict[str, Any]:
        authz, order = self.options.retry_after
        return {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self.acme_port}",
                "managementListenAddress": f"127.0.0.1:{self.management_port}",
                "certificate": str(self.folder / "cert.pem"),
                "privateKey": str(self.folder / "key.pem"),
                "httpPort": self.http01_port,
                "tlsPort": self.tls_port,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": bool(self.options.eab_keys),
                "externalAccountMACKeys": dict(self.options.eab_keys),
                "retryAfter": {"authz": authz, "order": order},
                "keyAlgorithm": "ecdsa",
                "profiles": {
                    name: {"description": f"{seconds // 86400} days", "validityPeriod": seconds}
                    for name, seconds in self.options.profiles.items()
                },
            }
        }

    def _environment(self) -> dict[str, str]:
        options = self.options
        wanted = {
            "PEBBLE_WFE_NONCEREJECT": str(options.nonce_reject),
            "PEBBLE_AUTHZREUSE": str(options.authz_reuse),
            "PEBBLE_ALTERNATE_ROOTS": str(options.alternate_roots),
            "PEBBLE_CHAIN_LENGTH": str(options.chain_length),
        }
        if options.nosleep:
            wanted["PEBBLE_VA_NOSLEEP"] = "1"
        if options.always_valid:
            wanted["PEBBLE_VA_ALWAYS_VALID"] = "1"
        return {**wanted, **options.extra_env}

    # -- the management interface ------------------------------------------------------------------------------------

    def root_pem(self, index: int = 0) -> bytes:
        """Return the root that issued certificates chain up to; `index` above 0: that of an alternate chain."""
        return self._ask(f"{self.management_url}/roots/{index}")

    def certificate_status(self, serial: int) -> dict[str, Any]:
        """Return `{"Status": "Valid" | "Revoked", …}` for a serial number."""
        answer: dict[str, Any] = json.loads(self._ask(f"{self.management_url}/cert-status-by-serial/{serial:x}"))
        return answer

    def set_renewal_info(
        self, certificate_pem: bytes, start: datetime, end: datetime, *, explanation_url: str | None = None
    ) -> None:
        """Let ARI (RFC 9773) suggest the window from `start` to `end` (aware) for the leaf in `certificate_pem`."""
        window = {"start": start.isoformat().replace("+00:00", "Z"), "end": end.isoformat().replace("+00:00", "Z")}
        response: dict[str, Any] = {"suggestedWindow": window}
        if explanation_url:
            response["explanationURL"] = explanation_url
        self.set_renewal_info_raw(certificate_pem, json.dumps(response))

    def set_renewal_info_raw(self, certificate_pem: bytes, response: str) -> None:
        """Let ARI answer with exactly this text, sense or nonsense."""
        body = {"certificate": certificate_pem.decode(), "ariResponse": response}
        self._ask(f"{self.management_url}/set-renewal-info/", body)

    # -- DNS (pebble-challtestsrv). Without any of these every name has the address 127.0.0.1. ---------------------

    def add_a(self, host: str, *addresses: str) -> None:
        """Give a name these IPv4 addresses instead of the default one."""
        self._dns("add-a", host=_dotted(host), addresses=list(addresses))

    def clear_a(self, host: str) -> None:
        self._dns("clear-a", host=_dotted(host))

    def add_aaaa(self, host: str, *addresses: str) -> None:
        self._dns("add-aaaa", host=_dotted(host), addresses=list(addresses))

    def clear_aaaa(self, host: str) -> None:
        self._dns("clear-aaaa", host=_dotted(host))

    def add_caa(self, host: str, tag: str, value: str) -> None:
        self._dns("add-caa", host=_dotted(host), policies=[{"tag": tag, "value": value}])

    def clear_caa(self, host: str) -> None:
        self._dns("clear-caa", host=_dotted(host))

    def set_cname(self, host: str, target: str) -> None:
        self._dns("set-cname", host=_dotted(host), target=_dotted(target))

    def clear_cname(self, host: str) -> None:
        self._dns("clear-cname", host=_dotted(host))

    def set_txt(self, host: str, value: str) -> None:
        """Add one more TXT value at a name."""
        self._dns("set-txt", host=_dotted(host), value=value)

    def clear_txt(self, host: str) -> None:
        """Remove every TXT value at a name."""
        self._dns("clear-txt", host=_dotted(host))

    def set_servfail(self, host: str) -> None:
        """Let every question about a name fail: its validation fails."""
        self._dns("set-servfail", host=_dotted(host))

    def clear_servfail(self, host: str) -> None:
        self._dns("clear-servfail", host=_dotted(host))

    def _dns(self, verb: str, **body: object) -> None:
        self._ask(f"{self.challtestsrv_url}/{verb}", body)

    def _ask(self, url: str, body: object = None) -> bytes:
        context = ssl.create_default_context(cafile=str(self.ca_pem)) if url.startswith("https:") else None
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(url, data, timeout=10, context=context) as answer:  # noqa: S310 - our own URL
                content: bytes = answer.read()
        except urllib.error.HTTPError as refused:
            raise AssertionError(
                f"{url} answered {refused.code}: {refused.read().decode(errors='replace')}"
            ) from refused
        return content


def _dotted(host: str) -> str:
    return host if host.endswith(".") else f"{host}."
