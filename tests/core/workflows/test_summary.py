"""core.workflows.summary: monitoring gets the same answer as from `status`, and nothing is judged twice before it can change."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from core.config.edit import write_lineage
from core.config.model import Appliance, Config, Defaults, LineageConfig
from core.health import NO_TIMER, health
from core.paths import Paths, paths_for
from core.severity import turns
from core.store import detected, index, lineages, orders, renewal_state
from core.store.healthy import Healthy
from core.store.index import Facts, Look
from core.store.orders import OrderRecord
from core.store.renewal_state import RenewalState
from core.summary import Summary, summary_of
from core.version import BUILT
from core.workflows.context import View
from core.workflows.renewing.due import believable
from core.workflows.status import Watch, lineage_status, status
from core.workflows.status import watch as watch_of
from core.workflows.summary import healthy_until, summary
from tests.support.authority import Authority, Leaf
from tests.support.boxes import store, the_environment
from tests.support.clock import NOON, FakeClock
from tests.support.fake_detect import SERVICES
from tui.cli.status_text import check_line

DAY = 86400.0
BOX = Appliance(hostname="box.example.com")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_for({"CERTDECK_HOME": str(tmp_path / "box")}, 0)


@pytest.fixture
def authority() -> Authority:
    """A CA under the clock of the test."""
    return Authority.new(now=NOON)


@pytest.fixture
def view(paths: Paths, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> View:
    """Three certificates, all well. Times of change count as settled at once."""
    monkeypatch.setattr(index, "_FRESH_NANOSECONDS", 0)
    monkeypatch.setattr(index, "_FINE_FRESH_NANOSECONDS", 0)
    for number in range(3):
        add(
            paths,
            f"shop{number}",
            authority.leaf([f"shop{number}.example.com"], days=60 + number, not_before=NOON - timedelta(hours=1)),
        )
    return View(paths=paths, env=the_environment(), config=Config(appliance=BOX))


def add(paths: Paths, name: str, leaf: Leaf) -> None:
    write_lineage(paths, LineageConfig(name=name, domains=(f"{name}.example.com",), issuer="letsencrypt"))
    lineages.switch(paths, name, store(paths, name, leaf))


def told(view: View) -> tuple[int, str]:
    """Ask twice, so that the second answer comes from what is kept, and compare with the full state."""
    next_tick(view.paths)
    full = summary_of(status(view, probe=True))
    first, second = summary(view), summary(view)
    assert _comparable(first) == _comparable(second) == _comparable(full)
    return check_line(full)


def _comparable(one: Summary) -> dict[str, Any]:
    """Return its fields; errors are compared by what they say."""
    return asdict(one) | {"problems": [str(each) for each in one.problems]}


def next_tick(paths: Paths) -> None:
    """Let the file system's clock go on by one tick, some milliseconds at most: what changes then has another time."""
    file = paths.etc.parent / "tick"
    file.touch()
    first = file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == first:
        file.touch()


def known(paths: Paths) -> set[str]:
    return set(json.loads(paths.healthy.read_bytes())["rows"])


def test_the_answer_is_that_of_status(view: View) -> None:
    """Of certificates without a problem only the number is told, and the days of the one that ends first."""
    told(view)
    found = summary(view)
    assert (found.lineages, found.unlisted.ok, found.unlisted.warning, found.unlisted.days_left) == ((), 0, 3, 60)
    assert known(view.paths) == {"shop0", "shop1", "shop2"}


def test_what_is_kept_is_used(view: View) -> None:
    """The second answer reads no certificate, and not even the index."""
    told(view)
    view.paths.index.write_bytes(b"rubbish")
    before = view.paths.healthy.stat().st_ino
    told_again = check_line(summary(view))
    assert view.paths.index.read_bytes() == b"rubbish"
    assert view.paths.healthy.stat().st_ino == before
    assert told_again == check_line(summary_of(status(view, probe=True)))


def test_a_listener_costs_nothing_until_its_certificate_is_about_to_expire(view: View) -> None:
    """What services present is compared with the certificates of this box only where there is something to warn of."""
    told(view)
    detected.save(view.paths, SERVICES[:1], NOON)
    whole = view.paths.index.read_bytes()
    view.paths.index.write_bytes(b"rubbish")
    assert summary(view).unmanaged == ()
    assert view.paths.index.read_bytes() == b"rubbish"
    view.paths.index.write_bytes(whole)
    detected.save(view.paths, SERVICES, NOON)
    assert "Postfix on 127.0.0.1:465: 11 days left, not managed" in told(view)[1]


