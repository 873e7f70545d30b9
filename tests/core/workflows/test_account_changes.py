"""Accounts at CAs: another key, another contact, given up, taken over; killed anywhere, the account is never lost."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from josepy import jwk

from core.acme.account_key import AccountKey
from core.errors import AccountError, AcmeProblem, CertdeckError, DirectoryUnreachable, NotFound, UsageError
from core.events import Changed, KeyUsed
from core.ports import TransportFailure
from core.store.accounts import list_accounts
from core.store.vault import Vault
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.authority import make_key

NAME = "shop.example.com"
LOST = TransportFailure("timeout", "ca.test did not respond within 30 s.")


def vault_names(appliance: Appliance) -> list[str]:
    return [name for name in Vault(appliance.paths, appliance.engine.env).names() if name.startswith("account")]


def thumbprints(appliance: Appliance) -> list[str]:
    """Return what the CA has: the thumbprints of its valid accounts."""
    return [thumb for thumb, account in appliance.ca.accounts.items() if account.get("status", "valid") == "valid"]


def test_a_new_key(appliance: Appliance) -> None:
    """After a rollover the account is the same, its key another one, and orders go on; the log says so."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    after = appliance.engine.roll_over_account("ca", report=appliance.told.append)
    assert (after.url, after.key_type) == (before.url, before.key_type)
    assert after.thumbprint != before.thumbprint
    assert appliance.engine.accounts() == (after,)
    assert len(vault_names(appliance)) == 1
    appliance.issue("new.example.com")
    assert len(appliance.ca.accounts) == 1
    assert any("new key" in event.what for event in appliance.of(Changed) if isinstance(event, Changed))


def test_listing_opens_no_key(appliance: Appliance) -> None:
    """The thumbprint is kept with the account: a list needs no master key and leaves no trace of a key's use."""
    appliance.issue(NAME)
    shown = appliance.engine.accounts()
    assert shown[0].thumbprint
    appliance.paths.master_key.unlink()
    assert appliance.engine.accounts() == shown
    assert [e for e in appliance.engine.log() if e.kind == "key-used" and "thumbprint" in str(e.facts)] == []


def test_a_record_of_an_older_release_still_has_its_thumbprint(appliance: Appliance) -> None:
    """Where none was kept the key is opened for it, and that is in the log."""
    appliance.issue(NAME)
    [shown] = appliance.engine.accounts()
    [file] = appliance.paths.accounts.glob("*.json")
    raw = json.loads(file.read_text())
    file.write_text(json.dumps({key: raw[key] for key in raw if key not in ("thumbprint", "key_type")}))
    assert appliance.engine.accounts() == (shown,)


def test_one_damaged_account_leaves_the_others_in_the_list(appliance: Appliance) -> None:
    """A list failed whole for one record that could not be read."""
    appliance.issue(NAME)
    (appliance.paths.accounts / "other-12345678.json").write_text("{")
    assert [each.issuer for each in appliance.engine.accounts()] == ["ca"]


@pytest.mark.parametrize("is_done", [True, False])
def test_a_reply_that_was_lost(appliance: Appliance, is_done: bool) -> None:
    """When nobody knows whether the CA changed the key both are kept, and the next use finds out which one holds."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    appliance.ca.fail("/key-change", LOST, after=is_done)
    appliance.ca.fail("/new-account", LOST, times=99)
    with pytest.raises(DirectoryUnreachable):
        appliance.engine.roll_over_account("ca")
    assert len(vault_names(appliance)) == 2
    appliance.ca._script.clear()
    appliance.issue("new.example.com")
    [after] = appliance.engine.accounts()
    assert after.url == before.url
    assert (after.thumbprint != before.thumbprint) is is_done
    assert len(vault_names(appliance)) == 1
    assert len(appliance.ca.accounts) == 1


def test_a_refused_rollover_changes_nothing(appliance: Appliance) -> None:
    """A CA that refuses the new key leaves the old one, and nothing of the new one stays."""
    appliance.issue(NAME)
    before = appliance.engine.accounts()
    appliance.ca.fail("/key-change", problem("unauthorized", 403, "no"))
    with pytest.raises((AcmeProblem, AccountError)):
        appliance.engine.roll_over_account("ca")
    assert appliance.engine.accounts() == before
    assert len(vault_names(appliance)) == 1
    appliance.issue("new.example.com")


class Killed(BaseException):
    """Ends an operation as kill -9 would: nothing is put in order afterwards."""


@pytest.mark.parametrize("write", range(1, 8))
def test_a_rollover_that_dies_anywhere(appliance: Appliance, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """Dead before any of its writes, the account is still usable: with the old key or the new one, as the CA has it."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    really, seen = os.replace, 0

    def dies(source: str, target: str) -> None:
        nonlocal seen
        if "account" in os.fspath(target):
            seen += 1
            if seen == write:
                raise Killed
        really(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with suppress(Killed):
            appliance.engine.roll_over_account("ca")
    appliance.reopened()
    appliance.issue("new.example.com")
    [after] = appliance.engine.accounts()
    assert after.url == before.url
    assert len(appliance.ca.accounts) == 1
    assert len(vault_names(appliance)) == 1


def test_a_contact(appliance: Appliance) -> None:
    """The CA gets the new address, the list shows it, and the configuration's own address follows; none is possible, too."""
    appliance.configure("")
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text.replace("agree_tos = true", 'agree_tos = true\nemail = "old@example.com"'))
    appliance.issue(NAME)
    assert appliance.engine.set_account_contact("ca", "new@example.com").contact == "new@example.com"
    assert appliance.engine.accounts()[0].contact == "new@example.com"
    assert appliance.engine.config().issuers["ca"].email == "new@example.com"
    assert [each["contact"] for each in appliance.ca.accounts.values()] == [["mailto:new@example.com"]]
    assert appliance.engine.set_account_contact("ca", None).contact is None
    assert appliance.engine.config().issuers["ca"].email is None


