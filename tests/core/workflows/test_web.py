"""The web settings of a target over time: stages of HSTS, what the scheduled run does for them, what stands in their way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import ReloadFailed, WebNotPossible
from core.events import Warned
from core.ports import CancelToken, Completed, Response, TransportFailure
from core.store import web
from tests.support.appliance import Appliance
from tests.support.clock import NOON

NAME = "haproxy"


class Pages:
    """The port `WebReader`: pages over HTTPS; port 80 as the test wants it."""

    def __init__(self) -> None:
        self.location: str | None = None
        """Where plain HTTP leads to; None: nothing listens there."""

    def get(self, url: str, *, address: str, timeout: float = 10.0, cancel: CancelToken | None = None) -> Response:
        if url.startswith("https:"):
            return Response(status=200, headers={}, body=b"")
        if self.location is None:
            raise TransportFailure("unreachable", "Nothing listens.")
        return Response(status=301, headers={}, body=b"", header_lines=(("Location", self.location),))


class Box(Appliance):
    """A box with a target whose configuration is `file`, and that trusts the CA of its certificate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "home")
        self.pages = Pages()
        roots = folder / "roots.pem"
        self.engine.env = replace(self.engine.env, web_reader=self.pages, variables={"SSL_CERT_FILE": str(roots)})
        self.add_service(folder / "tls", NAME)
        self.issue("shop.example.com", targets=(NAME,))
        roots.write_bytes(self.ca.authority.root_pem)
        self.file = folder / "haproxy.cfg"
        certificate = self.engine.config().targets[NAME].certificate
        self.file.write_text(f"frontend web\n    bind :443 ssl crt {certificate}\n    mode http\n")
        web.save(self.paths, NAME, web.Applied(since=NOON, files=(str(self.file),)))

    def hsts(self) -> str:
        """Return the line of HSTS, or nothing."""
        return next((line for line in self.file.read_text().split("\n") if "Strict-Transport" in line), "")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box before `web apply`."""
    return Box(tmp_path)


def test_the_scheduled_run_raises_hsts(box: Box) -> None:
    """A day after `web apply` an otherwise idle run sends the next value, once (ST-50)."""
    state = box.engine.apply_web(NAME)
    assert (state.hsts, state.hsts_next) == ("max-age=300", NOON + timedelta(days=1))
    box.engine.renew()
    assert 'max-age=300"' in box.hsts()
    box.clock.advance(days=1, minutes=1)
    assert not box.engine.renew().failed
    assert 'max-age=86400"' in box.hsts()
    before = box.file.stat().st_mtime_ns
    box.engine.renew()
    assert box.file.stat().st_mtime_ns == before


def test_a_port_80_that_is_needed_for_http01_is_kept_free(box: Box) -> None:
    """The redirect is not set up where certdeck itself answers challenges on that port, and the way out is named."""
    state = box.engine.apply_web(NAME)
    assert "certdeck-web-" not in box.file.read_text()
    assert any("[http01] port" in note for note in state.notes)


def test_a_redirect_by_somebody_else_is_enough(box: Box) -> None:
    """Where port 80 redirects already nothing is added to it."""
    box.pages.location = "https://shop.example.com/"
    state = box.engine.apply_web(NAME)
    assert state.redirect == "challenge-redirected"
    assert "certdeck-web-" not in box.file.read_text()


def test_a_change_that_cannot_be_undone_keeps_nobody_out(box: Box) -> None:
    """Where a configuration file cannot be read any more, each run says so and goes on; the record stays until it can be."""
    before = box.file.read_text()
    web.begin(box.paths, web.WebChange(target=NAME, before={str(box.file): before}, after={str(box.file): "half"}))
    box.file.unlink()
    box.file.mkdir()
    assert not box.engine.renew(report=box.told.append).failed
    assert [each.code for each in box.of(Warned) if isinstance(each, Warned)] == ["recovery-unfinished"]
    box.file.rmdir()
    box.file.write_text("half")
    assert not box.engine.renew().failed
    assert box.file.read_text() == before
    assert not web.is_changing(box.paths)


def test_a_server_that_does_not_take_its_old_configuration_is_said(box: Box) -> None:
    """Where the reload fails, and the one with the old configuration too, both are told."""
    service = box.services.by_name[NAME]
    service.reload_answers = [Completed(returncode=1, output="no"), Completed(returncode=1, output="never")]
    before = box.file.read_text()
    with pytest.raises(ReloadFailed):
        box.engine.apply_web(NAME, report=box.told.append)
    assert box.file.read_text() == before
    [told] = [each for each in box.of(Warned) if isinstance(each, Warned)]
    assert "could not be reloaded" in told.what


def test_a_certificate_that_no_configuration_names(box: Box) -> None:
    """The refusal lists what was looked at, and nothing is touched."""
    box.file.write_text("frontend web\n    bind :443 ssl crt /elsewhere.pem\n")
    before = box.file.read_bytes()
    with pytest.raises(WebNotPossible) as caught:
        box.engine.apply_web(NAME)
    assert str(box.file) in caught.value.why
    assert box.file.read_bytes() == before
