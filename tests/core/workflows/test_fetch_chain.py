"""Missing intermediates fetched from where a certificate says they are: asked for, bounded, and never believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from msgspec.structs import replace

from core.engine import Engine
from core.errors import Cancelled, ConfigError
from core.ports import CancelToken, Response, TransportFailure
from core.upload.values import CsrRequest, ImportRequest, Upload, UploadCheck
from tests.support.appliance import Appliance
from tests.support.authority import Authority, PrivateKey
from tests.support.clock import NOON
from tests.support.transport import Answer, Asked, CannedTransport, reply
from tests.support.uploads import ca, issuer_at, pem, san, sign, upload

NAME = "shop.example.com"
URL = "http://pki.example.com/inter.crt"


@pytest.fixture(scope="module")
def purchased() -> Authority:
    """A CA that sells certificates."""
    return Authority.new("Purchased", now=NOON)


class Web:
    """A box whose system trusts that CA alone, and a network with canned answers."""

    def __init__(self, box: Appliance, bundle: Path) -> None:
        self.box, self.bundle = box, bundle
        self.transport = CannedTransport(reply(404))

    def answers(self, *answers: Answer) -> None:
        self.transport = CannedTransport(*answers)
        variables = {"SSL_CERT_FILE": str(self.bundle)}
        env = replace(self.box.engine.env, variables=variables, transport=lambda _: self.transport)
        self.box.engine = Engine(self.box.paths, env)

    @property
    def asked(self) -> list[str]:
        return [each.url for each in self.transport.asked]

    def check(self, given: Upload, *, fetch: bool = True) -> UploadCheck:
        return self.box.engine.check_upload(given, fetch_chain=fetch)


@pytest.fixture
def web(appliance: Appliance, purchased: Authority, tmp_path: Path) -> Web:
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(purchased.root_pem)
    return Web(appliance, bundle)


def leaf(purchased: Authority, *urls: str) -> Upload:
    """Return a certificate of the CA without its chain, that says where its issuer is."""
    key = purchased.leaf([NAME]).key
    intermediate = purchased.intermediate
    certificate = sign(
        NAME,
        key,
        issuer=intermediate.certificate.subject,
        issuer_key=intermediate.key,
        extensions=[san(NAME), (issuer_at(*(urls or (URL,))), False)],
    )
    return upload(pem(certificate))


def chain(check: UploadCheck) -> tuple[str, str]:
    found = next(each for each in check.checks if each.id == "chain")
    return found.status, f"{found.detail} {found.fix}"


def said(check: UploadCheck) -> str:
    """Return everything that is said of the chain."""
    return " ".join((chain(check)[1], *check.notes))


def intermediate_der(purchased: Authority) -> bytes:
    return purchased.intermediate.certificate.public_bytes(Encoding.DER)


def test_nothing_is_fetched_unasked(web: Web, purchased: Authority) -> None:
    """Without the switch the address is named, with how to have it fetched, and nobody is asked."""
    web.answers(reply(200, intermediate_der(purchased)))
    status, words = chain(web.check(leaf(purchased), fetch=False))
    assert status == "warn"
    assert URL in words
    assert "--fetch-chain" in words
    assert web.asked == []


@pytest.mark.parametrize("form", ["der", "pem", "pkcs7"])
def test_the_missing_one_is_fetched(web: Web, purchased: Authority, form: str) -> None:
    """An intermediate as DER, PEM or PKCS#7 completes the chain, the note says where it is from, and the import stores it."""
    certificate = purchased.intermediate.certificate
    body = {
        "der": intermediate_der(purchased),
        "pem": purchased.chain_pem,
        "pkcs7": pkcs7.serialize_certificates([certificate, purchased.root.certificate], Encoding.DER),
    }[form]
    web.answers(reply(200, body))
    check = web.check(leaf(purchased))
    assert chain(check)[0] == "pass"
    assert "was added from the URL in the certificate" in said(check)
    assert web.asked == [URL]
    assert web.transport.is_closed


def test_an_import_stores_what_was_fetched(web: Web, purchased: Authority) -> None:
    """`import` with the switch serves leaf and intermediate."""
    web.answers(reply(200, intermediate_der(purchased)))
    made = web.box.engine.make_csr(CsrRequest("shop", [NAME]))
    from tests.support.uploads import answer_to

    answer = upload(answer_to(made.pem, purchased, chain=False, urls=[URL]))
    web.box.engine.import_upload(ImportRequest(name="shop", upload=answer, fetch_chain=True))
    assert web.box.live("shop").endswith(purchased.chain_pem)


