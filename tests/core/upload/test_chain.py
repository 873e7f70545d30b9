"""Chains are sorted, completed, and judged link by link. Private PKIs are accepted as they are, forgeries and gaps are not."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.authority import PrivateKey, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import Judged, ca, judge, name, pem, san, sign, signed_by_openssl

HOST = "shop.example.com"
CA = tuple[x509.Certificate, PrivateKey]


@dataclass(frozen=True)
class Pki:
    """Root, two intermediates, and leaves below them."""

    root: CA
    upper: CA
    lower: CA

    def leaf(self, issuer: CA | None = None, **fields: object) -> tuple[bytes, bytes]:
        """Return a leaf and its key as PEM."""
        above = issuer or self.lower
        key = fields.pop("key", None) or make_key()
        given: dict[str, object] = {"extensions": [san(HOST)], **fields}
        made = sign(HOST, key, issuer=above[0].subject, issuer_key=above[1], **given)
        return pem(made), key_pem(key)


@pytest.fixture(scope="module")
def pki() -> Pki:
    """As plain openssl makes it: basic constraints and nothing else, no key identifiers."""
    root = ca("Root")
    upper = ca("Upper", above=root)
    return Pki(root, upper, ca("Lower", above=upper))


def sent(judged: Judged) -> list[str]:
    """Return the subjects of what a server would send after the leaf."""
    assert judged.material is not None
    return [each.subject for each in judged.material.way.sent]


def test_any_order_becomes_the_right_one(pki: Pki) -> None:
    """Intermediates in any order, with the root, are The chain was sorted; the root stays out, and all of that is said."""
    leaf, key = pki.leaf()
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]):
        above = [(pki.lower, pki.upper, pki.root)[number] for number in order]
        judged = judge(*(pem(each[0]) for each in above), leaf, key, roots=pem(pki.root[0]))
        assert judged["chain"].status == "pass"
        assert sent(judged) == ["Lower", "Upper"]
        assert "The root Root is not sent" in judged.text
        assert ("The chain was sorted" in judged.text) == (order != [0, 1, 2])


def test_strangers_are_left_out(pki: Pki) -> None:
    """Certificates that belong to other chains are left out by name."""
    leaf, key = pki.leaf()
    other = ca("Somebody Else's CA")
    judged = judge(leaf, key, pem(other[0]), pem(pki.upper[0]), pem(pki.lower[0]), roots=pem(pki.root[0]))
    assert judged["chain"].status == "pass"
    assert sent(judged) == ["Lower", "Upper"]
    assert "not part of the chain: Somebody Else's CA" in judged.text


def test_a_chain_is_completed_from_what_is_known(pki: Pki) -> None:
    """A missing intermediate comes from the chain that the lineage has now, or from the system's store (pain point 20)."""
    leaf, key = pki.leaf()
    both = pem(pki.lower[0]) + pem(pki.upper[0])
    for judged in (
        judge(leaf, key, roots=pem(pki.root[0]), known=both),
        judge(leaf, pem(pki.lower[0]), key, roots=pem(pki.root[0]) + pem(pki.upper[0])),
    ):
        assert judged["chain"].status == "pass"
        assert sent(judged) == ["Lower", "Upper"]
        assert "Upper was missing and was added from" in judged.text


def test_an_unknown_root_warns(pki: Pki) -> None:
    """A complete chain to a root of one's own is accepted with a warning; without the root too (an internal PKI)."""
    leaf, key = pki.leaf()
    chain = pem(pki.lower[0]) + pem(pki.upper[0])
    judged = judge(leaf, chain + pem(pki.root[0]), key)
    assert judged.accepted
    assert judged["chain"].status == "warn"
    assert "is not in this box's trust store" in judged["chain"].detail
    judged = judge(leaf, chain, key)
    assert judged.accepted
    assert judged["chain"].status == "warn"
    assert "Root, which this box does not know" in judged["chain"].detail


