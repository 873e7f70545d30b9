"""What is gathered of a box for `status --what-if`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.errors import NotFound
from tests.support.appliance import Appliance

LATER = date(2029, 4, 1)


def test_every_kind_of_certificate_is_told_apart(tmp_path: Path) -> None:
    """Let's Encrypt's, another CA's and those of this box are each judged by their own rule."""
    box = Appliance(tmp_path / "home")
    box.engine.first_boot(hostname="box.example.com")
    box.issue("shop.example.com", name="shop")
    box.issue("mail.example.com", name="mail", issuer="ca")
    settings = box.paths.certificates / "shop.toml"
    text = settings.read_text().replace('issuer = "ca"', 'issuer = "letsencrypt"')
    settings.write_text(f'{text}\nchallenge = "dns-01"\n' if "challenge" not in text else text)
    found = {each.name: each for each in box.engine.what_if(LATER).certificates}
    assert found["shop"].lifetime_days == 45
    assert found["default"].lifetime_days == found["default"].lifetime_days_now
    assert found["mail"].lifetime_days == found["mail"].lifetime_days_now
    assert [each.name for each in box.engine.what_if(LATER).issuers] == ["ca", "letsencrypt"]
    assert [each.name for each in box.engine.what_if(LATER, ["mail"]).certificates] == ["mail"]
    assert [each.code for each in box.engine.what_if(LATER).problems] == ["no-timer"]
    with pytest.raises(NotFound):
        box.engine.what_if(LATER, ["nobody"])


def test_an_empty_box_has_a_forecast(tmp_path: Path) -> None:
    """Without a certificate there is nothing to renew, and no problem."""
    found = Appliance(tmp_path / "home").engine.what_if(LATER)
    assert (found.certificates, found.orders_per_week, found.problems) == ((), 0, ())
