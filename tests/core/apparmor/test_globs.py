"""Path patterns of AppArmor: what they match."""

from __future__ import annotations

import pytest

from core.apparmor.globs import expanded, is_known, matcher

VARIABLES = {"HOME": ["@{HOMEDIRS}/*/", "/root/"], "HOMEDIRS": ["/home/"], "PROC": ["/proc/"], "BASE": [""]}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/etc/bind/**", "/etc/bind/.certdeck-dns/next/privkey.pem", True),
        ("/etc/bind/*", "/etc/bind/named.conf", True),
        ("/etc/bind/*", "/etc/bind/keys/a.pem", False),
        ("/etc/bind/*", "/etc/bindings/a.pem", False),
        ("/etc/{,libre}ssl/cert.pem", "/etc/libressl/cert.pem", True),
        ("/etc/{,libre}ssl/cert.pem", "/etc/ssl/cert.pem", True),
        ("/etc/{ssl{,-new},pki}/**", "/etc/ssl-new/a", True),
        ("/{etc,usr/share}/pki/bl[ao]cklist/{,*}", "/etc/pki/blocklist/a", True),
        ("/srv/[^a]*", "/srv/b", True),
        ("/srv/[^a]*", "/srv/a", False),
        ("/srv/[^a]b", "/srv//b", False),
        ("/var/lib/x-?.qf", "/var/lib/x-1.qf", True),
        (r"/srv/a\*b", "/srv/a*b", True),
        (r"/srv/a\*b", "/srv/axb", False),
        ("/srv/a,b", "/srv/a,b", True),
        ("/srv/a.pem", "/srv/a+pem", False),
        ("**", "/any/where", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    """`*` ends at a slash and `**` does not; alternatives nest; what stands for itself is taken as it is."""
    assert (matcher(pattern).fullmatch(path) is not None) is matches


@pytest.mark.parametrize("pattern", ["/etc/{a,b", "/etc/[a", "/etc/[z-a]"])
def test_broken_patterns(pattern: str) -> None:
    """A pattern that cannot be read is an error of its own, whoever wrote it."""
    with pytest.raises(ValueError, match=r".+"):
        matcher(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("@{HOME}/.ssl/**", "{/home/*,/root}/.ssl/**"),
        ("@{PROC}/stat", "/proc/stat"),
        ("/srv/@{PROC}", "/srv/proc/"),
        ("@{BASE}/@{PROC}/x", "/proc/x"),
        ("/a/@{unknown}/b", "/a/@{unknown}/b"),
    ],
)
def test_variables(pattern: str, expected: str) -> None:
    """Each variable becomes its values, however deep, and slashes meet once."""
    assert expanded(pattern, VARIABLES) == expected
    assert is_known(pattern, VARIABLES) is ("unknown" not in pattern)


def test_a_variable_that_names_itself() -> None:
    """Variables in a circle end as unknown ones."""
    assert not is_known("@{a}/x", {"a": ["@{b}"], "b": ["@{a}"]})
