"""Accounts at a CA (RFC 8555 §7.3): creation, lookup, changes, key rollover, deactivation.

The key is the identity: a request for a new account with a known key returns the existing account, so every step here may be
repeated after a crash.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from typing import Any

from msgspec import Struct

from core.acme.account_key import AccountKey, sign_with_mac
from core.acme.problem import give_up_fix, quoted
from core.acme.problem_type import ProblemType
from core.acme.response import AcmeResponse
from core.acme.session import AcmeSession
from core.acme.wire import plain, text_of, texts_of
from core.concealed import Concealed
from core.errors import (
    AccountDeactivated,
    AccountError,
    AcmeProblem,
    ContactRequired,
    DirectoryInvalid,
    DirectoryUnreachable,
    EabRequired,
    IssuerError,
    TermsNotAgreed,
)
from core.request_kind import RequestKind

SHORTEST_HMAC_BYTES = 16


class Account(Struct, frozen=True, kw_only=True):
    """An account as the CA reports it (RFC 8555 §7.1.2)."""

    url: str
    status: str
    contact: tuple[str, ...] | None = None
    """E-mail addresses, without `mailto:`; None if the CA does not return them (Let's Encrypt stores none since 2025)."""

    def has_contact(self, email: str | None) -> bool:
        """Return whether the CA has exactly this contact, as far as it reports contacts."""
        wanted = [email.lower()] if email else []
        return self.contact is None or [each.lower() for each in self.contact] == wanted


class ExternalAccountBinding(Concealed, Struct, frozen=True):
    """The link between an ACME account and a customer account at the CA. The key is a secret."""

    kid: str
    hmac_key: bytes

    @classmethod
    def parse(cls, kid: str, hmac: str | bytes) -> ExternalAccountBinding:
        """Parse a key ID and a base64url HMAC key as CAs show them. Raises AccountError (`account-error`)."""
        what = "The external account binding is not valid."
        try:
            text = hmac.decode("ascii") if isinstance(hmac, bytes) else hmac
            text = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
            if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
                raise binascii.Error
            key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, UnicodeError):
            why = "The HMAC key is not base64url: it may contain only letters, digits, - and _."
            raise AccountError(what, why, "Copy all of it from the CA's website again, without quotes.") from None
        if len(key) < SHORTEST_HMAC_BYTES:
            raise AccountError(what, "The HMAC key is too short.", "Copy all of it from the CA's website again.")
        if not kid.strip() or not kid.strip().isprintable():
            raise AccountError(what, "The key ID is missing.", "Copy the key ID from the CA's website as well.")
        return cls(kid.strip(), key)


def register(
    session: AcmeSession,
    *,
    email: str | None,
    terms_agreed: bool,
    eab: ExternalAccountBinding | None = None,
    needs_contact: bool = False,
) -> tuple[Account, bool]:
    """Create the account of the session's key, or find it; sets `session.kid`. Returns the account and whether it is new.

    Args:
        needs_contact: the CA is known to refuse an account without a contact.

    Raises:
        TermsNotAgreed (`terms-not-agreed`): there are terms that the user has not accepted; `details["terms_of_service"]`.
        EabRequired (`eab-required`): the CA requires a binding and none was given.
        ContactRequired (`contact-required`): the CA requires a contact and none was given.
        AccountDeactivated, AccountError, AcmeProblem: the CA refused.
    """
    directory = session.directory
    refusal: AccountError | None = None
    if directory.terms_of_service is not None and not terms_agreed:
        refusal = TermsNotAgreed(
            f"The terms of service of {session.issuer} have not been accepted.",
            f"The CA creates an account only after you accept them: {directory.terms_of_service}",
            f"Read them, then run `certdeck issuer agree {session.issuer}`, or add --agree-tos to the order.",
            details={"terms_of_service": directory.terms_of_service},
        )
    elif directory.eab_required and eab is None:
        refusal = EabRequired(
            f"{session.issuer} requires an external account binding.",
            "Each ACME account at this CA must belong to a customer account.",
            f"Get a key ID and an HMAC key from the CA, and set them with `certdeck account eab {session.issuer}`.",
            details={"website": directory.website},
        )
    elif needs_contact and not email:
        refusal = contact_required(session.issuer, "This CA does not create an account without an e-mail address.")
    if refusal is not None:
        found = look_up(session)  # an existing account needs none of these
        if found is None:
            raise refusal
        return found, False
    payload: dict[str, Any] = {"termsOfServiceAgreed": True}
    if email:
        payload["contact"] = [f"mailto:{email}"]
    if eab is not None:
        payload["externalAccountBinding"] = sign_with_mac(
            session.key.public_jwk(), hmac_key=eab.hmac_key, kid=eab.kid, url=directory.new_account
        )
    try:
        reply = session.post(directory.new_account, payload, kind=RequestKind.NEW_ACCOUNT, key=session.key)
    except (AcmeProblem, AccountError) as exc:
        # Some servers check the contact before they look for the account (acme2certifier 0.46).
        found = look_up(session) if _lacks_contact(exc, email) else None
        if found is not None:
            return found, False
        raise _refused(session, exc, email, eab) from exc
    return _adopt(session, reply), reply.status == 201


