"""The error types of ACME (registry "ACME Error Types" of IANA, 2026-08).

Servers use the same type for very different refusals: `unauthorized` for a wrong file and for an unsupported key change. So the
text for a refusal depends on the type and on the kind of the request (`core.request_kind`).
"""

from __future__ import annotations

from enum import StrEnum

from core.errors import CertdeckError

URN = "urn:ietf:params:acme:error:"


class ProblemType(StrEnum):
    """A type without its URN."""

    # RFC 8555 §6.7
    ACCOUNT_DOES_NOT_EXIST = "accountDoesNotExist"
    ALREADY_REVOKED = "alreadyRevoked"
    BAD_CSR = "badCSR"
    BAD_NONCE = "badNonce"
    BAD_PUBLIC_KEY = "badPublicKey"
    BAD_REVOCATION_REASON = "badRevocationReason"
    BAD_SIGNATURE_ALGORITHM = "badSignatureAlgorithm"
    CAA = "caa"
    COMPOUND = "compound"
    CONNECTION = "connection"
    DNS = "dns"
    EXTERNAL_ACCOUNT_REQUIRED = "externalAccountRequired"
    INCORRECT_RESPONSE = "incorrectResponse"
    INVALID_CONTACT = "invalidContact"
    MALFORMED = "malformed"
    ORDER_NOT_READY = "orderNotReady"
    RATE_LIMITED = "rateLimited"
    REJECTED_IDENTIFIER = "rejectedIdentifier"
    SERVER_INTERNAL = "serverInternal"
    TLS = "tls"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED_CONTACT = "unsupportedContact"
    UNSUPPORTED_IDENTIFIER = "unsupportedIdentifier"
    USER_ACTION_REQUIRED = "userActionRequired"
    # RFC 8739
    AUTO_RENEWAL_CANCELED = "autoRenewalCanceled"
    AUTO_RENEWAL_EXPIRED = "autoRenewalExpired"
    AUTO_RENEWAL_CANCELLATION_INVALID = "autoRenewalCancellationInvalid"
    AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED = "autoRenewalRevocationNotSupported"
    # RFC 9115, RFC 9773, RFC 9799
    UNKNOWN_DELEGATION = "unknownDelegation"
    ALREADY_REPLACED = "alreadyReplaced"
    ONION_CAA_REQUIRED = "onionCAARequired"
    # Drafts: acme-profiles, acme-device-attest
    INVALID_PROFILE = "invalidProfile"
    BAD_ATTESTATION_STATEMENT = "badAttestationStatement"

    @classmethod
    def of(cls, type: object) -> ProblemType | None:
        """Return the type that a problem document names; None if it is not registered, or not a string."""
        if not isinstance(type, str) or not type.startswith(URN):
            return None
        try:
            return cls(type.removeprefix(URN))
        except ValueError:
            return None

    @classmethod
    def of_error(cls, error: CertdeckError) -> ProblemType | None:
        """Return the type of the problem document that an error was created from."""
        return cls.of(error.details.get("type"))