@pytest.mark.parametrize("text", [b"", b"{}", b"[" * 9000, b'{"sum":"00000000","basis":"","at":0,"rows":{}}'])
def test_a_damaged_file_is_rebuilt(view: View, text: bytes) -> None:
    """A damaged file, or a missing one, costs time only."""
    told(view)
    whole = view.paths.healthy.read_bytes()
    view.paths.healthy.write_bytes(text)
    told(view)
    assert view.paths.healthy.read_bytes() == whole
    view.paths.healthy.write_bytes(whole.replace(b"true", b"false").replace(b"false", b"true"))
    told(view)
    assert view.paths.healthy.read_bytes() == whole


def test_every_change_is_noticed(view: View, authority: Authority) -> None:
    """A failure, an order, a version that waits, a replaced file, a removal and a new certificate show at once."""
    paths = view.paths
    seen = [told(view)]
    order = OrderRecord(name="shop1", issuer="x", directory="d", account_url="u", identifiers=("a",), created=NOON)
    error = {"code": "rate-limited", "what": "a.", "why": "b.", "fix": "c.", "at": NOON.isoformat()}
    for act in (
        lambda: renewal_state.save(paths, "shop0", RenewalState(failures=2, last_error=error, last_attempt=NOON)),
        lambda: renewal_state.save(paths, "shop0", RenewalState()),
        lambda: orders.save_order(paths, order),
        lambda: orders.delete_order(paths, "shop1"),
        lambda: store(paths, "shop1", authority.leaf(["shop1.example.com"])),
        lambda: (paths.live / "shop2/cert.pem").write_bytes(authority.leaf(["x.example"], days=3).certificate_pem),
        lambda: (paths.live / "shop2/cert.pem").write_bytes(b"rubbish"),
        lambda: (paths.certificates / "shop2.toml").unlink(),
        lambda: add(paths, "shop3", authority.leaf(["shop3.example.com"], days=20)),
    ):
        act()
        seen.append(told(view))
    assert all(before != after for before, after in pairwise(seen)), seen


def test_a_name_that_is_not_utf8_is_a_problem_each_time(view: View) -> None:
    """A file of settings whose name no JSON can hold is reported, and the others are kept all the same."""
    name = os.fsdecode(b"caf\xe9.toml")
    (view.paths.certificates / name).write_text('domains = ["shop.example.com"]\n')
    assert told(view)[0] == 2
    assert known(view.paths) == {"shop0", "shop1", "shop2"}


def test_settings_and_timer_are_noticed(view: View) -> None:
    """What concerns all certificates alike is not part of what is kept for each."""
    paths = view.paths
    assert told(view)[0] == 1  # no timer
    off = View(paths=paths, env=view.env, config=Config(appliance=BOX, defaults=Defaults(auto_renew=False)))
    assert "ok=3 warning=0" in told(off)[1]
    assert "ok=0 warning=3" in told(view)[1]


def test_time_is_noticed(view: View) -> None:
    """Each certificate turns yellow, red and expired at its moment; a clock that is set back judges all anew."""
    clock = view.env.clock
    assert isinstance(clock, FakeClock)
    seen: list[str] = []
    passed = 0.0
    for days in (10, 28.999, 29, 29.001, 30, 31, 40, 52, 53, 54, 55, 60, 61, 62, 63):
        clock.advance(days=days - passed)
        passed = days
        seen.append(told(view)[1])
    assert len(set(seen)) > 10
    clock.advance(days=-50)
    assert "warning=3" in told(view)[1]


def test_services_are_asked_each_time(view: View) -> None:
    """A certificate that a service uses is judged each time: what the service serves shows in no file."""
    told(view)
    write_lineage(view.paths, LineageConfig(name="shop1", domains=("shop1.example.com",), targets=("web",)))
    told(view)
    assert known(view.paths) == {"shop0", "shop2"}


