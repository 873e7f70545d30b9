"""The upload checks, in one table: an id, a title, and a function that returns the answer. Pure; `now` is passed in.

A warning allows the import, a failure does not. A failure that cannot prevent a service from starting can be forced
(`Check.forceable`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from core.dates import day_shown, minute_shown
from core.key_types import key_words
from core.severity import days_left, severity
from core.text import listed, plural
from core.upload import strength
from core.upload.bundle import CertificateBundle
from core.upload.chain_checks import chain, distrusted
from core.upload.names import accepted, addresses_as_names, bare_domains_missing, missing, unusable
from core.upload.parsed import ParsedUpload
from core.upload.values import CheckResult
from core.x509.chain_end import first_end
from core.x509.path import LATE_CLOCK

PASS, WARN, FAIL, SKIP = "pass", "warn", "fail", "skip"
Answer = tuple[str, str, str]
"""Status, detail, fix."""

_MOST_LISTED = 4
ONLY_IN_SUBJECT: Answer = (
    WARN,
    "The name is only in the subject; browsers check only the subject alternative names.",
    "Have the certificate reissued.",
)


class CheckContext(Struct, frozen=True, kw_only=True):
    """An upload, and everything that the checks need."""

    pieces: ParsedUpload
    material: CertificateBundle | None
    now: datetime
    built: datetime
    """Build date of this program: a clock with an earlier time is wrong."""
    hosts: tuple[str, ...] = ()
    """Requested names (`--host`): each must be covered."""
    served: tuple[str, ...] = ()
    """Known names that clients use for the lineage's services."""
    had: tuple[str, ...] = ()
    """The names of the lineage's current certificate."""
    needs_key: bool = False
    """It will be applied, and no service runs without a key."""
    not_fetched: tuple[str, ...] = ()
    """Sentences about failed downloads of missing intermediates."""

    @property
    def clock_is_wrong(self) -> bool:
        return self.now < self.built

    @property
    def believed(self) -> datetime:
        """The time for the checks: not before the build date."""
        return max(self.now, self.built)


