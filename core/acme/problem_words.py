"""Words for every ACME error type of the IANA registry (as of 2026-08), and the two that drafts define and CAs send.

One table: what happened, why, and what to do. The CA's own words are always shown beside them. Types that are not here are
shown with the CA's words alone; a CA may invent types, and the registry grows.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from core.acme.problem_type import ProblemType


class Words(Struct, frozen=True):
    what: str
    """After the CA's name: "letsencrypt …"."""
    why: str
    fix: str


_LATER = "Try again later; if it goes on, tell the CA's support the words above."
_OURS = "This looks like a fault of certdeck or of the CA: please report it with the log of this run."
_STAR = "certdeck does not use auto-renewed (STAR) orders: order the certificate anew."

WORDS: Mapping[ProblemType, Words] = {
    # RFC 8555 §6.7
    ProblemType.ACCOUNT_DOES_NOT_EXIST: Words(
        "does not know this account.",
        "The account was made at another CA, or the CA has removed it.",
        "Remove the account here and let certdeck make a new one, or import the key that belongs to the account.",
    ),
    ProblemType.ALREADY_REVOKED: Words(
        "has already revoked this certificate.",
        "It was revoked before.",
        "Nothing is left to do; issue a new certificate.",
    ),
    ProblemType.BAD_CSR: Words(
        "does not accept the certificate request.",
        "The key type, the key size or a name in the request is not what this CA or this profile takes.",
        "Choose another key type (ec-256 and rsa-2048 are taken everywhere), and check the names and the profile.",
    ),
    ProblemType.BAD_NONCE: Words(
        "refuses every request as outdated.",
        "Its anti-replay numbers were not accepted, however often they were renewed.",
        f"A load balancer in front of the CA may be at fault. {_LATER}",
    ),
    ProblemType.BAD_PUBLIC_KEY: Words(
        "does not accept the public key.",
        "The key is of a kind, size or strength that the CA refuses, or it is known to be compromised.",
        "Use a new key of another kind: ec-256 is taken everywhere.",
    ),
    ProblemType.BAD_REVOCATION_REASON: Words(
        "does not allow this reason for a revocation.",
        "CAs accept only some of the reasons of RFC 5280.",
        "Use unspecified, keyCompromise, superseded or cessationOfOperation.",
    ),
    ProblemType.BAD_SIGNATURE_ALGORITHM: Words(
        "does not accept the signature algorithm of the account key.",
        "The CA takes fewer kinds of account keys than others.",
        "Use an account key of kind ec-256 or rsa-2048.",
    ),
    ProblemType.CAA: Words(
        "is forbidden by a CAA record to issue for this name.",
        "A CAA record in DNS names the CAs that may issue, and this one is not among them, or the record could not be read.",
        "Add a CAA record that allows this CA (its name is in `issuer test`), or remove the records; look at parent domains too.",
    ),
    ProblemType.COMPOUND: Words(
        "refuses for several reasons.",
        "Each name has a reason of its own; they are listed with the names.",
        "Mend each.",
    ),
    ProblemType.CONNECTION: Words(
        "could not connect to this machine.",
        "The validation servers reached no web server at the name's address: port 80 is closed, forwarded elsewhere or filtered, "
        "or the DNS record points to another machine.",
        "Open port 80 for everybody (it may redirect to HTTPS), check the A and AAAA records, and forward port 80 to this box.",
    ),
    ProblemType.DNS: Words(
        "could not look the name up in DNS.",
        "The name does not exist, its name servers do not answer, or DNSSEC is broken.",
        "Check that the name resolves from outside, and that all its name servers answer (SERVFAIL is often DNSSEC).",
    ),
    ProblemType.EXTERNAL_ACCOUNT_REQUIRED: Words(
        "needs an external account binding.",
        "Accounts at this CA belong to a customer account there.",
        "Get a key id and an HMAC key from the CA's website, and set them with `account eab`.",
    ),
    ProblemType.INCORRECT_RESPONSE: Words(
        "got another answer than the one expected.",
        "Another web server, a redirect or an old record answered the challenge.",
        "Check that the name points to this box alone (A and AAAA), and that no other server answers /.well-known/acme-challenge/.",
    ),
    ProblemType.INVALID_CONTACT: Words(
        "does not accept the contact address.",
        "The e-mail address is not valid for this CA.",
        "Correct the issuer's e-mail address, or remove it: most CAs need none.",
    ),
    ProblemType.MALFORMED: Words("did not understand the request.", "The CA found it malformed.", _OURS),
    ProblemType.ORDER_NOT_READY: Words(
        "is not ready to finish this order.",
        "Some names of the order are not validated yet.",
        "Start again: the order goes on where it was.",
    ),
    ProblemType.RATE_LIMITED: Words(
        "has a limit that is used up for now.",
        "Too many certificates, orders or failed attempts in a short time.",
        "Trying again earlier only makes it longer. Rehearse with staging meanwhile.",
    ),
    ProblemType.REJECTED_IDENTIFIER: Words(
        "does not issue for this name.",
        "The name is on the CA's list of refused names, is not a public name, or is against its policy.",
        "Remove the name, or use another issuer; appliance-ca takes names that are not public.",
    ),
    ProblemType.SERVER_INTERNAL: Words(
        "had an internal error.",
        "The CA's own system failed.",
        "Try again later.",
    ),
    ProblemType.TLS: Words(
        "could not speak TLS with this machine.",
        "The validation servers were redirected to HTTPS, or used TLS themselves, and the handshake failed.",
        "Let /.well-known/acme-challenge/ be answered on port 80 without a redirect, or mend TLS on port 443.",
    ),
    ProblemType.UNAUTHORIZED: Words(
        "was not convinced.",
        "What it found does not prove control over the name, or the account may not do this.",
        "Check that the name points to this box alone (A and AAAA), and that no other server answers /.well-known/acme-challenge/.",
    ),
    ProblemType.UNSUPPORTED_CONTACT: Words(
        "does not support this kind of contact.",
        "Only e-mail addresses are common.",
        "Correct the issuer's e-mail address.",
    ),
    ProblemType.UNSUPPORTED_IDENTIFIER: Words(
        "does not issue for this kind of name.",
        "IP addresses and other kinds are not offered by this CA, or only in another profile.",
        "Use host names, choose a profile that takes them (Let's Encrypt: shortlived), or another issuer.",
    ),
    ProblemType.USER_ACTION_REQUIRED: Words(
        "wants something from the owner of the account first.",
        "New terms of service, most often.",
        "Open the address that the CA names, then try again.",
    ),
    # RFC 8739
    ProblemType.AUTO_RENEWAL_CANCELED: Words(
        "says that the auto-renewed order was cancelled.", "It ended on request.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_EXPIRED: Words(
        "says that the auto-renewed order has expired.", "Its time is over.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_CANCELLATION_INVALID: Words(
        "cannot cancel the auto-renewed order.", "The order is not in a state to be cancelled.", _STAR
    ),
    ProblemType.AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED: Words(
        "does not revoke auto-renewed certificates.", "Their life is too short.", "Cancel the order instead."
    ),
    # RFC 9115, RFC 9773, RFC 9799
    ProblemType.UNKNOWN_DELEGATION: Words(
        "does not know the delegation named in the order.", "It is not set up in the account.", _OURS
    ),
    ProblemType.ALREADY_REPLACED: Words(
        "already has a successor for the certificate being renewed.",
        "Another order has replaced it.",
        "certdeck orders again without naming the old certificate; nothing is left to do.",
    ),
    ProblemType.ONION_CAA_REQUIRED: Words(
        "needs the CAA records of the onion service in the request.",
        "This CA cannot look up onion services itself.",
        "Use another issuer for .onion names.",
    ),
    # Drafts: acme-profiles, acme-device-attest
    ProblemType.INVALID_PROFILE: Words(
        "does not offer this profile to this order.",
        "The profile does not exist there, or does not fit the names.",
        "Choose one of the profiles that `issuer test` lists, or none.",
    ),
    ProblemType.BAD_ATTESTATION_STATEMENT: Words(
        "does not accept the device attestation.",
        "certdeck sends none.",
        "Use an issuer that validates by HTTP or DNS.",
    ),
}

PAUSED = Words(
    "has paused this name for this account.",
    "It failed too many times in a row, over weeks.",
    "Mend the cause, then open the address in the CA's message to unpause the name.",
)
SECONDARY = (
    "The CA looks from several countries at once, and some of its servers were kept out: allow port 80 (or DNS) from "
    "everywhere, without geo-blocking or intrusion filters."
)
OVER_IPV6 = "The CA connected over IPv6: correct or remove the AAAA record if IPv6 does not lead to this box."
FIREWALL = "A firewall is likely: port 80 must be open to the whole internet, also for addresses never seen before."
