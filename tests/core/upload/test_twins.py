"""Several certificates of one CA: the best path is found, in whatever order they stand, and the rest is left out by name."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta

from cryptography import x509

from core.dates import day_shown
from core.x509.path_building import earliest_end
from tests.support.authority import PrivateKey, key_pem, make_key
from tests.support.clock import NOON
from tests.support.uploads import Judged, ca, judge, pem, san, sign

HOST = "shop.example.com"
PAST, SOON, LATE = NOON - timedelta(days=1), NOON + timedelta(days=20), NOON + timedelta(days=900)
CA = tuple[x509.Certificate, PrivateKey]


def leaf_below(above: CA) -> tuple[bytes, bytes]:
    key = make_key()
    made = sign(HOST, key, issuer=above[0].subject, issuer_key=above[1], extensions=[san(HOST)])
    return pem(made), key_pem(key)


def in_any_order(*parts: bytes, roots: bytes = b"") -> list[Judged]:
    """Judge the parts in every order."""
    return [judge(b"".join(order), roots=roots) for order in itertools.permutations(parts)]


def ends(judged: Judged) -> list[object]:
    assert judged.material is not None
    return [each.not_after for each in judged.material.way.sent]


def test_a_renewed_intermediate_beside_the_expired_one() -> None:
    """An issuing CA that was renewed with the same key: the valid one is sent, the expired one is named as left out."""
    root = ca("Root")
    old = ca("Issuing", above=root, not_after=PAST)
    new = ca("Issuing", above=root, key=old[1], not_after=LATE)
    leaf, key = leaf_below(new)
    for judged in in_any_order(leaf, pem(old[0]), pem(new[0]), key, roots=pem(root[0])):
        assert judged["chain"].status == "pass"
        assert ends(judged) == [LATE]
        assert f"Ignored, because not part of the chain: Issuing (expired on {day_shown(PAST)})" in judged.text
    assert judge(leaf, pem(old[0]), pem(new[0]), pem(root[0]), key)["chain"].status == "warn"


def test_the_path_that_lasts_longest_wins() -> None:
    """Of two valid paths to trusted roots the one whose earliest member ends last is sent."""
    root, other = ca("Root"), ca("Other Root")
    short = ca("Issuing", above=root, not_after=SOON)
    long = ca("Issuing", above=other, key=short[1], not_after=LATE)
    leaf, key = leaf_below(short)
    for judged in in_any_order(leaf, pem(short[0]), pem(long[0]), key, roots=pem(root[0]) + pem(other[0])):
        assert judged["chain"].status == "pass"
        assert ends(judged) == [LATE]


def test_a_trusted_path_wins_over_a_longer_lasting_one() -> None:
    """A cross-signed twin below a root that nobody knows is left out, however long it lasts."""
    root, unknown = ca("Root"), ca("Unknown Root")
    known = ca("Issuing", above=root, not_after=SOON)
    cross = ca("Issuing", above=unknown, key=known[1], not_after=LATE)
    leaf, key = leaf_below(known)
    parts = (pem(unknown[0]), pem(cross[0]), pem(known[0]))
    for judged in in_any_order(*parts, leaf + key, roots=pem(root[0])):
        assert judged["chain"].status == "pass"
        assert ends(judged) == [SOON]


def test_an_expired_cross_sign_does_not_break_a_chain() -> None:
    """The old way to an expired root stays out where a newer root of the same name and key is trusted."""
    old_root = ca("Old Root", not_before=NOON - timedelta(days=900), not_after=PAST)
    root = ca("Root")
    cross = ca("Root", above=old_root, key=root[1], not_before=NOON - timedelta(days=800), not_after=PAST)
    issuing = ca("Issuing", above=root)
    leaf, key = leaf_below(issuing)
    for judged in in_any_order(leaf + key, pem(issuing[0]), pem(cross[0]), pem(old_root[0]), roots=pem(root[0])):
        assert judged["chain"].status == "pass"
        assert [each.subject for each in judged.material.way.sent] == ["Issuing"]


def test_a_twin_that_may_not_sign_is_passed_by() -> None:
    """Of two certificates of one name and key the one that may sign certificates is taken, the other is no fault."""
    root = ca("Root")
    good = ca("Issuing", above=root)
    bad = sign("Issuing", good[1], issuer=root[0].subject, issuer_key=root[1])
    leaf, key = leaf_below(good)
    for judged in in_any_order(leaf + key, pem(bad), pem(good[0]), pem(root[0])):
        assert judged["chain"].status == "warn"
        assert "1 intermediate, complete" in judged["chain"].detail


def test_unrelated_certificates_and_duplicates_do_no_harm() -> None:
    """Roots and intermediates of other CAs, and everything twice, leave the chain as it is and are listed once."""
    root, stranger = ca("Root"), ca("Stranger")
    issuing = ca("Issuing", above=root)
    leaf, key = leaf_below(issuing)
    everything = leaf + pem(issuing[0]) + pem(stranger[0]) + pem(ca("Beside", above=stranger)[0]) + pem(root[0])
    judged = judge(everything, everything, key)
    assert judged["chain"].status == "warn"
    assert "1 intermediate, complete" in judged["chain"].detail
    assert judged.material is not None
    assert [(each.kind, each.what) for each in judged.material.left_out] == [
        ("root", "Root"),
        ("certificate", "Stranger"),
        ("certificate", "Beside"),
    ]


def test_the_earliest_end_is_that_of_what_is_sent() -> None:
    """The end of a chain is the earliest among leaf and intermediates; a root does not count."""
    root = ca("Root", not_after=SOON - timedelta(days=9))
    issuing = ca("Issuing", above=root, not_after=SOON)
    leaf, key = leaf_below(issuing)
    judged = judge(leaf, pem(issuing[0]), pem(root[0]), key)
    assert judged.material is not None
    way = judged.material.way
    assert way.not_after == earliest_end((way.leaf, *(link.certificate for link in way.links))) == SOON


def test_many_twins_at_many_levels_are_answered_soon() -> None:
    """Five twins at each of eight levels make more paths than can be looked at; the answer comes within a second."""
    level = [ca("Root")]
    texts = [pem(level[0][0])]
    for number in range(8):
        key = make_key()
        level = [ca(f"Level {number}", above=level[each % len(level)], key=key) for each in range(5)]
        texts += [pem(each[0]) for each in level]
    leaf, key_text = leaf_below(level[0])
    before = time.process_time()
    judged = judge(leaf + b"".join(texts), key_text)
    assert time.process_time() - before < 4
    assert judged["chain"].status == "warn"
    assert "8 intermediates, complete" in judged["chain"].detail
