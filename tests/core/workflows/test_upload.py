"""Uploads through the whole engine: looked at without a trace, applied as a transaction, refused in words."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.config.load import load_lineage
from core.engine import Engine
from core.errors import ConfigTestFailed, NotFound, ProbeMismatch, UsageError
from core.events import Changed, Failed, Report, VersionStored, Warned
from core.identifiers import BadIdentifier
from core.ports import Completed
from core.store import lineages
from core.store.orders import OrderRecord, list_orders, save_order
from core.upload.rejected import InputRejected
from core.upload.values import ImportRequest, Part, Upload
from tests.support.appliance import Appliance
from tests.support.authority import Authority, Leaf, key_pem, make_key, self_signed
from tests.support.clock import NOON
from tests.support.uploads import upload

NAME = "shop.example.com"


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


def whole(leaf: Leaf) -> Upload:
    return upload(leaf.fullchain_pem, leaf.key_pem)


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file below a folder with its change time; the derived index is not one of them."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
        if path.name != "index.json" and path.name != "state"
    }


def test_a_check_changes_nothing(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """Looking at an upload leaves every file as it was, also for a lineage that exists (ST-40)."""
    box.add_service(tmp_path / "srv")
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(purchased.leaf([NAME])), targets=("web",)))
    before = everything(tmp_path)
    new = purchased.leaf([NAME, "www.example.com"])
    check = box.engine.check_upload(whole(new), name=NAME, host=NAME)
    assert check.accepted
    assert check.certificate is not None
    assert check.current is not None
    assert (check.certificate.sha256, check.certificate.chain, check.certificate.method) == (new.sha256, True, "upload")
    assert check.current.sha256 != new.sha256
    assert check.found == ("1 certificate", "1 key", "1 in the chain")
    assert everything(tmp_path) == before


def test_a_box_without_anything_can_check(box: Appliance, purchased: Authority) -> None:
    """A check needs no lineage, no first boot and no state, and makes none."""
    check = box.engine.check_upload(whole(purchased.leaf([NAME])))
    assert check.accepted
    assert check.certificate is not None
    assert check.certificate.name == NAME
    assert not box.paths.state.exists()


def test_an_upload_is_stored_and_served(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """An accepted upload is live, 0600, served by its target, and never renews by itself (ST-32, SO-40)."""
    service = box.add_service(tmp_path / "srv")
    leaf = purchased.leaf([NAME, "www.example.com"], days=365)
    done = box.engine.import_upload(
        ImportRequest(name=NAME, upload=whole(leaf), targets=("web",)), report=box.told.append
    )
    assert (done.status.sha256, done.status.version, done.status.ca) == (leaf.sha256, 1, None)
    assert (done.status.method, done.status.renew_at) == ("upload", None)
    assert [target.state for target in done.status.targets] == ["deployed"]
    assert [listener.state for listener in done.status.targets[0].listeners] == ["deployed"]
    assert service.serves == leaf.fullchain_pem
    assert box.live(NAME) == leaf.fullchain_pem
    live = box.paths.live / NAME
    assert (live / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert (live / "chain.pem").read_bytes() == leaf.chain_pem
    spec = load_lineage(box.paths, NAME)
    assert (spec.issuer, spec.targets, spec.domains) == ("upload", ("web",), (NAME, "www.example.com"))
    assert box.of(VersionStored)
    assert box.of(Changed)
    assert box.engine.renew(force=True).skipped[0].why.startswith("it was uploaded")


def test_the_root_is_not_sent(box: Appliance, purchased: Authority) -> None:
    """Of a disorderly upload the chain is stored in order and without the root."""
    leaf = purchased.leaf([NAME])
    mixed = upload(leaf.key_pem + purchased.root_pem + leaf.chain_pem + leaf.certificate_pem)
    box.engine.import_upload(ImportRequest(name=NAME, upload=mixed))
    assert box.live(NAME) == leaf.fullchain_pem


@pytest.mark.parametrize("case", ["wrong-key", "no-key", "expired", "forged", "nonsense"])
def test_a_refused_upload_changes_nothing(box: Appliance, purchased: Authority, tmp_path: Path, case: str) -> None:
    """What fails a check is refused with the checks, and the current certificate stays (ST-36, ST-37, ST-38, ST-40)."""
    service = box.add_service(tmp_path / "srv")
    old = purchased.leaf([NAME])
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(old), targets=("web",)))
    before = everything(box.paths.state / "lineages") | everything(box.paths.etc) | everything(tmp_path / "srv")
    new = purchased.leaf([NAME])
    cheated = Authority.new("Other", now=NOON).leaf([NAME])
    bad = {
        "wrong-key": upload(new.fullchain_pem, key_pem(make_key())),
        "no-key": upload(new.fullchain_pem),
        "expired": whole(purchased.leaf([NAME], days_left=-1)),
        "forged": upload(cheated.certificate_pem, Authority.new("Other", now=NOON).chain_pem, cheated.key_pem),
        "nonsense": upload(b"nonsense"),
    }
    with pytest.raises(InputRejected) as caught:
        box.engine.import_upload(ImportRequest(name=NAME, upload=bad[case]), report=box.told.append)
    error = caught.value
    assert error.outcome is not None
    assert not error.outcome.accepted
    assert error.details["checks"]
    assert error.why
    assert [event.code for event in box.of(Failed)] == ["input-rejected"]
    assert service.serves == old.fullchain_pem
    after = everything(box.paths.state / "lineages") | everything(box.paths.etc) | everything(tmp_path / "srv")
    assert after == before


def test_a_failing_test_puts_the_old_pair_back(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """When the service does not take it the old one is back and the new one waits; the same upload again uses it (ST-41)."""
    service = box.add_service(tmp_path / "srv")
    old, new = purchased.leaf([NAME]), purchased.leaf([NAME])
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(old), targets=("web",)))
    service.test_answers = [Completed(returncode=1, output="no")]
    with pytest.raises(ConfigTestFailed):
        box.engine.import_upload(ImportRequest(name=NAME, upload=whole(new)))
    assert service.serves == old.fullchain_pem
    assert box.live(NAME) == old.fullchain_pem
    assert lineages.waiting_version(box.paths, NAME) == 2
    assert box.engine.import_upload(ImportRequest(name=NAME, upload=whole(new))).status.version == 2
    assert service.serves == new.fullchain_pem


def test_a_refused_upload_is_never_deployed_by_a_run(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """An upload that its service refused stays out until somebody deploys it, and the refusal says so."""
    service = box.add_service(tmp_path / "srv")
    box.issue(NAME, targets=("web",))
    old = service.serves
    new = purchased.leaf([NAME])
    service.is_deaf = True
    with pytest.raises(ProbeMismatch) as refused:
        box.engine.import_upload(ImportRequest(name=NAME, upload=whole(new), replace=True))
    assert f"does not deploy it automatically. Deploy it with: certdeck deploy {NAME}" in refused.value.why
    service.is_deaf = False
    assert box.engine.renew().renewed == ()
    assert service.serves == old
    box.engine.deploy(NAME)
    assert service.serves == new.fullchain_pem
    assert box.engine.status().lineages[0].method == "upload"


def test_the_same_upload_again_is_deployed_once_more(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """An upload that is live already stores no second version, and goes onto the targets that are named now."""
    leaf = purchased.leaf([NAME])
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(leaf)))
    service = box.add_service(tmp_path / "srv")
    done = box.engine.import_upload(
        ImportRequest(name=NAME, upload=upload(leaf.key_pem, leaf.fullchain_pem), targets=("web",))
    )
    assert done.unchanged
    assert done.status.version == 1
    assert service.serves == leaf.fullchain_pem


def test_the_old_version_stays_for_a_rollback(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """After an upload the one before can be put back."""
    service = box.add_service(tmp_path / "srv")
    first, second = purchased.leaf([NAME]), purchased.leaf([NAME])
    for leaf in (first, second):
        box.engine.import_upload(ImportRequest(name=NAME, upload=whole(leaf), targets=("web",)))
    box.engine.rollback(NAME)
    assert service.serves == first.fullchain_pem


def test_each_service_has_a_certificate_of_its_own(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """Two uploads go to two services, and a new one for the one leaves the other as it is (CL-16)."""
    shop, mail = box.add_service(tmp_path / "shop", "shop"), box.add_service(tmp_path / "mail", "mail")
    for_shop, for_mail = purchased.leaf(["shop.example.com"]), purchased.leaf(["mail.example.com"])
    box.engine.import_upload(ImportRequest(name="shop", upload=whole(for_shop), targets=("shop",)))
    box.engine.import_upload(ImportRequest(name="mail", upload=whole(for_mail), targets=("mail",)))
    assert (shop.serves, mail.serves) == (for_shop.fullchain_pem, for_mail.fullchain_pem)
    renewed = purchased.leaf(["shop.example.com"])
    box.engine.import_upload(ImportRequest(name="shop", upload=whole(renewed)))
    assert (shop.serves, mail.serves) == (renewed.fullchain_pem, for_mail.fullchain_pem)


# -- from a CA's to an upload, and back --------------------------------------------------------------------------------------


def test_a_lineage_of_a_ca_is_not_replaced_in_silence(box: Appliance, purchased: Authority) -> None:
    """A lineage that a CA renews becomes an uploaded one only when that was said, and takes its old names into account."""
    box.issue(NAME, "pay.example.com")
    new = whole(purchased.leaf([NAME]))
    with pytest.raises(UsageError) as caught:
        box.engine.import_upload(ImportRequest(name=NAME, upload=new))
    assert caught.value.details["needs"] == "replace"
    assert "--replace" in caught.value.fix
    done = box.engine.import_upload(ImportRequest(name=NAME, upload=new, replace=True))
    kept = next(each for each in done.check.checks if each.id == "names-kept")
    assert (kept.status, "pay.example.com" in kept.detail) == ("warn", True)
    spec = load_lineage(box.paths, NAME)
    assert (spec.issuer, spec.challenge, spec.domains) == ("upload", None, (NAME,))


@pytest.mark.parametrize("damaged", [False, True])
def test_an_open_order_is_not_given_up_in_silence(box: Appliance, purchased: Authority, damaged: bool) -> None:
    """An order may hold a person's work: an import takes its place only when that was said, and then it is told."""
    record = OrderRecord(
        name=NAME,
        issuer="ca",
        directory="https://ca.test/directory",
        account_url="https://ca.test/account/1",
        identifiers=(NAME,),
        created=NOON,
    )
    save_order(box.paths, record)
    if damaged:
        (box.paths.orders / NAME / "order.json").write_text("{")
    new = whole(purchased.leaf([NAME]))
    with pytest.raises(UsageError, match="has an open order") as caught:
        box.engine.import_upload(ImportRequest(name=NAME, upload=new))
    assert caught.value.details["needs"] == "replace"
    assert "certdeck complete" in caught.value.fix
    assert list_orders(box.paths) == (NAME,)
    told: list[Report] = []
    box.engine.import_upload(ImportRequest(name=NAME, upload=new, replace=True), report=told.append)
    assert list_orders(box.paths) == ()
    assert f"cancelled the open order of {NAME}" in str([each.event for each in told])


