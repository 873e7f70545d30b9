from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from core.config.model import IssuerConfig, TargetConfig
from core.errors import AccountError, CertdeckError, ConfigError, InUse, IssuerError, NotFound, UsageError
from core.operations import IssueRequest
from core.ports import TransportFailure
from core.store.copies import list_deleted
from core.store.orders import OrderRecord, save_order
from tests.support.appliance import Appliance
from tests.support.command import command
from tui.cli.exits import FAILED

NAME = "shop.example.com"


# -- export ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "mode"), [("pem", 0o600), ("haproxy", 0o600), ("fullchain", 0o644), ("der", 0o644)])
def test_an_export_has_the_right_mode(appliance: Appliance, tmp_path: Path, format: str, mode: int) -> None:
    """A file with a key in it is readable by its owner alone."""
    appliance.issue(NAME)
    out = tmp_path / "out"
    exported = appliance.engine.export(NAME, format=format, out=out)
    assert out.stat().st_mode & 0o777 == mode
    assert exported.has_key is (b"PRIVATE KEY" in out.read_bytes())


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pfx_opens_with_its_passphrase(appliance: Appliance, tmp_path: Path, legacy: bool) -> None:
    """A PFX holds key, certificate and chain, for new readers and for old ones."""
    appliance.issue(NAME)
    out = tmp_path / "out.pfx"
    appliance.engine.export(NAME, format="pfx", out=out, passphrase=b"s3cret", legacy=legacy)
    opened = load_pkcs12(out.read_bytes(), b"s3cret")
    assert opened.cert is not None
    assert opened.cert.certificate == x509.load_pem_x509_certificate(appliance.live(NAME))
    assert len(opened.additional_certs) >= 1
    assert opened.key is not None
    key = load_pem_private_key((appliance.paths.live / NAME / "privkey.pem").read_bytes(), None)
    assert opened.key.public_key() == key.public_key()


def test_an_export_that_cannot_be_is_refused(appliance: Appliance, tmp_path: Path) -> None:
    """Unknown formats, folders, a passphrase without a place and unknown names are refused in words."""
    appliance.issue(NAME)
    with pytest.raises(UsageError, match="The format"):
        appliance.engine.export(NAME, format="jks", out=tmp_path / "x")
    with pytest.raises(UsageError, match="folder"):
        appliance.engine.export(NAME, format="pem", out=tmp_path)
    with pytest.raises(UsageError, match="passphrase"):
        appliance.engine.export(NAME, format="pem", out=tmp_path / "x", passphrase=b"x")
    with pytest.raises(NotFound):
        appliance.engine.export("nothere", format="pem", out=tmp_path / "x")


def test_an_export_replaces_plain_files_alone(appliance: Appliance, tmp_path: Path) -> None:
    """A device, a pipe or a link in the way stays what it is: `--out /dev/null` as root took the device away."""
    appliance.issue(NAME)
    pipe, link, dangling = tmp_path / "pipe", tmp_path / "link", tmp_path / "dangling"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    dangling.symlink_to(tmp_path / "nothing")
    for out in (pipe, link, dangling):
        with pytest.raises(UsageError, match="not a regular file"):
            appliance.engine.export(NAME, format="pem", out=out)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert dangling.is_symlink()
    plain = tmp_path / "plain"
    for _ in range(2):
        appliance.engine.export(NAME, format="pem", out=plain)
    assert b"PRIVATE KEY" in plain.read_bytes()


def test_an_export_does_not_overwrite_what_is_live(appliance: Appliance) -> None:
    """An export to a path below live/ put chain and key into the live privkey.pem."""
    appliance.issue("shop.example.com")
    before = (appliance.paths.live / "shop.example.com" / "privkey.pem").read_bytes()
    with pytest.raises(UsageError):
        appliance.engine.export(
            "shop.example.com", format="pem", out=appliance.paths.live / "shop.example.com" / "privkey.pem"
        )
    assert (appliance.paths.live / "shop.example.com" / "privkey.pem").read_bytes() == before


def test_shown_pem_has_no_key(appliance: Appliance) -> None:
    """What can be shown and copied is the certificate and its chain (SO-36)."""
    appliance.issue(NAME)
    view = appliance.engine.pem(NAME)
    assert view.fullchain.encode() == appliance.live(NAME)
    assert view.sha256 == appliance.engine.status().lineages[0].sha256


# -- delete ----------------------------------------------------------------------------------------------------------


