"""Checks whether clients accept the chain: each link signed and allowed, complete, and ending in a trusted root.

A private PKI is not a fault: an unknown root gives a warning. A forged, broken or expired chain is a failure in any PKI.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.upload.aia import is_web, issuer_urls, shown_url
from core.upload.bundle import CertificateBundle
from core.upload.values import CheckResult
from core.upload.verify import chain_refusal
from core.x509.certificate import printable
from core.x509.path_building import CertificationPath

Answer = tuple[str, str, str]
_DISTRUSTED = ("wosign", "startcom", "diginotar", "trustcor", "china internet network information", "e-tugra")
"""CAs that browsers have removed (SO-38), as parts of issuer names in the path."""


def chain(material: CertificateBundle, now: datetime) -> Answer:
    """Check the path from the leaf upwards."""
    way = material.way
    if not way.links and way.problem is not None:
        return "fail", way.problem.what, way.problem.fix
    if way.leaf.self_signed:
        return _self_signed(way)
    if not way.links:
        return _no_issuer(material)
    if way.problem is not None:
        return "fail", way.problem.what, way.problem.fix
    if not way.is_complete and (way.bad_signature is not None or way.unconnected_root is not None):
        return _incomplete(way)
    begins = [way.leaf.not_before, *(link.certificate.not_before for link in way.links)]
    between = [each for each in way.sent if each.der != way.top.der]
    refusal = chain_refusal(way.leaf, between, way.top, max(now, *begins))
    if refusal is not None and now < way.leaf.not_after:
        return "fail", f"Clients reject the chain: {printable(refusal)}.", "Ask the CA for the right chain."
    return _complete(way) if way.is_complete else _incomplete(way)


def chain_state(material: CertificateBundle, results: Sequence[CheckResult]) -> str:
    """Return the state of the chain as one word (`UploadCheck.chain_state`)."""
    way = material.way
    if any(each.id == "chain" and each.status == "fail" for each in results):
        return "refused"
    if way.leaf.self_signed:
        return "self-signed"
    if way.trusted_by:
        return "complete"
    return "private" if way.is_complete else "open" if way.links else "incomplete"


def distrusted(material: CertificateBundle) -> Answer:
    """Warn of CAs that browsers no longer trust."""
    for each in (material.leaf, *(link.certificate for link in material.way.links)):
        issuer = each.issuer.lower()
        if any(name in issuer for name in _DISTRUSTED):
            return (
                "warn",
                f"Browsers no longer trust this CA: {each.issuer}.",
                "Have a certificate issued by another CA, for example by Let's Encrypt.",
            )
    return "pass", "No browser distrusts this CA.", ""


def _self_signed(way: CertificationPath) -> Answer:
    if way.trusted_by:
        return "pass", f"It is self-signed, and {way.trusted_by} trusts it.", ""
    return (
        "warn",
        "It is self-signed: every client that does not trust it shows a warning.",
        "Add it to the clients' trust stores, or have a CA issue a certificate.",
    )


def _no_issuer(material: CertificateBundle) -> Answer:
    way = material.way
    if way.trusted_by:
        return "pass", f"{way.trusted_by} trusts it directly.", ""
    issuer = way.leaf.issuer_cn or way.leaf.issuer
    if way.bad_signature is not None:
        return (
            "fail",
            f"The chain contains a certificate of {issuer}, but its key did not sign this one: only the name is the same.",
            "Give the chain that came with this certificate.",
        )
    if way.unused and any(each.is_ca for each in way.unused):
        return (
            "fail",
            f"The chain belongs to a different certificate. This certificate was issued by {issuer}, which is not in the chain.",
            "Give the chain that came with this certificate.",
        )
    return "warn", f"The certificate of its issuer, {issuer}, is missing. Many clients will reject it.", _get_it(way)


def _incomplete(way: CertificationPath) -> Answer:
    top = way.top
    above = top.issuer_cn or top.issuer
    if way.bad_signature is not None:
        return (
            "fail",
            f"The chain contains a certificate of {above}, but its key did not sign {top.subject}.",
            "Give the chain that came with this certificate.",
        )
    if way.unconnected_root is not None:
        return (
            "fail",
            f"The chain has a gap: {above}, which signed {top.subject}, is missing.",
            "Give all intermediate certificates.",
        )
    unused = [each.subject for each in way.unused if each.is_ca]
    beside = f", and the given {unused[0]} does not connect to it" if unused else ""
    return (
        "warn",
        f"{_count(way)}; the chain ends at {above}, which this box does not know{beside}.",
        "This is normal for a private CA. Otherwise, an intermediate is missing.",
    )


def _complete(way: CertificationPath) -> Answer:
    complete = f"{_count(way)}, complete" if way.sent else "Complete, no intermediate needed"
    if way.trusted_by:
        return "pass", f"{complete}; {way.trusted_by} trusts {way.top.subject}.", ""
    return (
        "warn",
        f"{complete}; its root, {way.top.subject}, is not in this box's trust store.",
        "This is normal for a private CA: its root must be installed on every client.",
    )


def _count(way: CertificationPath) -> str:
    sent = len(way.sent)
    return "1 intermediate" if sent == 1 else f"{sent} intermediates" if sent else "No intermediate"


def _get_it(way: CertificationPath) -> str:
    """Return the fix for a missing issuer certificate, with its URL if the certificate has one (AIA). Downloads nothing."""
    urls = issuer_urls(way.leaf)
    if not urls:
        return "Also give the chain; the CA offers it for download."
    web = next(filter(is_web, urls), None)
    if web is None:
        return f"Also give it. According to the certificate, it is at {shown_url(urls[0])}."
    return f"Also give it, or have it fetched from {shown_url(web)} (--fetch-chain; in the console ^l)."
