"""Certificates of other clients, in folders that the real clients left: listed, taken over, and nothing of theirs changed."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from josepy.json_util import decode_b64jose

from core.adoption import Adoptable, Adoption, AdoptRequest
from core.config.load import load_config, load_lineage
from core.errors import NotFound, UsageError
from core.ports import Response, TransportFailure
from core.store import lineages, renewal_state
from core.store.accounts import load_account
from core.x509.pair import pair_problem
from tests.support.appliance import Appliance
from tests.support.authority import Authority
from tests.support.other_clients import unpack
from tests.support.transport import Asked, CannedTransport, reply

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
"""A day after the folders were made."""
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
CLIENTS = ("certbot", "acme.sh", "lego", "dehydrated", "getssl", "uacme", "caddy", "mod_md", "acmetool")


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    """A box at the time of the folders, with nothing set up."""
    made = Appliance(tmp_path / "box", config="")
    made.clock.set(NOW)
    return made


def having(appliance: Appliance, client: str) -> Adoption:
    """Let a client have been here."""
    unpack(client, appliance.root)
    return appliance.engine.adoptable()


def of(found: Adoption, name: str) -> Adoptable:
    [each] = [each for each in found.found if each.name == name]
    return each


def state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return what would show a change below a folder."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            facts = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (facts.st_mtime_ns, facts.st_size, facts.st_mode)
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_everything_of_a_client_is_taken_over(client: str, appliance: Appliance) -> None:
    """A dry run names the steps and writes nothing; then each certificate is live here; a second time nothing changes.

    The client's folder stays as it is. The keys of three thousand bits and more are what takes the time, so it is one test.
    """
    listed = having(appliance, client)
    before, nothing = state(appliance.root), state(appliance.paths.etc.parent)
    assert listed.found

    dry = appliance.engine.adopt(AdoptRequest(every=True, dry_run=True))
    assert state(appliance.paths.etc.parent) == nothing
    assert all(each.version is None for each in dry.adopted)

    done = appliance.engine.adopt(AdoptRequest(every=True))
    assert done.failed == ()
    assert [(each.name, each.steps) for each in dry.adopted] == [(each.name, each.steps) for each in done.adopted]
    assert {each.name for each in done.adopted} == {each.name for each in listed.found if each.state == "new"}
    for each in done.adopted:
        pair = lineages.read_pair(appliance.paths, each.name, lineages.live_version(appliance.paths, each.name) or 0)
        assert pair_problem(pair.fullchain, pair.privkey) == ""
        facts = lineages.read_version(appliance.paths, each.name, pair.version).certificate
        assert facts.sha256 == of(listed, each.name).sha256
        assert load_lineage(appliance.paths, each.name).domains == facts.names
    assert state(appliance.root) == before

    folders = (appliance.paths.etc, appliance.paths.state / "lineages", appliance.paths.state / "vault")
    kept = [state(each) for each in folders]
    again = appliance.engine.adopt(AdoptRequest(every=True))
    assert again.failed == ()
    assert all(each.unchanged for each in again.adopted)
    assert [state(each) for each in folders] == kept


def test_how_certbot_renews_is_read(appliance: Appliance) -> None:
    """CA, account, webroots and hooks come from `renewal/NAME.conf`, a value with quotes and # in it whole."""
    multi = of(having(appliance, "certbot"), "multi.example.org")
    assert multi.names == ("multi.example.org", "other.example.org", "www.multi.example.org") or set(multi.names) == {
        "multi.example.org",
        "www.multi.example.org",
        "other.example.org",
    }
    assert (multi.directory, multi.issuer, multi.is_new_issuer) == (LETS_ENCRYPT, "letsencrypt", False)
    assert multi.webroots == ("/var/www/html", "/var/www/other")
    assert multi.account_url.startswith("https://acme-v02.api.letsencrypt.org/my-account/")
    hooks = {each.kind: each for each in multi.hooks}
    assert hooks["pre"].text == "echo pre"
    assert hooks["pre"].reload == ""
    assert hooks["deploy"].text == 'systemctl reload nginx # "a=b"'
    assert hooks["deploy"].reload == "systemctl reload nginx"