def test_a_deleted_lineage_is_gone_but_for_a_sealed_copy(appliance: Appliance) -> None:
    """Deleting keeps a sealed copy for 30 days, which the next runs after that remove."""
    appliance.issue(NAME)
    kept_until = appliance.engine.delete(NAME).kept_until
    assert appliance.engine.status().lineages == ()
    assert not (appliance.paths.live / NAME).exists()
    (copy,) = list_deleted(appliance.paths)
    assert b"BEGIN" not in copy.path.read_bytes()
    assert kept_until is not None
    assert (kept_until - appliance.clock.now()).days == 30
    appliance.issue("other.example.com")
    appliance.clock.advance(days=70)
    appliance.engine.renew()
    assert list_deleted(appliance.paths) == ()


def test_what_a_service_uses_is_not_deleted_by_a_slip(appliance: Appliance, tmp_path: Path) -> None:
    """A lineage with a target is deleted only by force, and the service keeps the files it has (pain point 6)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    pair = service.pair()
    with pytest.raises(InUse, match="still used by web"):
        appliance.engine.delete(NAME)
    appliance.engine.delete(NAME, force=True)
    assert service.pair() == pair
    assert service.command("test").returncode == 0


def test_deleting_what_is_not_there_is_an_error(appliance: Appliance) -> None:
    """An unknown name is refused."""
    with pytest.raises(NotFound):
        appliance.engine.delete("nothere")


# -- revoke ----------------------------------------------------------------------------------------------------------


def test_the_ca_is_asked_to_revoke(appliance: Appliance) -> None:
    """Revoking reaches the CA with the reason, and the files stay."""
    appliance.issue(NAME)
    appliance.engine.revoke(NAME, reason="superseded")
    assert list(appliance.ca.revoked.values()) == [4]
    assert b"BEGIN CERTIFICATE" in appliance.live(NAME)
    with pytest.raises(UsageError, match="reason"):
        appliance.engine.revoke(NAME, reason="bored")


def test_what_no_ca_signed_cannot_be_revoked(appliance: Appliance) -> None:
    """The private CA keeps no revocation list: that is said before anybody is asked, and is no wrong usage."""
    appliance.issue("nas.local", issuer="appliance-ca")
    with pytest.raises(IssuerError) as caught:
        appliance.engine.revoke("nas.local")
    assert "revocation list" in caught.value.why
    answer = command("revoke", "nas.local", engine=appliance.engine)
    assert (answer.status, answer.err.splitlines()[0]) == (FAILED, "certdeck: nas.local cannot be revoked.")


def test_settings_that_the_ca_would_refuse_keep_nobody_from_revoking(appliance: Appliance) -> None:
    """What is live can be revoked although its settings have been changed to something that could not be ordered."""
    appliance.issue(NAME)
    file = appliance.paths.certificates / f"{NAME}.toml"
    file.write_text(file.read_text().replace(f'"{NAME}"', f'"*.{NAME}"'))
    appliance.engine.revoke(NAME)
    assert list(appliance.ca.revoked.values()) == [0]


# -- issuers and accounts --------------------------------------------------------------------------------------------


def test_issuers_are_the_built_in_and_the_configured_ones(appliance: Appliance) -> None:
    """The default one comes first, and every CA of the table is there (CC-01, SF-22)."""
    names = [issuer.name for issuer in appliance.engine.issuers()]
    assert names[0] == "ca"
    assert {"letsencrypt", "letsencrypt-staging", "zerossl", "google", "sslcom", "actalis", "appliance-ca"} <= set(
        names
    )


def test_an_issuer_is_added_changed_and_removed(appliance: Appliance) -> None:
    """Entries of the configuration come and go, and its comments stay (SF-21)."""
    appliance.configure("# mine\n")
    appliance.engine.add_issuer("lab", IssuerConfig(directory="https://lab.test/dir", email="a@example.com"))
    appliance.engine.set_default_issuer("lab")
    assert appliance.engine.config().defaults.issuer == "lab"
    with pytest.raises(InUse, match="defaults"):
        appliance.engine.remove_issuer("lab")
    appliance.engine.set_default_issuer("letsencrypt")
    appliance.engine.remove_issuer("lab")
    assert "lab" not in appliance.engine.config().issuers
    assert "# mine" in appliance.paths.config.read_text()
    with pytest.raises(UsageError, match="HTTPS"):
        appliance.engine.add_issuer("lab", IssuerConfig(directory="http://lab.test/dir"))
    with pytest.raises(UsageError, match="directory"):
        appliance.engine.add_issuer("lab", IssuerConfig())
    with pytest.raises(NotFound):
        appliance.engine.set_default_issuer("nothere")


@pytest.mark.parametrize(
    ("settings", "user"),
    [
        pytest.param('fallback_issuers = ["lab"]', "fallback_issuers", id="fallback"),
        pytest.param('[issuers.other]\ndirectory = "https://other.test/dir"\nstaging = "lab"', "other", id="staging"),
    ],
)
def test_an_issuer_that_is_named_elsewhere_stays(appliance: Appliance, settings: str, user: str) -> None:
    """An issuer that others fall back to or rehearse with is not removed: they would fail later, and silently."""
    appliance.engine.add_issuer("lab", IssuerConfig(directory="https://lab.test/dir"))
    appliance.paths.config.write_text(
        appliance.paths.config.read_text().replace('issuer = "ca"\n', f'issuer = "ca"\n{settings}\n')
    )
    with pytest.raises(InUse, match=user):
        appliance.engine.remove_issuer("lab")
    assert "lab" in appliance.engine.config().issuers


def test_an_issuer_of_an_open_order_stays(appliance: Appliance) -> None:
    """An order under way at a CA could not be ended without it; a damaged one holds nothing back."""
    appliance.engine.add_issuer("lab", IssuerConfig(directory="https://lab.test/dir"))
    appliance.paths.orders.mkdir(parents=True)
    record = OrderRecord(
        name="shop",
        issuer="lab",
        directory="https://lab.test/dir",
        account_url="https://lab.test/account/1",
        identifiers=(NAME,),
        created=appliance.clock.now(),
    )
    save_order(appliance.paths, record)
    with pytest.raises(InUse, match="open order of shop"):
        appliance.engine.remove_issuer("lab")
    (appliance.paths.orders / "shop" / "order.json").write_text("{")
    appliance.engine.remove_issuer("lab")


def test_only_a_ca_has_terms(appliance: Appliance) -> None:
    """To agree to the terms of an issuer without any is a mistake in the command, not a failure of a CA."""
    with pytest.raises(UsageError, match="no terms"):
        appliance.engine.agree_terms("appliance-ca")


def test_a_directory_is_asked_what_it_offers(appliance: Appliance) -> None:
    """Terms, CAA names and the clock's difference come from the directory itself."""
    said = appliance.engine.test_issuer("ca")
    assert said.terms_of_service == "https://ca.test/terms"
    assert said.caa_identities == ("ca.test",)
    with pytest.raises(UsageError, match="no directory"):
        appliance.engine.test_issuer("appliance-ca")


