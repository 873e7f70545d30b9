"""Signing requests through the whole engine: made, kept, shown again, answered by the certificate that comes back (CL-15)."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from msgspec.structs import replace

from core.engine import Engine
from core.errors import (
    AlreadyThere,
    CertdeckError,
    ConfigTestFailed,
    MasterKeyMissing,
    NotFound,
    StoreCorrupt,
    UsageError,
)
from core.events import KeyUsed
from core.ports import Completed
from core.upload.values import CsrRequest, ImportRequest, SigningRequest, UploadCheck
from tests.support.appliance import Appliance
from tests.support.authority import Authority, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import answer_to, pem, upload

SHOP = ["shop.example.com", "www.shop.example.com"]


@pytest.fixture(scope="module")
def purchased() -> Authority:
    """A CA that sells certificates."""
    return Authority.new("Purchased", now=NOON)


@pytest.fixture
def box(appliance: Appliance, purchased: Authority, tmp_path: Path) -> Appliance:
    """A box whose system trusts that CA alone."""
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(purchased.root_pem)
    env = replace(appliance.engine.env, variables={"SSL_CERT_FILE": str(bundle)})
    appliance.engine = Engine(appliance.paths, env)
    return appliance


def files_of(box: Appliance, name: str) -> list[str]:
    return sorted(path.name for path in (box.paths.requests / name).glob("*"))


def note(check: UploadCheck) -> str:
    return " ".join(check.notes)


def test_the_key_stays_on_the_box(box: Appliance) -> None:
    """A request names what was asked for; its key lies sealed beside it, in private files, and in no output."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP, subject="O=Acme,C=DE"), report=box.told.append)
    csr = x509.load_pem_x509_csr(made.pem.encode())
    assert csr.subject.rfc4514_string() == "CN=shop.example.com,O=Acme,C=DE"
    assert (made.domains, made.key_type, made.subject, made.is_new) == (tuple(SHOP), "ec-256", "C=DE,O=Acme", True)
    assert files_of(box, "shop")[1:] == ["request.json"]
    for path in (box.paths.requests / "shop").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"PRIVATE KEY" not in path.read_bytes()
    assert (box.paths.requests / "shop").stat().st_mode & 0o777 == 0o700
    assert "PRIVATE KEY" not in repr(made) + repr(box.told)


