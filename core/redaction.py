"""Removes secrets from text that leaves the box. Pure.

It works in three layers. Known secrets are removed everywhere. What is in the place of a secret is removed, whatever it is:
private keys in PEM, passwords in URLs, values of keys such as `api_token`, HTTP credentials. In settings, text that looks
random is removed, too. Removing too much is better than removing too little.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Set
from urllib.parse import quote, quote_plus

REMOVED = "[removed]"
_SHORTEST = 6
"""Shorter known secrets are not searched for elsewhere: this would remove ordinary words from the text."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL)
_KEY_NAMES = (
    r"pass(?:word|wd|phrase|_?code)?|pwd|secret|token|hmac|credential|authorization|cookie|signature|bearer"
    r"|(?:api|access|private|signing|account|master|shared|auth|encryption|tsig)[_-]?key|apikey"
)
_KEY_VALUE = re.compile(
    rf"""(?P<key>(?:{_KEY_NAMES})[A-Za-z0-9_.-]{{0,64}}\\*["']?\s*[=:]\s*)"""
    r"""(?P<value>\\+"[^"\\\n]*\\+"|\"{3}.*?\"{3}|'{3}.*?'{3}|\[[^\]\n]*\]|\{[^}\n]*\}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s,;&"'#][^,;&"'\n#]*)""",
    re.IGNORECASE | re.DOTALL,
)
_USER_INFO = re.compile(r"(?<=://)[^/\s\"'<>@]+@")
_SCHEME = re.compile(r"\b(?P<scheme>Bearer|Basic|Digest|Token)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?")
_RANDOM = re.compile(r"(?<![A-Za-z0-9_+=-])(?=[A-Za-z0-9_+=-]*[0-9])(?=[A-Za-z0-9_+=-]*[A-Za-z])[A-Za-z0-9_+=-]{20,}")
_WORD = re.compile(r"[A-Za-z0-9+/=]{16,}")
_BASE64 = re.compile(
    r"(?<=[\"'\s=:])(?=[A-Za-z0-9+/]*[0-9])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[a-z])"
    r"[A-Za-z0-9+][A-Za-z0-9+/]{23,}={0,2}"
)


def redacted(text: str, secrets: Iterable[str] = (), words: Set[str] = frozenset()) -> str:
    """Return a text without private keys, passwords and tokens.

    Args:
        secrets: known ones, searched for everywhere and also in encoded forms. Each one costs a search of the text.
        words: known ones that are whole words, such as lines of keys; there may be very many.
    """
    if words:
        text = _WORD.sub(lambda found: REMOVED if found[0] in words else found[0], text)
    for each in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(each, REMOVED)
    text = _PRIVATE_KEY.sub(f"{REMOVED}: a private key", text)
    text = _USER_INFO.sub(f"{REMOVED}@", text)
    text = _SCHEME.sub(rf"\g<scheme> {REMOVED}", text)
    text = _JWT.sub(REMOVED, text)
    return _KEY_VALUE.sub(_without_value, text)


def redacted_settings(text: str, secrets: Iterable[str] = (), words: Set[str] = frozenset()) -> str:
    """Return settings as `redacted` does, and without anything that looks random."""
    text = _BASE64.sub(REMOVED, redacted(text, secrets, words))
    return _RANDOM.sub(REMOVED, text)


def secrets_in(settings: str) -> Iterator[str]:
    """Yield the values in settings that look like secrets, so that they can be found elsewhere, too."""
    for found in _KEY_VALUE.finditer(settings):
        for part in re.split(r"[\"'\[\]{},\s]+", found["value"]):
            if len(part) >= _SHORTEST and part not in ("true", "false"):
                yield part
    for pattern in (_BASE64, _RANDOM):
        yield from (found[0] for found in pattern.finditer(settings))


def secret_forms(secret: bytes) -> Iterator[str]:
    """Yield the forms in which a secret of the vault may appear: its lines, and its base64 and hex encodings."""
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = ""
    yield from (line.strip() for line in text.splitlines() if "-----" not in line)
    yield base64.b64encode(secret).decode()
    yield base64.urlsafe_b64encode(secret).decode().rstrip("=")
    yield secret.hex()


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    raw = secret.encode("utf-8", "surrogateescape")
    yield secret
    yield quote(raw, safe="")
    yield quote_plus(raw)
    yield secret.encode("unicode_escape").decode()
    yield base64.b64encode(raw).decode()


def _without_value(found: re.Match[str]) -> str:
    value = found["value"]
    if value.strip("\"' ") in ("", "true", "false", REMOVED):
        return found[0]
    return f'{found["key"]}"{REMOVED}"'