def test_a_missing_intermediate_warns_and_says_where_it_is(pki: Pki) -> None:
    """Without any chain the issuer is named, and the place that the certificate itself names; nothing is fetched."""
    place = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example.com/lower.cer")
    )
    leaf, key = pki.leaf(extensions=[san(HOST), (x509.AuthorityInformationAccess([place]), False)])
    judged = judge(leaf, key, roots=pem(pki.root[0]))
    assert judged["chain"].status == "warn"
    assert "Lower, is missing" in judged["chain"].detail
    assert "http://ca.example.com/lower.cer" in judged["chain"].fix


def test_a_self_signed_leaf_warns() -> None:
    """A certificate that signs itself is accepted with a warning; one that the system trusts passes."""
    key = make_key()
    leaf = pem(sign(HOST, key, extensions=[san(HOST)]))
    assert judge(leaf, key_pem(key))["chain"].status == "warn"
    assert judge(leaf, key_pem(key), roots=leaf)["chain"].status == "pass"


def test_plain_openssl_req_x509_is_accepted() -> None:
    """What `openssl req -x509` makes says that it is a CA; servers work with it, so it warns and is accepted."""
    certificate, key = ca(HOST)
    judged = judge(pem(certificate), key_pem(key))
    assert judged.accepted
    assert (judged["chain"].status, judged["not-ca"].status) == ("warn", "warn")


# -- what must not get in --------------------------------------------------------------------------------------------------


def _forged(pki: Pki) -> tuple[bytes, ...]:
    """A chain of the right name whose key never signed the leaf."""
    leaf, key = pki.leaf()
    return leaf, key, pem(ca("Lower", above=pki.upper)[0]), pem(pki.upper[0])