def test_a_complete_chain_asks_nobody(web: Web, purchased: Authority) -> None:
    """Where nothing is missing nothing is fetched, and of a self-signed certificate nothing either."""
    web.answers(reply(200, b""))
    whole = leaf(purchased)
    web.check(replace(whole, parts=(*whole.parts, *upload(purchased.chain_pem).parts)))
    from tests.support.authority import self_signed

    web.check(upload(self_signed([NAME], now=NOON).certificate_pem))
    assert web.asked == []


def test_level_by_level(web: Web, purchased: Authority) -> None:
    """Each certificate names the next one up; four levels are fetched, not more."""
    above: tuple = (purchased.root.certificate, purchased.root.key)
    made: dict[str, bytes] = {}
    key: PrivateKey
    for number in range(6, 0, -1):
        more = [(issuer_at(f"http://pki.example.com/{number + 1}"), False)]
        certificate, key = ca(f"Level {number}", above=above, more=more)
        made[f"http://pki.example.com/{number}"] = pem(certificate)
        above = (certificate, key)
    site = purchased.leaf([NAME]).key
    certificate = sign(
        NAME,
        site,
        issuer="Level 1",
        issuer_key=above[1],
        extensions=[san(NAME), (issuer_at("http://pki.example.com/1"), False)],
    )
    web.answers(lambda asked: reply(200, made[asked.url]))
    check = web.check(upload(pem(certificate)))
    assert web.asked == [f"http://pki.example.com/{number}" for number in (1, 2, 3, 4)]
    assert check.certificate is not None
    assert check.certificate.chain_length == 4
    assert chain(check)[0] == "warn"


def test_what_has_not_signed_is_not_used(web: Web, purchased: Authority) -> None:
    """A certificate of the issuer's name that another key signed with is of no use, and that is said."""
    web.answers(reply(200, Authority.new("Purchased", now=NOON).chain_pem))
    check = web.check(leaf(purchased))
    assert chain(check)[0] == "warn"
    assert "did not sign" in said(check)
    assert check.certificate is not None
    assert not check.certificate.chain


def test_what_was_fetched_is_not_trusted(web: Web, purchased: Authority) -> None:
    """A root that comes along makes nobody trust it."""
    other = Authority.new("Unknown", now=NOON)
    bundle = pkcs7.serialize_certificates([other.intermediate.certificate, other.root.certificate], Encoding.DER)
    web.answers(reply(200, bundle))
    status, words = chain(web.check(leaf(other)))
    assert status == "warn"
    assert "not in this box's trust store" in words


def redirect(location: str, status: int = 302) -> Response:
    return reply(status, b"", location=location)


def test_redirects(web: Web, purchased: Authority) -> None:
    """Three redirects are followed, relative ones too; not a fourth."""
    web.box.host.known |= {"cdn.example.com": ["93.184.216.34"]}
    good = reply(200, intermediate_der(purchased))
    web.answers(redirect("/a", 301), redirect("https://cdn.example.com/b", 307), redirect("c", 308), good)
    assert chain(web.check(leaf(purchased)))[0] == "pass"
    assert web.asked == [URL, "http://pki.example.com/a", "https://cdn.example.com/b", "https://cdn.example.com/c"]
    web.answers(redirect("/again"))
    assert "more than 3 redirects" in said(web.check(leaf(purchased)))
    assert len(web.asked) == 4


@pytest.mark.parametrize(
    ("url", "addresses", "words"),
    [
        ("ldap://pki.example.com/x", [], "only http and https"),
        ("file:///etc/passwd", [], "only http and https"),
        ("http://user:pw@pki.example.com/", [], "not a valid URL"),
        ("http://[::1", [], "not a valid URL"),
        ("http://pki.example.com:port/", [], "not a valid URL"),
        ("http://pki.example.com/a b", [], "not a valid URL"),
        ("http://169.254.169.254/latest", [], "link-local, multicast or unspecified"),
        ("http://[fe80::1]/", [], "link-local, multicast or unspecified"),
        ("http://[::ffff:169.254.169.254]/", [], "link-local, multicast or unspecified"),
        ("http://0.0.0.0/", [], "link-local, multicast or unspecified"),
        ("http://meta.example.com/", ["169.254.169.254"], "link-local, multicast or unspecified"),
        ("http://meta.example.com/", ["93.184.216.34", "fe80::1"], "link-local, multicast or unspecified"),
    ],
)
def test_addresses_that_are_not_asked(
    web: Web, purchased: Authority, url: str, addresses: list[str], words: str
) -> None:
    """Other schemes, broken addresses, and those where clouds keep secrets are never asked, named or redirected to."""
    web.box.host.known["meta.example.com"] = addresses
    web.answers(reply(200, intermediate_der(purchased)))
    notes = said(web.check(leaf(purchased, url)))
    assert words in notes
    assert web.asked == []
    web.answers(redirect(url))
    assert words in said(web.check(leaf(purchased)))
    assert web.asked == [URL]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "192.168.0.1", "::ffff:10.0.0.1"])
