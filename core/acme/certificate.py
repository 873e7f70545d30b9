"""Download of an issued certificate, with its chain or another one that the CA offers (RFC 8555 §7.4.2), never trimmed."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from core.acme.problem import quoted
from core.acme.problem_type import ProblemType
from core.acme.response import AcmeResponse
from core.acme.session import AcmeSession
from core.acme.wire import plain
from core.errors import AcmeProblem, CertificateUnusable, DirectoryInvalid, IssuerError, RateLimited

PEM_CHAIN = "application/pem-certificate-chain"
ALTERNATES_LIMIT = 10
_LATER = "Try again later: the next run asks once more, and then places a new order. If it fails too, contact the CA's support."


class Download(Struct, frozen=True, kw_only=True):
    """A chain as the CA sent it, unchecked."""

    fullchain_pem: bytes
    """As the CA sent it, leaf first."""
    chain_matched: bool = True
    """False: a preferred chain was given, and the CA offers no such chain."""


def download(session: AcmeSession, url: str, preferred_chain: str | None = None) -> Download:
    """Download the certificate at `url`, with the chain whose last certificate was issued by `preferred_chain`, if there is one.

    One request, and one for each other chain that is checked. Raises CertificateUnusable (`certificate-unusable`) for every
    response that is not the certificate; DirectoryUnreachable, RateLimited, and AcmeProblem if the account is refused.
    """
    try:
        reply = session.post(url, None, accept=PEM_CHAIN)
    except RateLimited:
        raise
    except (AcmeProblem, DirectoryInvalid) as exc:
        if ProblemType.of_error(exc) is ProblemType.ACCOUNT_DOES_NOT_EXIST:
            raise
        raise CertificateUnusable(
            f"{session.issuer} did not send a certificate.",
            f"{exc.what} {exc.why}",
            _LATER,
            details={"url": url, **exc.details},
        ) from exc
    default = _chain(session, reply)
    if preferred_chain is None or top_issuer(default) == preferred_chain:
        return Download(fullchain_pem=default)
    for alternate in reply.links.get("alternate", ())[:ALTERNATES_LIMIT]:
        try:
            chain = _chain(session, session.post(alternate, None, accept=PEM_CHAIN))
        except IssuerError:  # a valid certificate is already here: another chain is only a preference
            continue
        if top_issuer(chain) == preferred_chain:
            return Download(fullchain_pem=chain)
    return Download(fullchain_pem=default, chain_matched=False)


def top_issuer(fullchain_pem: bytes) -> str | None:
    """Return the common name of the issuer of the last certificate, or None."""
    try:
        last = x509.load_pem_x509_certificates(fullchain_pem)[-1]
        names = last.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return None
    return str(names[0].value) if names else None


def _chain(session: AcmeSession, reply: AcmeResponse) -> bytes:
    if reply.status < 300 and b"-----BEGIN CERTIFICATE-----" in reply.body:
        return reply.body
    raise CertificateUnusable(
        f"{session.issuer} did not send a certificate.",
        f"The response (type {plain(reply.headers.get('content-type') or 'unknown', 60)}) contains no PEM "
        f"certificate. {quoted(reply)}",
        _LATER,
        details={"url": reply.url},
    )