def test_agreement_is_kept_in_the_configuration(tmp_path: Path) -> None:
    """Terms are agreed to once (CC-05)."""
    box = Appliance(
        tmp_path / "box", '[issuers.ca]\ndirectory = "https://ca.test/directory"\n[defaults]\nissuer = "ca"\n'
    )
    box.engine.agree_terms("ca")
    assert box.engine.config().issuers["ca"].agree_tos
    assert box.issue(NAME).status.version == 1


def test_accounts_are_listed_without_their_keys(appliance: Appliance) -> None:
    """An account shows its address and thumbprint (CC-05)."""
    assert appliance.engine.accounts() == ()
    appliance.issue(NAME)
    (account,) = appliance.engine.accounts()
    assert account.issuer == "ca"
    assert account.url in appliance.ca.accounts
    assert appliance.ca.accounts[account.url]["thumbprint"] == account.thumbprint


def test_looking_at_accounts_is_in_the_history_and_survives_a_lost_key(appliance: Appliance) -> None:
    """Each private key that is opened is in the audit trail, also for a list; a key that is gone leaves the list standing."""
    appliance.issue(NAME)
    [file] = appliance.paths.accounts.glob("*.json")
    raw = json.loads(file.read_text())
    file.write_text(json.dumps({**raw, "thumbprint": None, "key_type": None}))  # as an older release kept it
    appliance.engine.accounts()
    used = [str(entry) for entry in appliance.engine.log() if "show its thumbprint" in str(entry)]
    assert len(used) == 1
    assert "account/ca" in used[0]
    for sealed in (appliance.paths.state / "vault").rglob("*account*"):
        if sealed.is_file():
            sealed.unlink()
    (account,) = appliance.engine.accounts()
    assert (account.issuer, account.thumbprint) == ("ca", "")


