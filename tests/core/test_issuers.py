"""The issuers that are built in, how the configuration changes them, and what each of them would refuse."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from core.identifiers import check_lineage_name, parse_identifiers
from core.issuers import BUILT_IN, EVERY_KEY, Issuer, issuer_problems, merged, profile_for
from core.key_types import KEY_TYPES
from core.staging import is_staging_issuer

ACME = [issuer for issuer in BUILT_IN.values() if issuer.kind == "acme"]
DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "zerossl": "https://acme.zerossl.com/v2/DV90",
    "google": "https://dv.acme-v02.api.pki.goog/directory",
    "google-staging": "https://dv.acme-v02.test-api.pki.goog/directory",
    "sslcom": "https://acme.ssl.com/sslcom-dv-ecc",
    "sslcom-rsa": "https://acme.ssl.com/sslcom-dv-rsa",
    "actalis": "https://acme-api.actalis.com/acme/directory",
}


def custom(name: str, **changes: str) -> Issuer:
    return merged(
        BUILT_IN.get(name),
        name,
        directory=changes.get("directory"),
        title=changes.get("title"),
        staging=changes.get("staging"),
    )


def problems(
    issuer: str | Issuer, names: str, key_type: str = "ec-256", profile: str | None = None, challenge: str = "http-01"
) -> list[str]:
    found = BUILT_IN[issuer] if isinstance(issuer, str) else issuer
    return [each.what for each in issuer_problems(found, parse_identifiers([names]), key_type, profile, challenge)]


def test_the_directories_are_those_of_the_cas() -> None:
    """Each public CA is reached at its ACME v2 directory; no v1 address and no closed CA is among them (CC-01, SF-21, SF-22)."""
    assert {issuer.name: issuer.directory for issuer in ACME} == DIRECTORIES


def test_the_table_agrees_with_itself() -> None:
    """Names are usable and keys of the table, staging issuers exist, key types are known, directories are HTTPS."""
    for name, issuer in BUILT_IN.items():
        assert issuer.name == name
        check_lineage_name(name)
        assert set(issuer.key_types) <= set(KEY_TYPES)
        assert issuer.title
        assert issuer.notes
        assert all(note.endswith(".") for note in issuer.notes)
        assert (issuer.directory is not None) is (issuer.kind == "acme")
        if issuer.directory:
            assert urlsplit(issuer.directory).scheme == "https"
        if issuer.staging:
            assert BUILT_IN[issuer.staging].is_staging
            assert BUILT_IN[issuer.staging].key_types == issuer.key_types
    assert EVERY_KEY == KEY_TYPES


@pytest.mark.parametrize(
    ("name", "kind"), [("appliance-ca", "private-ca"), ("self-signed", "self-signed"), ("letsencrypt", "acme")]
)
def test_the_kinds_are_there(name: str, kind: str) -> None:
    """The box's own CA and self-signing stand beside the public CAs (ST-03, SO-39)."""
    assert BUILT_IN[name].kind == kind


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("letsencrypt", False),
        ("letsencrypt-staging", False),
        ("zerossl", True),
        ("google", True),
        ("google-staging", True),
        ("sslcom", True),
        ("sslcom-rsa", True),
        ("actalis", True),
    ],
)
def test_who_wants_an_external_account(name: str, wanted: bool) -> None:
    """Which CA needs an external account binding is known before it is asked (CC-06)."""
    assert BUILT_IN[name].needs_eab is wanted


