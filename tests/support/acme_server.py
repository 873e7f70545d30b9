"""An ACME server (RFC 8555, RFC 9773) inside the test: strict about signatures and nonces, with faults as scripted.

`AcmeServer` is a Transport: a session talks to it without sockets or waiting. It believes every challenge unless
`judge` says otherwise, and issues from a throwaway authority. For a CA that really validates there is Pebble.
"""

from __future__ import annotations

import json
import random
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from acme import jws
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from josepy import jwk
from josepy.json_util import encode_b64jose

from core.ports import CancelToken, Response, TransportFailure
from tests.support.authority import Authority
from tests.support.clock import FakeClock
from tests.support.transport import Asked, reply

BASE = "https://ca.test"
URN = "urn:ietf:params:acme:error:"
Fault = Response | TransportFailure | Callable[[Asked], Response | None]


def problem(word: str, status: int, detail: str = "", **more: Any) -> Response:
    """Make a problem document; `headers={…}` for its headers."""
    headers = more.pop("headers", {})
    document = {"type": URN + word, "detail": detail or word, "status": status, **more}
    named = {"content-type": "application/problem+json", **headers}
    return Response(status=status, headers=named, body=json.dumps(document).encode())


class Refused(Exception):
    """The server's answer to this request is a refusal."""

    def __init__(self, word: str, status: int, detail: str = "", **more: Any) -> None:
        super().__init__(word)
        self.response = problem(word, status, detail, **more)


@dataclass
class Scripted:
    """A fault for requests whose path begins with `path`."""

    path: str
    fault: Fault
    times: int
    after: bool
    """The request is carried out first; then the reply is lost or replaced."""


@dataclass
class Made:
    """An order, authorization or challenge as the server keeps it."""

    document: dict[str, Any]
    account: str
    looks: int = 0
    more: dict[str, Any] = field(default_factory=dict)