class Check(Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    id: str
    title: str
    run: Callable[[CheckContext, CertificateBundle], Answer]
    forceable: bool = False


def run_checks(case: CheckContext, *, force: bool = False) -> tuple[CheckResult, ...]:
    """Run every check, and return the results in order. Without a certificate, all but the first are skipped."""
    results = [_parse(case)]
    for check in CHECKS:
        if case.material is None:
            answer: Answer = (SKIP, "There is no certificate to check.", "")
        else:
            answer = check.run(case, case.material)
        status, detail, fix = answer
        forced = status == FAIL and force and check.forceable
        results.append(
            CheckResult(id=check.id, title=check.title, status=status, detail=detail, fix=fix, forced=forced)
        )
    return tuple(results)


def is_accepted(results: Sequence[CheckResult]) -> bool:
    """Tell whether no check failed, apart from forced ones."""
    return all(each.status != FAIL or each.forced for each in results)


def can_be_forced(results: Sequence[CheckResult]) -> bool:
    """Tell whether the upload would be accepted with `force`."""
    forceable = {check.id for check in CHECKS if check.forceable}
    failed = [each for each in results if each.status == FAIL and not each.forced]
    return bool(failed) and all(each.id in forceable for each in failed)


def _parse(case: CheckContext) -> CheckResult:
    pieces = case.pieces
    if pieces.problems:
        shown = pieces.problems[:3]
        detail = " ".join(dict.fromkeys(problem.what for problem in shown))
        fix = " ".join(dict.fromkeys(problem.fix for problem in shown))
        return CheckResult(id="parse", title="Files can be read", status=FAIL, detail=detail, fix=fix)
    if case.material is None:
        keys = "There is a private key, but no certificate." if pieces.keys else "There is no certificate."
        foreign = " ".join(f"{label} contains {each.what}." for label, each in pieces.foreign[:3])
        return CheckResult(
            id="parse",
            title="Files can be read",
            status=FAIL,
            detail=f"{keys} {foreign}".strip(),
            fix=pieces.foreign[0][1].instead if pieces.foreign else "Also give the certificate that the CA sent.",
        )
    detail = f"Read as {', '.join(pieces.kinds)}." if pieces.kinds else "Read."
    extra = list(
        dict.fromkeys(f"{label} also contains {each.what}, which is ignored." for label, each in pieces.foreign)
    )
    return CheckResult(
        id="parse", title="Files can be read", status=PASS, detail=" ".join([detail, *pieces.notes[:3], *extra[:3]])
    )


def _key_match(case: CheckContext, material: CertificateBundle) -> Answer:
    if material.key is None:
        wrong = next((each for _, each in case.pieces.foreign if each.is_key), None)
        if wrong is not None:
            return FAIL, f"There is no private key for TLS, but {wrong.what}.", wrong.instead
        if case.needs_key:
            return FAIL, "There is no private key.", "Give the private key of the request (CSR)."
        return SKIP, "No private key was given.", "Give it with --key to check that it matches the certificate."
    if not material.key_matches:
        given = f"The private key ({key_words(material.key.key_type)}) does not match this certificate"
        of = _certificate_of_key(case, material)
        return (
            FAIL,
            f"{given}, {of}." if of else f"{given}.",
            "Give the private key of this certificate's request (CSR). Each request has its own key.",
        )
    if material.whose_key:
        return PASS, f"{key_words(material.key.key_type)}, from {material.whose_key}.", ""
    if material.other_keys:
        return WARN, f"{len(material.other_keys) + 1} keys were given. The one of this certificate is used.", ""
    return PASS, f"{key_words(material.key.key_type)}.", ""


def _certificate_of_key(case: CheckContext, material: CertificateBundle) -> str:
    assert material.key is not None
    spki = material.key.spki
    return next((each.subject for each in case.pieces.certificates if each.public_key_spki == spki), "")


def _validity(case: CheckContext, material: CertificateBundle) -> Answer:
    leaf = material.leaf
    if leaf.not_after <= leaf.not_before:
        return FAIL, "It ends before it begins.", "Have the certificate reissued."
    if case.believed >= leaf.not_after:
        return FAIL, f"It expired on {_day(leaf.not_after)}.", "Give a certificate that is still valid."
    if case.believed < leaf.not_before:
        words = f"It is not valid before {_moment(leaf.not_before)}"
        if case.clock_is_wrong:
            return WARN, f"{words}, but the clock of this box is wrong, so this may not be true.", "Set the clock."
        if leaf.not_before - case.believed <= LATE_CLOCK:
            return WARN, f"{words}, in a moment.", "Check that the clock of this box is correct."
        return FAIL, f"{words}.", "Wait until then, and check that the clock of this box is correct."
    return PASS, f"Valid until {_day(leaf.not_after)}.", ""


def _expiry_soon(case: CheckContext, material: CertificateBundle) -> Answer:
    leaf = material.leaf
    if case.believed >= leaf.not_after:
        return SKIP, "It has expired.", ""
    if case.believed < leaf.not_before:
        return SKIP, "It is not valid yet.", ""
    begin, end, now = leaf.not_before.timestamp(), leaf.not_after.timestamp(), case.believed.timestamp()
    left = days_left(begin, end, now)
    words = "1 day is left" if left == 1 else f"{left:,} days are left"
    if left <= 0:
        words = "Less than a day is left"
    if severity(begin, end, now) == "green":
        return PASS, f"{words}.", ""
    return WARN, f"{words}, and it does not renew automatically.", "Order the next certificate now."


def _chain_expiry(case: CheckContext, material: CertificateBundle) -> Answer:
    first = first_end(material.leaf, material.way.sent)
    if not material.way.sent:
        return SKIP, "No intermediate is sent.", ""
    if first is material.leaf or first.not_after == material.leaf.not_after:
        return PASS, "No intermediate ends before the certificate.", ""
    verb = "ended" if first.not_after <= case.believed else "ends"
    ends, leaf_ends = _day(first.not_after), _day(material.leaf.not_after)
    said = f"{first.subject} in the chain {verb} on {ends}, before the certificate ({leaf_ends}). Clients refuse it from then on."
    return (
        WARN,
        said,
        "Ask the CA for the chain with its newer intermediate, or replace the certificate before that day.",
    )


def _names(case: CheckContext, material: CertificateBundle) -> Answer:
    leaf = material.leaf
    again = "Have the certificate reissued with the names that clients use."
    lost = unusable(leaf)
    if leaf.is_ca and not leaf.self_signed:
        return SKIP, "It is a CA certificate.", ""
    if not leaf.addresses and len(lost) == len(leaf.dns_names):
        what = (
            f"only {listed([repr(each) for each in lost], _MOST_LISTED)}" if lost else "no host name and no IP address"
        )
        return WARN, f"It contains {what}. No client accepts it, whatever name it asks for.", again
    if lost:
        shown = listed([repr(each) for each in lost], _MOST_LISTED)
        return WARN, f"No client accepts it for {shown}, which is not a host name.", again
    if not leaf.has_san and not case.hosts and not case.served:  # otherwise `host-match` reports it
        return ONLY_IN_SUBJECT
    return PASS, f"{plural(len(leaf.names), 'name')}.", ""


def _host_match(case: CheckContext, material: CertificateBundle) -> Answer:
    names = material.leaf.names
    if not case.hosts and not case.served:
        return SKIP, "No host name was given for comparison.", ""
    refused = [host for host in case.hosts if not accepted(material.leaf, host)]
    if set(refused) & set(addresses_as_names(material.leaf)):
        return (
            FAIL,
            f"It contains {listed(refused, _MOST_LISTED)} as a DNS name, not as an IP address. No client accepts that (RFC 9525).",
            "Have the certificate reissued with the address as an IP address.",
        )
    if refused:
        return (
            FAIL,
            f"It does not cover {listed(refused, _MOST_LISTED)}. It covers {listed(names, _MOST_LISTED) or 'no name'}.",
            "Give the right certificate.",
        )
    unserved = [host for host in case.served if not accepted(material.leaf, host)]
    if unserved:
        return (
            WARN,
            f"Clients ask its services for {listed(unserved, _MOST_LISTED)}, which it does not cover.",
            "Have it issued with that name.",
        )
    if not material.leaf.has_san:
        return ONLY_IN_SUBJECT
    return PASS, f"It covers {listed(list(dict.fromkeys((*case.hosts, *case.served))), _MOST_LISTED)}.", ""


def _names_kept(case: CheckContext, material: CertificateBundle) -> Answer:
    if not case.had:
        return SKIP, "There is no earlier certificate to compare it with.", ""
    gone = missing(material.leaf, case.had)
    if gone:
        return (
            WARN,
            f"It no longer covers {listed(gone, _MOST_LISTED)}. Clients that use that name would reject it.",
            "If that name is still in use, have the certificate issued with it.",
        )
    return PASS, "It covers every name of the previous certificate.", ""


def _wildcard_bare(_case: CheckContext, material: CertificateBundle) -> Answer:
    unasked = unusable(material.leaf)
    names = tuple(name for name in material.leaf.names if name not in unasked)
    if not any(name.startswith("*.") for name in names):
        return SKIP, "It has no wildcard.", ""
    lacking = bare_domains_missing(names)
    if lacking:
        return (
            WARN,
            f"*.{lacking[0]} does not cover {lacking[0]} itself.",
            f"If {lacking[0]} is in use, have the certificate issued for both.",
        )
    return PASS, "It covers both the wildcard and the bare domain.", ""


def _key_strength(_case: CheckContext, material: CertificateBundle) -> Answer:
    return strength.key_strength(material.leaf)


def _signature(_case: CheckContext, material: CertificateBundle) -> Answer:
    return strength.signature(material.leaf, material.way.sent)


def _usage(_case: CheckContext, material: CertificateBundle) -> Answer:
    return strength.usage(material.leaf)


def _must_staple(_case: CheckContext, material: CertificateBundle) -> Answer:
    return strength.must_staple(material.leaf)


def _not_ca(_case: CheckContext, material: CertificateBundle) -> Answer:
    if not material.leaf.is_ca:
        return PASS, "It is a server certificate.", ""
    if material.leaf.self_signed:
        return (
            WARN,
            "It is marked as a CA, as `openssl req -x509` does. Servers accept it.",
            "Where it is trusted as a root, the holder of its key can sign for other names.",
        )
    return (
        FAIL,
        "It is a CA certificate, not a server certificate.",
        "Give the server certificate that this CA has signed.",
    )


def _chain(case: CheckContext, material: CertificateBundle) -> Answer:
    status, detail, fix = chain(material, case.believed)
    return (status, detail, fix) if status == PASS else (status, " ".join((detail, *case.not_fetched)), fix)


def _distrusted(_case: CheckContext, material: CertificateBundle) -> Answer:
    return distrusted(material)


def _clock(case: CheckContext, _material: CertificateBundle) -> Answer:
    if case.clock_is_wrong:
        return WARN, f"The clock of this box shows {_day(case.now)}, before this release was built.", "Set the clock."
    return PASS, f"The clock of this box shows {_day(case.now)}.", ""


def _day(moment: datetime) -> str:
    return day_shown(moment)


def _moment(moment: datetime) -> str:
    return minute_shown(moment)


CHECKS: tuple[Check, ...] = (
    Check(id="key-match", title="Key matches certificate", run=_key_match),
    Check(id="validity", title="Valid today", run=_validity),
    Check(id="chain", title="Chain", run=_chain, forceable=True),
    Check(id="expiry-soon", title="Time left", run=_expiry_soon),
    Check(id="host-match", title="Host names", run=_host_match, forceable=True),
    Check(id="key-strength", title="Key strength", run=_key_strength),
    Check(id="signature", title="Signature", run=_signature),
    Check(id="chain-expiry", title="Chain lifetime", run=_chain_expiry),
    Check(id="names", title="Names", run=_names),
    Check(id="usage", title="For web servers", run=_usage),
    Check(id="must-staple", title="OCSP stapling", run=_must_staple),
    Check(id="not-ca", title="Not a CA certificate", run=_not_ca),
    Check(id="names-kept", title="Names kept", run=_names_kept),
    Check(id="wildcard-bare", title="Wildcard and bare domain", run=_wildcard_bare),
    Check(id="distrusted", title="CA trusted by browsers", run=_distrusted),
    Check(id="clock", title="Clock", run=_clock),
)
"""All checks except `parse`, which comes first, in display order."""