@pytest.mark.parametrize(
    ("client", "name"),
    [("certbot", "staged.example.org"), ("acme.sh", "plain2.example.org"), ("caddy", "staged.example.org")],
)
def test_staging_stays_staging(client: str, name: str, appliance: Appliance) -> None:
    """A certificate of a staging CA is renewed at that staging, never at production."""
    staged = of(having(appliance, client), name)
    assert (staged.directory, staged.issuer, staged.is_staging) == (STAGING, "letsencrypt-staging", True)


@pytest.mark.parametrize("client", ["certbot", "acme.sh", "dehydrated", "caddy", "mod_md", "acmetool"])
def test_the_account_comes_along(client: str, appliance: Appliance) -> None:
    """The account key goes into the vault once, without a URL: the CA says on the next use which account it is."""
    listed = having(appliance, client)
    name = next(each.name for each in listed.found if each.issuer == "letsencrypt" and each.state == "new")
    appliance.engine.adopt(AdoptRequest([name]))
    record = load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT)
    assert record is not None
    assert record.thumbprint
    assert record.url is None
    assert (appliance.paths.state / "vault").is_dir()


def test_an_account_that_is_here_stays(appliance: Appliance) -> None:
    """Where there is an account at that CA already, theirs is not taken, and the command that would do it is named."""
    having(appliance, "certbot")
    appliance.engine.adopt(AdoptRequest(["plain.example.org"]))
    had = load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT)
    shutil.rmtree(appliance.root)
    having(appliance, "acme.sh")
    [done] = appliance.engine.adopt(AdoptRequest(["multi.example.org"])).adopted
    assert load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT) == had
    assert any("certdeck account import letsencrypt" in line for line in done.left)


def test_a_name_that_is_taken_is_refused(appliance: Appliance) -> None:
    """Another certificate of that name stays; the error names the import, and other names go on."""
    having(appliance, "certbot")
    appliance.engine.adopt(AdoptRequest(["plain.example.org"]))
    before = lineages.live_version(appliance.paths, "plain.example.org")
    shutil.rmtree(appliance.root)
    unpack("lego", appliance.root)
    done = appliance.engine.adopt(AdoptRequest(["plain.example.org", "multi.example.org", "nothing"]))
    assert [(each.name, each.code) for each in done.failed] == [
        ("plain.example.org", "already-there"),
        ("nothing", "not-found"),
    ]
    assert [each.name for each in done.adopted] == ["multi.example.org"]
    assert lineages.live_version(appliance.paths, "plain.example.org") == before


def test_a_path_that_a_service_reads_becomes_a_target(appliance: Appliance) -> None:
    """Where acme.sh has installed this very certificate a target with its reload is added; an unknown hook is only named."""
    multi = of(having(appliance, "acme.sh"), "multi.example.org")
    path = appliance.root / "etc/ssl/acme-fullchain.pem"
    assert multi.used_by == (str(path),)
    [done] = appliance.engine.adopt(AdoptRequest(["multi.example.org"])).adopted
    target = load_config(appliance.paths).targets["nginx"]
    assert (target.certificate, target.mode, target.reload) == (str(path), "copy", ("systemctl", "reload", "nginx"))
    assert load_lineage(appliance.paths, "multi.example.org").targets == ("nginx",)
    assert not path.is_symlink()
    assert any("echo reload" in line for line in done.left)


def test_the_timer_is_named_with_what_both_renew(appliance: Appliance) -> None:
    """As long as the other client's timer lives, its line, how to switch it off, and the names of both are said."""
    listed = having(appliance, "acme.sh")
    assert [each.names for each in listed.timers] == [()]
    [timer] = appliance.engine.adopt(AdoptRequest(["multi.example.org"])).timers
    assert timer.names == ("multi.example.org",)
    assert timer.off == "/root/.acme.sh/acme.sh --uninstall-cronjob"
    [later] = appliance.engine.adoptable().timers
    assert later.names == ("multi.example.org",)