def test_asked_again_it_is_the_same(box: Appliance) -> None:
    """The same name and domains, in any order, give the same request; it is listed and shown by name, also by another process."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP, key_type="rsa-2048", subject="O=Acme"))
    same = replace(made, is_new=False)
    assert box.engine.make_csr(CsrRequest("shop", reversed_names := SHOP[::-1])) == same
    assert box.engine.make_csr(CsrRequest("shop", reversed_names, key_type="rsa-2048", subject="O=Acme")) == same
    assert box.reopened().csrs() == (same,)
    assert box.engine.csr("shop") == same


@pytest.mark.parametrize("other", [{"domains": ["other.example.com"]}, {"key_type": "ec-384"}, {"subject": "O=Other"}])
def test_another_one_of_the_name_needs_a_word(box: Appliance, other: dict[str, object]) -> None:
    """A request for something else is refused as long as one is open, and with `replace` has a new key; the old key is gone."""
    first = box.engine.make_csr(CsrRequest("shop", SHOP))
    asked: dict[str, object] = {"domains": SHOP, **other}
    with pytest.raises(AlreadyThere) as caught:
        box.engine.make_csr(CsrRequest("shop", **asked))
    assert caught.value.details["needs"] == "replace"
    assert "--replace" in caught.value.fix
    assert box.engine.csr("shop") == replace(first, is_new=False)
    second = box.engine.make_csr(CsrRequest("shop", **asked, replace=True))
    assert second.pem != first.pem
    assert len(files_of(box, "shop")) == 2


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("../x", {"domains": SHOP}),
        ("shop", {"domains": ["not a*name"]}),
        ("shop", {"domains": SHOP, "key_type": "dsa"}),
        ("shop", {"domains": SHOP, "subject": "nonsense"}),
    ],
)
def test_what_cannot_be_asked_for(box: Appliance, name: str, asked: dict[str, object]) -> None:
    """A name, domain, key type or subject that cannot be is refused, and nothing is made."""
    with pytest.raises(UsageError):
        box.engine.make_csr(CsrRequest(name, **asked))
    assert not box.paths.requests.exists()


def test_advice(box: Appliance) -> None:
    """A wildcard without its bare domain and a name that no public CA signs are said (CL-14)."""
    alone = box.engine.make_csr(CsrRequest("a", ["*.example.com"]))
    assert alone.advice == (
        "*.example.com does not cover example.com itself: request both, unless example.com is not in use.",
    )
    assert box.engine.make_csr(CsrRequest("b", ["*.example.com", "example.com"])).advice == ()
    assert "private CA" in box.engine.make_csr(CsrRequest("c", ["box.local"])).advice[0]


def test_it_can_be_forgotten(box: Appliance) -> None:
    """A request that nothing comes for is removed with its key; another time there is none."""
    box.engine.make_csr(CsrRequest("shop", SHOP))
    box.engine.remove_csr("shop")
    assert box.engine.csrs() == ()
    assert not (box.paths.requests / "shop").exists()
    for missing in (box.engine.csr, box.engine.remove_csr):
        with pytest.raises(NotFound):
            missing("shop")


# -- the certificate comes back ----------------------------------------------------------------------------------------------


def test_the_certificate_finds_its_key(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """What comes back needs no key, whatever it is called now; once it is served the request is forgotten (CL-15)."""
    service = box.add_service(tmp_path / "srv")
    made = box.engine.make_csr(CsrRequest("wanted", SHOP))
    box.engine.make_csr(CsrRequest("other", ["other.example.com"]))
    answer = upload(answer_to(made.pem, purchased))
    check = box.engine.check_upload(answer)
    key_match = next(each for each in check.checks if each.id == "key-match")
    assert (key_match.status, "the request wanted" in key_match.detail) == ("pass", True)
    assert check.request == "wanted"
    assert check.found == ("1 certificate", "the key on this box", "1 in the chain")
    assert "No key was given; the key on this box, from the request wanted" in note(check)
    done = box.engine.import_upload(ImportRequest(name="shop", upload=answer, targets=("web",)), report=box.told.append)
    assert done.status.version == 1
    assert service.serves is not None
    assert [each.name for each in box.engine.csrs()] == ["other"]
    live = box.paths.live / "shop"
    assert b"PRIVATE KEY" in (live / "privkey.pem").read_bytes()
    assert box.of(KeyUsed)[0].key == "request/wanted"


def test_a_wrong_key_does_not_hide_the_right_one(box: Appliance, purchased: Authority) -> None:
    """Where somebody gives another's key beside it, the request's key is taken all the same, and that is said."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    check = box.engine.check_upload(upload(answer_to(made.pem, purchased), key_pem(make_key())))
    assert check.accepted
    assert "The given key does not match" in note(check)
    assert "Another private key" not in note(check)