def test_an_external_account_binding_is_used(appliance: Appliance) -> None:
    """The key id is configuration, the HMAC key a secret of the vault, and the CA gets both (CC-06)."""
    import base64

    appliance.ca.meta["externalAccountRequired"] = True
    appliance.ca.eab_keys["kid-1"] = b"0123456789abcdef0123456789abcdef"
    with pytest.raises(AccountError):
        appliance.issue(NAME)
    hmac = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").rstrip(b"=")
    appliance.engine.set_eab("ca", kid="kid-1", hmac=hmac + b"\n")
    assert appliance.issue(NAME).status.version == 1
    everything = b"".join(path.read_bytes() for path in appliance.paths.etc.parent.rglob("*") if path.is_file())
    assert hmac not in everything
    with pytest.raises(AccountError):
        appliance.engine.set_eab("ca", kid="kid-1", hmac=b"!! no base64 !!")


# -- targets ---------------------------------------------------------------------------------------------------------


def test_targets_are_added_listed_and_removed(appliance: Appliance, tmp_path: Path) -> None:
    """A target's entry is written and gone again; one that carries a certificate stays."""
    service = appliance.services.add(tmp_path / "srv", "web")
    appliance.engine.add_target(service.target)
    appliance.issue(NAME, targets=("web",))
    (info,) = appliance.engine.targets()
    assert (info.name, info.lineage, info.test) == ("web", NAME, ("web", "test"))
    with pytest.raises(InUse, match="serves"):
        appliance.engine.remove_target("web")
    appliance.engine.delete(NAME, force=True)
    appliance.engine.remove_target("web")
    assert appliance.engine.targets() == ()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"certificate": "relative.crt"}, id="fail/relative"),
        pytest.param({"kind": "iis"}, id="fail/kind"),
        pytest.param({"name": "../x"}, id="fail/name"),
        pytest.param({"owner": "no-such-account"}, id="fail/owner"),
        pytest.param({"group": "no-such-group"}, id="fail/group"),
    ],
)
def test_a_target_that_cannot_work_is_not_written(appliance: Appliance, tmp_path: Path, change: dict[str, str]) -> None:
    """A target that could never be deployed to is refused before it is in the configuration."""
    given = {"name": "web", "certificate": str(tmp_path / "a.crt"), "key": str(tmp_path / "a.key"), **change}
    before = appliance.paths.config.read_bytes()
    with pytest.raises(CertdeckError):
        appliance.engine.add_target(TargetConfig(**given))
    assert appliance.paths.config.read_bytes() == before


@pytest.mark.parametrize("how", ["own state", "shared"])
def test_a_path_that_a_deployment_would_refuse_is_refused_at_once(
    appliance: Appliance, tmp_path: Path, how: str
) -> None:
    """A path below our own state, or one of another target, is told by adding and by testing, not only by the deployment."""
    other = appliance.add_service(tmp_path / "srv", "other")
    path = other.target.certificate if how == "shared" else str(appliance.paths.live / NAME / "fullchain.pem")
    target = TargetConfig(name="web", certificate=path, key=str(tmp_path / "a.key"))
    with pytest.raises(ConfigError):
        appliance.engine.add_target(target)
    appliance.configure(f'\n[targets.web]\ncertificate = "{target.certificate}"\nkey = "{target.key}"\n')
    (finding,) = appliance.engine.test_target("web")
    assert finding.status == "fail"


def test_a_broken_target_does_not_keep_others_from_being_set(appliance: Appliance, tmp_path: Path) -> None:
    """What is wrong with one target stands in the way of that one alone."""
    appliance.configure('\n[targets.old]\ncertificate = "/srv/a.crt"\nkey = "/srv/a.crt"\n')
    appliance.engine.add_target(
        TargetConfig(name="web", certificate=str(tmp_path / "b.crt"), key=str(tmp_path / "b.key"))
    )
    assert "web" in appliance.engine.config().targets


def test_a_target_does_not_point_into_our_own_state(appliance: Appliance) -> None:
    """Such a target was taken into the configuration, and every deployment to it was refused later."""
    live = appliance.paths.live / "shop"
    with pytest.raises(ConfigError, match="own state"):
        appliance.engine.add_target(
            TargetConfig(name="web", certificate=str(live / "cert.pem"), key=str(live / "privkey.pem"))
        )
    assert appliance.engine.targets() == ()


def test_a_target_is_looked_at(appliance: Appliance, tmp_path: Path) -> None:
    """Testing a target runs its configuration test and asks what it serves."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    assert [finding.status for finding in appliance.engine.test_target("web")] == ["pass", "pass", "pass"]
    Path(service.target.key).unlink()
    assert "fail" in [finding.status for finding in appliance.engine.test_target("web")]
    with pytest.raises(NotFound):
        appliance.engine.test_target("nothere")


def test_a_key_that_every_account_can_read_fails_the_test(appliance: Appliance, tmp_path: Path) -> None:
    """A world-readable key at a target's path is a failure with the command that closes it."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    Path(service.target.key).chmod(0o644)
    (finding,) = [each for each in appliance.engine.test_target("web") if each.id == "target-key"]
    assert (finding.status, "chmod o-rwx" in finding.fix) == ("fail", True)