def test_a_pair_of_keys_is_two_certificates(appliance: Appliance) -> None:
    """An RSA and an EC certificate of one name are two, each with a name of its own."""
    listed = having(appliance, "acme.sh")
    kinds = {each.name: each.key_type for each in listed.found if each.names == ("plain.example.org",)}
    assert kinds == {"plain.example.org": "ec-256", "plain.example.org-rsa": "rsa-2048"}


def test_expired_and_revoked_ones_are_said(appliance: Appliance) -> None:
    """An expired certificate and a revoked one are taken over, and said to be so."""
    appliance.clock.set(datetime(2027, 6, 1, tzinfo=UTC))
    listed = having(appliance, "acme.sh")
    assert all(each.expired for each in listed.found)
    [done] = appliance.engine.adopt(AdoptRequest(["revoked.example.org"])).adopted
    assert any("expired" in line for line in done.steps)
    assert any("revoked" in line for line in done.steps)
    assert renewal_state.load(appliance.paths, "revoked.example.org").revoked == of(listed, done.name).sha256


def test_an_unknown_ca_is_asked_for(appliance: Appliance) -> None:
    """uacme keeps no CA: without one the certificate is kept and not renewed, with --issuer it is renewed there."""
    having(appliance, "uacme")
    done = appliance.engine.adopt(AdoptRequest(["plain.example.org"]))
    assert load_lineage(appliance.paths, "plain.example.org").issuer == "upload"
    assert any("--issuer" in line for line in done.adopted[0].left)
    appliance.engine.adopt(AdoptRequest(["multi.example.org"], issuer="letsencrypt"))
    assert load_lineage(appliance.paths, "multi.example.org").issuer == "letsencrypt"


def test_another_ca_becomes_an_issuer(appliance: Appliance) -> None:
    """A directory that is not known here is added as an issuer once, and found again by its URL."""
    unpack("certbot", appliance.root)
    for name in ("plain.example.org", "multi.example.org"):
        conf = appliance.root / f"etc/letsencrypt/renewal/{name}.conf"
        conf.write_text(conf.read_text().replace(LETS_ENCRYPT, "https://ca.internal.example/acme/directory"))
    done = appliance.engine.adopt(AdoptRequest(["plain.example.org", "multi.example.org"]))
    assert done.failed == ()
    issuers = load_config(appliance.paths).issuers
    assert {name: each.directory for name, each in issuers.items()} == {
        "ca.internal.example": "https://ca.internal.example/acme/directory"
    }
    assert load_lineage(appliance.paths, "multi.example.org").issuer == "ca.internal.example"


def test_credentials_go_into_the_vault(appliance: Appliance) -> None:
    """A Cloudflare token of certbot's INI becomes a DNS provider; the token is in the vault and in no text."""
    unpack("certbot", appliance.root)
    conf = appliance.root / "etc/letsencrypt/renewal/wild.example.org.conf"
    text = conf.read_text().replace("authenticator = manual", "authenticator = dns-cloudflare")
    conf.write_text(text + "dns_cloudflare_credentials = /root/cf.ini\n".join(["", ""]))
    conf.write_text(
        text.replace("[acme_renewal_info]", "dns_cloudflare_credentials = /root/cf.ini\n[acme_renewal_info]")
    )
    (appliance.root / "root").mkdir(exist_ok=True)
    ini = appliance.root / "root/cf.ini"
    ini.write_text("# a comment\ndns_cloudflare_api_token = abcdefghij0123456789abcdefghij0123456789\n")
    ini.chmod(0o600)
    done = appliance.engine.adopt(AdoptRequest(["wild.example.org"]), report=appliance.told.append)
    lineage = load_lineage(appliance.paths, "wild.example.org")
    assert (lineage.challenge, lineage.dns) == ("dns-01", "cloudflare")
    assert load_config(appliance.paths).dns_providers["cloudflare"].kind == "cloudflare"
    assert "abcdefghij" not in f"{done}{appliance.told}{appliance.paths.config.read_text()}"


