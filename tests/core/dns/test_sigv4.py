"""Signature Version 4: the examples that AWS has published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from core.dns.providers.sigv4 import SigningKey

KEY = SigningKey(
    access_key_id="AKIDEXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
    service="service",
)
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "query", "body", "headers", "signature"),
    [
        ("GET", {}, b"", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            {"Param2": "value2", "Param1": "value1"},
            b"",
            {},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", {"ሴ": "bar"}, b"", {}, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        ("POST", {}, b"", {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("POST", {}, b"Param1=value1", FORM, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ],
    ids=[
        "get-vanilla",
        "get-vanilla-query-order-key-case",
        "get-vanilla-utf8-query",
        "post-vanilla",
        "post-x-www-form-urlencoded",
    ],
)
def test_the_published_suite(
    method: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str], signature: str
) -> None:
    """Requests of AWS's test suite get its signatures (ST-20)."""
    made = KEY.headers(method, "example.amazonaws.com", "/", query, body, THEN, headers)
    names = "content-type;host;x-amz-date" if headers else "host;x-amz-date"
    assert made == {
        "X-Amz-Date": "20150830T123600Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}",
    }


def test_the_example_of_the_manual() -> None:
    """The example of AWS's manual, a list of IAM users, gets its signature."""
    made = replace(KEY, service="iam").headers(
        "GET",
        "iam.amazonaws.com",
        "/",
        {"Action": "ListUsers", "Version": "2010-05-08"},
        b"",
        THEN,
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    assert made["Authorization"].endswith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


def test_the_secret_is_not_shown() -> None:
    """A signing key shown by accident shows no secret."""
    assert KEY.secret not in repr(KEY)
