"""Finds what a CA still needs before it creates an account, so that this is known before the first order. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.acme.directory import Directory
from core.config.model import IssuerConfig
from core.issuers import Issuer
from core.operations import Finding
from core.store.accounts import AccountRecord


def account_needs(
    issuer: Issuer,
    directory: Directory,
    settings: IssuerConfig,
    record: AccountRecord | None,
    *,
    has_binding: bool,
    agree_tos: bool = False,
    email: str | None = None,
) -> Iterator[Finding]:
    """Yield a failed finding for each thing that the CA requires for a new account and that is not set.

    Args:
        record: of the account on this box. A registered account needs nothing more.
        has_binding: the key of an external account binding is in the vault.
        agree_tos, email: options of the request.
    """
    if record is not None and record.url is not None:
        return
    name, terms = issuer.name, directory.terms_of_service
    agreed = agree_tos or settings.agree_tos or (record is not None and record.terms == terms)
    if terms is not None and not agreed:
        yield Finding(
            id="terms",
            status="fail",
            title="Terms of service",
            detail=f"{name} has terms of service that have not been accepted: {terms}",
            fix=f"Read them, then run `certdeck issuer agree {name}`, or add --agree-tos to the order.",
        )
    if directory.eab_required and not (settings.eab_kid and has_binding):
        yield Finding(
            id="eab",
            status="fail",
            title="Account binding",
            detail=f"{name} requires an external account binding (EAB), and none is set",
            fix=f"Get a key ID and an HMAC key from the CA, and set them with `certdeck account eab {name} --kid KID --hmac FILE`.",
        )
    if issuer.needs_email and not (email or settings.email or (record is not None and record.contact)):
        yield Finding(
            id="contact",
            status="fail",
            title="Contact",
            detail=f"{name} requires an e-mail address for the account, and none is set",
            fix=f"Set one with `certdeck issuer add {name} --email ADDRESS`, or add --email to the order.",
        )
