from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import (
    AccountError,
    AuthorizationFailed,
    CertificateUnusable,
    ConfigError,
    DirectoryUnreachable,
    IssuerError,
    NotFound,
    PortUnavailable,
    ProbeMismatch,
    RateLimited,
    TermsNotAgreed,
    UsageError,
)
from core.events import (
    AccountReady,
    ChallengePresented,
    IssuerFellBack,
    OrderCreated,
    Report,
    TargetProbed,
    ValidatorSeen,
    Warned,
)
from core.identifiers import BadLineageName
from core.operations import Issued, IssueRequest
from core.ports import CancelToken, TransportFailure
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

NAME = "shop.example.com"


def test_a_certificate_is_ordered_stored_and_live(appliance: Appliance) -> None:
    """A request for one name ends with a live certificate for it, and says so (ST-12, CC-07, CC-08)."""
    status = appliance.issue(NAME).status
    assert (status.name, status.method, status.ca, status.version) == (NAME, "http-01", "ca", 1)
    assert status.severity == "green"
    assert status.domains == (NAME,)
    assert b"BEGIN CERTIFICATE" in appliance.live(NAME)
    assert (appliance.paths.live / NAME / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert appliance.listener.opened == 1


def test_one_certificate_covers_several_names_in_their_order(appliance: Appliance) -> None:
    """All names are in one certificate and the first one is the primary (SO-01, SO-03, SO-13, SO-16, SO-17)."""
    status = appliance.issue("b.example.com, a.example.com", "b.example.com").status
    assert status.name == "b.example.com"
    assert status.domains == ("b.example.com", "a.example.com")


def test_settings_that_cannot_be_kept_are_refused_before_anything_is_asked(appliance: Appliance) -> None:
    """A profile with a line break was ordered with and deployed, and its settings could never be written by any later run."""
    with pytest.raises(ConfigError):
        appliance.engine.issue(IssueRequest(domains=(NAME,), profile="a\nb"))
    assert appliance.ca.asked == []
    assert not (appliance.paths.live / NAME).is_symlink()
    assert appliance.issue(NAME).status.version == 1


def test_an_account_that_is_unknown_before_there_is_one(appliance: Appliance) -> None:
    """A server that answers even the directory with `accountDoesNotExist` is told with its own words."""
    appliance.ca.fail("/directory", problem("accountDoesNotExist", 400, "no such account"), times=99)
    with pytest.raises(AccountError) as caught:
        appliance.issue("shop.example.com")
    assert "no such account" in caught.value.why


@pytest.mark.parametrize("name", ["x" * 129, "../certdeck", "a/b", "\udcff"])
def test_a_name_that_cannot_be_is_refused_before_it_is_a_path(appliance: Appliance, name: str) -> None:
    """No file is looked for under such a name, so the answer is about the name."""
    with pytest.raises(BadLineageName):
        appliance.issue("shop.example.com", name=name)


def test_who_cancels_after_the_deployment_is_too_late(appliance: Appliance, tmp_path: Path) -> None:
    """Somebody who asked to stop while the service was looked at read `cancelled`, although the certificate was served."""
    service = appliance.add_service(tmp_path / "tls")
    cancel = CancelToken()

    def stop(report: Report) -> None:
        if isinstance(report.event, TargetProbed):
            cancel.cancel()

    request = IssueRequest(domains=(NAME,), targets=("web",))
    issued = appliance.engine.issue(request, report=stop, cancel=cancel)
    assert isinstance(issued, Issued)
    assert service.serves == appliance.live(NAME)
    appliance.clock.advance(hours=7)
    asked = appliance.ca.count("/renewal-info", "GET")
    appliance.engine.renew()
    assert appliance.ca.count("/renewal-info", "GET") == asked + 1, "what was left out is made up for"


@pytest.mark.parametrize("key_type", ["ec-256", "ec-384", "rsa-2048"])
def test_the_key_is_of_the_chosen_type(appliance: Appliance, key_type: str) -> None:
    """Each key type that a CA takes can be chosen (SO-20, CC-10, CC-11)."""
    assert appliance.issue(NAME, key_type=key_type).status.key_type == key_type


def test_an_account_is_made_once(appliance: Appliance) -> None:
    """The account comes into being on its first use and is used again (SF-17)."""
    appliance.issue("a.example.com")
    appliance.issue("b.example.com")
    assert [event.created for event in appliance.of(AccountReady)] == [True, False]
    assert len(appliance.ca.accounts) == 1


def test_terms_are_agreed_to_by_a_person(tmp_path: Path) -> None:
    """Without agreement nothing is registered and the error carries the terms' address (CC-05)."""
    box = Appliance(
        tmp_path / "other", '[issuers.ca]\ndirectory = "https://ca.test/directory"\n[defaults]\nissuer = "ca"\n'
    )
    with pytest.raises(TermsNotAgreed) as refused:
        box.issue(NAME)
    assert refused.value.details["terms_of_service"] == "https://ca.test/terms"
    assert box.ca.accounts == {}
    assert box.issue(NAME, agree_tos=True).status.version == 1


def test_a_forgotten_account_is_told_again_with_the_same_key(appliance: Appliance) -> None:
    """A CA that lost its accounts, as a test CA does at its restart, costs one more registration."""
    appliance.issue("a.example.com")
    before = [account["thumbprint"] for account in appliance.ca.accounts.values()]
    appliance.ca.accounts.clear()
    appliance.issue("b.example.com")
    assert [account["thumbprint"] for account in appliance.ca.accounts.values()] == before


def test_a_valid_certificate_is_used_again(appliance: Appliance) -> None:
    """The same request spends no second order; a forced one does (CL-12, SO-29)."""
    first = appliance.issue(NAME)
    again = appliance.issue(NAME)
    assert again.reused
    assert again.status.sha256 == first.status.sha256
    forced = appliance.issue(NAME, force=True)
    assert not forced.reused
    assert forced.status.sha256 != first.status.sha256
    assert len(appliance.ca.orders) == 2


def test_a_refused_validation_tells_in_the_cas_words(appliance: Appliance) -> None:
    """What the CA said of a name reaches the person, nothing is stored, and a later try starts afresh (SO-44)."""
    said = "192.0.2.10: Fetching http://shop.example.com/.well-known/acme-challenge/x: Timeout"
    appliance.ca.judge = lambda identifier, kind: {"type": "urn:ietf:params:acme:error:connection", "detail": said}
    with pytest.raises(AuthorizationFailed) as refused:
        appliance.issue(NAME)
    assert said in f"{refused.value.what} {refused.value.why} {json.dumps(dict(refused.value.details))}"
    assert appliance.engine.status().lineages == ()
    appliance.ca.judge = lambda identifier, kind: None
    assert appliance.issue(NAME).status.version == 1


def test_an_order_goes_on_after_a_crash(appliance: Appliance) -> None:
    """An order that lost its CA half-way is found on disk and finished by the next process, without a second order."""
    appliance.ca.fail("/finalize", TransportFailure("unreachable", "gone"), times=99)
    with pytest.raises(DirectoryUnreachable):
        appliance.issue(NAME)
    assert appliance.engine.open_orders() == (NAME,)
    appliance.ca._script.clear()
    result = appliance.reopened().issue(IssueRequest(domains=(NAME,)), report=appliance.told.append)
    assert isinstance(result, Issued)
    assert len(appliance.ca.orders) == 1
    assert appliance.of(OrderCreated)[-1].resumed
    assert appliance.engine.open_orders() == ()


def test_complete_finishes_an_open_order(appliance: Appliance, tmp_path: Path) -> None:
    """`complete` goes on with the order of a lineage, says what its service shows, and says plainly when there is none."""
    appliance.add_service(tmp_path / "srv")
    appliance.ca.fail("/finalize", TransportFailure("unreachable", "gone"), times=99)
    with pytest.raises(DirectoryUnreachable):
        appliance.issue(NAME, targets=("web",))
    appliance.ca._script.clear()
    result = appliance.engine.complete(NAME)
    assert isinstance(result, Issued)
    assert [listener.state for listener in result.status.targets[0].listeners] == ["deployed"]
    with pytest.raises(NotFound):
        appliance.engine.complete(NAME)


@pytest.mark.parametrize("lie", ["key", "names", "expired"])
def test_a_wrong_certificate_is_not_believed(appliance: Appliance, lie: str) -> None:
    """A certificate for another key, other names or another time changes nothing, and the next order is a new one."""
    from cryptography.hazmat.primitives.asymmetric import ec

    given: dict[str, dict[str, object]] = {
        "key": {"public_key": ec.generate_private_key(ec.SECP256R1()).public_key()},
        "names": {"names": ["evil.example.com"]},
        "expired": {"not_before": timedelta(days=-9), "days": 1},
    }
    honest = appliance.ca.issue
    appliance.ca.issue = lambda csr: appliance.ca.chain_for(csr, **given[lie])
    with pytest.raises(CertificateUnusable):
        appliance.issue(NAME)
    assert appliance.engine.status().lineages == ()
    assert appliance.engine.open_orders() == ()
    appliance.ca.issue = honest
    assert appliance.issue(NAME).status.version == 1


def test_a_busy_port_is_told_before_the_ca_looks(appliance: Appliance) -> None:
    """Who holds the port is in the error, and no challenge is burnt."""
    appliance.listener.busy = True
    with pytest.raises(PortUnavailable, match="nginx"):
        appliance.issue(NAME)
    assert appliance.ca.count("/challenge") == 0


def test_a_busy_port_leaves_the_order_open_and_says_so(appliance: Appliance) -> None:
    """Where the port is busy after the order was placed, the error says what continues the order, and that does."""
    appliance.listener.busy = True
    with pytest.raises(PortUnavailable) as first:
        appliance.issue(NAME)
    assert first.value.fix.endswith(" The order stays open: the next `certdeck --renew` continues it.")
    appliance.listener.busy = False
    done = appliance.engine.renew()
    assert (done.renewed, done.issued) == ((NAME,), (NAME,))
    assert len(appliance.ca.orders) == 1
    appliance.listener.busy = True
    with pytest.raises(PortUnavailable) as again:
        appliance.engine.issue(IssueRequest(domains=(NAME,), force=True))
    assert again.value.fix.endswith(f" The order stays open: `certdeck complete {NAME}` continues it.")
    appliance.listener.busy = False
    appliance.engine.complete(NAME)
    assert len(appliance.ca.orders) == 2


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        pytest.param({"domains": ("",)}, "empty", id="fail/empty"),
        pytest.param({"domains": ("*.example.com",)}, "wildcard", id="fail/wildcard-http-01"),
        pytest.param({"domains": tuple(f"n{i}.example.com" for i in range(101))}, "100 names", id="fail/too-many"),
        pytest.param({"domains": ("x" * 64 + ".example.com",)}, "63", id="fail/long-label"),
        pytest.param({"domains": ("a.example.com",), "name": "../x"}, "name", id="fail/path-as-name"),
        pytest.param({"domains": ("a.example.com",), "key_type": "ec-999"}, "ec-999", id="fail/key-type"),
    ],
)
def test_what_cannot_be_ordered_is_refused_offline(
    appliance: Appliance, request_: dict[str, object], what: str
) -> None:
    """A request that no CA could fulfil is refused before anybody is asked."""
    with pytest.raises(UsageError) as refused:
        appliance.engine.issue(IssueRequest(**request_))
    assert what in str(refused.value)
    assert appliance.ca.asked == []


