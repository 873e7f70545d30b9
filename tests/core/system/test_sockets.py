"""Words for a port that cannot be had."""

from __future__ import annotations

import errno
import socket

import pytest

from core.errors import PortUnavailable
from core.system.sockets import listening, unavailable


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        (OSError(errno.EACCES, "Permission denied"), "reserved for root"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "no address 192.0.2.1"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "Another program"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    ],
)
def test_each_cause_has_its_words(cause: OSError, word: str) -> None:
    """SF-06: whatever keeps us from the port, the error says why and names another way."""
    error = unavailable("192.0.2.1", 9, cause)
    assert word in error.why
    assert error.fix
    assert error.details["port"] == 9


@pytest.mark.parametrize("address", ["not an address", "host.invalid", "::zz"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """A mistyped address is an error in words."""
    with pytest.raises(PortUnavailable) as caught, listening(address, 0):
        pytest.fail("it was opened")
    assert address in caught.value.why


def test_both_families_get_one_port() -> None:
    """On a machine with IPv6, all addresses means two sockets with the same number."""
    with listening("0.0.0.0", 0) as sockets:
        assert len({opened.getsockname()[1] for opened in sockets}) == 1
        assert sockets[0].family == socket.AF_INET
