"""Chains, and the look at what a CA sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.x509.certificate import MalformedCertificate, parse_pem
from core.x509.chain import chain_problem, in_order, issued_pair_problem, split_fullchain
from core.x509.key_reader import load_key
from tests.support.authority import Authority, Leaf, key_pem, make_key, self_signed
from tests.support.uploads import ca, sign
from tests.support.uploads import pem as pem_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AUTHORITY = Authority.new(now=NOW)
OTHER = Authority.new("Other", now=NOW)
NAMES = ["shop.example.com", "*.example.com", "2001:db8::1"]
KEY = make_key()


def problem_of(
    leaf: Leaf, names: list[str] | None = None, *, now: datetime = NOW, pem: bytes | None = None
) -> str | None:
    return issued_pair_problem(
        leaf.fullchain_pem if pem is None else pem, load_key(leaf.key_pem).spki, NAMES if names is None else names, now
    )


def test_the_leaf_stands_first() -> None:
    """A fullchain is taken apart into the leaf and what follows it, in order (ST-48)."""
    leaf, intermediates = split_fullchain(AUTHORITY.leaf(NAMES).fullchain_pem + AUTHORITY.root_pem)
    assert leaf.subject == "shop.example.com"
    assert [each.subject for each in intermediates] == ["Test Intermediate", "Test Root"]
    with pytest.raises(MalformedCertificate):
        split_fullchain(b"")


@pytest.mark.parametrize(
    ("above", "sentence"),
    [
        pytest.param([], None, id="alone"),
        pytest.param(["intermediate"], None, id="intermediate"),
        pytest.param(["intermediate", "root"], None, id="with-the-root"),
        pytest.param(
            ["root"], "shop.example.com is not signed by Test Root, the next certificate in the chain.", id="gap"
        ),
        pytest.param(
            ["root", "intermediate"],
            "shop.example.com is not signed by Test Root, the next certificate in the chain.",
            id="wrong-order",
        ),
        pytest.param(
            ["intermediate", "stranger"],
            "Test Intermediate is not signed by Other Root, the next certificate in the chain.",
            id="stranger-at-the-end",
        ),
    ],
)
def test_each_is_signed_by_the_next(above: list[str], sentence: str | None) -> None:
    """A chain is whole when each certificate signed the one before it; else the broken link is named."""
    pems = {
        "intermediate": AUTHORITY.chain_pem,
        "root": AUTHORITY.root_pem,
        "stranger": OTHER.root_pem,
    }
    leaf = parse_pem(AUTHORITY.leaf(NAMES).certificate_pem)[0]
    assert chain_problem(leaf, [parse_pem(pems[each])[0] for each in above]) == sentence


def test_a_name_alone_makes_no_link() -> None:
    """An intermediate of the right name and another key is found out."""
    impostor = Authority.new(now=NOW)
    leaf = parse_pem(AUTHORITY.leaf(NAMES).certificate_pem)[0]
    assert chain_problem(leaf, parse_pem(impostor.chain_pem)) is not None


def test_what_was_ordered_is_accepted() -> None:
    """Key, names, time and chain as ordered: nothing to say, in whatever order and case the names came."""
    assert problem_of(AUTHORITY.leaf(NAMES)) is None
    assert problem_of(AUTHORITY.leaf(NAMES), ["*.EXAMPLE.com", "2001:db8::1", "shop.example.com"]) is None


def test_the_longest_name_is_accepted() -> None:
    """A name of 253 characters comes back as the one that was ordered."""
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert problem_of(AUTHORITY.leaf([longest], common_name=""), [longest]) is None


def test_a_certificate_for_another_key_is_refused() -> None:
    """A certificate that does not belong to our key would stop the web server."""
    theirs = AUTHORITY.leaf(NAMES)
    spki = load_key(AUTHORITY.leaf(NAMES).key_pem).spki
    assert issued_pair_problem(theirs.fullchain_pem, spki, NAMES, NOW) == "It is for a different key."


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        pytest.param(NAMES[:2], "2001:db8::1", id="too-few"),
        pytest.param([*NAMES, "evil.example.com"], "evil.example.com", id="too-many"),
        pytest.param(
            ["other.example.com"], "*.example.com, 2001:db8::1, other.example.com, shop.example.com", id="others"
        ),
    ],
)
def test_other_names_are_refused(names: list[str], wrong: str) -> None:
    """Exactly the names that were ordered are taken, and the ones that differ are said."""
    assert problem_of(AUTHORITY.leaf(names)) == f"Its names differ from the order: {wrong}."


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        pytest.param(timedelta(minutes=9), timedelta(days=90), None, id="our-clock-is-late"),
        pytest.param(
            timedelta(minutes=11), timedelta(days=90), "It is not valid before 21 Nov 2026 12:11 UTC.", id="not-yet"
        ),
        pytest.param(timedelta(days=-90), timedelta(0), "It expired on 21 Nov 2026 at 12:00 UTC.", id="over"),
        pytest.param(timedelta(days=-90), timedelta(seconds=1), None, id="last-second"),
    ],
)
def test_the_time_must_be_right(start: timedelta, end: timedelta, sentence: str | None) -> None:
    """An expired certificate is refused, and so is one of the future, but for the few minutes that clocks differ."""
    assert problem_of(AUTHORITY.leaf(NAMES, not_before=NOW + start, not_after=NOW + end)) == sentence


def test_a_ca_certificate_is_refused() -> None:
    """What may sign others is no server certificate."""
    own = AUTHORITY.intermediate
    pem = own.certificate_pem
    assert issued_pair_problem(pem, load_key(own.key_pem).spki, ["test intermediate"], NOW) == "It is a CA certificate."


def test_a_broken_chain_is_refused() -> None:
    """A leaf that comes with the chain of another CA is refused."""
    leaf = AUTHORITY.leaf(NAMES, key=KEY)
    found = problem_of(leaf, pem=leaf.certificate_pem + OTHER.chain_pem)
    assert found == "shop.example.com is not signed by Other Intermediate, the next certificate in the chain."


@pytest.mark.parametrize(
    "pem", [b"", b"<html>busy</html>", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    """HTML, nothing and rubbish are named, not raised."""
    sentence = problem_of(AUTHORITY.leaf(NAMES), pem=pem)
    assert sentence in {"It contains no PEM certificate.", "It contains a damaged certificate."}


def test_a_self_signed_pair_passes_the_same_look() -> None:
    """A certificate without a chain is looked at in the same way."""
    assert problem_of(self_signed(["box.example.com"], now=NOW), ["box.example.com"]) is None


def test_what_a_ca_sent_is_put_in_order() -> None:
    """A chain in any order comes out in order, the root that was sent at its end; one in order keeps all its certificates."""
    leaf = AUTHORITY.leaf(NAMES)
    spki = load_key(leaf.key_pem).spki
    right = leaf.certificate_pem + AUTHORITY.chain_pem + AUTHORITY.root_pem
    assert in_order(right, spki, NOW) == right
    assert in_order(AUTHORITY.root_pem + leaf.certificate_pem + AUTHORITY.chain_pem, spki, NOW) == right
    assert in_order(leaf.certificate_pem + OTHER.root_pem + AUTHORITY.chain_pem, spki, NOW) == leaf.fullchain_pem
    assert in_order(leaf.certificate_pem, spki, NOW) == leaf.certificate_pem
    assert in_order(leaf.certificate_pem + leaf.fullchain_pem, spki, NOW) == leaf.fullchain_pem


def test_of_twins_that_a_ca_sent_the_valid_one_is_kept() -> None:
    """An expired intermediate beside the renewed one of the same key is left out."""
    key = make_key()
    root = ca("Root", key=key)
    old = ca("Issuing", above=root, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1))
    new = ca("Issuing", above=root, key=old[1], not_after=NOW + timedelta(days=9))
    own = make_key()
    leaf = pem_of(sign("shop.example.com", own, issuer=old[0].subject, issuer_key=old[1]))
    spki = load_key(key_pem(own)).spki
    for sent in (pem_of(old[0]) + pem_of(new[0]), pem_of(new[0]) + pem_of(old[0])):
        assert in_order(leaf + sent, spki, NOW) == leaf + pem_of(new[0])


@pytest.mark.parametrize(
    "sent", [b"", b"<html>busy</html>", AUTHORITY.root_pem + OTHER.root_pem], ids=["nothing", "html", "roots"]
)
def test_what_cannot_be_put_in_order_stays(sent: bytes) -> None:
    """What is no chain is left to the look at it."""
    assert in_order(sent, load_key(key_pem(KEY)).spki, NOW) == sent


@pytest.mark.parametrize(
    "key",
    [key_pem(make_key()), b"-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n"],
    ids=["key", "parameters"],
)
def test_nothing_but_certificates_is_taken_from_a_ca(key: bytes) -> None:
    """A key and other text among the certificates of an answer never reach a file that services read (RFC 8555 §7.4.2)."""
    leaf = AUTHORITY.leaf(NAMES)
    spki = load_key(leaf.key_pem).spki
    for sent in (
        key + leaf.fullchain_pem,
        leaf.certificate_pem + key + AUTHORITY.chain_pem,
        b"subject=CN\r\n" + leaf.fullchain_pem.replace(b"\n", b"\r\n") + b"\x1b[31m",
    ):
        assert in_order(sent, spki, NOW) == leaf.fullchain_pem
    stranger = leaf.certificate_pem + OTHER.root_pem
    assert in_order(key + stranger, spki, NOW) == stranger
