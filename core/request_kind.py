"""The kind of a request to a CA: it selects the text for a refusal, and the scope of a limit."""

from __future__ import annotations

from enum import StrEnum


class RequestKind(StrEnum):
    """The values are stored in the file of limits; those of RFC 8555 §7.1.1 are the directory's own field names."""

    DIRECTORY = "directory"
    NEW_ACCOUNT = "newAccount"
    ACCOUNT = "account"
    """A change to an existing account."""
    KEY_CHANGE = "keyChange"
    NEW_ORDER = "newOrder"
    FINALIZE = "finalize"
    ORDER = "other"
    """Everything else about an existing order: its authorizations, its challenges, the certificate."""
    REVOCATION = "revokeCert"
    RENEWAL_INFO = "renewalInfo"
    VALIDATION = "validation"
    """Not one of our requests: the CA's own validation of a name, as a challenge reports it."""
