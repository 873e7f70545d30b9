"""Lists this box's accounts at its CAs, and stores the external account binding that some CAs require."""

from __future__ import annotations

from msgspec.structs import replace

from core.acme.account import ExternalAccountBinding
from core.acme.account_key import AccountKey
from core.errors import NotFound, UsageError
from core.events import Changed, KeyUsed
from core.operations import AccountInfo
from core.store.accounts import AccountRecord, list_accounts
from core.store.vault import Vault
from core.workflows.context import Context
from core.workflows.issuing.plan import issuer_named


def accounts(context: Context) -> tuple[AccountInfo, ...]:
    """Return the existing accounts, by issuer. Opens only keys without a stored thumbprint. A lost key has no thumbprint.

    Raises VaultError.
    """
    vault = context.vault
    records = [record for record in list_accounts(context.paths) if record.has_account]
    return tuple(shown(_with_thumbprint(context, vault, record)) for record in records)


def shown(record: AccountRecord) -> AccountInfo:
    """Return an account in the form that front ends show."""
    return AccountInfo(
        issuer=record.issuer,
        directory=record.directory,
        url=record.url or "",
        contact=record.contact,
        key_type=record.key_type or "",
        thumbprint=record.thumbprint or "",
        created=record.created,
    )


def _with_thumbprint(context: Context, vault: Vault, record: AccountRecord) -> AccountRecord:
    if record.thumbprint is not None:
        return record
    context.narrator.tell(KeyUsed(key=record.key_record, purpose="show its thumbprint"))
    try:
        key = AccountKey.from_pem(vault.get(record.key_record))
    except NotFound:
        return record
    return replace(record, key_type=key.kind, thumbprint=key.thumbprint)


def set_eab(context: Context, issuer: str, *, kid: str, hmac: bytes) -> None:
    """Store an external account binding (RFC 8555 §7.3.4). `hmac`: the base64url text of the HMAC key, kept in the vault.

    Raises:
        NotFound; UsageError for an issuer without accounts; AccountError (`account-error`) for an HMAC key that is not base64url.
    """
    from core.config.edit import set_values

    if issuer_named(context.config, issuer).kind != "acme":
        raise UsageError(f"{issuer} has no accounts.", "It works only on this box.", "It needs no account binding.")
    text = hmac.strip()
    ExternalAccountBinding.parse(kid, text)
    context.vault.put(f"eab/{issuer}", text)
    set_values(context.paths, {("issuers", issuer, "eab_kid"): kid})
    context.narrator.tell(Changed(what=f"external account binding of {issuer} set"))