@pytest.mark.parametrize(
    ("issuer", "names", "key_type", "challenge", "found"),
    [
        pytest.param("letsencrypt", "example.com www.example.com", "ec-256", "http-01", [], id="le-plain"),
        pytest.param("letsencrypt", "*.example.com example.com", "rsa-4096", "dns-01", [], id="le-wildcard-dns"),
        pytest.param(
            "letsencrypt",
            "*.example.com",
            "ec-256",
            "http-01",
            ["A wildcard such as *.example.com cannot be validated by http-01."],
            id="le-wildcard-http",
        ),
        pytest.param(
            "letsencrypt", "a.de", "ec-521", "http-01", ["It does not accept keys of type ec-521."], id="le-ec-521"
        ),
        pytest.param(
            "letsencrypt", "a.de", "rsa-8192", "http-01", ["It does not accept keys of type rsa-8192."], id="le-8192"
        ),
        pytest.param("letsencrypt", "8.8.8.8", "ec-256", "http-01", [], id="le-address"),
        pytest.param(
            "letsencrypt",
            "8.8.8.8",
            "ec-256",
            "dns-01",
            ["The address 8.8.8.8 cannot be validated by dns-01."],
            id="le-address-dns",
        ),
        pytest.param(
            "letsencrypt",
            "10.0.0.1",
            "ec-256",
            "http-01",
            ["10.0.0.1 is not a public address of one host, so no public CA issues for it."],
            id="le-private-address",
        ),
        pytest.param(
            "letsencrypt",
            "nas.local box",
            "ec-256",
            "http-01",
            [
                "nas.local ends in .local, which does not exist in the public DNS.",
                "box is not a complete name: a public CA requires a domain with a top-level domain.",
            ],
            id="le-private-names",
        ),
        pytest.param(
            "zerossl",
            "8.8.8.8",
            "ec-256",
            "http-01",
            ["It issues no certificate for the address 8.8.8.8."],
            id="zerossl-address",
        ),
        pytest.param(
            "google",
            "8.8.8.8",
            "ec-256",
            "dns-01",
            ["It issues no certificate for the address 8.8.8.8."],
            id="google-address",
        ),
        pytest.param(
            "sslcom",
            "*.example.com",
            "ec-256",
            "dns-01",
            ["It issues no wildcard such as *.example.com."],
            id="sslcom-wildcard",
        ),
        pytest.param(
            "sslcom",
            "a.de b.de c.de",
            "rsa-2048",
            "http-01",
            ["It accepts 2 names in one certificate, not 3.", "It does not accept keys of type rsa-2048."],
            id="sslcom-names-and-key",
        ),
        pytest.param("sslcom-rsa", "a.de www.a.de", "rsa-2048", "http-01", [], id="sslcom-rsa"),
        pytest.param(
            "actalis", "*.a.de", "ec-256", "dns-01", ["It issues no wildcard such as *.a.de."], id="actalis-wildcard"
        ),
        pytest.param("appliance-ca", "*.box.local box 10.0.0.1", "rsa-8192", "http-01", [], id="private-ca-takes-all"),
        pytest.param("self-signed", "*.box.local box ::1", "ec-521", "dns-01", [], id="self-signed-takes-all"),
    ],
)
def test_what_an_issuer_would_refuse(issuer: str, names: str, key_type: str, challenge: str, found: list[str]) -> None:
    """What a CA would refuse is found, all of it, before it is asked (SO-20, SO-24, CC-11)."""
    assert problems(issuer, names, key_type, None, challenge) == found


@pytest.mark.parametrize(
    ("issuer", "profile", "most"),
    [
        ("letsencrypt", None, 100),
        ("letsencrypt", "classic", 100),
        ("letsencrypt", "tlsserver", 25),
        ("letsencrypt", "shortlived", 25),
        ("letsencrypt", "new-one", 100),
        ("letsencrypt-staging", "tlsserver", 25),
        ("google", None, 100),
        ("actalis", None, 2),
    ],
)
def test_how_many_names_fit(issuer: str, profile: str | None, most: int) -> None:
    """The number of names is bounded by issuer and profile (SO-17)."""
    names = [f"h{number}.example.com" for number in range(most + 1)]
    assert problems(issuer, " ".join(names[:most]), profile=profile) == []
    assert problems(issuer, " ".join(names), profile=profile) == [
        f"It accepts {most} names in one certificate, not {most + 1}."
    ]


def test_addresses_bring_the_limit_of_their_profile() -> None:
    """An address is ordered with the profile for addresses, so that profile's number of names holds."""
    names = ["8.8.8.8", *(f"h{number}.example.com" for number in range(25))]
    assert problems("letsencrypt", " ".join(names)) == ["It accepts 25 names in one certificate, not 26."]


def test_each_problem_says_what_to_do() -> None:
    """Every refusal comes with a way out."""
    found = issuer_problems(
        BUILT_IN["actalis"], parse_identifiers(["*.a.local 8.8.8.8 box"]), "rsa-8192", None, "http-01"
    )
    assert len(found) == 6
    assert all(each.what.endswith(".") and each.fix.endswith((".", ")")) for each in found)