def test_after_a_rollback_the_request_stays(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """A certificate that the service did not take can be imported once more, still without a key (ST-41)."""
    service = box.add_service(tmp_path / "srv")
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    answer = upload(answer_to(made.pem, purchased))
    service.test_answers = [Completed(returncode=1, output="no")]
    with pytest.raises(ConfigTestFailed):
        box.engine.import_upload(ImportRequest(name="shop", upload=answer, targets=("web",)))
    assert [each.name for each in box.engine.csrs()] == ["shop"]
    assert box.engine.import_upload(ImportRequest(name="shop", upload=answer, targets=("web",))).status.version == 1
    assert box.engine.csrs() == ()


def test_a_waiting_certificate_answers_its_request_when_it_is_deployed(
    box: Appliance, purchased: Authority, tmp_path: Path
) -> None:
    """What the service did not take at first may go onto it later by `deploy` or the scheduled run: then the request is done."""
    service = box.add_service(tmp_path / "srv")
    made = box.engine.make_csr(CsrRequest("wanted", SHOP))
    service.test_answers = [Completed(returncode=1, output="no")]
    with pytest.raises(ConfigTestFailed):
        box.engine.import_upload(
            ImportRequest(name="shop", upload=upload(answer_to(made.pem, purchased)), targets=("web",))
        )
    assert [each.name for each in box.engine.csrs()] == ["wanted"]
    box.engine.deploy("shop", targets=("web",))
    assert service.serves is not None
    assert box.engine.csrs() == ()
    with pytest.raises(NotFound):
        box.engine.csr("wanted")
    box.engine.make_csr(CsrRequest("other", ["other.example.com"]))
    assert [path.name for path in box.paths.requests.iterdir()] == ["other"]


def test_a_stranger_finds_no_key(box: Appliance, purchased: Authority) -> None:
    """A certificate for another key finds none, and opens none."""
    box.engine.make_csr(CsrRequest("shop", SHOP))
    check = box.engine.check_upload(upload(purchased.leaf(SHOP).certificate_pem))
    assert next(each for each in check.checks if each.id == "key-match").status == "skip"


def test_the_request_itself_is_no_certificate(box: Appliance) -> None:
    """Who gives the request instead of what the CA made of it is told so."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    check = box.engine.check_upload(upload(made.pem.encode()))
    assert not check.accepted
    assert "request" in check.checks[0].detail


# -- bad days ----------------------------------------------------------------------------------------------------------------


def test_deleting_a_lineage_leaves_requests_alone(box: Appliance, purchased: Authority) -> None:
    """A lineage of the same name can go; what is still to come for it stays."""
    leaf = purchased.leaf(SHOP)
    box.engine.import_upload(ImportRequest(name="shop", upload=upload(leaf.fullchain_pem, leaf.key_pem)))
    box.engine.make_csr(CsrRequest("shop", SHOP))
    box.engine.delete("shop")
    assert [each.name for each in box.engine.csrs()] == ["shop"]


def test_a_rotation_of_the_vault_takes_the_keys_along(box: Appliance, purchased: Authority) -> None:
    """After every secret was sealed anew the key still opens."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    box.engine.rotate_vault()
    assert box.engine.import_upload(
        ImportRequest(name="shop", upload=upload(answer_to(made.pem, purchased)))
    ).status.sha256


def test_without_the_master_key(box: Appliance, purchased: Authority) -> None:
    """A certificate that matches, with a vault that nobody can open, is a failure of the vault in words, not `no key`."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    box.paths.master_key.unlink()
    with pytest.raises(MasterKeyMissing):
        box.engine.check_upload(upload(answer_to(made.pem, purchased)))
    assert box.engine.check_upload(upload(pem(purchased.leaf(SHOP).certificate))).certificate is not None


@pytest.mark.parametrize("damage", ["request", "key"])
def test_a_damaged_request(box: Appliance, purchased: Authority, damage: str) -> None:
    """A damaged request says what to do, disturbs no other, and can be removed or replaced."""
    made = box.engine.make_csr(CsrRequest("shop", SHOP))
    box.engine.make_csr(CsrRequest("other", ["other.example.com"]))
    folder = box.paths.requests / "shop"
    act = lambda: box.engine.csr("shop")  # noqa: E731
    if damage == "request":
        (folder / "request.json").write_text("{")
    else:
        next(folder.glob("*.sealed")).unlink()
        act = lambda: broken(box, made, purchased)  # noqa: E731
    with pytest.raises(StoreCorrupt) as caught:
        act()
    assert "certdeck csr shop" in caught.value.fix
    assert "other" in [each.name for each in box.engine.csrs()]
    assert box.engine.make_csr(CsrRequest("shop", SHOP, replace=True)).is_new
    box.engine.remove_csr("shop")


def broken(box: Appliance, made: SigningRequest, purchased: Authority) -> SigningRequest:
    box.engine.check_upload(upload(answer_to(made.pem, purchased)))
    return made


def test_after_the_vault_was_begun_anew(box: Appliance) -> None:
    """A request whose key nobody can open any more says so, and is not given out again as if it were good."""
    box.engine.make_csr(CsrRequest("shop", SHOP))
    box.paths.master_key.unlink()
    box.engine.new_vault()
    assert "private key is missing" in box.engine.csr("shop").advice[0]
    with pytest.raises(UsageError) as caught:
        box.engine.make_csr(CsrRequest("shop", SHOP))
    assert caught.value.details["needs"] == "replace"
    assert box.engine.make_csr(CsrRequest("shop", SHOP, replace=True)).advice == ()


def test_errors_are_ours(box: Appliance) -> None:
    """A folder that cannot be read is one of our errors."""
    box.paths.requests.parent.mkdir(parents=True, exist_ok=True)
    box.paths.requests.write_text("a file")
    with pytest.raises(CertdeckError):
        box.engine.csrs()