@pytest.mark.parametrize("email", ["", "nobody", "a@b, c@d", "a@b\nc", "<a@b>", "a b@c"])
def test_what_is_no_address_is_refused(appliance: Appliance, email: str) -> None:
    """A contact that cannot be one is refused before the CA is asked."""
    appliance.issue(NAME)
    asked = len(appliance.ca.asked)
    with pytest.raises(UsageError):
        appliance.engine.set_account_contact("ca", email)
    assert len(appliance.ca.asked) == asked


def test_given_up(appliance: Appliance) -> None:
    """A deactivated account is gone here, too, and the next order makes a new one."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    appliance.engine.deactivate_account("ca")
    assert appliance.engine.accounts() == ()
    assert vault_names(appliance) == []
    appliance.issue("new.example.com")
    assert appliance.engine.accounts()[0].url != before.url


def test_giving_up_can_be_repeated(appliance: Appliance) -> None:
    """Dead between the CA's answer and forgetting it here, the next try ends it instead of failing for ever."""
    appliance.issue(NAME)
    kept = {path: path.read_bytes() for path in (*appliance.paths.accounts.iterdir(), *appliance.paths.vault.iterdir())}
    appliance.engine.deactivate_account("ca")
    for path, content in kept.items():
        path.write_bytes(content)
    appliance.engine.deactivate_account("ca")
    assert appliance.engine.accounts() == ()


def foreign(appliance: Appliance, tmp_path: Path) -> AccountKey:
    """Make an account at the CA as another client would, and return its key."""
    other = Appliance(tmp_path / "other")
    other.ca = appliance.ca
    other.engine = other.reopened()
    other.issue("theirs.example.com", email="theirs@example.com")
    [record] = list_accounts(other.paths)
    return AccountKey.from_pem(Vault(other.paths, other.engine.env).get(record.key_record))


def as_jwk(key: AccountKey) -> bytes:
    return json.dumps(key._jwk.to_json()).encode()


@pytest.mark.parametrize("form", ["pkcs8", "jwk"])
def test_another_clients_account(appliance: Appliance, tmp_path: Path, form: str) -> None:
    """The account of a key that certbot, lego or acme.sh made is used from now on: no second account is made."""
    key = foreign(appliance, tmp_path)
    text = key.to_pem() if form == "pkcs8" else as_jwk(key)
    taken = appliance.engine.import_account("ca", text, report=appliance.told.append)
    assert (taken.thumbprint, taken.contact) == (key.thumbprint, "theirs@example.com")
    appliance.issue(NAME)
    assert len(appliance.ca.accounts) == 1
    assert len(vault_names(appliance)) == 1
    assert any(isinstance(event, KeyUsed) for event in appliance.events)


def test_certbots_rsa_key(appliance: Appliance) -> None:
    """certbot's private_key.json is a JWK of an RSA key: it is read, and a CA that does not know it says so."""
    key = AccountKey.generate("rsa-2048")
    assert set(json.loads(as_jwk(key))) >= {"kty", "n", "e", "d"}
    with pytest.raises(AccountError, match="no account for this key"):
        appliance.engine.import_account("ca", as_jwk(key))
    assert appliance.engine.accounts() == ()
    assert vault_names(appliance) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{}",
        b"[" * 9000,
        b'{"kty": "oct", "k": "AAAA"}',
        b'{"kty": "RSA", "n": "x", "e": "AQAB"}',
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"\xff\xfe",
    ],
    ids=["empty", "half", "nothing", "nested", "symmetric", "public", "pem", "binary"],
)
def test_what_is_no_account_key_is_refused(appliance: Appliance, text: bytes) -> None:
    """A file without a private key that an account can have is refused in words, and the CA is not asked."""
    with pytest.raises(AccountError) as said:
        appliance.engine.import_account("ca", text)
    assert said.value.code == "account-error"
    assert appliance.ca.asked == []