@pytest.mark.parametrize(
    ("issuer", "names", "wanted", "profile", "is_said"),
    [
        pytest.param("letsencrypt", "8.8.8.8", None, "shortlived", True, id="address"),
        pytest.param("letsencrypt", "a.de 2606:4700::1111", None, "shortlived", True, id="name-and-address"),
        pytest.param("letsencrypt", "a.de", None, None, False, id="name"),
        pytest.param("letsencrypt", "a.de", "tlsserver", "tlsserver", False, id="asked-for"),
        pytest.param("letsencrypt", "8.8.8.8", "shortlived", "shortlived", False, id="address-asked-for"),
        pytest.param("appliance-ca", "10.0.0.1", None, None, False, id="private-ca"),
    ],
)
def test_the_profile_for_addresses_is_chosen_and_said(
    issuer: str, names: str, wanted: str | None, profile: str | None, is_said: bool
) -> None:
    """Let's Encrypt gives addresses with one profile only: it is chosen by itself, and said."""
    chosen, said = profile_for(BUILT_IN[issuer], parse_identifiers([names]), wanted)
    assert chosen == profile
    assert bool(said) is is_said
    assert all("shortlived" in sentence for sentence in said)


def test_another_profile_for_an_address_is_refused() -> None:
    """Somebody who wants another profile for an address is told, not overruled."""
    assert problems("letsencrypt", "8.8.8.8", profile="classic") == [
        "IP addresses require the profile shortlived, not classic."
    ]


def test_an_issuer_of_ones_own_takes_everything() -> None:
    """Nothing is known of a directory that somebody adds, so nothing is refused for it but what ACME itself excludes."""
    own = custom("corp", directory="https://ca.corp.internal/acme", title="Corp CA")
    assert (own.name, own.kind, own.title, own.directory) == (
        "corp",
        "acme",
        "Corp CA",
        "https://ca.corp.internal/acme",
    )
    assert problems(own, "box nas.local 10.0.0.1", "rsa-8192") == []
    assert problems(own, "*.nas.local", "ec-521", challenge="dns-01") == []
    assert problems(own, "*.nas.local") == ["A wildcard such as *.nas.local cannot be validated by http-01."]
    assert custom("corp", directory="https://x").title == "corp"


def test_a_title_or_a_staging_issuer_can_be_overridden() -> None:
    """An entry of the configuration that names no other directory changes just what it says."""
    changed = custom("zerossl", title="Our ZeroSSL", staging="letsencrypt-staging")
    assert (changed.title, changed.staging) == ("Our ZeroSSL", "letsencrypt-staging")
    assert (changed.directory, changed.needs_eab) == (DIRECTORIES["zerossl"], True)
    assert custom("letsencrypt") == BUILT_IN["letsencrypt"]
    assert custom("letsencrypt", directory=DIRECTORIES["letsencrypt"]) == BUILT_IN["letsencrypt"]


def test_another_directory_is_another_ca() -> None:
    """A built-in name that points elsewhere, at a test server for example, has none of the built-in CA's limits."""
    moved = custom("letsencrypt", directory="https://127.0.0.1:14000/dir")
    assert moved.title == "Let's Encrypt"
    assert not moved.is_public
    assert problems(moved, "box 10.0.0.1", "ec-521") == []


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("https://acme-staging-v02.api.letsencrypt.org/directory", True),
        ("https://dv.acme-v02.test-api.pki.goog/directory", True),
        ("https://ca.example/directory", False),
    ],
)
def test_staging_is_a_fact_of_the_directory(directory: str, expected: bool) -> None:
    """Under whatever name a known staging directory is configured, it is one; a name that ends in "staging" makes none."""
    for name in ("lab", "my-staging"):
        found = merged(None, name, directory=directory, title=None, staging=None)
        assert found.is_staging is expected


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("CN=(STAGING) Riddling Rhubarb R12,O=(STAGING) Let's Encrypt,C=US", True),
        ("Fake LE Intermediate X1", True),
        ("CN=R12,O=Let's Encrypt,C=US", False),
        ("Fakenham Council CA", False),
    ],
)
def test_a_staging_certificate_is_known_by_its_issuer(issuer: str, expected: bool) -> None:
    """The name of the issuing CA in the certificate tells a staging."""
    assert is_staging_issuer(issuer) is expected