def test_saved_credentials_of_acme_sh_are_translated(appliance: Appliance) -> None:
    """What acme.sh has saved in account.conf, under its newer name, becomes a DNS provider."""
    unpack("acme.sh", appliance.root)
    base = appliance.root / "root/.acme.sh"
    conf = base / "wild.example.org_ecc/wild.example.org.conf"
    conf.write_text(conf.read_text().replace("dns_test", "dns_desec"))
    with (base / "account.conf").open("a") as file:
        file.write("SAVED_DEDYN_TOKEN='tokentokentokentokentoken123'\n")
    done = appliance.engine.adopt(AdoptRequest(["wild.example.org"]))
    assert done.failed == ()
    assert load_lineage(appliance.paths, "wild.example.org").dns == "desec"
    assert "tokentoken" not in f"{done}{appliance.paths.config.read_text()}"


def test_a_hostile_folder_stops_nothing(appliance: Appliance) -> None:
    """A pipe, a link out of the folder, rubbish, and a key of another pair each cost one clear sentence; the others are taken."""
    listed = having(appliance, "certbot")
    live = appliance.root / "etc/letsencrypt/live"
    os.unlink(live / "plain.example.org/fullchain.pem")
    os.mkfifo(live / "plain.example.org/fullchain.pem")
    os.unlink(live / "multi.example.org/privkey.pem")
    secret = appliance.root / "secret.pem"
    secret.write_bytes((live / "both-rsa/privkey.pem").read_bytes())
    os.symlink("../../../../secret.pem", live / "multi.example.org/privkey.pem")
    os.unlink(live / "wild.example.org/fullchain.pem")
    (live / "wild.example.org/fullchain.pem").write_bytes(b"\x1b[2Jrubbish")
    os.unlink(live / "both-ecdsa/privkey.pem")
    other = Authority.new(now=NOW).leaf(["x.example.org"])
    (live / "both-ecdsa/privkey.pem").write_bytes(other.key_pem)
    found = appliance.engine.adoptable()
    assert len(found.found) == len(listed.found)
    bad = {each.name for each in found.found if each.state == "unusable"}
    assert bad == {"plain.example.org", "multi.example.org", "wild.example.org", "both-ecdsa"}
    assert "it points outside" in of(found, "multi.example.org").problem
    assert all(each.problem.isprintable() for each in found.found)
    done = appliance.engine.adopt(AdoptRequest([each.name for each in found.found]))
    assert {each.name for each in done.failed} == bad
    assert len(done.adopted) == len(listed.found) - len(bad)


def test_a_folder_can_be_named(appliance: Appliance, tmp_path: Path) -> None:
    """The client's own folder, the home it is in, and the root of another system all work; what is none is refused."""
    root = unpack("acme.sh", tmp_path / "old")
    names = {each.name for each in appliance.engine.adoptable(folder=root).found}
    assert "multi.example.org" in names
    for folder in (root / "root", root / "root/.acme.sh"):
        assert {each.name for each in appliance.engine.adoptable(folder=folder).found} == names
    assert appliance.engine.adoptable(client="lego", folder=root).found == ()
    with pytest.raises(NotFound):
        appliance.engine.adoptable(folder=tmp_path / "nothing")
    with pytest.raises(UsageError):
        appliance.engine.adoptable(client="nothing")


def test_status_and_doctor_name_the_rival(appliance: Appliance) -> None:
    """While acme.sh's line is in the crontab, status and doctor say that both renew, and how to end it; then no longer."""
    having(appliance, "acme.sh")
    assert appliance.engine.status().other_clients == ()
    appliance.engine.adopt(AdoptRequest(["multi.example.org"]))
    [said] = appliance.engine.status().other_clients
    assert "acme.sh and certdeck both renew multi.example.org" in said
    assert said.endswith("/root/.acme.sh/acme.sh --uninstall-cronjob")
    [finding] = [each for each in appliance.engine.doctor() if each.id == "other-client"]
    assert (finding.status, finding.title) == ("warn", "acme.sh")
    assert finding.fix == "Turn it off: /root/.acme.sh/acme.sh --uninstall-cronjob"
    (appliance.root / "var/spool/cron/crontabs/root").unlink()
    assert appliance.engine.status().other_clients == ()
    assert [each for each in appliance.engine.doctor() if each.id == "other-client"] == []