@pytest.mark.parametrize("given", [{"issuer": "letsencrpt"}, {"targets": ("ngnix",)}])
def test_unknown_things_are_named_with_the_nearest(
    appliance: Appliance, tmp_path: Path, given: dict[str, object]
) -> None:
    """An unknown issuer or target is an error that names the nearest known one."""
    appliance.add_service(tmp_path / "srv", "nginx")
    with pytest.raises(NotFound, match=r"Did you mean '(letsencrypt|nginx)'"):
        appliance.issue(NAME, **given)


def test_let_us_encrypt_refuses_what_it_does_not_take(appliance: Appliance) -> None:
    """Keys that Let's Encrypt does not sign are refused early, and names that are not public (SO-20)."""
    with pytest.raises(UsageError, match="ec-521"):
        appliance.issue(NAME, issuer="letsencrypt", key_type="ec-521")
    with pytest.raises(UsageError, match=r"\.local"):
        appliance.issue("nas.local", issuer="letsencrypt")


def test_the_private_ca_needs_nobody(appliance: Appliance) -> None:
    """`appliance-ca` issues for any name and address, with a wildcard, and asks nobody."""
    status = appliance.issue("nas.local", "*.nas.local", "192.0.2.7", issuer="appliance-ca").status
    assert (status.method, status.ca, status.self_signed, status.chain) == ("private-ca", "appliance-ca", False, True)
    assert appliance.ca.asked == []
    assert appliance.listener.opened == 0


