from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from core.errors import TargetError, UsageError
from core.events import RunFinished, RunStarted, TargetReloaded, Warned
from core.store.lineages import read_pair
from core.version import BUILT
from tests.support.appliance import Appliance
from tests.support.authority import Authority


def test_a_fresh_box_has_https_at_once(appliance: Appliance, tmp_path: Path) -> None:
    """Nothing is configured, and the service serves a self-signed P-256 certificate (ST-01 to ST-04, SF-09, SO-39)."""
    service = appliance.add_service(tmp_path / "srv")
    result = appliance.engine.first_boot()
    assert result.created
    status = result.status
    assert (status.name, status.key_type, status.self_signed, status.method) == (
        "default",
        "ec-256",
        True,
        "self-signed",
    )
    assert [target.state for target in status.targets] == ["deployed"]
    assert [listener.state for listener in status.targets[0].listeners] == ["deployed"]
    assert service.serves == appliance.live("default")


def test_it_names_the_box_by_every_name_it_has(appliance: Appliance) -> None:
    """Subject and SANs: the product, localhost, host name, external URL, addresses (ST-05, ST-06)."""
    appliance.configure('[appliance]\nname = "Acme Box"\nexternal_url = "https://vault.example.com:8443/x"\n')
    appliance.host.own = ["192.0.2.10", "2001:db8::10"]
    status = appliance.engine.first_boot().status
    assert status.subject == "Acme Box Self-Signed"
    expected = {"localhost", "box.example.com", "vault.example.com", "127.0.0.1", "::1", "192.0.2.10", "2001:db8::10"}
    assert set(status.domains) == expected


@pytest.mark.parametrize("services", [0, 1])
def test_it_is_idempotent(appliance: Appliance, tmp_path: Path, services: int) -> None:
    """A second first boot changes nothing; it took every service for a new one, and reloaded it at each boot."""
    for _ in range(services):
        appliance.add_service(tmp_path / "tls")
    first = appliance.engine.first_boot()
    second = appliance.engine.first_boot(report=appliance.told.append)
    assert (second.created, second.remade, second.why) == (False, False, "")
    assert second.status.sha256 == first.status.sha256
    assert {type(event) for event in appliance.events} <= {RunStarted, RunFinished}


def test_a_service_with_a_valid_certificate_of_a_ca_keeps_it(appliance: Appliance, tmp_path: Path) -> None:
    """What was just taken over is not replaced by a self-signed certificate; an expired one is."""
    service = appliance.add_service(tmp_path / "tls")
    leaf = Authority.new(now=appliance.clock.now()).leaf(["shop.example.com"])
    leaf.write(Path(service.target.certificate), Path(service.target.key))
    result = appliance.engine.first_boot(report=appliance.told.append)
    assert result.status.targets == ()
    assert Path(service.target.certificate).read_bytes() == leaf.fullchain_pem
    assert [event.code for event in appliance.of(Warned) if isinstance(event, Warned)] == ["target-left-alone"]
    appliance.clock.advance(days=400)
    appliance.engine.first_boot()
    assert service.serves == appliance.live("default")


def broken_target(appliance: Appliance, tmp_path: Path) -> Path:
    """Configure a target whose folder is missing; returns the folder."""
    gone = tmp_path / "gone"
    appliance.configure(f'\n[targets.gone]\ncertificate = "{gone}/cert.pem"\nkey = "{gone}/key.pem"\n')
    return gone


def test_a_target_with_a_missing_folder_keeps_the_certificate_from_no_other(
    appliance: Appliance, tmp_path: Path
) -> None:
    """One missing folder kept HTTPS from the whole box; the other services have it now, and the error names the one."""
    gone = broken_target(appliance, tmp_path)
    service = appliance.add_service(tmp_path / "tls")
    for _ in range(2):
        with pytest.raises(TargetError, match="gone") as caught:
            appliance.engine.first_boot()
        assert service.serves == appliance.live("default")
        assert caught.value.details["target"] == "gone"
        if "deployed" in caught.value.details:
            assert "The certificate was deployed to web." in caught.value.why
            assert "certdeck first-boot" in caught.value.fix
    states = {target.name: target.state for target in appliance.engine.status().lineages[0].targets}
    assert states == {"gone": "failed", "web": "deployed"}
    gone.mkdir()
    appliance.told.clear()
    done = appliance.engine.first_boot(report=appliance.told.append)
    assert [target.state for target in done.status.targets] == ["deployed", "deployed"]
    assert appliance.of(TargetReloaded) == [], "what has the certificate already is left alone"
    assert (gone / "cert.pem").read_bytes() == appliance.live("default")
    assert appliance.engine.first_boot().why == ""


