"""What an issuance costs in Python with nothing around the protocol: one connection, one thread, no state, no errors.

Usage: floor_client.py URL CA_PEM HTTP01_PORT FOLDER (setup | NAME…)
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, utils

_PAUSE_SECONDS = 0.005


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Floor:
    """One account at one CA."""

    def __init__(self, url: str, ca_pem: str, key: ec.EllipticCurvePrivateKey) -> None:
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=ca_pem)
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context)
        self._key = key
        self._nonce: str | None = None
        self.kid = ""
        numbers = key.public_key().public_numbers()
        self._jwk = {"crv": "P-256", "kty": "EC", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
        text = json.dumps(self._jwk, sort_keys=True, separators=(",", ":")).encode()
        self.thumbprint = b64(hashlib.sha256(text).digest())
        self.directory = json.loads(self._asked("GET", url)[1])
        self._asked("HEAD", self.directory["newNonce"])

    def _asked(self, method: str, url: str, body: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"User-Agent": "floor", "Content-Type": "application/jose+json"}
        self._connection.request(method, urlsplit(url).path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        self._nonce = answer.headers.get("Replay-Nonce") or self._nonce
        assert answer.status < 400, data
        return answer, data

    def post(self, url: str, payload: object) -> tuple[http.client.HTTPResponse, Any]:
        who = {"kid": self.kid} if self.kid else {"jwk": self._jwk}
        head = b64(json.dumps({"alg": "ES256", "nonce": self._nonce, "url": url, **who}).encode())
        text = "" if payload is None else b64(json.dumps(payload).encode())
        r, s = utils.decode_dss_signature(self._key.sign(f"{head}.{text}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = b64(r.to_bytes(32) + s.to_bytes(32))
        answer, data = self._asked(
            "POST", url, json.dumps({"protected": head, "payload": text, "signature": signature})
        )
        return answer, json.loads(data) if "json" in answer.headers.get("Content-Type", "") else data

    def until(self, url: str, *states: str) -> Any:
        while True:
            _, order = self.post(url, None)
            if order["status"] in states:
                return order
            assert order["status"] != "invalid", order
            time.sleep(_PAUSE_SECONDS)


def serve(port: int, thumbprint: str) -> None:
    server = socket.create_server(("127.0.0.1", port), backlog=128)
    while True:
        client, _ = server.accept()
        token = client.recv(2048).split(b" ")[1].decode().rsplit("/", 1)[1]
        body = f"{token}.{thumbprint}".encode()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        client.close()


def issue(floor: Floor, port: int, folder: Path, names: list[str]) -> None:
    threading.Thread(target=serve, args=(port, floor.thumbprint), daemon=True).start()
    wanted = {"identifiers": [{"type": "dns", "value": name} for name in names]}
    answer, order = floor.post(floor.directory["newOrder"], wanted)
    url = answer.headers["Location"]
    for each in order["authorizations"]:
        _, authorization = floor.post(each, None)
        floor.post(next(c["url"] for c in authorization["challenges"] if c["type"] == "http-01"), {})
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(alternatives, False)
    csr = request.sign(key, hashes.SHA256()).public_bytes(ser.Encoding.DER)
    floor.until(url, "ready", "valid")
    floor.post(order["finalize"], {"csr": b64(csr)})
    _, pem = floor.post(floor.until(url, "valid")["certificate"], None)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(_pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())


def main() -> None:
    url, ca_pem, port, place, *names = sys.argv[1:]
    folder = Path(place)
    account, kid = folder / "account.pem", folder / "kid"
    if names == ["setup"]:
        folder.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        account.write_bytes(_pem(key))
        floor = Floor(url, ca_pem, key)
        answer, _ = floor.post(floor.directory["newAccount"], {"termsOfServiceAgreed": True})
        kid.write_text(answer.headers["Location"])
        return
    loaded = ser.load_pem_private_key(account.read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    floor = Floor(url, ca_pem, loaded)
    floor.kid = kid.read_text()
    issue(floor, int(port), folder, names)


main()
sys.stdout.flush()
os._exit(0)
