"""What is said of a DNS provider that certdeck has found by itself."""

from __future__ import annotations

from core.events import Warned
from tests.support.appliance import Appliance
from tests.support.dns_box import ENTRY, dns_box, issue

NAME = "example.com"


def chosen(box: Appliance) -> list[str]:
    return [event.what for event in box.of(Warned) if isinstance(event, Warned) and event.code == "chosen-for-you"]


def test_it_is_said_once(appliance: Appliance) -> None:
    """The entry that serves the zone is named when it is chosen; a certificate that keeps it is no news."""
    dns_box(appliance, NAME)
    issue(appliance, f"*.{NAME}", dns=None)
    (said,) = chosen(appliance)
    assert f"DNS provider {ENTRY}" in said
    appliance.told.clear()
    issue(appliance, f"*.{NAME}", dns=None, force=True)
    assert chosen(appliance) == []


def test_an_entry_that_somebody_has_named_is_no_news(appliance: Appliance) -> None:
    """Whoever gives --dns knows what they have given."""
    dns_box(appliance, NAME)
    issue(appliance, NAME)
    assert chosen(appliance) == []
