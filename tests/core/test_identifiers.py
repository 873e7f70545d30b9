"""Names and addresses as people type them: what is understood, what is refused and with what advice."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identifiers import (
    BadIdentifier,
    BadLineageName,
    Identifier,
    check_lineage_name,
    companion,
    lineage_name_for,
    parse_identifier,
    parse_identifiers,
    public_problem,
)

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    ("text", "value", "display"),
    [
        pytest.param("example.com", "example.com", "example.com", id="plain"),
        pytest.param("  Shop.EXAMPLE.com ", "shop.example.com", "shop.example.com", id="case-and-blanks"),
        pytest.param("example.com.", "example.com", "example.com", id="dot-at-the-end"),
        pytest.param("*.example.com", "*.example.com", "*.example.com", id="wildcard"),
        pytest.param("localhost", "localhost", "localhost", id="single-label"),
        pytest.param("a--b.example.com", "a--b.example.com", "a--b.example.com", id="two-dashes"),
        pytest.param("3com.com", "3com.com", "3com.com", id="digit-first"),
        pytest.param("123.example", "123.example", "123.example", id="number-first"),
        pytest.param(LONGEST, LONGEST, LONGEST, id="longest"),
        pytest.param("München.de", "xn--mnchen-3ya.de", "münchen.de", id="umlaut"),
        pytest.param("faß.de", "xn--fa-hia.de", "faß.de", id="sharp-s"),
        pytest.param("*.bücher.example", "*.xn--bcher-kva.example", "*.bücher.example", id="idn-wildcard"),
        pytest.param("日本語。jp。", "xn--wgv71a119e.jp", "日本語.jp", id="ideographic-dots"),
        pytest.param("ＥＸＡＭＰＬＥ.com", "example.com", "example.com", id="full-width"),
        pytest.param("bu\u0308cher.de", "xn--bcher-kva.de", "bücher.de", id="decomposed"),
        pytest.param("XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de", "münchen.de", id="a-label"),
        pytest.param("xn--i-7iq.ws", "xn--i-7iq.ws", "xn--i-7iq.ws", id="encoded-emoji"),
    ],
)
def test_names_are_understood(text: str, value: str, display: str) -> None:
    """A name is sent as A-labels in lower case without a dot at its end, and shown as people write it (SO-13)."""
    assert parse_identifier(text) == Identifier(value, "dns", display)
    assert parse_identifier(text).wildcard is value.startswith("*.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 10.0.0.1 ", "10.0.0.1"),
        ("2001:DB8:0::0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::1", "::1"),
        ("fe80::1", "fe80::1"),
    ],
)
def test_addresses_are_understood(text: str, value: str) -> None:
    """IPv4 and IPv6 addresses come out in their canonical form (RFC 8738)."""
    assert parse_identifier(text) == Identifier(value, "ip", value)


STAR = "A star replaces exactly one label, the leftmost one."
URL = "A certificate is for a host name, not for a URL, a port or a mailbox."
CHARACTERS = "Labels contain letters, digits and hyphens, and do not start or end with a hyphen."
DOTS = "It has an empty label: two consecutive dots, or a dot at the start."
ADDRESS = "It looks like an IP address, but is not valid."
IDNA = "It contains characters that are not allowed in host names (IDNA 2008)."
LENGTH = "A name has at most 253 characters."
LABEL = "A label between dots has at most 63 characters."


@pytest.mark.parametrize(
    ("text", "why", "fix"),
    [
        pytest.param("", "No name was entered.", "Type a name, for example www.example.com.", id="empty"),
        pytest.param(" \t\n", "No name was entered.", "Type a name, for example www.example.com.", id="blanks"),
        pytest.param("a b.de", CHARACTERS, "Correct the name.", id="blank-inside"),
        pytest.param("*", STAR, "Write it as *.example.com.", id="star"),
        pytest.param("*.", STAR, "Write it as *.example.com.", id="star-dot"),
        pytest.param("*..", STAR, "Write it as *.example.com.", id="star-dots"),
        pytest.param("*.*.example.com", STAR, "Write it as *.example.com.", id="two-stars"),
        pytest.param("www.*.example.com", STAR, "Write it as *.example.com.", id="star-inside"),
        pytest.param("w*.example.com", STAR, "Write it as *.example.com.", id="star-in-a-label"),
        pytest.param("*example.com", STAR, "Write it as *.example.com.", id="star-without-dot"),
        pytest.param(
            "a_b.example.com",
            "Host names must not contain underscores.",
            "Use a hyphen, or another name.",
            id="underscore",
        ),
        pytest.param(
            "ü_b.example.com",
            "Host names must not contain underscores.",
            "Use a hyphen, or another name.",
            id="idn-underscore",
        ),
        pytest.param("a..example.com", DOTS, "Remove the extra dot.", id="two-dots"),
        pytest.param(".example.com", DOTS, "Remove the extra dot.", id="dot-first"),
        pytest.param("example.com..", DOTS, "Remove the extra dot.", id="dots-last"),
        pytest.param("ü..example.com", DOTS, "Remove the extra dot.", id="idn-two-dots"),
        pytest.param(".", "It contains only dots.", "Type a name, for example www.example.com.", id="dot"),
        pytest.param("-a.example.com", CHARACTERS, "Correct the name.", id="dash-first"),
        pytest.param("a-.example.com", CHARACTERS, "Correct the name.", id="dash-last"),
        pytest.param("a!b.example.com", CHARACTERS, "Correct the name.", id="sign"),
        pytest.param("$(reboot).example.com", CHARACTERS, "Correct the name.", id="shell"),
        pytest.param("a" * 64 + ".example.com", LABEL, "Use a shorter name.", id="long-label"),
        pytest.param(
            "ü" * 60 + ".de",
            "A label between dots has at most 63 characters, encoded.",
            "Use a shorter name.",
            id="idn-label",
        ),
        pytest.param("x" + LONGEST, LENGTH, "Use a shorter name.", id="one-too-long"),
        pytest.param("*." + LONGEST, LENGTH, "Use a shorter name.", id="wildcard-too-long"),
        pytest.param("x" * 100_000, LENGTH, "Use a shorter name.", id="huge"),
        pytest.param("é" * 100_000, LENGTH, "Use a shorter name.", id="huge-idn"),
        pytest.param("i❤.ws", IDNA, "Check the spelling.", id="emoji"),
        pytest.param("אab.com", IDNA, "Check the spelling.", id="mixed-direction"),
        pytest.param("a\u202egnp.com", IDNA, "Check the spelling.", id="bidi-override"),
        pytest.param("a\udc80.com", IDNA, "Check the spelling.", id="surrogate"),
        pytest.param(
            "xn--a.de",
            "xn--a is not an encoded international name (RFC 3492).",
            "Type the name in its own script.",
            id="xn-control",
        ),
        pytest.param(
            "xn--99999999.de",
            "xn--99999999 is not an encoded international name (RFC 3492).",
            "Type the name in its own script.",
            id="xn-overflow",
        ),
        pytest.param("xn--example-.de", CHARACTERS, "Correct the name.", id="xn-dash-last"),
        pytest.param("https://shop.example.com/a?b#c", URL, "Type only the name: shop.example.com", id="url"),
        pytest.param(
            "HTTP://user:pw@Shop.example.com:8080", URL, "Type only the name: shop.example.com", id="url-with-all"
        ),
        pytest.param("//shop.example.com", URL, "Type only the name: shop.example.com", id="no-scheme"),
        pytest.param("shop.example.com/", URL, "Type only the name: shop.example.com", id="path"),
        pytest.param("shop.example.com:443", URL, "Type only the name: shop.example.com", id="port"),
        pytest.param("admin@example.com", URL, "Type only the name: example.com", id="mail"),
        pytest.param("https://münchen.de/", URL, "Type only the name: münchen.de", id="idn-url"),
        pytest.param("https://[2001:db8::1]:8443/", URL, "Type only the name: 2001:db8::1", id="ipv6-url"),
        pytest.param("192.0.2.7:443", URL, "Type only the name: 192.0.2.7", id="ipv4-port"),
        pytest.param("https://*.example.com", URL, "Type only the name: *.example.com", id="wildcard-url"),
        pytest.param("https:///x", URL, "Type only the name.", id="url-without-host"),
        pytest.param("http://\x1b]0;evil\x07.com/", URL, "Type only the name.", id="hostile-url"),
        pytest.param("a" + ":1" * 50_000, URL, "Type only the name.", id="endless-ports"),
        pytest.param("1.2.3", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="three-numbers"),
        pytest.param("1.2.3.4.5", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="five-numbers"),
        pytest.param("256.1.1.1", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="256"),
        pytest.param("010.0.0.1", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="octal"),
        pytest.param("0x7f.1", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="short-form"),
        pytest.param("127.0.0.0x1", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="hex"),
        pytest.param("2130706433", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="one-number"),
        pytest.param("*.192.0.2.7", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="wildcard-address"),
        pytest.param("example.123", ADDRESS, "An IPv4 address has four numbers from 0 to 255.", id="number-last"),
        pytest.param(
            "0.0.0.0", "It means all addresses of a machine.", "Use the address that clients connect to.", id="any-4"
        ),
        pytest.param(
            "::", "It means all addresses of a machine.", "Use the address that clients connect to.", id="any-6"
        ),
        pytest.param("::ffff:192.0.2.7", "It is an IPv4 address written as IPv6.", "Type 192.0.2.7.", id="mapped"),
        pytest.param(
            "fe80::1%eth0",
            "An address with a zone is valid on only one machine.",
            "Use an address that other machines can reach.",
            id="zone",
        ),
    ],
)
def test_what_is_no_name_is_refused(text: str, why: str, fix: str) -> None:
    """Each refusal says what is wrong and what to type instead."""
    with pytest.raises(BadIdentifier) as refused:
        parse_identifier(text)
    assert (refused.value.code, refused.value.why, refused.value.fix) == ("bad-identifier", why, fix)


@pytest.mark.parametrize(
    "text", ["a\x1b[31m.com", "a\u202eb.com", "a\x00.com", "http://\x1b]52;c;x\x07/", "[b]x[/b].com", "\udc80"]
)
def test_a_refusal_shows_nothing_hostile(text: str) -> None:
    """Terminal codes and bidirectional characters of what was typed do not come back in the refusal."""
    with pytest.raises(BadIdentifier) as refused:
        parse_identifier(text)
    assert str(refused.value).isprintable()
    assert str(refused.value.details).isprintable()


def refusal_of(text: str) -> BadIdentifier | None:
    """Return the refusal of a text, or None after having looked at the name that it was taken for."""
    try:
        found = parse_identifier(text)
    except BadIdentifier as refused:
        return refused
    assert found.value.isascii()
    assert found.value == found.value.lower().strip(". ")
    assert found.display.isprintable()
    assert parse_identifier(found.value) == found
    assert parse_identifier(found.display) == found
    check_lineage_name(lineage_name_for(found))
    return None


@given(st.text(max_size=80) | st.text(alphabet="abAB-_.*:/@xn01ü。 ", min_size=1, max_size=40))
def test_any_text_is_a_name_or_a_refusal(text: str) -> None:
    """Whatever is typed, it is a clean name or refused in plain words; a name that was understood is understood again."""
    refused = refusal_of(text)
    assert refused is None or str(refused).isprintable()


def values(*texts: str) -> list[str]:
    return [identifier.value for identifier in parse_identifiers(texts)]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        pytest.param(["b.de", "a.de"], ["b.de", "a.de"], id="order-kept"),
        pytest.param(["b.de, a.de;c.de\nd.de\te.de"], ["b.de", "a.de", "c.de", "d.de", "e.de"], id="separators"),
        pytest.param(["a.de", "A.DE.", "a.de, a.de"], ["a.de"], id="duplicates"),
        pytest.param(["münchen.de", "xn--mnchen-3ya.de"], ["xn--mnchen-3ya.de"], id="same-in-two-spellings"),
        pytest.param(["::1", "0:0::1", "192.0.2.7"], ["::1", "192.0.2.7"], id="same-address"),
        pytest.param(["a.de", "*.a.de"], ["a.de", "*.a.de"], id="wildcard-beside"),
        pytest.param([" a.de ,", ", b.de"], ["a.de", "b.de"], id="stray-commas"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_list_is_taken_apart(texts: list[str], wanted: list[str]) -> None:
    """Names are split, each is taken once, and the first one given stays the first (SO-16, SO-17)."""
    assert values(*texts) == wanted


def test_every_problem_is_said_at_once() -> None:
    """Several bad names are refused together, each with its own reason."""
    with pytest.raises(BadIdentifier) as refused:
        parse_identifiers(["good.de", "a_b.de, https://shop.de/", "1.2.3"])
    error = refused.value
    assert error.what == "3 names cannot be in a certificate."
    assert error.why == (
        f"'a_b.de': Host names must not contain underscores. 'https://shop.de/': {URL} '1.2.3': {ADDRESS}"
    )
    assert "Type only the name: shop.de" in error.fix
    problems = error.details["problems"]
    assert isinstance(problems, list)
    assert [each["name"] for each in problems] == ["a_b.de", "https://shop.de/", "1.2.3"]
    assert all(each["why"] and each["fix"] for each in problems)


def test_very_many_problems_stay_readable() -> None:
    """A thousand bad names give a message of a few lines and all the details."""
    with pytest.raises(BadIdentifier) as refused:
        parse_identifiers([f"bad_{number}.de" for number in range(1000)])
    assert refused.value.what == "1000 names cannot be in a certificate."
    assert refused.value.why.endswith(" And 992 more.")
    assert len(str(refused.value)) < 1000
    assert len(refused.value.details["problems"]) == 1000


def test_an_empty_name_in_a_list_is_refused() -> None:
    """An empty argument is a slip, and not the same as none."""
    with pytest.raises(BadIdentifier) as refused:
        parse_identifiers(["a.de", ""])
    assert refused.value.what == "A name is empty."


@pytest.mark.parametrize(
    ("text", "challenge", "wanted"),
    [
        ("example.com", "http-01", "www.example.com"),
        ("example.com", "dns-01", "*.example.com"),
        ("example.co.uk", "http-01", "www.example.co.uk"),
        ("example.com.br", "dns-01", "*.example.com.br"),
        ("münchen.de", "http-01", "www.xn--mnchen-3ya.de"),
        ("co.uk", "http-01", None),
        ("www.example.com", "http-01", None),
        ("shop.example.com", "http-01", None),
        ("shop.example.de", "dns-01", None),
        ("*.example.com", "dns-01", None),
        ("192.0.2.7", "http-01", None),
        ("::1", "dns-01", None),
        ("localhost", "http-01", None),
        ("box.local", "http-01", None),
        ("box.internal", "dns-01", None),
    ],
)
def test_a_companion_is_offered_beside_a_bare_domain(text: str, challenge: str, wanted: str | None) -> None:
    """Beside a bare domain `www.` is offered with HTTP-01 and `*.` with DNS-01; beside anything else nothing."""
    found = companion(parse_identifier(text), challenge)
    assert (found.value if found else None) == wanted
    if found:
        assert parse_identifier(found.value) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("example.com", None),
        ("*.example.com", None),
        ("xn--mnchen-3ya.de", None),
        ("8.8.8.8", None),
        ("2606:4700::1111", None),
        ("box", "box is not a complete name: a public CA requires a domain with a top-level domain."),
        ("*.com", "*.com is not a complete name: a public CA requires a domain with a top-level domain."),
        ("localhost", "localhost is not a complete name: a public CA requires a domain with a top-level domain."),
        ("nas.local", "nas.local ends in .local, which does not exist in the public DNS."),
        ("*.corp.internal", "*.corp.internal ends in .internal, which does not exist in the public DNS."),
        ("box.lan", "box.lan ends in .lan, which does not exist in the public DNS."),
        ("box.home.arpa", "box.home.arpa ends in .arpa, which does not exist in the public DNS."),
        ("box.test", "box.test ends in .test, which does not exist in the public DNS."),
        ("local.example.com", None),
        (
            "ab--cd.de",
            "ab--cd.de has a label with two hyphens in the third and fourth position, which is reserved (RFC 5890).",
        ),
        ("10.0.0.1", "10.0.0.1 is not a public address of one host, so no public CA issues for it."),
        ("127.0.0.1", "127.0.0.1 is not a public address of one host, so no public CA issues for it."),
        ("100.64.0.1", "100.64.0.1 is not a public address of one host, so no public CA issues for it."),
        ("224.0.0.1", "224.0.0.1 is not a public address of one host, so no public CA issues for it."),
        ("fd00::1", "fd00::1 is not a public address of one host, so no public CA issues for it."),
        ("fe80::1", "fe80::1 is not a public address of one host, so no public CA issues for it."),
        ("::1", "::1 is not a public address of one host, so no public CA issues for it."),
        ("ff02::1", "ff02::1 is not a public address of one host, so no public CA issues for it."),
    ],
)
def test_names_that_no_public_ca_vouches_for(text: str, problem: str | None) -> None:
    """Names and addresses of private networks are found before a CA is asked."""
    assert public_problem(parse_identifier(text)) == problem


def digest(domain: str) -> str:
    return hashlib.sha256(domain.encode()).hexdigest()[:8]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop.example.com", "shop.example.com"),
        ("*.example.com", "_wildcard.example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001-db8--1"),
        ("::1", "_--1"),
        (LONGEST, f"{LONGEST[:119]}-{digest(LONGEST)}"),
        (f"{'a' * 63}.{'b' * 60}.com", f"{'a' * 63}.{'b' * 60}.com"),
        (f"{'a' * 63}.{'b' * 61}.com", f"{'a' * 63}.{'b' * 55}-{digest('a' * 63 + '.' + 'b' * 61 + '.com')}"),
    ],
)
def test_a_lineage_has_a_name_of_its_own(text: str, name: str) -> None:
    """A lineage is called after its first domain, `*` as `_wildcard`, cut with a digest where it is longer than 128."""
    assert lineage_name_for(parse_identifier(text)) == name
    check_lineage_name(name)


def test_long_domains_do_not_share_a_name() -> None:
    """Two long domains that begin alike give two lineages."""
    first, second = (lineage_name_for(parse_identifier(LONGEST[:-1] + last)) for last in "xy")
    assert first != second
    assert len(first) <= 128


@pytest.mark.parametrize("name", ["a", "_", "my_domain_com", "Shop.Example-1", "9", "a" * 128, "a..b"])
def test_good_names_pass(name: str) -> None:
    """Letters, digits, underscores, dots and dashes make a name (SO-11)."""
    check_lineage_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../etc",
        "-rf",
        ".hidden",
        "a/b",
        "a b",
        "a\n",
        "a\x00",
        "ü",
        "*",
        "a:b",
        "a" * 129,
        "a\x1b[31m",
        "\u202e",
    ],
)
def test_bad_names_are_refused(name: str) -> None:
    """What could leave its folder, look like an option or upset a terminal is no name (SO-11)."""
    with pytest.raises(BadLineageName) as refused:
        check_lineage_name(name)
    assert refused.value.code == "bad-lineage-name"
    assert str(refused.value).isprintable()


def test_idna_is_loaded_for_international_names_alone() -> None:
    """A plain name costs no import of the IDNA tables."""
    code = (
        "import sys; from core.identifiers import parse_identifier as p; p('*.example.com'); p('::1');"
        "assert 'idna' not in sys.modules; p('ü.de'); assert 'idna' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
