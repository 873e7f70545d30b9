"""Whether a certificate and a private key belong together."""

from __future__ import annotations


def pair_problem(fullchain: bytes, privkey: bytes) -> str:
    """Return in one sentence why a key (PEM) is not the one of the first certificate (PEM); empty where it is."""
    from core.x509.chain import split_fullchain
    from core.x509.key import matches
    from core.x509.key_reader import load_key

    try:
        leaf, _ = split_fullchain(fullchain)
        is_pair = matches(leaf, load_key(privkey))
    except Exception as exc:  # noqa: BLE001 - what the parser says of damaged files differs from release to release
        return f"Its files are not a readable certificate and key ({type(exc).__name__})."
    return "" if is_pair else "Its private key does not match this certificate."