class AcmeServer:
    """The CA. Everything about it may be set before or between requests."""

    def __init__(self, clock: FakeClock | None = None, authority: Authority | None = None) -> None:
        self.clock = clock or FakeClock()
        self.authority = authority or Authority.new("Scripted CA", now=self.clock.now())
        self.meta: dict[str, Any] = {"termsOfService": f"{BASE}/terms", "caaIdentities": ["ca.test"]}
        self.challenge_types = ["http-01", "dns-01"]
        self.extra_challenges: list[dict[str, Any]] = []
        """Put before ours in every authorization."""
        self.judge: Callable[[str, str], Mapping[str, Any] | None] = lambda identifier, kind: None
        """Returns the problem with which a challenge fails."""
        self.visit: Callable[[str], object] = lambda token: None
        """Fetches the file of an HTTP-01 challenge before it becomes valid. Without a visit the client waits for one in vain."""
        self.failure_shows_in = "order"
        """Where a failed challenge is seen: `order`; `challenge` (order and authorization stay pending); `error` (all stay pending,
        the challenge has an error; a new answer is judged again); `refusal` (of the answer, everything stays pending)."""
        self.extensions: list[x509.ExtensionType] = []
        """In each leaf, beside those that it needs."""
        self.issue: Callable[[x509.CertificateSigningRequest], bytes] = self.chain_for
        self.alternates: list[bytes] = []
        self.reuses_authorizations = False
        self.shuffles = False
        """List an order's authorizations the other way round with each look."""
        self.pending_looks = 0
        """How many looks at an order still find `pending` after the last challenge was answered."""
        self.processing_looks = 0
        self.processing_status = "processing"
        self.authorization_status = "pending"
        self.retry_after: str | None = None
        """Sent with pending and processing orders."""
        self.nonce_reject_percent = 0
        self.wants_contact = False
        self.keeps_accounts_as_they_are = False
        """Answer changes of an account with 200, and change nothing."""
        self.has_renewal_info = True
        self.eab_keys: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.accounts: dict[str, dict[str, Any]] = {}
        """By URL: `jwk`, `thumbprint`, `status`, `contact`."""
        self.orders: dict[str, Made] = {}
        self.authorizations: dict[str, Made] = {}
        self.challenges: dict[str, Made] = {}
        self.certificates: dict[str, bytes] = {}
        self.revoked: dict[bytes, int] = {}
        self.replaced: set[str] = set()
        self.windows: dict[str, dict[str, Any]] = {}
        self._script: list[Scripted] = []
        self._nonces: set[str] = set()
        self._random = random.Random(7)
        self._count = 0
        self._lock = threading.RLock()

    # -- scripting ----------------------------------------------------------------------------------------------------

    def fail(self, path: str, fault: Fault, *, times: int = 1, after: bool = False) -> None:
        """Let the next `times` requests below `path` (`/order`, `/new-order` …) go wrong."""
        self._script.append(Scripted(path, fault, times, after))

    def count(self, path: str, method: str = "POST") -> int:
        """Return how many requests below `path` were made."""
        return sum(1 for each in self.asked if each.method == method and each.url.startswith(BASE + path))

    @property
    def directory_url(self) -> str:
        return f"{BASE}/directory"

    def chain_for(
        self,
        csr: x509.CertificateSigningRequest,
        *,
        names: list[str] | None = None,
        days: float = 90,
        public_key: Any = None,
        not_before: timedelta = timedelta(0),
    ) -> bytes:
        """Return the fullchain for a CSR, or one that differs from what was asked for."""
        san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        wanted: x509.ExtensionType = (
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]) if names else san.value
        )
        start = self.clock.now() + not_before
        issuer = self.authority.intermediate
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.certificate.subject)
            .public_key(public_key or csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(wanted, critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        )
        for extension in self.extensions:
            builder = builder.add_extension(extension, critical=False)
        leaf = builder.sign(issuer.key, hashes.SHA256())
        return leaf.public_bytes(Encoding.PEM) + self.authority.chain_pem

    # -- the Transport ------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = 30.0,
        cancel: CancelToken | None = None,
    ) -> Response:
        asked = Asked(method, url, dict(headers), body)
        with self._lock:
            self.asked.append(asked)
            scripted = self._scripted(url)
            if scripted is not None and not scripted.after:
                instead = self._spoiled(scripted.fault, asked)
                if instead is not None:
                    return self._stamped(instead)
            response = self._answered(asked)
            if scripted is not None and scripted.after:
                response = self._spoiled(scripted.fault, asked) or response
            return self._stamped(response)

    def close(self) -> None:
        """Have nothing to close."""

    def _scripted(self, url: str) -> Scripted | None:
        for each in self._script:
            if each.times > 0 and url.startswith(BASE + each.path):
                each.times -= 1
                return each
        return None

    @staticmethod
    def _spoiled(fault: Fault, asked: Asked) -> Response | None:
        if isinstance(fault, TransportFailure):
            raise fault
        return fault(asked) if callable(fault) else fault

    def _stamped(self, response: Response) -> Response:
        nonce = encode_b64jose(self._random.randbytes(16))
        self._nonces.add(nonce)
        headers = {"replay-nonce": nonce, "date": format_datetime(self.clock.now(), usegmt=True), **response.headers}
        return Response(status=response.status, headers=headers, body=response.body, truncated=response.truncated)

    def _answered(self, asked: Asked) -> Response:
        path = asked.url.removeprefix(BASE)
        if path == "/directory":
            return reply(200, self._directory(), replay_nonce="")  # CAs give no nonce with it
        if path == "/new-nonce":
            return reply(200 if asked.method == "HEAD" else 204)
        if path.startswith("/renewal-info/"):
            found = self.windows.get(path.removeprefix("/renewal-info/"))
            return reply(200, found, retry_after="21600") if found else problem("malformed", 404)
        try:
            return self._signed(path, asked)
        except Refused as refusal:
            return refusal.response

    def _directory(self) -> dict[str, Any]:
        names = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
        places = ("new-nonce", "new-account", "new-order", "revoke-cert", "key-change")
        addresses = {name: f"{BASE}/{place}" for name, place in zip(names, places, strict=True)}
        ari = {"renewalInfo": f"{BASE}/renewal-info"} if self.has_renewal_info else {}
        return {**addresses, **ari, "meta": self.meta}

    # -- signed requests ----------------------------------------------------------------------------------------------

    def _signed(self, path: str, asked: Asked) -> Response:
        if asked.method != "POST" or asked.headers.get("Content-Type") != "application/jose+json":
            raise Refused("malformed", 405)
        envelope = jws.JWS.json_loads((asked.body or b"").decode())
        header = envelope.signature.combined
        if header.url != asked.url:
            raise Refused("unauthorized", 401, "the url in the signature is another one")
        account = self.accounts.get(header.kid) if header.kid else None
        if header.kid and account is None:
            raise Refused("accountDoesNotExist", 400)
        key = jwk.JWK.from_json(account["jwk"]) if account else header.jwk
        if key is None or not envelope.verify(key=key):
            raise Refused("malformed", 400, "the signature does not verify")
        nonce = encode_b64jose(header.nonce) if header.nonce else ""
        if nonce not in self._nonces or self._random.uniform(0, 100) < self.nonce_reject_percent:
            self._nonces.discard(nonce)
            raise Refused("badNonce", 400)
        self._nonces.discard(nonce)
        payload = json.loads(envelope.payload) if envelope.payload else None
        if account and account["status"] != "valid":
            raise Refused("unauthorized", 403, "Account has been deactivated")
        kind = path.split("/")[1]
        if kind == "new-account":
            return self._new_account(key, payload, asked.url)
        if kind == "revoke-cert":
            return self._revoke(payload)
        if account is None:
            raise Refused("malformed", 400, "this needs an account")
        handlers: dict[str, Callable[[str, str, Any], Response]] = {
            "account": self._account,
            "key-change": self._key_change,
            "new-order": self._new_order,
            "order": self._order,
            "finalize": self._finalize,
            "authorization": self._authorization,
            "challenge": self._challenge,
            "certificate": self._certificate,
        }
        return handlers[kind](header.kid, asked.url, payload)

    def _new_account(self, key: Any, payload: dict[str, Any], url: str) -> Response:
        thumbprint = encode_b64jose(key.thumbprint())
        for place, account in self.accounts.items():
            if account["thumbprint"] == thumbprint:
                if account["status"] != "valid":
                    raise Refused("unauthorized", 403, "Account has been deactivated")
                return reply(200, self._shown(account), location=place)
        if payload.get("onlyReturnExisting"):
            raise Refused("accountDoesNotExist", 400)
        if self.eab_keys:
            self._check_binding(payload.get("externalAccountBinding"), thumbprint, url)
        if "termsOfService" in self.meta and payload.get("termsOfServiceAgreed") is not True:
            raise Refused("userActionRequired", 403, headers={"link": f'<{BASE}/terms>;rel="terms-of-service"'})
        if self.wants_contact and not payload.get("contact"):
            raise Refused("malformed", 400, "Contact information is missing")
        place = self._place("account")
        self.accounts[place] = {
            "jwk": key.to_json(),
            "thumbprint": thumbprint,
            "status": "valid",
            "contact": payload.get("contact", []),
        }
        return reply(201, self._shown(self.accounts[place]), location=place)

    def _check_binding(self, binding: Any, thumbprint: str, url: str) -> None:
        if binding is None:
            raise Refused("externalAccountRequired", 403)
        inner = jws.JWS.from_json(binding)
        header = inner.signature.combined
        mac_key = self.eab_keys.get(header.kid)
        if mac_key is None or header.url != url or not inner.verify(key=jwk.JWKOct(key=mac_key)):
            raise Refused("unauthorized", 403, "the binding does not verify")
        if encode_b64jose(jwk.JWK.from_json(json.loads(inner.payload)).thumbprint()) != thumbprint:
            raise Refused("malformed", 400, "the binding is for another key")

    def _account(self, kid: str, url: str, payload: Any) -> Response:
        account = self.accounts[kid]
        if self.wants_contact and payload and payload.get("contact") == []:
            raise Refused("malformed", 400, "Contact information is missing")
        if payload and self.keeps_accounts_as_they_are:
            payload = None
        account.update({name: payload[name] for name in ("contact", "status") if payload and name in payload})
        return reply(200, self._shown(account))

    @staticmethod
    def _shown(account: dict[str, Any]) -> dict[str, Any]:
        return {"status": account["status"], "contact": account["contact"]}

    def _key_change(self, kid: str, url: str, payload: Any) -> Response:
        inner = jws.JWS.from_json(payload)
        key = inner.signature.combined.jwk
        change = json.loads(inner.payload)
        if not inner.verify(key=key) or change["account"] != kid:
            raise Refused("malformed", 400)
        old = encode_b64jose(jwk.JWK.from_json(change["oldKey"]).thumbprint())
        if old != self.accounts[kid]["thumbprint"]:
            raise Refused("malformed", 400, "oldKey is another one")
        self.accounts[kid].update(jwk=key.to_json(), thumbprint=encode_b64jose(key.thumbprint()))
        return reply(200, self._shown(self.accounts[kid]))

    def _new_order(self, kid: str, url: str, payload: Any) -> Response:
        replaces = payload.get("replaces")
        if replaces in self.replaced:
            raise Refused("alreadyReplaced", 409)
        if replaces:
            self.replaced.add(replaces)
        profile = payload.get("profile")
        if profile is not None and profile not in self.meta.get("profiles", {}):
            raise Refused("invalidProfile", 400, f"there is no profile {profile}")
        number = self._next()
        document = {
            "status": "pending",
            "expires": (self.clock.now() + timedelta(days=7)).isoformat(),
            "identifiers": payload["identifiers"],
            "authorizations": [self._new_authorization(kid, each) for each in payload["identifiers"]],
            "finalize": f"{BASE}/finalize/{number}",
            **({"profile": profile} if profile else {}),
        }
        self.orders[f"{BASE}/order/{number}"] = Made(document, kid)
        return self._order_reply(f"{BASE}/order/{number}", 201)

    def _new_authorization(self, kid: str, identifier: dict[str, str]) -> str:
        name = identifier["value"]
        if self.reuses_authorizations:
            for place, made in self.authorizations.items():
                if made.more["ordered"] == name and made.document["status"] == "valid":
                    return place
        place = self._place("authorization")
        kinds = self.challenge_types
        if name.startswith("*."):
            kinds = [kind for kind in kinds if kind.startswith("dns-")] or ["dns-01"]
        challenges = []
        for kind in kinds:
            url = self._place("challenge")
            token = encode_b64jose(self._random.randbytes(24))
            challenges.append({"type": kind, "url": url, "token": token, "status": "pending"})
            if kind == "dns-persist-01":
                challenges[-1] = {"type": kind, "url": url, "status": "pending", "issuer-domain-names": ["ca.test"]}
            self.challenges[url] = Made(challenges[-1], kid, more={"authorization": place})
        document: dict[str, Any] = {
            "status": self.authorization_status,
            "identifier": {**identifier, "value": name.removeprefix("*.")},
            "challenges": [*self.extra_challenges, *challenges],
        }
        if name.startswith("*."):
            document["wildcard"] = True
        self.authorizations[place] = Made(document, kid, more={"ordered": name})
        return place

    def _challenge(self, kid: str, url: str, payload: Any) -> Response:
        made = self._found(self.challenges, url, kid)
        if payload is not None:
            if made.document["status"] != "pending":
                raise Refused("malformed", 400, "this challenge was answered before")
            authorization = self.authorizations[made.more["authorization"]]
            error = self.judge(authorization.more["ordered"], made.document["type"])
            made.document.pop("error", None)
            if not error and made.document["type"] == "http-01":
                self.visit(made.document["token"])
            if error and self.failure_shows_in == "refusal":
                made.document["status"] = "processing"
                return reply(400, dict(error))
            if error:
                made.document["error"] = dict(error)
            if not error or self.failure_shows_in != "error":
                made.document["status"] = "invalid" if error else "valid"
            if not error or self.failure_shows_in == "order":
                authorization.document["status"] = made.document["status"]
        return reply(200, made.document)

    def _authorization(self, kid: str, url: str, payload: Any) -> Response:
        return reply(200, self._found(self.authorizations, url, kid).document)

    def _order(self, kid: str, url: str, payload: Any) -> Response:
        self._found(self.orders, url, kid)
        return self._order_reply(url, 200)

    def _order_reply(self, url: str, status: int) -> Response:
        made = self.orders[url]
        document = made.document
        if self.shuffles:
            document["authorizations"].reverse()
        found = [self.authorizations[place].document["status"] for place in document["authorizations"]]
        if document["status"] == "pending":
            if "invalid" in found:
                document["status"] = "invalid"
            elif all(each == "valid" for each in found):
                made.looks += 1
                if made.looks > self.pending_looks or status == 201:
                    document["status"], made.looks = "ready", 0
        elif document["status"] == self.processing_status:
            made.looks += 1
            if made.looks > self.processing_looks:
                document.update(status="valid", certificate=made.more["certificate"])
        headers = (
            {}
            if self.retry_after is None or document["status"] in ("ready", "valid")
            else {"retry_after": self.retry_after}
        )
        return reply(status, document, location=url, **headers)

    def _finalize(self, kid: str, url: str, payload: Any) -> Response:
        place = url.replace("/finalize/", "/order/")
        made = self._found(self.orders, place, kid)
        if made.document["status"] != "ready":
            raise Refused("orderNotReady", 403)
        csr = x509.load_der_x509_csr(_decoded(payload["csr"]))
        certificate = self._place("certificate")
        self.certificates[certificate] = self.issue(csr)
        made.document["status"] = self.processing_status
        made.more["certificate"] = certificate
        headers = {} if self.retry_after is None else {"retry_after": self.retry_after}
        return reply(200, made.document, location=place, **headers)

    def _certificate(self, kid: str, url: str, payload: Any) -> Response:
        if "/alternate/" in url:
            return reply(
                200, self.alternates[int(url.rpartition("/")[2])], content_type="application/pem-certificate-chain"
            )
        others = ", ".join(f'<{url}/alternate/{number}>;rel="alternate"' for number in range(len(self.alternates)))
        return reply(200, self.certificates[url], content_type="application/pem-certificate-chain", link=others)

    def _revoke(self, payload: Any) -> Response:
        der = _decoded(payload["certificate"])
        if der in self.revoked:
            raise Refused("alreadyRevoked", 400)
        self.revoked[der] = payload.get("reason", 0)
        return reply(200)

    @staticmethod
    def _found(where: dict[str, Made], url: str, kid: str) -> Made:
        made = where.get(url)
        if made is None or made.account != kid:
            raise Refused("malformed", 404, "there is no such thing")
        return made

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _place(self, kind: str) -> str:
        return f"{BASE}/{kind}/{self._next()}"


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
