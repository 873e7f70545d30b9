"""Texts for every ACME error type of the IANA registry (as of 2026-08), and the two that drafts define and CAs send.

One table: what happened, why, and what to do. The CA's own message is always shown with them. For other types only the CA's
message is shown; a CA may invent types, and the registry grows.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from core.acme.problem_type import ProblemType


class ProblemText(Struct, frozen=True):
    """The three sentences of an error, for one type of problem."""

    what: str
    """Follows the CA's name: "letsencrypt …"."""
    why: str
    fix: str


_LATER = "Try again later. If the problem persists, send the message above to the CA's support."
USE_STAGING = "Test with the staging issuer meanwhile."
"""The general advice at a rate limit, if there is no better one."""
_OURS = "This looks like a bug in certdeck or at the CA. Please report it with the log of this run."
_STAR = "certdeck does not use auto-renewed (STAR) orders: order the certificate again."

WORDS: Mapping[ProblemType, ProblemText] = {
    # RFC 8555 §6.7
    ProblemType.ACCOUNT_DOES_NOT_EXIST: ProblemText(
        "does not know this account.",
        "The account was created at another CA, or the CA has removed it.",
        "Remove the account here and let certdeck create a new one, or import the account's key.",
    ),
    ProblemType.ALREADY_REVOKED: ProblemText(
        "has already revoked this certificate.",
        "It was revoked earlier.",
        "Issue a new certificate if you still need one.",
    ),
    ProblemType.BAD_CSR: ProblemText(
        "rejected the certificate request.",
        "The key type, the key size or a name in the request is not accepted by this CA or profile.",
        "Choose another key type (every CA accepts ec-256 and rsa-2048), and check the names and the profile.",
    ),
    ProblemType.BAD_NONCE: ProblemText(
        "rejects every request as outdated.",
        "It rejected its own anti-replay nonces, even after they were renewed.",
        f"A load balancer in front of the CA may be the cause. {_LATER}",
    ),
    ProblemType.BAD_PUBLIC_KEY: ProblemText(
        "does not accept the public key.",
        "The CA does not accept the type or size of this key, or the key is known to be compromised.",
        "Use a new key of another type. Every CA accepts ec-256.",
    ),
    ProblemType.BAD_REVOCATION_REASON: ProblemText(
        "does not allow this reason for a revocation.",
        "CAs accept only some of the reasons that RFC 5280 defines.",
        "Use unspecified, keyCompromise, superseded or cessationOfOperation.",
    ),
    ProblemType.BAD_SIGNATURE_ALGORITHM: ProblemText(
        "does not accept the signature algorithm of the account key.",
        "This CA supports fewer types of account keys than others.",
        "Use an account key of type ec-256 or rsa-2048.",
    ),
    ProblemType.CAA: ProblemText(
        "may not issue for this name because of a CAA record.",
        "A CAA record lists the CAs that may issue, and this CA is not among them; or the record could not be read.",
        "Add a CAA record that allows this CA (`certdeck issuer test` shows its name), or remove the records. "
        "Check the parent domains too.",
    ),
    ProblemType.COMPOUND: ProblemText(
        "rejected the request for several reasons.",
        "Each name has its own reason, listed with the name.",
        "Fix the cause for each name.",
    ),
    ProblemType.CONNECTION: ProblemText(
        "could not connect to this box.",
        "The validation servers found no web server at the name's address: port 80 is closed, forwarded elsewhere or "
        "filtered, or the DNS record points to another machine.",
        "Open port 80 to the whole internet (it may redirect to HTTPS), check the A and AAAA records, and "
        "forward port 80 to this box.",
    ),
    ProblemType.DNS: ProblemText(
        "could not look the name up in DNS.",
        "The name does not exist, its name servers do not respond, or DNSSEC is broken.",
        "Check that the name resolves from outside, and that all its name servers respond (SERVFAIL is often DNSSEC).",
    ),
    ProblemType.EXTERNAL_ACCOUNT_REQUIRED: ProblemText(
        "requires an external account binding.",
        "Each ACME account at this CA must belong to a customer account.",
        "Get a key ID and an HMAC key from the CA's website, and set them with `certdeck account eab`.",
    ),
    ProblemType.INCORRECT_RESPONSE: ProblemText(
        "received an unexpected response to the challenge.",
        "It came from another web server, a redirect or an old record.",
        "Check that the name points to this box alone (A and AAAA), and that no other server responds to "
        "requests for /.well-known/acme-challenge/.",
    ),
    ProblemType.INVALID_CONTACT: ProblemText(
        "does not accept the contact address.",
        "The e-mail address is not valid for this CA.",
        "Correct the issuer's e-mail address, or remove it: most CAs need none.",
    ),
    ProblemType.MALFORMED: ProblemText("did not understand the request.", "The CA found it malformed.", _OURS),
    ProblemType.ORDER_NOT_READY: ProblemText(
        "cannot finish this order yet.",
        "Some names in the order have not been validated yet.",
        "Try again: the order continues where it stopped.",
    ),
    ProblemType.RATE_LIMITED: ProblemText(
        "refused the request because of a rate limit.",
        "There were too many certificates, orders or failed attempts in a short time.",
        f"Trying again earlier extends the wait. {USE_STAGING}",
    ),
    ProblemType.REJECTED_IDENTIFIER: ProblemText(
        "does not issue for this name.",
        "The name is on the CA's list of refused names, is not a public name, or violates the CA's policy.",
        "Remove the name, or use another issuer; appliance-ca accepts names that are not public.",
    ),
    ProblemType.SERVER_INTERNAL: ProblemText(
        "had an internal error.",
        "The CA's own systems failed.",
        "Try again later.",
    ),
    ProblemType.TLS: ProblemText(
        "could not establish a TLS connection to this box.",
        "The validation servers were redirected to HTTPS, or connected by TLS directly, and the handshake failed.",
        "Serve /.well-known/acme-challenge/ on port 80 without a redirect, or fix TLS on port 443.",
    ),
    ProblemType.UNAUTHORIZED: ProblemText(
        "could not confirm control over the name.",
        "The response to the challenge was wrong, or the account is not allowed to do this.",
        "Check that the name points to this box alone (A and AAAA), and that no other server responds to "
        "requests for /.well-known/acme-challenge/.",
    ),
    ProblemType.UNSUPPORTED_CONTACT: ProblemText(
        "does not support this type of contact.",
        "Most CAs support only e-mail addresses.",
        "Correct the issuer's e-mail address.",
    ),
    ProblemType.UNSUPPORTED_IDENTIFIER: ProblemText(
        "does not issue for this type of name.",
        "This CA does not offer IP addresses and other types of names, or only in another profile.",
        "Use host names, choose a profile that accepts them (Let's Encrypt: shortlived), or another issuer.",
    ),
    ProblemType.USER_ACTION_REQUIRED: ProblemText(
        "requires an action of the account's owner first.",
        "The usual cause is new terms of service.",
        "Open the URL in the CA's message, then try again.",
    ),
    # RFC 8739
    ProblemType.AUTO_RENEWAL_CANCELED: ProblemText(
        "says that the auto-renewed order was cancelled.", "It ended on request.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_EXPIRED: ProblemText(
        "says that the auto-renewed order has expired.", "Its end date has passed.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_CANCELLATION_INVALID: ProblemText(
        "cannot cancel the auto-renewed order.", "The order's status does not allow it.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED: ProblemText(
        "does not revoke auto-renewed certificates.", "Their lifetime is too short.", "Cancel the order instead."
    ),
    # RFC 9115, RFC 9773, RFC 9799
    ProblemType.UNKNOWN_DELEGATION: ProblemText(
        "does not know the delegation named in the order.", "It is not set up in the account.", _OURS
    ),
    ProblemType.ALREADY_REPLACED: ProblemText(
        "already has a successor for the certificate being renewed.",
        "Another order has replaced it.",
        "No action is needed: certdeck orders again without naming the old certificate.",
    ),
    ProblemType.ONION_CAA_REQUIRED: ProblemText(
        "requires the CAA records of the onion service in the request.",
        "This CA cannot look up onion services itself.",
        "Use another issuer for .onion names.",
    ),
    # Drafts: acme-profiles, acme-device-attest
    ProblemType.INVALID_PROFILE: ProblemText(
        "does not offer this profile for this order.",
        "The profile does not exist there, or does not allow these names.",
        "Choose one of the profiles that `certdeck issuer test` lists, or none.",
    ),
    ProblemType.BAD_ATTESTATION_STATEMENT: ProblemText(
        "does not accept the device attestation.",
        "certdeck sends none.",
        "Use an issuer that validates by HTTP or DNS.",
    ),
}

PAUSED = ProblemText(
    "has paused this name for this account.",
    "Validation failed too many times in a row, over weeks.",
    "Fix the cause, then open the URL in the CA's message to unpause the name.",
)
SECONDARY = (
    "The CA validates from several countries at once, and some of its servers were blocked: allow port 80 (or DNS) from "
    "everywhere, without geo-blocking or intrusion filters."
)
OVER_IPV6 = "The CA connected over IPv6: correct or remove the AAAA record if IPv6 does not lead to this box."
FIREWALL = "A firewall is the likely cause: port 80 must be open to the whole internet, not only to known addresses."
