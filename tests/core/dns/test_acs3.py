"""Alibaba Cloud's signature version 3: the example of its manual."""

from __future__ import annotations

from datetime import UTC, datetime

from core.dns.providers.acs3 import AcsKey, query_text

KEY = AcsKey(access_key_id="YourAccessKeyId", secret="YourAccessKeySecret", version="2014-05-26")


def test_the_published_example() -> None:
    """The example of the manual, a request to start servers, gets its signature (CC-03)."""
    query = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    then = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC)
    made = KEY.headers(
        "RunInstances", "ecs.cn-shanghai.aliyuncs.com", "/", query, "3156853299f313e23d1673dc12e1703d", then
    )
    assert made == {
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
        "Authorization": "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
    }


def test_a_query_is_in_order_and_quoted() -> None:
    """Keys are in order; a space is %20, a star is %2A, a tilde stays, as the manual says."""
    assert query_text({"b": "x y", "A": "*~", "a": "ä&="}) == "A=%2A~&a=%C3%A4%26%3D&b=x%20y"


def test_the_secret_is_not_shown() -> None:
    """A key shown by accident shows no secret."""
    assert KEY.secret not in repr(KEY)
