"""Checks passphrases before the library gets them, because it fails on some.

pyca/cryptography 50.0.2 panics (a BaseException, with the passphrase in its text and on stderr) for a PKCS#12 passphrase that
contains a NUL, and raises an unrelated TypeError for one that is not UTF-8. Both are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UnusablePassphrase(ValueError):
    """The passphrase cannot be used. The text is one sentence and shows nothing of the passphrase."""


def for_pkcs12(passphrase: bytes | None) -> bytes | None:
    """Return the passphrase if PKCS#12 allows it: UTF-8 text without NUL (RFC 7292 B.1). Raises UnusablePassphrase."""
    if passphrase is None:
        return None
    if b"\0" in passphrase:
        raise UnusablePassphrase(
            "The passphrase contains a NUL character, which is not allowed in a PKCS#12 passphrase."
        )
    try:
        passphrase.decode()
    except UnicodeDecodeError:
        raise UnusablePassphrase(
            "The passphrase is not UTF-8 text."
        ) from None  # the cause would contain the passphrase
    return passphrase


@contextmanager
def no_panic() -> Iterator[None]:
    """Turn a panic of the library into UnusablePassphrase, without its text, which may contain the passphrase."""
    try:
        yield
    except (Exception, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001 - pyo3_runtime.PanicException, which cannot be imported
        raise UnusablePassphrase("The passphrase or the file cannot be processed.") from None
