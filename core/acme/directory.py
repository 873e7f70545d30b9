"""The directory of a CA (RFC 8555 §7.1.1): its URLs and metadata."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from core.acme.wire import Json, object_of, plain, text_of, texts_of
from core.errors import DirectoryInvalid

NEEDED = ("newNonce", "newAccount", "newOrder")


class Directory(Struct, frozen=True, kw_only=True):
    """The URLs of a CA, and its metadata (RFC 8555 §7.1.1). None: the CA does not have it."""

    url: str
    new_nonce: str
    new_account: str
    new_order: str
    revoke_cert: str | None = None
    key_change: str | None = None
    renewal_info: str | None = None
    terms_of_service: str | None = None
    website: str | None = None
    caa_identities: tuple[str, ...] = ()
    eab_required: bool = False
    profiles: Mapping[str, str] = field(default_factory=dict)
    """Name → description in the CA's words."""

    @property
    def has_renewal_info(self) -> bool:
        return self.renewal_info is not None


def not_https(issuer: str, address: str, directory_url: str) -> DirectoryInvalid:
    """Return the error for a URL that is not HTTPS, which ACME requires (RFC 8555 §6.1)."""
    shown = plain(address, 120)
    if not directory_url.startswith("https://"):
        return DirectoryInvalid(
            f"The directory of {issuer} is not an HTTPS URL: {shown}.",
            "ACME requires HTTPS (RFC 8555 §6.1).",
            "Set an https:// URL as the issuer's directory.",
        )
    return DirectoryInvalid(
        f"{issuer} lists a URL that is not HTTPS: {shown}.",
        "ACME requires HTTPS (RFC 8555 §6.1). The directory itself is served over HTTPS, so a proxy in front of the "
        "CA terminates TLS and does not pass the scheme on.",
        "Configure that proxy to send `X-Forwarded-Proto: https` and the host name (`Host` or `X-Forwarded-Host`) on to the CA, "
        "or change the base URL in the CA's configuration to https://. This box needs no change.",
    )


def no_address(issuer: str, address: str) -> DirectoryInvalid:
    """Return the error for a text that is not a valid URL."""
    return DirectoryInvalid(
        f"{issuer} sent an invalid URL.",
        f"No request can be sent to {plain(address, 120)!r}.",
        "Check the directory URL, and whether a proxy alters the traffic. If neither is the cause, contact the CA's support.",
    )


def parse(url: str, source: Json, *, issuer: str = "") -> Directory:
    """Parse a directory. Raises DirectoryInvalid (`directory-invalid`) naming what is missing, or not HTTPS.

    Args:
        issuer: the CA's name in messages.
    """
    missing = [name for name in NEEDED if text_of(source, name) is None]
    if missing:
        raise DirectoryInvalid(
            f"The response from {url} is not an ACME directory.",
            f"The response is JSON without {', '.join(missing)}.",
            "Check the directory URL of the issuer; CAs call it the ACME directory or the ACME server URL.",
        )
    used = (*NEEDED, "revokeCert", "keyChange", "renewalInfo")
    for address in (text_of(source, name) for name in used):
        if address is not None and not address.startswith("https://"):
            raise not_https(issuer or url, address, url)
    meta = object_of(source, "meta") or {}
    profiles = object_of(meta, "profiles") or {}
    return Directory(
        url=url,
        new_nonce=str(source["newNonce"]),
        new_account=str(source["newAccount"]),
        new_order=str(source["newOrder"]),
        revoke_cert=text_of(source, "revokeCert"),
        key_change=text_of(source, "keyChange"),
        renewal_info=text_of(source, "renewalInfo"),
        terms_of_service=_shown(meta, "termsOfService"),
        website=_shown(meta, "website"),
        caa_identities=tuple(plain(name, 253) for name in texts_of(meta, "caaIdentities")),
        eab_required=meta.get("externalAccountRequired") is True,
        profiles={plain(name, 64): plain(text) for name, text in profiles.items()},
    )


def _shown(meta: Json, key: str) -> str | None:
    value = text_of(meta, key)
    return plain(value, 500) if value else None
