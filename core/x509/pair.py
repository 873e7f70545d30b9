"""Checks whether a certificate and a private key match."""

from __future__ import annotations


def pair_problem(fullchain: bytes, privkey: bytes) -> str:
    """Return in one sentence why a key (PEM) does not match the first certificate (PEM). Empty: it matches."""
    from core.x509.chain import split_fullchain
    from core.x509.key import matches
    from core.x509.key_reader import load_key

    try:
        leaf, _ = split_fullchain(fullchain)
        is_pair = matches(leaf, load_key(privkey))
    except Exception as exc:  # noqa: BLE001 - the parser's exceptions for damaged files differ between releases
        return f"Its files are not a readable certificate and key ({type(exc).__name__})."
    return "" if is_pair else "Its private key does not match this certificate."


def files_problem(cert: bytes, chain: bytes, fullchain: bytes, privkey: bytes) -> str:
    """Return in one sentence why the four files (PEM) of a version do not belong together. Empty: they do."""
    return pair_problem(fullchain, privkey) or parts_problem(cert, chain, fullchain)


def parts_problem(cert: bytes, chain: bytes, fullchain: bytes) -> str:
    """Return in one sentence why certificate and chain (PEM) differ from the fullchain (PEM). Empty: they do not."""
    from core.x509.certificate import MalformedCertificate, parse_pem

    try:
        together = [each.der for each in parse_pem(fullchain)]
        apart = [each.der for part in (cert, chain) if part.strip() for each in parse_pem(part)]
    except MalformedCertificate as exc:
        return f"One of its files cannot be read. {exc}"
    return "" if together == apart else "cert.pem and chain.pem differ from fullchain.pem."