def test_an_encrypted_key_wants_its_passphrase(appliance: Appliance) -> None:
    """A key that is encrypted is taken over with its passphrase only; neither is said anywhere."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    unpack("certbot", appliance.root)
    key = (appliance.root / "etc/letsencrypt/live/plain.example.org/privkey.pem").resolve()
    plain = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"correct-horse")))
    for passphrase, said in ((None, "protected by a passphrase"), (b"wrong-battery", "is wrong")):
        [failed] = appliance.engine.adopt(AdoptRequest(["plain.example.org"], passphrase=passphrase)).failed
        assert said in failed.why
        assert "battery" not in f"{failed}"
    done = appliance.engine.adopt(AdoptRequest(["plain.example.org"], passphrase=b"correct-horse"))
    assert [each.name for each in done.adopted] == ["plain.example.org"]


def test_services_that_read_their_files_are_named(appliance: Appliance) -> None:
    """An nginx that names certbot's live folder is said; one in a comment, or with a longer name, is not."""
    unpack("certbot", appliance.root)
    sites = appliance.root / "etc/nginx/sites-enabled"
    sites.mkdir(parents=True)
    (sites / "shop").write_text(
        "server {\n ssl_certificate /etc/letsencrypt/live/plain.example.org/fullchain.pem;\n}\n"
    )
    (sites / "old").write_text("# ssl_certificate /etc/letsencrypt/live/multi.example.org/fullchain.pem;\n")
    (sites / "more").write_text("ssl_certificate /etc/letsencrypt/live/plain.example.org-0001/fullchain.pem;\n")
    found = appliance.engine.adoptable()
    assert of(found, "plain.example.org").used_by == (str(sites / "shop"),)
    assert of(found, "plain.example.org-0001").used_by == (str(sites / "more"),)
    assert of(found, "multi.example.org").used_by == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account's files")
def test_files_of_another_account_are_taken_by_name_only(appliance: Appliance) -> None:
    """What another account can change decides which account is used at a CA: `--all` leaves it out and says so."""
    unpack("lego", appliance.root)
    for folder, folders, files in os.walk(appliance.root / "root/.lego"):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), 65534, 65534)
    done = appliance.engine.adopt(AdoptRequest(every=True))
    assert done.adopted == ()
    assert "plain.example.org" in done.left_out
    assert any("Another user can change" in note for note in of(done, "plain.example.org").notes)
    assert [each.name for each in appliance.engine.adopt(AdoptRequest(["plain.example.org"])).adopted] == [
        "plain.example.org"
    ]


class CaThatKnows:
    """Let's Encrypt's directory, which knows an account or does not (RFC 8555 §7.3.1)."""

    def __init__(self, appliance: Appliance, answer: Response) -> None:
        base = LETS_ENCRYPT.removesuffix("/directory")
        urls = {"newNonce": "nonce", "newAccount": "new-acct", "newOrder": "new-order", "revokeCert": "revoke"}
        self._directory = reply(200, {key: f"{base}/{path}" for key, path in urls.items()})
        self._answer = answer
        self.transport = CannedTransport(self._answered)
        appliance.vendors["acme-v02.api.letsencrypt.org"] = self.transport

    def _answered(self, asked: Asked) -> Response:
        if asked.url == LETS_ENCRYPT:
            return self._directory
        if asked.method == "HEAD":
            return reply(200, replay_nonce="bm9uY2U")
        return self._answer

    @property
    def questions(self) -> list[dict[str, object]]:
        """What was asked with a key."""
        bodies = [json.loads(each.body or b"") for each in self.transport.asked if each.method == "POST"]
        return [json.loads(decode_b64jose(each["payload"])) for each in bodies]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_ca_is_asked_for_the_account_before_its_key_is_taken(appliance: Appliance, dry_run: bool) -> None:
    """The CA names the account of the key, once for all certificates; nothing is made there."""
    listed = having(appliance, "certbot")
    url = "https://acme-v02.api.letsencrypt.org/acme/acct/77"
    ca = CaThatKnows(appliance, reply(200, {"status": "valid"}, location=url, replay_nonce="bm9uY2U"))
    names = [each.name for each in listed.found if each.issuer == "letsencrypt" and each.state == "new"]
    done = appliance.engine.adopt(AdoptRequest(names, dry_run=dry_run))
    assert any(f"({url})" in step for each in done.adopted for step in each.steps)
    assert ca.questions == [{"onlyReturnExisting": True}]
    record = load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT)
    assert (record is None) if dry_run else (record is not None and record.url == url)