def contact_required(issuer: str, why: str) -> ContactRequired:
    """Return the error for a CA that requires a contact address."""
    return ContactRequired(
        f"{issuer} requires a contact address for the account.",
        why,
        f"Add `--email ADDRESS` to this command, or set it for the issuer: `certdeck issuer add {issuer} --email ADDRESS`.",
    )


def _refused(
    session: AcmeSession, exc: IssuerError, email: str | None, eab: ExternalAccountBinding | None
) -> IssuerError:
    """Return the error for a refused creation or change of an account."""
    if _lacks_contact(exc, email):
        error = contact_required(session.issuer, exc.why)
        error.details = exc.details
        return error
    if (
        eab is not None
        and isinstance(exc, AcmeProblem)
        and ProblemType.of_error(exc) in (ProblemType.UNAUTHORIZED, ProblemType.MALFORMED)
    ):
        return AccountError(
            f"{session.issuer} rejected the external account binding.",
            exc.why,
            "Get a new key ID and HMAC key from the CA (some can be used only once), and set them with "
            f"`certdeck account eab {session.issuer}`.",
            details=exc.details,
        )
    return exc


def _lacks_contact(exc: IssuerError, email: str | None) -> bool:
    """Return whether a refusal is about the missing contact."""
    if email:
        return False
    known = ProblemType.of_error(exc)
    if known in (ProblemType.INVALID_CONTACT, ProblemType.UNSUPPORTED_CONTACT):
        return True
    said = str(exc.details.get("detail", ""))
    return known is ProblemType.MALFORMED and re.search(r"\b(?:contacts?|e-?mail)\b", said, re.IGNORECASE) is not None


def look_up(session: AcmeSession) -> Account | None:
    """Return the account of the session's key and set `session.kid`; None if the CA has none (RFC 8555 §7.3.1)."""
    try:
        reply = session.post(
            session.directory.new_account, {"onlyReturnExisting": True}, kind=RequestKind.NEW_ACCOUNT, key=session.key
        )
    except AccountError as exc:
        if ProblemType.of_error(exc) is ProblemType.ACCOUNT_DOES_NOT_EXIST:
            return None
        raise
    return _adopt(session, reply)


def fetch(session: AcmeSession) -> Account:
    """Return the current state of the session's account."""
    return _changed(session, None)


def set_contact(session: AcmeSession, email: str | None) -> Account:
    """Replace the contact; None removes it.

    Raises ContactRequired if the CA requires one; AccountError (`account-error`) if the CA accepts the request but keeps another.
    """
    try:
        account = _changed(session, {"contact": [f"mailto:{email}"] if email else []})
    except (AcmeProblem, AccountError) as exc:
        raise _refused(session, exc, email, None) from exc
    if not account.has_contact(email):
        kept = ", ".join(account.contact or ()) or "no contact"
        raise AccountError(
            f"{session.issuer} did not apply the change: it keeps {kept}.",
            "The account in its response does not have the requested contact.",
            "Some CAs do not let a contact be removed or changed. Ask the CA's operator, or leave the contact unchanged.",
            details={"account": account.url, "contact": list(account.contact or ())},
        )
    return account


