"""Changes an account at its CA: key rollover, contact, deactivation, and import of another client's account key.

A new key is stored in the vault, next to the old one, before the CA sees it. A crash in between leaves both keys, and the next use
of the account asks the CA which of them is valid (`Sessions`).
"""

from __future__ import annotations

import re
from contextlib import suppress

from msgspec.structs import replace

from core.acme import account as at_ca
from core.acme.account_key import AccountKey
from core.acme.imported_key import parse_account_key
from core.acme.session import AcmeSession
from core.config.edit import set_values
from core.config.rules import EMAIL
from core.errors import AccountDeactivated, AccountError, CertdeckError, DirectoryUnreachable, NotFound, UsageError
from core.events import Changed, KeyUsed
from core.issuers import Issuer
from core.operations import AccountInfo
from core.store.accounts import AccountRecord, load_account, save_account
from core.store.quarantine import keep_aside
from core.workflows.context import Context
from core.workflows.issuing.plan import check_contact, issuer_named
from core.workflows.issuing.sessions import Sessions
from core.workflows.settings.accounts import shown


def roll_over(context: Context, issuer: str) -> AccountInfo:
    """Roll over the account to a new key (RFC 8555 §7.3.5). The old key is invalid afterwards.

    Raises:
        NotFound: there is no account.
        IssuerError: the CA refused, or did not answer; then the next use of the account finds out which key is valid.
    """
    wanted, record = _account(context, issuer)
    vault = context.vault
    with Sessions(context, vault) as sessions:
        session = sessions.session(wanted)
        record = load_account(context.paths, issuer, record.directory) or record
        kind = session.key.kind
        key = AccountKey.generate(kind)
        vault.put(record.new_key_record, key.to_pem())
        context.narrator.tell(KeyUsed(key=record.key_record, purpose="give the account a new key"))
        try:
            at_ca.roll_over(session, key)
        except DirectoryUnreachable:
            raise  # it may have succeeded: keep both keys
        except CertdeckError:
            vault.delete(record.new_key_record)
            raise
        vault.put(record.key_record, key.to_pem())
        changed = record.with_key(key.kind, key.thumbprint)
        save_account(context.paths, changed)
        vault.delete(record.new_key_record)
    context.narrator.tell(Changed(what=f"new key for the account at {issuer}: {key.thumbprint}"))
    return shown(changed)


def deactivate(context: Context, issuer: str) -> None:
    """Deactivate the account permanently (RFC 8555 §7.3.6) and delete its key. The next order creates a new account.

    Contact and agreement to the terms stay: the next order may run unattended, when it cannot ask for them.

    Raises NotFound; IssuerError: then nothing was deleted.
    """
    wanted, record = _account(context, issuer)
    vault = context.vault
    # If the account is already deactivated, an earlier process died before it deleted the key here.
    with Sessions(context, vault) as sessions, suppress(AccountDeactivated):
        at_ca.deactivate(sessions.session(wanted))
    save_account(context.paths, record.without_account())
    vault.delete(record.key_record)
    vault.delete(record.new_key_record)
    context.narrator.tell(Changed(what=f"deactivated the account at {issuer}: {record.url}"))


def set_contact(context: Context, issuer: str, email: str | None) -> AccountInfo:
    """Change the account's contact at the CA, or remove it. Also changes the issuer's `email` in the configuration, if set.

    Raises UsageError for an invalid address; NotFound; IssuerError.
    """
    check_contact(email)
    wanted, record = _account(context, issuer)
    with Sessions(context, context.vault) as sessions:
        at_ca.set_contact(sessions.session(wanted), email)
    changed = replace(load_account(context.paths, issuer, record.directory) or record, contact=email)
    save_account(context.paths, changed)
    entry = context.config.issuers.get(issuer)
    if entry is not None and entry.email is not None:
        set_values(context.paths, {("issuers", issuer, "email"): email})
    context.narrator.tell(Changed(what=f"contact of the account at {issuer}: {email or 'none'}"))
    return shown(changed)