def test_back_to_a_ca_needs_its_name(box: Appliance, purchased: Authority) -> None:
    """A CA takes an uploaded lineage over only when it is named; then it renews by itself again."""
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(purchased.leaf([NAME]))))
    with pytest.raises(UsageError) as caught:
        box.issue(NAME)
    assert caught.value.details["needs"] == "issuer"
    status = box.issue(NAME, issuer="ca").status
    assert (status.method, status.ca) == ("http-01", "ca")
    assert status.renew_at is not None


def test_the_first_boots_certificate_can_be_replaced(box: Appliance, purchased: Authority, tmp_path: Path) -> None:
    """The self-signed certificate gives way to an upload, so the fallback can be a wildcard of one's own (ST-03, CL-04, CL-09)."""
    service = box.add_service(tmp_path / "srv")
    box.engine.first_boot()
    wildcard = purchased.leaf(["*.example.com", "example.com"])
    done = box.engine.import_upload(ImportRequest(name="default", upload=whole(wildcard)))
    assert service.serves == wildcard.fullchain_pem
    kept = next(each for each in done.check.checks if each.id == "names-kept")
    assert kept.status == "pass"
    assert not box.engine.first_boot().remade


# -- keys, trust, hosts ------------------------------------------------------------------------------------------------------


def test_a_renewed_certificate_finds_its_key(box: Appliance, purchased: Authority) -> None:
    """A certificate that the CA has issued once more for the key of the lineage needs no key, and says whose it used."""
    first = purchased.leaf([NAME])
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(first)))
    again = purchased.leaf([NAME], key=first.key)
    done = box.engine.import_upload(ImportRequest(name=NAME, upload=upload(again.fullchain_pem)))
    assert done.status.sha256 == again.sha256
    assert any("on this box" in note for note in done.check.notes)
    assert "key-match" in [
        each.id for each in box.engine.check_upload(upload(again.fullchain_pem)).checks if each.status == "skip"
    ]