def test_the_private_cas_root_verifies_its_leaves(appliance: Appliance, tmp_path: Path) -> None:
    """The exported root is what the leaf verifies against, in openssl's eyes too (SO-39)."""
    import subprocess

    appliance.issue("nas.local", issuer="appliance-ca")
    root, leaf = tmp_path / "root.pem", tmp_path / "leaf.pem"
    root.write_bytes(appliance.engine.export_ca_root())
    leaf.write_bytes(appliance.live("nas.local"))
    at = str(int(appliance.clock.now().timestamp()))
    done = subprocess.run(
        ["openssl", "verify", "-attime", at, "-x509_strict", "-purpose", "sslserver", "-CAfile", str(root), str(leaf)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_rehearsal_keeps_nothing(appliance: Appliance) -> None:
    """`--staging` goes the whole way at the staging directory and leaves nothing behind (SO-27, SF-20, SF-22)."""
    appliance.configure('[issuers.ca-staging]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text().replace("[issuers.ca]\n", '[issuers.ca]\nstaging = "ca-staging"\n')
    appliance.paths.config.write_text(text)
    result = appliance.issue(NAME, staging=True)
    assert result.rehearsed_only
    assert result.status.ca == "ca-staging"
    assert appliance.engine.status().lineages == ()
    both = appliance.issue(NAME, rehearse=True)
    assert both.status.ca == "ca"
    assert len(appliance.ca.orders) == 3


def test_a_rehearsal_needs_a_staging_directory(appliance: Appliance) -> None:
    """An issuer without a staging directory says how to name one."""
    with pytest.raises(UsageError, match="staging ="):
        appliance.issue(NAME, staging=True)


def test_the_service_shows_the_new_certificate(appliance: Appliance, tmp_path: Path) -> None:
    """A certificate issued for a target is what its service serves afterwards (CC-21, SF-15, SF-24)."""
    service = appliance.add_service(tmp_path / "srv")
    status = appliance.issue(NAME, targets=("web",)).status
    assert [target.state for target in status.targets] == ["deployed"]
    assert service.serves == appliance.live(NAME)


def test_a_service_that_does_not_show_it_gets_the_old_one_back(appliance: Appliance, tmp_path: Path) -> None:
    """When the probe sees the old certificate the target is rolled back, and the new one waits for the next run."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    before = appliance.live(NAME)
    service.is_deaf = True
    with pytest.raises(ProbeMismatch):
        appliance.issue(NAME, force=True)
    assert appliance.live(NAME) == before
    status = appliance.engine.status((NAME,)).lineages[0]
    assert (status.version, status.waiting_version) == (1, 2)
    assert status.last_error is not None
    orders = len(appliance.ca.orders)
    service.is_deaf = False
    report = appliance.engine.renew()
    assert report.renewed == (NAME,)
    assert len(appliance.ca.orders) == orders
    assert service.serves == appliance.live(NAME) != before


def test_a_target_is_taken_over(appliance: Appliance, tmp_path: Path) -> None:
    """The first-boot certificate makes room: its service belongs to the new lineage from then on (SF-08)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    assert service.serves == appliance.live("default")
    appliance.issue(NAME, targets=("web",))
    by_name = {status.name: [target.name for target in status.targets] for status in appliance.engine.status().lineages}
    assert by_name == {"default": [], NAME: ["web"]}
    assert service.serves == appliance.live(NAME)


def test_the_fallback_certificate_is_never_consumed(appliance: Appliance) -> None:
    """A CA's certificate cannot take the name of the box's own one (CL-08)."""
    appliance.engine.first_boot()
    with pytest.raises(UsageError, match="--name"):
        appliance.issue(NAME, name="default")


def test_idn_is_sent_as_punycode(appliance: Appliance) -> None:
    """A name is typed as people write it and ordered as an A-label."""
    status = appliance.issue("bücher.example").status
    assert status.domains == ("xn--bcher-kva.example",)


def test_nothing_of_ours_speaks_in_an_error_of_the_issuer_only(appliance: Appliance) -> None:
    """A rate limit carries when to come back."""
    appliance.ca.fail(
        "/new-order", problem("rateLimited", 429, "too many certificates", headers={"retry-after": "86400"}), times=9
    )
    with pytest.raises(Exception) as refused:
        appliance.issue(NAME)
    assert getattr(refused.value, "code", "") == "rate-limited"
    assert getattr(refused.value, "retry_at", None) is not None
    assert appliance.of(ValidatorSeen) == []
    assert appliance.of(IssuerFellBack) == []


def test_decisions_made_by_itself_are_said(appliance: Appliance) -> None:
    """Let's Encrypt's profile for addresses is chosen by itself and said."""
    findings = appliance.engine.check_request(IssueRequest(domains=("8.8.8.8",), issuer="letsencrypt"))
    assert [finding.id for finding in findings] == ["chosen"]
    assert "shortlived" in findings[0].detail
    assert appliance.of(Warned) == []


def test_status_has_every_field(appliance: Appliance) -> None:
    """Every field of the status is that of the live leaf (ST-42, ST-43, ST-44, ST-45, ST-46, ST-47, ST-48, ST-49)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    status = appliance.issue("a.example.com", "192.0.2.7", issuer="appliance-ca").status
    leaf = x509.load_pem_x509_certificate(appliance.live("a.example.com"))
    assert status.subject == "a.example.com"
    assert status.issuer.startswith("certdeck Private CA")
    assert (status.not_before, status.not_after) == (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    assert status.days_left == 90
    assert status.domains == ("a.example.com", "192.0.2.7")
    assert (status.self_signed, status.chain, status.chain_length) == (False, True, 1)
    assert status.sha256.replace(":", "").lower() == leaf.fingerprint(hashes.SHA256()).hex()
    assert int(status.serial, 16) == leaf.serial_number


def test_publicity_is_said_before_the_first_order_only(appliance: Appliance) -> None:
    """The names of a public CA's certificate become public, which is said once for a lineage (CL-13)."""
    said = []
    request = IssueRequest(domains=("www.example.com",), issuer="letsencrypt")
    with pytest.raises(IssuerError):
        # The scripted CA knows nothing of Let's Encrypt's directory: the order ends there.
        appliance.engine.issue(request, report=lambda told: said.append(told.event))
    assert [event.code for event in said if isinstance(event, Warned)] == ["names-become-public"]


def test_proof_is_http_01_unless_the_ca_is_ours(appliance: Appliance) -> None:
    """Without any setting a name is proved by HTTP-01 at this box, each by itself (CL-01, CL-02, SO-21, SO-23, SF-02, SF-04)."""
    appliance.issue("a.example.com", "b.example.com")
    kinds = {made.document["type"] for made in appliance.ca.challenges.values() if made.document["status"] == "valid"}
    assert kinds == {"http-01"}
    presented = [event for event in appliance.events if isinstance(event, ChallengePresented)]
    assert {event.identifier for event in presented} == {"a.example.com", "b.example.com"}


def test_the_life_of_an_order_is_told_as_it_goes(appliance: Appliance) -> None:
    """Account, order, proof, validation, certificate and deployment are told in that order (CC-08, CC-09, CC-15, SO-32)."""
    appliance.issue(NAME)
    kinds = [type(event).__name__ for event in appliance.events]
    wanted = [
        "RunStarted",
        "AccountReady",
        "OrderCreated",
        "ChallengePresented",
        "ChallengeValidated",
        "CertificateIssued",
    ]
    wanted += ["VersionStored", "VersionSwitched", "RunFinished"]
    assert [kind for kind in kinds if kind in wanted] == wanted


def test_everything_can_be_tried_self_signed_first(appliance: Appliance, tmp_path: Path) -> None:
    """A service that works with the first-boot certificate keeps working when the CA's one arrives (SF-10, SO-31, SF-23)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    appliance.ca.fail("/new-order", problem("rateLimited", 429, "too many", headers={"retry-after": "86400"}))
    with pytest.raises(RateLimited):
        appliance.issue(NAME, targets=("web",))
    assert service.serves == appliance.live("default")
    appliance.issue(NAME, targets=("web",), force=True)
    assert service.serves == appliance.live(NAME)