LONG_AGO, FAR = NOON.timestamp() - 400 * DAY, NOON.timestamp() + 400 * DAY
TIMES = st.one_of(
    st.none(),
    st.floats(LONG_AGO, FAR),
    st.sampled_from([NOON.timestamp(), BUILT.timestamp(), BUILT.timestamp() - DAY]),
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Return what may be known of a certificate, most of it ordinary."""
    begin = float(draw(st.integers(int(LONG_AGO), int(NOON.timestamp()) + 30 * 86400)))
    life = draw(
        st.one_of(st.sampled_from([6 * DAY, 45 * DAY, 90 * DAY - 1, 90 * DAY, 200 * DAY]), st.floats(1, 400 * DAY))
    )
    chain_end = draw(st.sampled_from(["", "", "R3"]))
    end = begin + life
    rarely = st.sampled_from([False] * 9 + [True])
    error = {"code": "rate-limited", "what": "a.", "why": "b.", "at": "2026-11-21T12:00:00Z"}
    return Facts(
        name="shop", domains=["shop.example"], issuer=draw(st.sampled_from([None, "letsencrypt", "upload", "self-signed"])),
        challenge=draw(st.sampled_from([None, "manual-dns-01", "dns-01"])), dns=None, key_type=None, profile=None,
        preferred_chain=None, targets=[], auto_renew=draw(st.sampled_from([None, True, False])),
        renew_days_before=draw(st.sampled_from([None, 10])), version=1, waiting_version=2 if draw(rarely) else None,
        newer_version=None, subject="shop.example", issued_by="R3", names=["shop.example"], serial="01", not_before=begin,
        not_after=end, sha256="AA", cert_key_type="ec-256", self_signed=False, chain_length=2, renewal_id="x", ca="letsencrypt",
        method="http-01", directory=None, cert_profile=None, chain_not_after=end - draw(st.floats(1, life)) if chain_end else end,
        chain_end=chain_end, root_sent=False, may_be_asked=True, wanted={}, is_wanted=draw(rarely), waiting=None,
        failures=draw(st.sampled_from([0, 0, 3])), last_error=error if draw(rarely) else None, last_attempt=draw(TIMES),
        next_attempt=draw(TIMES), ari_id="x", ari_start=None, ari_end=None, ari_chosen=draw(TIMES), ari_check_at=draw(TIMES),
        chain_retry_at=draw(TIMES), revoked=draw(rarely), on_fallback=draw(rarely), target_outcomes={}, open_order=draw(rarely),
    )  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts(), st.data())
def test_what_is_kept_stays_right_until_its_moment(tmp_path: Path, stored: Facts, data: st.DataObject) -> None:
    """Whatever is known of a certificate: its health, judged afresh at any time before that moment, is the same."""
    environment = the_environment()
    view = View(paths=paths_for({"CERTDECK_HOME": str(tmp_path)}, 0), env=environment, config=Config())
    watched: Watch = watch_of(view, NOON)
    look = Look({"shop": (1, 2, 3, 4, 5)}, frozenset())
    edges = [*turns(stored.not_before, stored.not_after, stored.chain_not_after), stored.not_before, stored.not_after]
    moments = st.one_of(
        st.floats(LONG_AGO, FAR),
        *(st.sampled_from([edge - DAY, edge - 1e-6, edge, edge + 1e-6, edge + DAY]) for edge in edges),
    )

    def judged(at: float) -> tuple[str, list[str], Healthy | None]:
        now = datetime.fromtimestamp(at, UTC)
        row = lineage_status(view, believable(stored, now.timestamp()), now, {}, watched)
        found = health(row)
        codes = [reason.code for reason in found.reasons if reason.code != NO_TIMER]
        return found.level, codes, healthy_until(row, stored, look, now.timestamp())

    first = data.draw(moments)
    level, codes, kept = judged(first)
    assert (kept is None) == bool(codes)
    if kept is not None and first < kept.until:
        within = st.one_of(
            st.floats(first, kept.until, exclude_max=True),
            moments.filter(lambda each: first <= each < kept.until),
            st.just(max(first, kept.until - 1e-6)),
        )
        assert judged(data.draw(within))[:2] == (level, [])


def test_each_fact_has_its_place(view: View) -> None:
    """The state of a certificate is made by position: every field has the fact of its own, and no other."""
    (row,) = status(view, ["shop0"]).lineages
    every, _ = index.facts_of_all(view.paths)
    stored = every[0]._replace(
        dns="provider", cert_profile="profile", failures=3, ca="ca", newer_version=7, revoked=True, root_sent=True,
        chain_end="R3", wanted={"key_type": "rsa-2048"}, last_error={"code": "x"}, issued_by="(STAGING) R3", serial="serial",
        is_wanted=True, chain_length=4, waiting_version=8, open_order=True,
    )  # fmt: skip
    made = lineage_status(view, stored, NOON, {}, watch_of(view, NOON))
    same = {
        "name", "subject", "serial", "self_signed", "sha256", "method", "ca", "last_error", "failures", "version",
        "waiting_version", "newer_version", "open_order", "dns", "chain_end", "root_sent", "revoked", "on_fallback", "wanted",
    }  # fmt: skip
    assert {name: getattr(made, name) for name in same} == {name: getattr(stored, name) for name in same}
    others = {name: value for name, value in asdict(made).items() if name not in same}
    assert others == {
        "domains": tuple(stored.names), "issuer": "(STAGING) R3", "not_before": NOON - timedelta(hours=1),
        "not_after": NOON + timedelta(days=60), "days_left": 60, "severity": "green", "chain": True, "chain_length": 3,
        "key_type": "ec-256", "auto_renew": True, "renew_at": NOON, "renew_why": "deploy", "targets": (), "profile": "profile",
        "chain_not_after": NOON + timedelta(days=60), "valid_yet": True, "is_staging": True, "timer": "absent", "too_rare": "",
    }  # fmt: skip
    assert (row.name, row.timer) == ("shop0", "absent")
