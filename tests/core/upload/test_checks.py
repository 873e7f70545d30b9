"""Each check of the table, with its words: what passes, what warns, what fails, and what may be forced."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec.structs import replace

from core.upload.checks import CHECKS
from core.upload.names import bare_domains_missing, covers, missing
from core.version import BUILT
from tests.support.authority import Authority, Leaf, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import Judged, judge, pem, san, sign

CONTRACT = ["parse", "key-match", "validity", "chain", "expiry-soon", "host-match", "key-strength", "signature"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    """A CA that the box trusts."""
    return Authority.new(now=NOON)


def good(authority: Authority, *names: str, **fields: object) -> tuple[Leaf, bytes]:
    leaf = authority.leaf(list(names or ("shop.example.com",)), **fields)
    return leaf, authority.root_pem


def test_a_good_upload_passes_every_check(authority: Authority) -> None:
    """A purchased certificate with chain and key passes, and nothing but what was not asked for is skipped (ST-32)."""
    leaf, roots = good(authority)
    judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots, hosts=("shop.example.com",))
    assert [each.id for each in judged.results][: len(CONTRACT)] == CONTRACT
    assert {each.id: each.status for each in judged.results if each.status != "pass"} == {
        "names-kept": "skip",
        "wildcard-bare": "skip",
    }
    assert judged.accepted


def test_every_check_has_an_id_of_its_own() -> None:
    """Ids are kebab-case and unique, and each check has a title."""
    ids = ["parse", *(check.id for check in CHECKS)]
    assert len(set(ids)) == len(ids)
    assert all(check.title for check in CHECKS)


def test_key_match(authority: Authority) -> None:
    """A key that does not match this certificate fails; without a key it is skipped for a look and fails for applying (ST-36)."""
    leaf, roots = good(authority)
    wrong = judge(leaf.fullchain_pem, key_pem(make_key()), roots=roots)
    assert wrong.failed == ["key-match"]
    assert "does not match this certificate" in wrong["key-match"].detail
    assert judge(leaf.fullchain_pem, roots=roots)["key-match"].status == "skip"
    assert judge(leaf.fullchain_pem, roots=roots, needs_key=True).failed == ["key-match"]


@pytest.mark.parametrize(
    ("days_left", "status"), [(-1, "fail"), (0.001, "pass"), (300, "pass")], ids=["expired", "last-minute", "long"]
)
def test_validity_at_the_end(authority: Authority, days_left: float, status: str) -> None:
    """An expired certificate fails, one that ends today is still valid (ST-37)."""
    leaf, roots = good(authority, days=365, days_left=days_left)
    assert judge(leaf.fullchain_pem, leaf.key_pem, roots=roots)["validity"].status == status


def test_validity_at_the_beginning(authority: Authority) -> None:
    """A certificate of tomorrow fails; one that begins in a minute warns, as a late clock makes it look so (ST-37)."""
    for minutes, status in ((24 * 60, "fail"), (1, "warn"), (-1, "pass")):
        leaf, roots = good(authority, not_before=NOON + timedelta(minutes=minutes), not_after=NOON + timedelta(days=90))
        judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots)
        assert judged["validity"].status == status
        assert judged.accepted == (status != "fail")


def test_a_wrong_clock_refuses_nothing_good(authority: Authority) -> None:
    """With a clock before the build a good certificate is accepted, and the clock is spoken of."""
    wrong = BUILT - timedelta(days=3000)
    later = Authority.new(now=BUILT + timedelta(days=40))
    for leaf, roots in (good(authority, days_left=80), good(later, not_before=BUILT + timedelta(days=30))):
        judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots, now=wrong)
        assert judged["clock"].status == "warn"
        assert judged["validity"].status in ("pass", "warn")
        assert judged.accepted
    leaf, roots = good(authority, days=10, days_left=-20)
    assert judge(leaf.fullchain_pem, leaf.key_pem, roots=roots, now=wrong)["validity"].status == "fail"


@pytest.mark.parametrize(
    ("life", "left", "status"),
    [(365, 31, "pass"), (365, 29, "warn"), (90, 31, "pass"), (90, 29, "warn"), (6, 5, "pass"), (6, 1.9, "warn")],
)
def test_expiry_soon(authority: Authority, life: float, left: float, status: str) -> None:
    """Within 30 days of its end it warns, and with a third of a short life left (ST-39)."""
    leaf, roots = good(authority, days=life, days_left=left)
    judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots)
    assert judged["expiry-soon"].status == status
    assert judged.accepted


# -- names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "host", "is_covered"),
    [
        (["shop.example.com"], "shop.example.com", True),
        (["shop.example.com"], "SHOP.example.COM.", True),
        (["shop.example.com"], "example.com", False),
        (["*.example.com"], "shop.example.com", True),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], "a.b.example.com", False),
        (["*.com"], "example.com", False),
        (["*"], "localhost", False),
        (["s*.example.com"], "shop.example.com", False),
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"], "192.0.2.2", False),
        (["2001:db8::1"], "[2001:0db8:0::1]", True),
        (["*.0.2.1"], "192.0.2.1", False),
        ([], "shop.example.com", False),
        (["my_host.example.com"], "my_host.example.com", True),
    ],
)
def test_host_names(names: list[str], host: str, is_covered: bool) -> None:
    """A name covers what clients let it cover: a wildcard one label, an address itself (RFC 9525)."""
    assert covers(names, host) is is_covered


class Names:
    """A certificate of DNS names, and nothing else."""

    addresses: tuple[str, ...] = ()

    def __init__(self, *names: str) -> None:
        self.names = self.dns_names = names


def test_missing_names() -> None:
    """A wildcard covers single names that were there before, and is itself kept by a wildcard alone."""
    assert missing(Names("*.example.com"), ["a.example.com", "example.com", "*.example.com"]) == ("example.com",)
    assert missing(Names("a.example.com"), ["*.example.com", "A.example.com"]) == ("*.example.com",)
    assert bare_domains_missing(["*.example.com", "*.example.org", "example.org"]) == ("example.com",)


def test_host_match(authority: Authority) -> None:
    """A host that was asked for and is missing fails; one that a service is asked for warns."""
    leaf, roots = good(authority, "*.example.com")
    files = (leaf.fullchain_pem, leaf.key_pem)
    assert judge(*files, roots=roots)["host-match"].status == "skip"
    assert judge(*files, roots=roots, hosts=("a.example.com",))["host-match"].status == "pass"
    wrong = judge(*files, roots=roots, hosts=("example.com",))
    assert wrong.failed == ["host-match"]
    assert "*.example.com" in wrong["host-match"].detail
    served = judge(*files, roots=roots, served=("a.example.com", "example.org"))
    assert served["host-match"].status == "warn"
    assert served.accepted


def test_names_that_were_there_before(authority: Authority) -> None:
    """A name of the certificate before that is gone warns by its name (design: `pay. is missing`)."""
    leaf, roots = good(authority, "shop.example.com")
    judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots, had=("shop.example.com", "pay.example.com"))
    assert judged["names-kept"].status == "warn"
    assert "pay.example.com" in judged["names-kept"].detail
    assert judged.accepted
    assert judge(leaf.fullchain_pem, had=("shop.example.com",))["names-kept"].status == "pass"


def test_wildcard_and_bare_domain(authority: Authority) -> None:
    """A custom wildcard without its bare domain warns (CL-14)."""
    for names, status in ((["*.example.com"], "warn"), (["*.example.com", "example.com"], "pass"), (["a.b"], "skip")):
        leaf, roots = good(authority, *names)
        assert judge(leaf.fullchain_pem, roots=roots)["wildcard-bare"].status == status


def test_a_name_in_the_subject_alone_warns() -> None:
    """A certificate without alternative names matches by its common name, with a warning."""
    key = make_key()
    judged = judge(pem(sign("shop.example.com", key)), key_pem(key), hosts=("shop.example.com",))
    assert judged["host-match"].status == "warn"
    assert judged.accepted


# -- strength and usage ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [("rsa-1024", "fail"), ("rsa-2048", "pass"), ("rsa-3072", "pass"), ("ec-256", "pass"), ("ec-384", "pass"),
     ("ec-521", "pass"), ("ed25519", "pass")],
)  # fmt: skip
def test_key_strength(authority: Authority, kind: str, status: str) -> None:
    """RSA below 2048 bits is refused; RSA, EC and Ed25519 in use today pass."""
    leaf, roots = good(authority, key=kind)
    judged = judge(leaf.fullchain_pem, leaf.key_pem, roots=roots)
    assert judged["key-strength"].status == status
    assert judged.accepted == (status == "pass")


@pytest.mark.parametrize(
    ("curve", "status"),
    [(ec.SECP192R1(), "fail"), (ec.SECP224R1(), "warn"), (ec.SECP256K1(), "warn"), (ec.BrainpoolP256R1(), "warn")],
    ids=["p-192", "p-224", "secp256k1", "brainpool"],
)
def test_unusual_curves(curve: ec.EllipticCurve, status: str) -> None:
    """A curve that is too weak fails; one that browsers do not know warns."""
    key = ec.generate_private_key(curve)
    judged = judge(pem(sign("a.example.com", key, extensions=[san("a.example.com")])), key_pem(key))
    assert judged["key-strength"].status == status


def test_the_exponent_of_old_programs_passes() -> None:
    """An RSA exponent of 3, as old programs chose it, is no reason to refuse a key."""
    key = rsa.generate_private_key(3, 2048)
    judged = judge(pem(sign("a", key, extensions=[san("a.example.com")])), key_pem(key))
    assert judged["key-strength"].status == "pass"


USAGES = {
    "server": ([ExtendedKeyUsageOID.SERVER_AUTH], None, "pass"),
    "any": ([x509.ObjectIdentifier("2.5.29.37.0")], None, "pass"),
    "none": (None, None, "pass"),
    "client-only": ([ExtendedKeyUsageOID.CLIENT_AUTH], None, "fail"),
    "signing": (None, {"digital_signature"}, "pass"),
    "old-tls-only": (None, {"key_encipherment"}, "warn"),
    "crl-only": (None, {"crl_sign"}, "fail"),
}
_FLAGS = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


@pytest.mark.parametrize("case", USAGES)
def test_usage(authority: Authority, case: str) -> None:
    """A certificate that is not for TLS servers fails; one without any restriction passes."""
    purposes, flags, status = USAGES[case]
    extensions: list[tuple[x509.ExtensionType, bool]] = [san("a.example.com")]
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    if flags is not None:
        extensions.append((x509.KeyUsage(**{flag: flag in flags for flag in _FLAGS}), True))
    key, above = make_key(), authority.intermediate
    made = sign("a", key, issuer=above.certificate.subject, issuer_key=above.key, extensions=extensions)
    judged = judge(pem(made), key_pem(key), above.certificate_pem, roots=authority.root_pem)
    assert judged["usage"].status == status


# -- force -----------------------------------------------------------------------------------------------------------------


def test_force_lets_pass_what_cannot_stop_a_service(authority: Authority) -> None:
    """With force a wrong chain or host name passes, marked; a wrong key, an expired or a weak certificate does not."""
    leaf, roots = good(authority)
    stranger = Authority.new("Other", now=NOON)

    def forced(*files: bytes, **case: object) -> Judged:
        return judge(*files, roots=roots, force=True, **case)

    chain = forced(leaf.certificate_pem, stranger.chain_pem, leaf.key_pem, hosts=("x.example.com",))
    assert chain.failed == ["chain", "host-match"]
    assert [each.id for each in chain.results if each.forced] == ["chain", "host-match"]
    assert chain.accepted
    expired, _ = good(authority, days_left=-3)
    weak, _ = good(authority, key="rsa-1024")
    for files in (
        (leaf.fullchain_pem, key_pem(make_key())),
        (expired.fullchain_pem, expired.key_pem),
        (weak.fullchain_pem, weak.key_pem),
        (leaf.key_pem,),
    ):
        assert not forced(*files).accepted


def test_results_are_values(authority: Authority) -> None:
    """Results can be changed by copying alone, and every one that warns or fails says what to do."""
    leaf, _ = good(authority, days_left=3)
    judged = judge(leaf.certificate_pem, key_pem(make_key()), hosts=("x.example.com",))
    assert replace(judged.results[0], status="warn").id == "parse"
    silent = [each.id for each in judged.results if each.status in ("warn", "fail") and not each.fix]
    assert silent == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["www.*.test"], "only 'www.*.test'"),
        (["*"], "only '*'"),
        (["*.*.example.com"], "only"),
        (["shop.example.com."], "only 'shop.example.com.'"),
        (["shop.example.com\0.evil.test"], "only 'shop.example.com\N{REPLACEMENT CHARACTER}.evil.test'"),
        (["www example com", "shop.example.com"], "for 'www example com', which is not a host name"),
    ],
)
def test_a_name_that_no_client_asks_for_warns(names: list[str], words: str) -> None:
    """A name that is no host name, and a wildcard in the wrong place, are named in a warning: no client accepts it for them."""
    key = make_key()
    judged = judge(pem(sign("x", key, extensions=[san(*names)])), key_pem(key))
    assert judged["names"].status == "warn"
    assert words in judged["names"].detail
    assert judged["wildcard-bare"].status == "skip"


def test_no_name_at_all_warns() -> None:
    """A certificate without any name, and one whose name is in the subject alone, are accepted with a warning that says so."""
    key = make_key()
    nameless = judge(pem(sign(x509.Name([]), key)), key_pem(key))
    assert (nameless["names"].status, nameless.accepted) == ("warn", True)
    assert "no host name and no IP address" in nameless["names"].detail
    subject = judge(pem(sign("shop.example.com", key)), key_pem(key))
    assert (subject["names"].status, subject.accepted) == ("warn", True)
    assert "only in the subject" in subject["names"].detail


def test_usual_names_pass() -> None:
    """Host names, underscores, A-labels, single labels and wildcards are no reason for a warning."""
    key = make_key()
    names = ["shop.example.com", "*.example.com", "my_host.example.com", "xn--bcher-kva.example", "box"]
    judged = judge(pem(sign("x", key, extensions=[san(*names)])), key_pem(key))
    assert (judged["names"].status, judged["names"].detail) == ("pass", "5 names.")


def test_must_staple_warns() -> None:
    """A certificate that demands a stapled OCSP response is accepted with a warning (RFC 7633)."""
    key = make_key()
    demands = x509.TLSFeature([x509.TLSFeatureType.status_request])
    judged = judge(pem(sign("x", key, extensions=[san("shop.example.com"), (demands, False)])), key_pem(key))
    assert (judged["must-staple"].status, judged.accepted) == ("warn", True)