def import_key(
    context: Context, issuer: str, text: bytes, *, replace_existing: bool, passphrase: bytes | None = None
) -> AccountInfo:
    """Import the account key of another ACME client, in PEM or JWK, and use its account.

    Args:
        replace_existing: also if this box already has an account. Its key is set aside, not deleted, and the result names it.

    Raises:
        AccountError (`account-error`): not a usable key, or the CA has no account for it. Nothing was changed.
        UsageError (`usage`): this box already has another account.
        IssuerError, VaultError, StoreError.
    """
    wanted = _acme_issuer(context, issuer)
    assert wanted.directory is not None
    key = parse_account_key(text, passphrase)
    vault = context.vault
    had = load_account(context.paths, issuer, wanted.directory)
    if had is not None and had.thumbprint != key.thumbprint and had.url is not None and not replace_existing:
        raise UsageError(
            f"This box already has an account at {issuer}: {had.url}",
            "Replacing it would drop its accepted terms and its account binding.",
            "Add --replace. The key of the previous account is kept in state/set-aside.",
        )
    record = had or AccountRecord.new(issuer, wanted.directory, contact=None, created=context.env.clock.now())
    vault.put(record.new_key_record, key.to_pem())
    try:
        with Sessions(context, vault) as sessions:
            context.narrator.tell(KeyUsed(key=record.new_key_record, purpose=f"find its account at {issuer}"))
            found = _found(sessions.new_session(wanted, key), issuer)
            terms = found[1]
    except CertdeckError:
        vault.delete(record.new_key_record)
        raise
    taken = replace(record, contact=_address(found[0].contact), terms=terms).with_key(key.kind, key.thumbprint)
    # Without a URL, the next use asks the CA for it with whichever key it finds. So key and URL match after every step.
    save_account(context.paths, replace(taken, url=None))
    old = vault.path_of(record.key_record)
    if old.exists() and record.thumbprint != key.thumbprint:
        keep_aside(context.paths, old, context.env.clock.now())
    vault.put(record.key_record, key.to_pem())
    taken = replace(taken, url=found[0].url)
    save_account(context.paths, taken)
    vault.delete(record.new_key_record)
    context.narrator.tell(Changed(what=f"imported the account at {issuer}: {taken.url}"))
    if had is not None and had.url is not None and had.url != taken.url:
        contact = f" ({had.contact})" if had.contact else ""
        context.narrator.tell(Changed(what=f"no longer used at {issuer}: the account {had.url}{contact}"))
        return replace(shown(taken), replaced=had.url)
    return shown(taken)


def _found(session: AcmeSession, issuer: str) -> tuple[at_ca.Account, str | None]:
    found = at_ca.look_up(session)
    if found is None:
        raise AccountError(
            f"{issuer} has no account for this key.",
            "The key belongs to another CA, or the account was never created or was removed.",
            "Find out which CA the other client used, and give that issuer. Or let the next order create a new account.",
        )
    return found, session.directory.terms_of_service


def _address(contact: tuple[str, ...] | None) -> str | None:
    """Return the first email address in a contact list from the CA. None: there is none."""
    return next((each for each in contact or () if re.fullmatch(EMAIL, each)), None)


def _acme_issuer(context: Context, issuer: str) -> Issuer:
    wanted = issuer_named(context.config, issuer)
    if wanted.kind != "acme":
        raise UsageError(f"{issuer} has no accounts.", "It works only on this box.", "There is nothing to change.")
    return wanted


def _account(context: Context, issuer: str) -> tuple[Issuer, AccountRecord]:
    wanted = _acme_issuer(context, issuer)
    assert wanted.directory is not None
    record = load_account(context.paths, issuer, wanted.directory)
    if record is None or record.url is None:
        raise NotFound(
            f"There is no account at {issuer} yet.",
            "The first order creates it.",
            "To use an account of another client, import its key: certdeck account import",
        )
    return wanted, record