def test_the_own_private_ca_is_trusted(box: Appliance) -> None:
    """What the box's own CA has signed is trusted, and a box without that CA does not make one by looking."""
    box.issue("inner.example.com", issuer="appliance-ca")
    live = box.paths.live / "inner.example.com"
    files = upload((live / "cert.pem").read_bytes(), (live / "privkey.pem").read_bytes())
    result = next(each for each in box.engine.check_upload(files).checks if each.id == "chain")
    assert result.status == "pass"
    assert "private CA" in result.detail


def test_the_chain_before_completes_the_new_one(box: Appliance, purchased: Authority) -> None:
    """Where the CA's intermediate was forgotten, the one that the lineage has is used (pain point 20)."""
    box.engine.import_upload(ImportRequest(name=NAME, upload=whole(purchased.leaf([NAME]))))
    new = purchased.leaf([NAME])
    box.engine.import_upload(ImportRequest(name=NAME, upload=upload(new.certificate_pem, new.key_pem)))
    assert box.live(NAME) == new.fullchain_pem


def test_hosts(box: Appliance, purchased: Authority) -> None:
    """A host that is asked for has to be covered, and one that is no name is refused as such."""
    leaf = whole(purchased.leaf(["*.example.com"]))
    assert box.engine.check_upload(leaf, host="A.example.com").accepted
    assert not box.engine.check_upload(leaf, host="example.org").accepted
    with pytest.raises(BadIdentifier):
        box.engine.check_upload(leaf, host="not a host")
    with pytest.raises(InputRejected):
        box.engine.import_upload(ImportRequest(name=NAME, upload=leaf, host="example.org"))
    done = box.engine.import_upload(
        ImportRequest(name=NAME, upload=leaf, host="example.org", force=True), report=box.told.append
    )
    assert "forced-host-match" in [event.code for event in box.of(Warned)]
    assert [each.id for each in done.check.warnings if each.forced] == ["host-match"]


