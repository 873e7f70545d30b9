"""What a request to a CA is about: chooses the words for a refusal, and how far a limit reaches."""

from __future__ import annotations

from enum import StrEnum


class RequestKind(StrEnum):
    """The values stand in the file of limits; those of RFC 8555 §7.1.1 are the directory's own words."""

    DIRECTORY = "directory"
    NEW_ACCOUNT = "newAccount"
    ACCOUNT = "account"
    """A change to an account that exists."""
    KEY_CHANGE = "keyChange"
    NEW_ORDER = "newOrder"
    FINALIZE = "finalize"
    ORDER = "other"
    """Everything else about an order that exists: its authorizations, its challenges, the certificate."""
    REVOCATION = "revokeCert"
    RENEWAL_INFO = "renewalInfo"
    VALIDATION = "validation"
    """Not a request of ours: the CA's own look at a name, as a challenge reports it."""
