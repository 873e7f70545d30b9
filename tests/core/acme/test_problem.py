"""Problem documents: every registered type has words, unknown ones are shown, and nothing of them is harmful."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.acme.problem import error_for, explain, parse
from core.acme.problem_type import URN
from core.acme.problem_words import OVER_IPV6, SECONDARY, WORDS
from core.acme.wire import plain
from core.errors import (
    AccountDeactivated,
    AccountError,
    AcmeProblem,
    AlreadyReplaced,
    EabRequired,
    RateLimited,
    TermsNotAgreed,
)

REGISTERED = tuple(
    """
accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm caa compound
connection dns externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited
rejectedIdentifier serverInternal tls unauthorized unsupportedContact unsupportedIdentifier userActionRequired
autoRenewalCanceled autoRenewalExpired autoRenewalCancellationInvalid autoRenewalRevocationNotSupported
unknownDelegation alreadyReplaced onionCAARequired
""".split()  # noqa: SIM905 - reads like the registry
)
"""The registry "ACME Error Types" of IANA, 2026-08."""


@pytest.mark.parametrize("word", [*REGISTERED, "invalidProfile", "badAttestationStatement"])
def test_every_registered_type_has_words(word: str) -> None:
    """What, why and fix of each type are sentences, and the CA's own words are shown with them."""
    what, why, fix = explain(parse({"type": URN + word, "detail": "so says the CA"}))
    for sentence in (what, why, fix):
        assert sentence.rstrip('"').endswith((".", "CA"))
    assert "so says the CA" in why


def test_the_table_has_no_word_that_nobody_sends() -> None:
    """The table holds the registry and the two types of drafts, nothing else."""
    assert set(WORDS) == {*REGISTERED, "invalidProfile", "badAttestationStatement"}


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"type": URN + "rateLimited"}, RateLimited),
        ({"type": "urn:x:tooFast", "status": 429}, RateLimited),
        ({"type": URN + "alreadyReplaced"}, AlreadyReplaced),
        ({"type": URN + "externalAccountRequired"}, EabRequired),
        ({"type": URN + "accountDoesNotExist"}, AccountError),
        ({"type": URN + "unauthorized", "detail": "Account has been deactivated"}, AccountDeactivated),
        (
            {"type": URN + "unauthorized", "detail": 'Account is not valid, has status "deactivated"'},
            AccountDeactivated,
        ),
        ({"type": URN + "unauthorized", "detail": "account is not active"}, AccountDeactivated),
        (
            {
                "type": URN + "unauthorized",
                "detail": "The certificate being revoked is not associated with account https://ca.test/account/7",
            },
            AcmeProblem,
        ),
        (
            {"type": URN + "unauthorized", "detail": "account 7 is not the owner of the certificate being revoked"},
            AcmeProblem,
        ),
        ({"type": URN + "unauthorized", "detail": "wrong file"}, AcmeProblem),
        ({"type": URN + "somethingNew"}, AcmeProblem),
        ({}, AcmeProblem),
    ],
)
def test_a_type_becomes_its_error_class(document: dict[str, Any], kind: type[Exception]) -> None:
    """Callers and scripts tell refusals apart by class and code."""
    assert type(error_for(parse(document, 400), issuer="ca")) is kind


def test_new_terms_carry_their_address() -> None:
    """userActionRequired with a link to terms becomes TermsNotAgreed (RFC 8555 §7.3.3)."""
    problem = parse({"type": URN + "userActionRequired", "detail": "Terms of service have changed"})
    error = error_for(problem, issuer="ca", links={"terms-of-service": ("https://ca.test/terms-2",)})
    assert isinstance(error, TermsNotAgreed)
    assert error.details["terms_of_service"] == "https://ca.test/terms-2"
    assert "https://ca.test/terms-2" in error.fix


@pytest.mark.parametrize(
    ("instance", "is_shown"), [("https://ca.test/agree?id=7", True), ("javascript:alert(1)", False), (7, False)]
)
def test_an_action_names_the_address_to_visit(instance: object, is_shown: bool) -> None:
    """userActionRequired says which page to open; what is no web address is not shown."""
    problem = parse({"type": URN + "userActionRequired", "detail": "Visit us", "instance": instance})
    assert (str(instance) in error_for(problem, issuer="ca").fix) is is_shown