def test_names_and_targets_are_looked_at_first(box: Appliance, purchased: Authority) -> None:
    """A name that cannot be one and a target that is not configured are refused before anything is stored."""
    leaf = whole(purchased.leaf([NAME]))
    with pytest.raises(UsageError):
        box.engine.import_upload(ImportRequest(name="../etc", upload=leaf))
    with pytest.raises(NotFound):
        box.engine.import_upload(ImportRequest(name=NAME, upload=leaf, targets=("nowhere",)))
    assert lineages.names(box.paths) == ()


def test_a_self_signed_certificate_of_ones_own(box: Appliance) -> None:
    """A self-signed certificate is accepted with a warning and stored without a chain."""
    leaf = self_signed([NAME], now=NOON - timedelta(days=1))
    done = box.engine.import_upload(ImportRequest(name=NAME, upload=whole(leaf)))
    assert done.status.self_signed
    assert not done.status.chain
    assert "chain" in [each.id for each in done.check.warnings]


def test_a_passphrase_is_asked_for(box: Appliance, purchased: Authority) -> None:
    """An upload that is protected says so, and one with the right passphrase goes through."""
    leaf = purchased.leaf([NAME])
    files = (leaf.fullchain_pem, key_pem(leaf.key, b"secret"))
    assert box.engine.check_upload(upload(*files)).passphrase == "needed"
    assert box.engine.check_upload(upload(*files, passphrase=b"guess")).passphrase == "wrong"
    assert (
        box.engine.import_upload(ImportRequest(name=NAME, upload=upload(*files, passphrase=b"secret"))).status.sha256
        == leaf.sha256
    )
    assert b"ENCRYPTED" not in (box.paths.live / NAME / "privkey.pem").read_bytes()


def test_nothing_secret_is_told(box: Appliance, purchased: Authority) -> None:
    """Neither events nor the history hold a key or a passphrase."""
    leaf = purchased.leaf([NAME])
    files = upload(leaf.fullchain_pem, key_pem(leaf.key, b"hunter2-secret"), passphrase=b"hunter2-secret")
    box.engine.import_upload(ImportRequest(name=NAME, upload=files), report=box.told.append)
    logged = b"".join(path.read_bytes() for path in sorted(box.paths.state.glob("history.*")))
    told = repr(box.told) + logged.decode("latin-1")
    assert "hunter2" not in told
    assert "PRIVATE KEY" not in told


def test_a_name_that_is_hostile(box: Appliance, purchased: Authority) -> None:
    """A certificate whose names are no host names is stored under the name that was given, and status can show it."""
    leaf = purchased.leaf(["xn--bad label", "a..b"], common_name="\x1b[31mred")
    box.engine.import_upload(ImportRequest(name="odd", upload=whole(leaf)))
    status = box.engine.status().lineages[0]
    assert status.name == "odd"
    assert not box.engine.status().problems
    assert "\x1b" not in repr(status)
    assert box.engine.check_upload(whole(leaf)).certificate is not None


def test_reading_a_part(box: Appliance, tmp_path: Path) -> None:
    """The engine reads a file for a front end once, and refuses what is none."""
    path = tmp_path / "site.pem"
    path.write_bytes(b"content")
    assert box.engine.read_part(path) == Part(str(path), b"content")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        box.engine.read_part(tmp_path / "pipe")
