"""What is taken out of text that leaves the box, by a table of places where people keep secrets."""

from __future__ import annotations

import base64

import pytest

from core.redaction import redacted, redacted_settings, secret_forms, secrets_in

SECRET = "S3cr3tV4lue-of-9"
LONG = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
BASE64 = base64.b64encode(bytes(range(200, 233))).decode()


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{SECRET}"',
        f"password = '{SECRET}'",
        f"password: {SECRET}",
        f"password={SECRET}",
        f'# password = "{SECRET}"',
        f'smtp_password = "{SECRET}"',
        f'settings = {{ api_token = "{SECRET}" }}',
        f'"apiKey": "{SECRET}"',
        f'["api-key"]\ntokens = ["{SECRET}", "{SECRET}x"]',
        f'secret = """\n{SECRET}\n"""',
        f"tsig_secret = {SECRET}",
        f'hmac = "a\\"b{SECRET}"',
        f"https://admin:{SECRET}@ca.example.com/dir",
        f"https://{SECRET}@ca.example.com/dir",
        f"smtp://user:{SECRET}@[::1]:25",
        f"https://hooks.example.com/x?token={SECRET}&y=1",
        f"https://hooks.example.com/x?y=1&apikey={SECRET}",
        f'{{"echo": "{{\\"client_secret\\": \\"{SECRET}\\"}}"}}',
        f"Authorization: Bearer {SECRET}",
        f"sent Bearer {SECRET} and failed",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\ncut off",
        f'key = "-----BEGIN EC PRIVATE KEY-----\\n{SECRET}\\n-----END EC PRIVATE KEY-----"',
        f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{SECRET}\n-----END ENCRYPTED PRIVATE KEY-----",
    ],
)
def test_secrets_where_secrets_stand(text: str) -> None:
    """A value that stands where secrets stand goes, whatever it looks like and however it is written."""
    assert SECRET not in redacted(text)
    assert SECRET not in redacted_settings(text)


@pytest.mark.parametrize(
    "text",
    [
        f'url = "https://hooks.example.com/services/T0001/{LONG}"',
        f'something = "{LONG}"',
        f"# {LONG}",
        f'other = "{BASE64}"',
        f"command = ['/bin/x', '{LONG}']",
    ],
)
def test_what_looks_random_goes_from_settings(text: str) -> None:
    """In settings, a long random word goes also where nothing says that it is secret."""
    left = redacted_settings(text)
    assert LONG not in left
    assert BASE64 not in left


def test_known_secrets_go_everywhere() -> None:
    """A secret of the vault goes also in base64, hex, percent-encoded, and with its line breaks written out."""
    secret = "p@ss wörd/1\nsecond line"
    raw = secret.encode()
    forms = list(secret_forms(raw))
    text = " ".join(["p@ss wörd/1", "second line", base64.b64encode(raw).decode(), raw.hex(), "p%40ss%20w%C3%B6rd%2F1"])
    left = redacted(text, forms)
    assert set(left.split()) == {"[removed]"}
    assert list(secrets_in(f'api_token = "{SECRET}"\nlist_of_secrets = ["{SECRET}2"]')) == [SECRET, f"{SECRET}2"]


@pytest.mark.parametrize(
    "text",
    [
        'certificate = "/etc/ssl/domains/domain.crt"',
        'key = "/etc/ssl/domains/domain.key"',
        'key_type = "ec-256"',
        'directory = "https://acme-v02.api.letsencrypt.org/directory"',
        'domains = ["shop.example.com", "www.shop.example.com"]',
        "renew_days_before = 30",
        'reload = ["systemctl", "reload", "nginx"]',
        "sha256 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99",
    ],
)
def test_what_helps_stays(text: str) -> None:
    """Paths, names, key types and directories stay: without them a report is of no use."""
    assert redacted_settings(text) == text


@pytest.mark.parametrize(
    "piece",
    ["a1-", "token", "password=", "A9/", '"', "https://", "-----BEGIN PRIVATE KEY-----", "eyJ", "=", "= ", "\\"],
)
def test_long_text_takes_no_long_time(piece: str) -> None:
    """A hundred kilobytes of any one thing are looked through in a time that grows with the length alone."""
    redacted_settings(piece * (100_000 // len(piece)))


def test_words_are_taken_in_any_number() -> None:
    """Lines of thousands of keys are left out, wherever they stand."""
    lines = {f"{number:024}" for number in range(50_000)}
    assert redacted(f"see {49_999:024}, not {7:020}", (), lines) == f"see [removed], not {7:020}"