def test_a_target_that_came_later_is_said(appliance: Appliance, tmp_path: Path) -> None:
    """A second first boot that deploys to a service for the first time names it."""
    appliance.engine.first_boot()
    service = appliance.add_service(tmp_path / "srv")
    second = appliance.engine.first_boot()
    assert (second.created, second.remade, second.new_targets) == (False, False, ("web",))
    assert service.serves == appliance.live("default")
    assert appliance.engine.first_boot().new_targets == ()


@pytest.mark.parametrize("change", ["host name", "address", "external URL"])
def test_a_change_of_names_makes_it_anew_with_the_same_key(appliance: Appliance, change: str) -> None:
    """The new fingerprint is announced and the key stays (ST-06)."""
    appliance.engine.first_boot()
    before = read_pair(appliance.paths, "default", 1)
    url = None
    if change == "host name":
        appliance.host.hostname = "other.example.com"
    elif change == "address":
        appliance.host.own = ["192.0.2.11"]
    else:
        url = "https://new.example.com"
    result = appliance.engine.first_boot(external_url=url, report=appliance.told.append)
    after = read_pair(appliance.paths, "default", 2)
    assert result.remade
    assert after.privkey == before.privkey
    assert after.cert != before.cert
    assert [event.code for event in appliance.of(Warned)] == ["new-fingerprint"]


def test_given_names_are_kept(appliance: Appliance) -> None:
    """`--hostname` and `--external-url` go into the configuration, comments and all, so that the timer knows them too."""
    appliance.configure("# mine\n")
    appliance.engine.first_boot(hostname="nas.example.com", external_url="https://nas.example.com:8443")
    appliance.clock.advance(days=340)
    assert appliance.engine.renew().renewed == ("default",)
    status = appliance.engine.status().lineages[0]
    assert "nas.example.com" in status.domains
    assert "# mine" in appliance.paths.config.read_text()


def test_its_life_is_finite_and_renewed(appliance: Appliance) -> None:
    """It lives a year and the timer renews it with its key (SF-08, pain point 24)."""
    status = appliance.engine.first_boot().status
    assert status.not_before is not None
    assert status.not_after is not None
    assert timedelta(days=365) <= status.not_after - status.not_before <= timedelta(days=397)
    key = read_pair(appliance.paths, "default", 1).privkey
    appliance.clock.advance(days=336)
    assert appliance.engine.renew().renewed == ("default",)
    assert read_pair(appliance.paths, "default", 2).privkey == key


def test_a_clock_before_the_build_date_is_said_and_not_believed(appliance: Appliance) -> None:
    """A box whose clock stands in 1980 says so, and its certificate is valid for clients with a right clock."""
    appliance.clock.set(datetime(1980, 1, 1, tzinfo=UTC))
    result = appliance.engine.first_boot(report=appliance.told.append)
    leaf = x509.load_pem_x509_certificate(appliance.live("default"))
    assert leaf.not_valid_before_utc < datetime(1980, 1, 1, tzinfo=UTC)
    assert leaf.not_valid_after_utc > BUILT + timedelta(days=300)
    assert result.created
    assert "clock-before-build" in [event.code for event in appliance.of(Warned)]


@pytest.mark.parametrize("url", ["vault", "ftp://vault", "https://", "https://[::1", "http://vault:99999"])
def test_a_url_that_is_none_is_refused(appliance: Appliance, url: str) -> None:
    """A wrong external URL is refused and nothing is made."""
    with pytest.raises(UsageError, match="not a valid URL"):
        appliance.engine.first_boot(external_url=url)
    assert appliance.engine.status().lineages == ()


def test_two_boxes_have_keys_of_their_own(tmp_path: Path) -> None:
    """Nothing about the key is shared between boxes."""
    keys = set()
    for name in ("one", "two"):
        box = Appliance(tmp_path / name)
        box.engine.first_boot()
        keys.add(read_pair(box.paths, "default", 1).privkey)
    assert len(keys) == 2


def test_a_host_name_that_no_certificate_can_have_does_not_stop_it(appliance: Appliance) -> None:
    """A machine called my_box gets HTTPS for its other names (ST-02)."""
    appliance.host.hostname = "my_box"
    status = appliance.engine.first_boot().status
    assert "my_box" not in status.domains
    assert {"localhost", "192.0.2.10"} <= set(status.domains)