def test_private_networks(web: Web, purchased: Authority, address: str) -> None:
    """A PKI in a closed network may be named by a certificate; a redirect from outside does not lead there."""
    web.box.host.known |= {"pki.example.com": [address], "public.example.com": ["93.184.216.34"]}
    good = reply(200, intermediate_der(purchased))
    web.answers(redirect("/moved"), good)
    assert chain(web.check(leaf(purchased)))[0] == "pass"
    host = f"[{address}]" if ":" in address else address
    for location in (URL, f"http://{host}/x"):
        web.answers(redirect(location), good)
        assert "private network" in said(web.check(leaf(purchased, "http://public.example.com/")))
        assert web.asked == ["http://public.example.com/"]


def slow(web: Web, seconds: float) -> Callable[[Asked], Response]:
    def answer(_asked: Asked) -> Response:
        web.box.clock.sleep(seconds, CancelToken())
        return redirect("/again")

    return answer


def test_bounds(web: Web, purchased: Authority) -> None:
    """64 KiB and ten seconds are enough for all of it; an error and a server that cannot be reached are said."""
    web.answers(reply(200, b"x" * (64 * 1024 + 1)))
    assert "larger than 64 KiB" in said(web.check(leaf(purchased)))
    web.answers(slow(web, 6))
    assert "longer than 10 seconds" in said(web.check(leaf(purchased)))
    assert len(web.asked) == 2
    web.answers(reply(404))
    assert "status 404" in said(web.check(leaf(purchased)))
    web.answers(TransportFailure("unreachable", "pki.example.com cannot be reached: no route to host."))
    assert "no route to host" in said(web.check(leaf(purchased)))
    web.answers(reply(200, b"<html>"))
    assert "is not a certificate" in said(web.check(leaf(purchased)))


def test_the_second_address_is_tried(web: Web, purchased: Authority) -> None:
    """Where LDAP is named first, as Windows does it, the web address behind it is asked."""
    web.answers(reply(200, intermediate_der(purchased)))
    assert chain(web.check(leaf(purchased, "ldap:///CN=x", URL)))[0] == "pass"


def test_a_certificate_that_names_nothing(web: Web, purchased: Authority) -> None:
    """Where the certificate names no address, that is said."""
    web.answers(reply(200, b""))
    bare = upload(purchased.leaf([NAME]).certificate_pem)
    assert "does not contain the URL" in said(web.check(bare))


def test_nothing_of_it_reaches_a_terminal(web: Web, purchased: Authority) -> None:
    """Addresses and the network's words are shown without what a terminal would obey."""
    web.answers(TransportFailure("unreachable", "\x1b]0;x\x07 broke"), redirect("http://\x1b[31mx/"))
    notes = said(web.check(leaf(purchased, URL, f"{URL}?2")))
    assert notes
    assert not {"\x1b", "\x07"} & set(notes)


def test_a_machine_that_trusts_nobody(web: Web, purchased: Authority) -> None:
    """Where no connection can be made at all the check says so, and gives its other answers."""

    def refuse(_bundle: str | None) -> CannedTransport:
        raise ConfigError("This box has no trusted CA certificates.", "None is installed.", "Install some.")

    web.answers(reply(404))
    web.box.engine = Engine(web.box.paths, replace(web.box.engine.env, transport=refuse))
    assert "The download failed: This box has no trusted" in said(web.check(leaf(purchased)))


def test_it_can_be_stopped(web: Web, purchased: Authority) -> None:
    """An import that somebody stops fetches nothing more and changes nothing."""
    web.answers(reply(200, intermediate_der(purchased)))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        web.box.engine.import_upload(
            ImportRequest(name="shop", upload=leaf(purchased), fetch_chain=True), cancel=cancel
        )
    assert web.asked == []