def _wrong_chain(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf()
    return leaf, key, pem(ca("Another Intermediate", above=pki.root)[0])


def _gap(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf()
    return leaf, key, pem(pki.lower[0]), pem(pki.root[0])


def _altered(pki: Pki) -> tuple[bytes, ...]:
    """A leaf of which one byte of a name was changed after it was signed."""
    from base64 import b64decode, b64encode

    leaf, key = pki.leaf()
    der = b64decode(b"".join(leaf.splitlines()[1:-1])).replace(HOST.encode(), b"evil.example.com"[: len(HOST)])
    altered = b"-----BEGIN CERTIFICATE-----\n" + b64encode(der) + b"\n-----END CERTIFICATE-----\n"
    return altered, key, pem(pki.lower[0]), pem(pki.upper[0])


def _expired_intermediate(pki: Pki) -> tuple[bytes, ...]:
    old = ca("Old", above=pki.root, not_after=NOON - timedelta(days=1))
    leaf, key = pki.leaf(old)
    return leaf, key, pem(old[0])


def _not_a_ca(pki: Pki) -> tuple[bytes, ...]:
    """A leaf signed by another server's key."""
    key = make_key()
    server = sign("server", key, issuer=pki.root[0].subject, issuer_key=pki.root[1],
                  extensions=[(x509.BasicConstraints(ca=False, path_length=None), True)])  # fmt: skip
    leaf, own = pki.leaf((server, key))
    return leaf, own, pem(server)


def _path_length(pki: Pki) -> tuple[bytes, ...]:
    short = ca("Short", above=pki.root, path_length=0)
    below = ca("Below", above=short)
    leaf, key = pki.leaf(below)
    return leaf, key, pem(below[0]), pem(short[0])


def _name_constraint(pki: Pki) -> tuple[bytes, ...]:
    only = x509.NameConstraints([x509.DNSName("example.org")], None)
    bound = ca("Bound", above=pki.root, more=[(only, True)])
    leaf, key = pki.leaf(bound)
    return leaf, key, pem(bound[0])


def _unknown_critical(pki: Pki) -> tuple[bytes, ...]:
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    leaf, key = pki.leaf(pki.root, extensions=[san(HOST), (strange, True)])
    return leaf, key


BAD: dict[str, tuple[Callable[[Pki], tuple[bytes, ...]], str]] = {
    "forged": (_forged, "did not sign"),
    "another-chain": (_wrong_chain, "belongs to a different certificate"),
    "gap": (_gap, "has a gap"),
    "altered-leaf": (_altered, "did not sign"),
    "expired-intermediate": (_expired_intermediate, "expired on"),
    "issuer-is-no-ca": (_not_a_ca, "Clients reject the chain"),
    "path-length": (_path_length, "Clients reject the chain"),
    "name-constraint": (_name_constraint, "Clients reject the chain"),
    "unknown-critical-extension": (_unknown_critical, "Clients reject the chain"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_chains_fail(pki: Pki, case: str) -> None:
    """Forged, broken, expired and forbidden chains are refused in words, whether their root is trusted or given (ST-38)."""
    make, words = BAD[case]
    parts = make(pki)
    trusted = judge(*parts, roots=pem(pki.root[0]))
    assert trusted["chain"].status == "fail"
    assert words in trusted["chain"].detail
    assert not trusted.accepted
    if case != "gap":  # nothing tells an unknown root that belongs to the chain from one that does not
        assert judge(*parts, pem(pki.root[0]))["chain"].status == "fail"


def test_unrelated_certificates_make_no_gap(pki: Pki) -> None:
    """A private chain without its root stays accepted when certificates of other CAs are in the bundle; they are named."""
    leaf, key = pki.leaf()
    above = ca("Stranger's Root")
    judged = judge(leaf, key, pem(pki.lower[0]), pem(pki.upper[0]), pem(above[0]), pem(ca("Stranger", above=above)[0]))
    assert judged.accepted
    assert sent(judged) == ["Lower", "Upper"]
    assert "the given Stranger's Root does not connect to it" in judged["chain"].detail


# -- what must get in ------------------------------------------------------------------------------------------------------


def _v1_and_cn_only(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf(extensions=[])
    return leaf, key, pem(pki.lower[0]), pem(pki.upper[0])


def _underscore(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf(pki.root, extensions=[san("my_host.example.com")])
    return leaf, key


def _address(pki: Pki) -> tuple[bytes, ...]:
    only = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.7"))])
    leaf, key = pki.leaf(pki.root, extensions=[(only, False)])
    return leaf, key


def _ed25519_ca(pki: Pki) -> tuple[bytes, ...]:
    other = ca("Edwards", above=pki.root, key=make_key("ed25519"))
    leaf, key = pki.leaf(other)
    return leaf, key, pem(other[0])


def _long_life(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf(pki.root, not_after=NOON + timedelta(days=330), not_before=NOON - timedelta(days=2000))
    return leaf, key


def _critical_names(pki: Pki) -> tuple[bytes, ...]:
    leaf, key = pki.leaf(pki.root, extensions=[(san(HOST)[0], True)])
    return leaf, key


def _any_usage(pki: Pki) -> tuple[bytes, ...]:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    leaf, key = pki.leaf(pki.root, extensions=[san(HOST), (usage, False)])
    return leaf, key


GOOD = {
    "common-name-only": _v1_and_cn_only,
    "underscore": _underscore,
    "ip-address": _address,
    "ed25519-ca": _ed25519_ca,
    "six-years": _long_life,
    "critical-names": _critical_names,
    "server-and-client": _any_usage,
}


@pytest.mark.parametrize("case", GOOD)
def test_what_private_cas_make_is_accepted(pki: Pki, case: str) -> None:
    """Forms that browsers' rules do not foresee, and that real CAs and plain openssl produce, pass the chain check."""
    judged = judge(*GOOD[case](pki), roots=pem(pki.root[0]))
    assert judged["chain"].status == "pass"
    assert judged.accepted


def test_a_valid_intermediate_beats_its_expired_twin(pki: Pki) -> None:
    """Of two intermediates of one key the valid one is taken, in whatever order they come."""
    key = make_key()
    fields = {
        "issuer": pki.root[0].subject,
        "issuer_key": pki.root[1],
        "extensions": [(x509.BasicConstraints(ca=True, path_length=None), True)],
    }
    old = sign("Twin", key, not_after=NOON - timedelta(days=1), **fields)
    new = sign("Twin", key, **fields)
    leaf, own = pki.leaf((new, key))
    for twins in (pem(old) + pem(new), pem(new) + pem(old)):
        judged = judge(leaf, own, twins, roots=pem(pki.root[0]))
        assert judged["chain"].status == "pass"
        assert judged.material is not None
        assert int(judged.material.way.sent[0].serial, 16) == new.serial_number


def test_a_cross_signed_way_to_a_trusted_root_is_found(pki: Pki) -> None:
    """Where one way ends in an unknown root and another in a trusted one, the trusted one is sent."""
    key = make_key()
    fields = {"extensions": [(x509.BasicConstraints(ca=True, path_length=None), True)]}
    lone = sign("New Root", key, **fields)
    crossed = sign("New Root", key, issuer=pki.root[0].subject, issuer_key=pki.root[1], **fields)
    leaf, own = pki.leaf((crossed, key))
    judged = judge(leaf, own, pem(lone), pem(crossed), roots=pem(pki.root[0]))
    assert judged["chain"].status == "pass"
    assert sent(judged) == ["New Root"]


def test_distrusted_cas_warn() -> None:
    """A certificate of WoSign or StartCom is accepted with a warning (SO-38)."""
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "WoSign CA Limited")])
    root, root_key = ca("WoSign", more=())
    key = make_key()
    leaf = sign(HOST, key, issuer=subject, issuer_key=root_key, extensions=[san(HOST)])
    judged = judge(pem(leaf), key_pem(key))
    assert judged["distrusted"].status == "warn"
    assert judged.accepted
    assert root.subject == name("WoSign")


def test_the_leaf_is_known_by_its_key_and_its_place(pki: Pki) -> None:
    """The leaf is what the key belongs to; without a key it is what signs no other; a CA's certificate alone fails."""
    first, first_key = pki.leaf()
    second, second_key = pki.leaf(extensions=[san("other.example.com")])
    judged = judge(first, second, second_key, pem(pki.lower[0]))
    assert judged.material is not None
    assert judged.material.leaf.names == ("other.example.com",)
    assert "Another server's certificate is ignored" in judged.text
    judged = judge(pem(pki.upper[0]), first, pem(pki.lower[0]))
    assert judged.material is not None
    assert judged.material.leaf.names == (HOST,)
    assert judge(first, key_pem(pki.lower[1]), pem(pki.lower[0])).failed == ["key-match"]
    assert "not-ca" in judge(pem(pki.lower[0]), key_pem(pki.lower[1])).failed
    assert first_key != second_key


def test_sha1_in_the_chain_warns(pki: Pki, tmp_path: Path) -> None:
    """An intermediate that is signed with SHA-1 warns: the leaf itself is sound."""
    key = make_key()
    old = signed_by_openssl(tmp_path, "Old", key, pki.root, "sha1", "basicConstraints=critical,CA:TRUE")
    now = datetime.now(UTC)
    leaf, own = pki.leaf((old, key), not_before=now - timedelta(days=1), not_after=now + timedelta(days=80))
    judged = judge(leaf, own, pem(old), roots=pem(pki.root[0]), now=now)
    assert judged["signature"].status == "warn"
    assert "SHA-1" in judged["signature"].detail


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_leaf_signed_with_a_broken_hash_fails(tmp_path: Path, digest: str) -> None:
    """A leaf that is signed with SHA-1 or MD5 is refused."""
    key, above = make_key(), ca("Old CA", key=make_key("rsa-2048"))
    leaf = signed_by_openssl(tmp_path, HOST, key, above, digest, f"subjectAltName=DNS:{HOST}")
    judged = judge(pem(leaf), key_pem(key), roots=pem(above[0]), now=datetime.now(UTC))
    assert judged["signature"].status == "fail"
    assert not judged.accepted


def test_what_is_known_is_put_in_although_it_leads_nowhere() -> None:
    """Of a private PKI whose root this box does not have, the intermediate that it has seen before is sent all the same."""
    root = ca("Nobody's Root")
    above = ca("Middle", above=root)
    key = make_key()
    leaf = sign("a.example.com", key, issuer="Middle", issuer_key=above[1], extensions=[san("a.example.com")])
    judged = judge(pem(leaf), known=pem(above[0]))
    assert judged.material is not None
    assert [each.subject for each in judged.material.way.sent] == ["Middle"]
    expired = ca(
        "Middle", above=root, key=above[1], not_before=NOON - timedelta(days=9), not_after=NOON - timedelta(days=1)
    )
    stale = judge(pem(leaf), known=pem(expired[0]))
    assert stale.material is not None
    assert stale.material.way.sent == ()