def test_unknown_types_are_shown() -> None:
    """A type that is not in the table shows its name and the CA's words."""
    error = error_for(parse({"type": URN + "moonPhase", "detail": "not tonight"}), issuer="ca")
    assert "moonPhase" in error.why
    assert "not tonight" in error.why


def test_retry_at_is_carried() -> None:
    """The moment to try again goes with the error."""
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    assert error_for(parse({"type": URN + "rateLimited"}), issuer="ca", retry_at=moment).retry_at == moment


def test_a_limit_says_when_it_ends() -> None:
    """The end comes from the header, else from the CA's words, else it is said that nobody says; a pause has none."""

    def said(detail: str, retry_at: datetime | None = None) -> tuple[datetime | None, str]:
        problem = parse({"type": URN + "rateLimited", "detail": detail})
        error = error_for(problem, issuer="ca", retry_at=retry_at)
        return error.retry_at, error.fix

    moment = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    assert said("too many", moment)[1].startswith("Wait until 1 Dec 2026 08:30 UTC.")
    assert said("too many certificates (5), retry after 2026-12-01 08:30:00 UTC: see https://x")[0] == moment
    assert "does not say for how long" in said("too many")[1]
    assert "does not say" not in said("this name is paused: https://portal")[1]


def test_secondary_validation_is_explained() -> None:
    """A failure of the remote validators is told as what it mostly is: geo-blocking (CL-18)."""
    detail = "During secondary validation: 1.2.3.4: Fetching http://x/: Connection refused"
    assert SECONDARY in explain(parse({"type": URN + "connection", "detail": detail}))[2]


def test_a_stray_aaaa_record_is_explained() -> None:
    """A failure over IPv6 points at the AAAA record."""
    detail = "2001:db8:85a3::8a2e:370:7334: Fetching http://x/: Connection refused"
    assert OVER_IPV6 in explain(parse({"type": URN + "connection", "detail": detail}))[2]
    assert OVER_IPV6 not in explain(parse({"type": URN + "connection", "detail": "1.2.3.4: 12:30:01 refused"}))[2]


def test_a_paused_name_is_explained() -> None:
    """A paused name says how to unpause it."""
    detail = "Your account is temporarily prevented from requesting certificates for x. It is paused: https://portal"
    what, _, fix = explain(parse({"type": URN + "rateLimited", "detail": detail}))
    assert "paused" in what
    assert "unpause" in fix


def test_subproblems_name_their_identifiers() -> None:
    """A compound refusal shows each name with its reason."""
    subs = [
        {"type": URN + "caa", "detail": "CAA forbids", "identifier": {"type": "dns", "value": "a.example"}},
        {"type": URN + "dns", "detail": "NXDOMAIN", "identifier": {"type": "moon", "value": "b.example"}},
    ]
    error = error_for(parse({"type": URN + "compound", "subproblems": subs}), issuer="ca")
    assert "a.example: CAA forbids" in error.why
    assert "b.example: NXDOMAIN" in error.why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "detail", "identifier", "value", "subproblems", "status"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "detail", "title", "identifier", "subproblems", "status"]), JSON))
def test_any_json_becomes_an_error_in_words(document: dict[str, Any]) -> None:
    """No problem document, however malformed, makes anything but an error of ours."""
    error = error_for(parse(document, 400), issuer="ca")
    assert error.what
    assert error.why
    assert error.fix


@given(st.text())
def test_foreign_text_becomes_one_harmless_line(text: str) -> None:
    """No control code, no line break, no invisible character, never longer than asked for."""
    line = plain(text, 50)
    assert len(line) <= 50
    assert all(char.isprintable() for char in line)


def test_terminal_codes_are_taken_out() -> None:
    """OSC 52, direction overrides and zero-width characters of a CA's message reach nobody."""
    assert plain("a\x1b]52;c;ZXZpbA==\x07b\u202ec\u200bd\x9bm") == "a ]52;c;ZXZpbA== bcd m"