@pytest.mark.parametrize("kind", ["unknown", "deactivated"])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dead_account_is_said_and_its_key_left(appliance: Appliance, kind: str, dry_run: bool) -> None:
    """A key whose account is gone would fail the next renewal: it is left where it is, and what to do is said, dry run or not."""
    having(appliance, "certbot")
    problem = {"type": "urn:ietf:params:acme:error:accountDoesNotExist", "detail": "No account exists", "status": 400}
    where = {"location": "https://acme-v02.api.letsencrypt.org/acme/acct/77", "replay_nonce": "bm9uY2U"}
    gone = reply(400, problem, content_type="application/problem+json", replay_nonce="bm9uY2U")
    CaThatKnows(appliance, gone if kind == "unknown" else reply(200, {"status": "deactivated"}, **where))
    [done] = appliance.engine.adopt(AdoptRequest(["plain.example.org"], dry_run=dry_run)).adopted
    [said] = [line for line in done.left if "account key" in line]
    assert "was not imported" in said
    assert "certdeck issuer agree letsencrypt" in said
    assert load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT) is None
    assert not list(appliance.paths.vault.glob("account*"))


def test_a_ca_that_does_not_answer_keeps_nothing_back(appliance: Appliance) -> None:
    """Without an answer the key is taken over as before, and the next use asks; that is said."""
    having(appliance, "certbot")
    appliance.vendors["acme-v02.api.letsencrypt.org"] = CannedTransport(TransportFailure("unreachable", "No route."))
    [done] = appliance.engine.adopt(AdoptRequest(["plain.example.org"])).adopted
    assert any("could not be queried about its account" in line for line in done.left)
    record = load_account(appliance.paths, "letsencrypt", LETS_ENCRYPT)
    assert record is not None
    assert record.thumbprint


def test_the_access_of_legos_crontab_becomes_a_provider(appliance: Appliance) -> None:
    """Credentials that stand in a crontab alone go into the vault, and the certificate is renewed through them."""
    table = appliance.root / "etc/cron.d/lego"
    table.parent.mkdir(parents=True)
    table.write_text('3 3 * * * root DESEC_TOKEN=s3cret lego --dns desec -d "*.wild.example.org" renew\n')
    having(appliance, "lego")
    name = next(each.name for each in appliance.engine.adoptable().found if "*.wild.example.org" in each.names)
    [done] = appliance.engine.adopt(AdoptRequest([name], issuer="letsencrypt")).adopted
    assert load_lineage(appliance.paths, name).dns == "desec"
    assert load_config(appliance.paths).dns_providers["desec"].kind == "desec"
    assert "s3cret" not in " ".join((*done.steps, *done.left))
    assert "s3cret" not in appliance.paths.config.read_text()


def test_missing_access_is_said_with_the_command_that_sets_it(appliance: Appliance) -> None:
    """Where the credentials are nowhere, what is missing and the exact lines are said, with the kind's own fields."""
    table = appliance.root / "etc/cron.d/lego"
    table.parent.mkdir(parents=True)
    table.write_text('3 3 * * * root lego --dns godaddy -d "*.wild.example.org" renew\n')
    having(appliance, "lego")
    name = next(each.name for each in appliance.engine.adoptable().found if "*.wild.example.org" in each.names)
    [done] = appliance.engine.adopt(AdoptRequest([name], issuer="letsencrypt", dry_run=True)).adopted
    line = "certdeck dns add godaddy --kind godaddy --zone example.org --secret api_key=FILE api_secret=FILE"
    assert any(line in each for each in done.left)
    assert any("The credentials of godaddy were not found" in each for each in done.left)
    assert any(f"--name {name} --dns godaddy" in each for each in done.left)