def deactivate(session: AcmeSession) -> None:
    """Deactivate the account permanently (RFC 8555 §7.3.6). Raises AccountError (`account-error`) if the CA keeps it active."""
    try:
        account = _changed(session, {"status": "deactivated"})
    except AccountDeactivated:
        return
    raise AccountError(
        f"{session.issuer} did not deactivate the account: its status is {account.status}.",
        "The account in its response is not deactivated.",
        "Nothing was changed on this box. Ask the CA's operator to remove the account.",
        details={"account": account.url, "status": account.status},
    )


def _changed(session: AcmeSession, payload: dict[str, Any] | None) -> Account:
    url = _url(session)
    return _read(session, url, session.post(url, payload, kind=RequestKind.ACCOUNT))


def roll_over(session: AcmeSession, new_key: AccountKey) -> None:
    """Replace the account's key with `new_key` (RFC 8555 §7.3.5); the session uses it from then on.

    Store `new_key` durably first: if the response is lost, only requests with both keys show which one is valid.
    """
    directory = session.directory
    if directory.key_change is None:
        raise AccountError(
            f"{session.issuer} does not support changing the key of an account.",
            "Its directory has no keyChange.",
            "Create a new account instead.",
        )
    url = _url(session)
    change = {"account": url, "oldKey": session.key.public_jwk()}
    inner = new_key.sign_inner(change, url=directory.key_change)
    try:
        session.post(directory.key_change, inner, kind=RequestKind.KEY_CHANGE, resend=False)
    except DirectoryUnreachable:
        if not holds(session, new_key, url):
            raise
    session.key = new_key


def holds(session: AcmeSession, key: AccountKey, url: str) -> bool:
    """Return whether `key` is the key of the account `url`. Raises IssuerError if the CA does not tell."""
    try:
        reply = session.post(
            session.directory.new_account, {"onlyReturnExisting": True}, kind=RequestKind.NEW_ACCOUNT, key=key
        )
    except AccountError as exc:
        if ProblemType.of_error(exc) is ProblemType.ACCOUNT_DOES_NOT_EXIST:
            return False
        raise
    return reply.location == url


def _url(session: AcmeSession) -> str:
    if session.kid is None and look_up(session) is None:
        raise AccountError(
            f"There is no account at {session.issuer} for this key.",
            "It was never created, or the CA has removed it.",
            "Issue a certificate: certdeck then creates the account.",
        )
    return session.kid or ""


def _adopt(session: AcmeSession, reply: AcmeResponse) -> Account:
    if reply.location is None:
        raise DirectoryInvalid(
            f"{session.issuer} did not return the account URL.",
            f"Its response has no Location header (RFC 8555 §7.3). {quoted(reply)}",
            "Check the directory URL, and whether a proxy alters the traffic.",
        )
    account = _read(session, reply.location, reply)
    session.kid = account.url
    return account


def _read(session: AcmeSession, url: str, reply: AcmeResponse) -> Account:
    status = text_of(reply.json, "status") or "valid"
    if status in ("deactivated", "revoked"):
        raise AccountDeactivated(
            f"The account at {session.issuer} is {status}.",
            "Its owner has deactivated it." if status == "deactivated" else "The CA has revoked it.",
            give_up_fix(session.issuer),
            details={"account": url, "status": status},
        )
    contact = None
    if isinstance(reply.json.get("contact"), list):
        contact = tuple(plain(entry.removeprefix("mailto:"), 254) for entry in texts_of(reply.json, "contact"))
    return Account(url=url, status=plain(status, 40), contact=contact)