# -- doctor ----------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_nothing_on_a_healthy_box(appliance: Appliance) -> None:
    """A box that can issue passes every check (ST-11)."""
    findings = appliance.engine.doctor(IssueRequest(domains=(NAME,)))
    assert {finding.status for finding in findings} <= {"pass", "skip"}
    assert {"clock", "disk", "vault", "directory", "http01-port", "dns"} <= {finding.id for finding in findings}


def test_the_doctor_says_what_would_stop_an_order(appliance: Appliance) -> None:
    """A busy port, a name that does not resolve, a wrong clock and a dead directory are each named, with a fix."""
    from datetime import UTC, datetime

    appliance.listener.busy = True
    appliance.host.known[NAME] = []
    appliance.clock.set(datetime(2001, 1, 1, tzinfo=UTC))
    appliance.ca.fail("", TransportFailure("unreachable", "connection refused"), times=99)
    findings = {finding.id: finding for finding in appliance.engine.doctor(IssueRequest(domains=(NAME,)))}
    assert findings["dns"].status == "warn", "a CA of one's own may know names that this box does not"
    for id in ("clock", "http01-port", "directory"):
        assert findings[id].status == "fail", id
        assert findings[id].fix
    assert "nginx" in findings["http01-port"].sentences


def test_a_name_that_nobody_knows_stops_a_public_order(appliance: Appliance) -> None:
    """For a public CA a name that does not resolve is a failure, with the record to add (CL-01, SF-05)."""
    appliance.host.known[NAME] = []
    findings = appliance.engine.doctor(IssueRequest(domains=(NAME,), issuer="letsencrypt"))
    dns = next(finding for finding in findings if finding.id == "dns")
    assert dns.status == "fail"
    assert "A or AAAA record" in dns.fix


def test_the_doctor_warns_of_a_name_that_leads_elsewhere(appliance: Appliance) -> None:
    """A name that leads to another address is a warning, because a router may forward it (ST-11, SF-05)."""
    appliance.host.known[NAME] = ["203.0.113.5"]
    findings = {finding.id: finding for finding in appliance.engine.doctor(IssueRequest(domains=(NAME,)))}
    assert findings["dns"].status == "warn"
    assert "203.0.113.5" in findings["dns"].detail


def test_the_doctor_of_the_whole_box_and_of_a_lineage(appliance: Appliance) -> None:
    """Without a request the box is looked at, with a name its lineage."""
    appliance.issue(NAME)
    assert "directory" in {finding.id for finding in appliance.engine.doctor()}
    assert "dns" in {finding.id for finding in appliance.engine.doctor(name=NAME)}
    with pytest.raises(NotFound):
        appliance.engine.doctor(name="nothere")


def test_lines_for_a_web_server_on_port_80(appliance: Appliance) -> None:
    """The lines that let another web server share port 80 are ready to paste (SF-07, SO-22)."""
    appliance.configure("[http01]\nport = 1234\n")
    snippets = appliance.engine.http01_snippets()
    assert "proxy_pass http://127.0.0.1:1234;" in snippets["nginx"]
    assert set(snippets) == {"nginx", "haproxy", "apache"}


# -- history ---------------------------------------------------------------------------------------------------------


def test_everything_is_in_the_log_and_nothing_secret(appliance: Appliance) -> None:
    """Orders, uses of keys and changes are kept with who did them, in a chain that verifies (CC-30)."""
    appliance.issue(NAME)
    entries = appliance.engine.log()
    kinds = {entry.kind for entry in entries}
    assert {
        "run-started",
        "order-created",
        "key-used",
        "certificate-issued",
        "version-switched",
        "run-finished",
    } <= kinds
    assert {entry.who for entry in entries} == {"tester"}
    assert appliance.engine.verify_log()[1] is None
    assert [entry.lineage for entry in appliance.engine.log(lineage=NAME, limit=1)] == [NAME]


def test_sealed_again_everything_still_opens(appliance: Appliance) -> None:
    """Rotating the vault's key costs nothing: renewal goes on."""
    appliance.issue(NAME)
    assert appliance.engine.rotate_vault() >= 1
    assert appliance.reopened().renew(force=True).renewed == (NAME,)