def test_a_public_key_alone_is_refused(appliance: Appliance) -> None:
    """A JWK without its private half proves nothing to a CA."""
    public = jwk.JWKRSA(key=make_key("rsa-2048")).public_key().to_json()
    with pytest.raises(AccountError):
        appliance.engine.import_account("ca", json.dumps(public).encode())
    assert appliance.ca.asked == []


def test_an_account_is_not_replaced_unasked(appliance: Appliance, tmp_path: Path) -> None:
    """Where there is an account already, another one needs --replace, and the key of the one before is kept."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    key = foreign(appliance, tmp_path)
    with pytest.raises(UsageError, match="already"):
        appliance.engine.import_account("ca", key.to_pem())
    assert appliance.engine.accounts() == (before,)
    assert appliance.engine.import_account("ca", key.to_pem(), replace=True).url != before.url
    assert len(list(appliance.paths.set_aside.iterdir())) == 1
    appliance.issue("new.example.com")
    assert appliance.engine.import_account("ca", key.to_pem()).thumbprint == key.thumbprint


@pytest.mark.parametrize("write", range(1, 8))
def test_a_takeover_that_dies_anywhere(
    appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """Dead before any of its writes, orders go on with the old account or the new one, and with the key that it has."""
    appliance.issue(NAME)
    key = foreign(appliance, tmp_path)
    really, seen = os.replace, 0

    def dies(source: str, target: str) -> None:
        nonlocal seen
        if "account" in os.fspath(target):
            seen += 1
            if seen == write:
                raise Killed
        really(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with suppress(Killed):
            appliance.engine.import_account("ca", key.to_pem(), replace=True)
    appliance.issue("new.example.com")
    assert len(appliance.ca.accounts) == 2
    appliance.engine.import_account("ca", key.to_pem(), replace=True)
    assert len(vault_names(appliance)) == 1


@pytest.mark.parametrize("change", ["roll_over_account", "deactivate_account", "import_account", "set_account_contact"])
def test_what_has_no_account_is_said(appliance: Appliance, change: str) -> None:
    """An issuer without an account, one that never has any, and one that does not exist are each said."""
    more = {"import_account": (AccountKey.generate().to_pem(),), "set_account_contact": ("a@example.com",)}.get(
        change, ()
    )
    call = getattr(appliance.engine, change)
    with pytest.raises(CertdeckError) as said:
        call("ca", *more)
    assert isinstance(said.value, NotFound | AccountError)
    with pytest.raises(UsageError):
        call("appliance-ca", *more)
    with pytest.raises(NotFound):
        call("nobody", *more)


def encrypted(key: AccountKey, passphrase: bytes) -> bytes:
    """Return a key as Apache's mod_md keeps it: PKCS#8, encrypted."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    opened = load_pem_private_key(key.to_pem(), None)
    return opened.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))


def test_an_encrypted_key_asks_for_its_passphrase(appliance: Appliance, tmp_path: Path) -> None:
    """A key under a passphrase says that one is needed, or wrong, without showing it, and opens with the right one."""
    key = foreign(appliance, tmp_path)
    text = encrypted(key, b"correct-horse")
    with pytest.raises(AccountError) as needed:
        appliance.engine.import_account("ca", text)
    assert needed.value.details["passphrase"] == "needed"
    with pytest.raises(AccountError) as wrong:
        appliance.engine.import_account("ca", text, passphrase=b"wrong-battery")
    assert wrong.value.details["passphrase"] == "wrong"
    assert "battery" not in f"{wrong.value}{wrong.value.details}"
    assert appliance.ca.asked == [] or vault_names(appliance) == []
    taken = appliance.engine.import_account("ca", text, passphrase=b"correct-horse")
    assert taken.thumbprint == key.thumbprint


def test_the_key_of_mod_md_opens_with_the_value_in_its_store(tmp_path: Path) -> None:
    """What stands in md_store.json is typed as it stands: the passphrase is the bytes behind it."""
    from core.acme.imported_key import is_encrypted, parse_account_key
    from tests.support.other_clients import unpack

    store = unpack("mod_md", tmp_path) / "etc/apache2/md"
    told = json.loads((store / "md_store.json").read_text())["key"]
    for account in sorted((store / "accounts").iterdir()):
        text = (account / "account.pem").read_bytes()
        assert is_encrypted(text)
        assert parse_account_key(text, told.encode()).kind.startswith("rsa-")


def test_the_account_that_is_dropped_is_named(appliance: Appliance, tmp_path: Path) -> None:
    """Replacing an account says which one is no longer used, in the result and in the log."""
    appliance.issue(NAME)
    [before] = appliance.engine.accounts()
    key = foreign(appliance, tmp_path)
    taken = appliance.engine.import_account("ca", key.to_pem(), replace=True, report=appliance.told.append)
    assert taken.replaced == before.url
    assert any(before.url in event.what for event in appliance.of(Changed) if isinstance(event, Changed))
    assert appliance.engine.import_account("ca", key.to_pem(), replace=True).replaced is None
