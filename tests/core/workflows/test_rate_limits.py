"""A CA that says stop is obeyed for the whole issuer: in the run, over runs, and with one order first when the limit is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.acme.gate import reach_of, time_in
from core.acme.problem import URN, parse
from core.config.edit import write_lineage
from core.config.model import LineageConfig
from core.errors import RateLimited
from core.events import Failed, Report, Warned
from core.ports import Response
from core.rate_limits import Limit, believable, closed
from core.store import limits as stored
from core.store import lineages, renewal_state
from core.store.accounts import account_id
from tests.support.acme_server import problem
from tests.support.appliance import Appliance
from tests.support.authority import make_key
from tests.support.boxes import store
from tests.support.transport import Asked

AT_ONCE = 8
ACCOUNT = account_id("ca", "https://ca.test/directory")
HOUR = {"retry-after": "3600"}


def due(appliance: Appliance, count: int) -> list[str]:
    """Store `count` certificates that are due, named so that the last in the alphabet ends first; return them by their end."""
    key = make_key()
    names = [f"n{number:03}.example.com" for number in range(count)]
    for number, name in enumerate(names):
        leaf = appliance.ca.authority.leaf([name], days_left=5 + (count - number) * 0.04, key=key)
        store(appliance.paths, name, leaf, ca="ca", directory="https://ca.test/directory")
        lineages.switch(appliance.paths, name, 1)
        write_lineage(appliance.paths, LineageConfig(name=name, domains=(name,), issuer="ca"))
    return names[::-1]


class Bucket:
    """Lets so many orders pass, then refuses each with `refusal`."""

    def __init__(self, appliance: Appliance, tokens: int, refusal: Callable[[], Response]) -> None:
        self.tokens = tokens
        self.refused = 0
        self.names: list[str] = []
        """Of the orders that passed, in their order."""
        self._refusal = refusal
        self._appliance = appliance
        appliance.ca.fail("/new-order", self._judge, times=100_000)

    def _judge(self, asked: Asked) -> Response | None:
        if self.tokens <= 0:
            self.refused += 1
            return self._refusal()
        self.tokens -= 1
        return None


def too_many() -> Response:
    """Make the refusal of Let's Encrypt for an account."""
    text = "too many new orders (300) from this account in the last 3h0m0s, retry after later"
    return problem("rateLimited", 429, text, headers=HOUR)


def ordered(appliance: Appliance) -> list[str]:
    """Return the names of the orders that the CA took, in their order."""
    return [made.document["identifiers"][0]["value"] for made in appliance.ca.orders.values()]


def test_five_hundred_and_a_limit_after_fifty(appliance: Appliance) -> None:
    """A 429 after 50 of 500 was followed by 449 more refused orders, and by all of them again an hour later."""
    by_end = due(appliance, 500)
    bucket = Bucket(appliance, 50, too_many)
    report = appliance.engine.renew(report=appliance.told.append)
    assert len(report.renewed) == 50
    assert 1 <= bucket.refused <= AT_ONCE
    assert [each.error.code for each in report.failed] == ["rate-limited"] * bucket.refused
    assert len(report.skipped) == 450 - bucket.refused
    assert all("accepts no new orders before 21 Nov 2026 13:00 UTC" in each.why for each in report.skipped)
    assert all(each.renew_at is not None for each in report.skipped)
    assert set(report.renewed) < set(by_end[: 50 + AT_ONCE]), "those that end first come first"
    assert len([one for one in appliance.of(Warned) if isinstance(one, Warned) and one.code == "issuer-closed"]) == 1
    waiting = report.skipped[0].name
    assert renewal_state.load(appliance.paths, waiting).failures == 0

    asked = len(appliance.ca.asked)
    appliance.clock.advance(minutes=10)
    again = appliance.reopened().renew()
    assert len(appliance.ca.asked) == asked, "while it is closed nothing at all is asked"
    assert (again.renewed, again.failed, len(again.skipped)) == ((), (), 500)

    appliance.clock.advance(minutes=51)
    before = bucket.refused
    third = appliance.reopened().renew()
    assert bucket.refused == before + 1, "one order goes first"
    assert (len(third.failed), len(third.renewed)) == (1, 0)

    appliance.clock.advance(minutes=61)
    bucket.tokens = 20
    before, begun = bucket.refused, appliance.clock.now()
    already = len(ordered(appliance))
    fourth = appliance.reopened().renew()
    assert len(fourth.renewed) == 20
    assert bucket.refused - before <= AT_ONCE
    assert appliance.clock.now() - begun >= timedelta(seconds=19), "they are spread"
    left = [name for name in by_end if name not in report.renewed]
    assert set(ordered(appliance)[already:]) <= set(left[: 20 + 3 * AT_ONCE])


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Response(status=429, headers=HOUR, body=b"slow down"), id="429-text"),
        pytest.param(Response(status=503, headers=HOUR, body=b"Service busy"), id="503-text"),
        pytest.param(
            Response(status=429, headers={"content-type": "text/html"}, body=b"<html>no</html>"), id="429-page"
        ),
        pytest.param(problem("rateLimited", 429), id="no-time"),
        pytest.param(problem("rateLimited", 400), id="another-status"),
        pytest.param(problem("rateLimited", 429, headers={"retry-after": "99999999999"}), id="absurd"),
    ],
)
def test_whatever_says_stop_is_obeyed(appliance: Appliance, refusal: Response) -> None:
    """Plain text, a page and a refusal without a time close the issuer as well, for a bounded time."""
    due(appliance, 30)
    bucket = Bucket(appliance, 3, lambda: refusal)
    report = appliance.engine.renew()
    assert len(report.renewed) == 3
    assert bucket.refused <= AT_ONCE
    assert len(report.skipped) >= 27 - AT_ONCE
    (limit,) = {each.until for each in stored.load(appliance.paths)}
    assert 0 < limit - appliance.clock.now().timestamp() <= 31 * 86400
    before = bucket.refused
    appliance.reopened().renew()
    assert bucket.refused == before


@pytest.mark.parametrize(
    "detail",
    [
        (
            "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after "
            "2026-11-22 12:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers"
        ),
        (
            'too many failed authorizations (5) for "n003.example.com" in the last 1h0m0s, retry after then: see '
            "https://letsencrypt.org/docs/rate-limits/#authorization-failures-per-identifier-per-account"
        ),
        "Your account is temporarily prevented from requesting certificates for n003.example.com. Please visit https://portal",
    ],
)
def test_a_limit_of_one_set_of_names_holds_up_that_one(appliance: Appliance, detail: str) -> None:
    """Duplicates and failed validations concern one certificate: the others go on."""
    due(appliance, 8)

    def refuse(asked: Asked) -> Response | None:
        is_it = b"n003.example.com" in _payload(asked)
        return problem("rateLimited", 429, detail, headers=HOUR) if is_it else None

    appliance.ca.fail("/new-order", refuse, times=99)
    report = appliance.engine.renew()
    assert [each.name for each in report.failed] == ["n003.example.com"]
    assert len(report.renewed) == 7
    assert stored.load(appliance.paths) == ()


def test_a_limit_of_one_domain_closes_that_domain(appliance: Appliance) -> None:
    """Certificates per registered domain: names below it wait, other domains go on."""
    due(appliance, 20)
    other = appliance.ca.authority.leaf(["www.example.net"], days_left=1)
    store(appliance.paths, "other", other, ca="ca", directory="https://ca.test/directory")
    lineages.switch(appliance.paths, "other", 1)
    write_lineage(appliance.paths, LineageConfig(name="other", domains=("www.example.net",), issuer="ca"))
    detail = 'too many certificates (50) already issued for "example.com" in the last 168h0m0s, retry after later'
    refused = []

    def refuse(asked: Asked) -> Response | None:
        if b"example.com" not in _payload(asked):
            return None
        refused.append(asked)
        return problem("rateLimited", 429, detail, headers=HOUR)

    appliance.ca.fail("/new-order", refuse, times=99)
    report = appliance.engine.renew()
    assert report.renewed == ("other",)
    assert len(refused) <= AT_ONCE
    assert len(report.skipped) == 20 - len(refused)


def test_an_account_that_cannot_be_made_is_asked_for_once(appliance: Appliance) -> None:
    """A limit of new accounts holds up all certificates of that issuer, after one request."""
    due(appliance, 20)
    appliance.ca.fail("/new-account", problem("rateLimited", 429, headers=HOUR), times=99)
    report = appliance.engine.renew()
    assert appliance.ca.count("/new-account") == 1
    assert (len(report.failed), len(report.skipped)) == (1, 19)
    appliance.reopened().renew()
    assert appliance.ca.count("/new-account") == 1


def test_a_killed_run_has_kept_it(appliance: Appliance) -> None:
    """The limit is on the disk before the run goes on: one that is killed then is not followed by one that asks again."""
    due(appliance, 1)
    Bucket(appliance, 0, too_many)
    kept: list[int] = []

    def look(told: Report) -> None:
        if isinstance(told.event, Failed):
            kept.append(len(stored.load(appliance.paths)))

    appliance.engine.renew(report=look)
    assert kept == [1]


def test_a_person_is_told_and_can_insist(appliance: Appliance) -> None:
    """`issue` and a named run say until when it is closed and send nothing; with --force they try."""
    by_end = due(appliance, 3)
    bucket = Bucket(appliance, 0, too_many)
    appliance.engine.renew()
    before = bucket.refused
    with pytest.raises(RateLimited) as refused:
        appliance.issue("new.example.com")
    assert "accepts no new orders before 21 Nov 2026 13:00 UTC" in refused.value.what
    assert "--force" in refused.value.fix
    report = appliance.engine.renew((by_end[0],))
    assert [each.name for each in report.skipped] == [by_end[0]]
    assert bucket.refused == before
    bucket.tokens = 1
    assert appliance.engine.renew((by_end[0],), force=True).renewed == (by_end[0],)
    assert stored.load(appliance.paths) == (), "a CA that takes orders again is open again"


def test_another_issuer_steps_in(appliance: Appliance) -> None:
    """A fallback issuer that is open is asked instead, also for those that the closed one was not asked for."""
    appliance.configure('[issuers.other]\ndirectory = "https://ca.test/directory"\nagree_tos = true\n')
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text.replace('issuer = "ca"\n', 'issuer = "ca"\nfallback_issuers = ["other"]\n'))
    due(appliance, 12)
    refused = []

    def refuse(asked: Asked) -> Response | None:
        if asked in refused or len(refused) >= 1:
            return None
        refused.append(asked)
        return too_many()

    appliance.ca.fail("/new-order", refuse, times=999)
    assert len(appliance.engine.renew().renewed) == 12


def test_the_fallback_stands_in_for_what_waits(appliance: Appliance, tmp_path: Path) -> None:
    """A certificate that ends while its CA is closed is shown as expired no longer than any other that fails."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.engine.first_boot()
    appliance.issue("shop.example.com", targets=("web",))
    appliance.clock.advance(days=89, hours=12)
    Bucket(appliance, 0, lambda: problem("rateLimited", 429, "stop", headers={"retry-after": "2592000"}))
    appliance.engine.renew(("shop.example.com",))
    renewal_state.save(appliance.paths, "shop.example.com", renewal_state.RenewalState())
    appliance.clock.advance(hours=20)
    report = appliance.reopened().renew()
    assert [each.name for each in report.skipped] == ["default", "shop.example.com"]
    assert service.serves == appliance.live("default")


def test_a_clock_that_was_wrong_closes_nothing_for_long(appliance: Appliance) -> None:
    """A limit noted in the future, or longer than limits are, counts as over; and a damaged file as none."""
    now = appliance.clock.now().timestamp()
    good = Limit(account=ACCOUNT, kind="newOrder", until=now + 3600, noted=now)
    ahead = Limit(account=ACCOUNT, kind="newOrder", until=now + 90 * 86400 + 3600, noted=now + 90 * 86400)
    long = Limit(account=ACCOUNT, kind="newOrder", until=now + 40 * 86400, noted=now)
    old = Limit(account=ACCOUNT, kind="newOrder", until=now - 2 * 86400, noted=now - 3 * 86400)
    assert believable([good, ahead, long, old], now) == (good,)
    assert closed([good], ACCOUNT, ("newOrder",), [], now) == good
    assert closed([good], ACCOUNT, ("revokeCert",), [], now) is None
    stored.save(appliance.paths, [good])
    assert stored.load(appliance.paths) == (good,)
    for text in ("{", "[]", '{"limits": 7}', '{"limits": [{"account": 1}]}'):
        appliance.paths.limits.write_text(text)
        assert stored.load(appliance.paths) == ()


@pytest.mark.parametrize(
    ("document", "closes", "domain"),
    [
        ({"detail": "too many new orders (300) from this account in the last 3h0m0s"}, True, ""),
        ({"detail": "Service busy; retry later."}, True, ""),
        ({"detail": ""}, True, ""),
        (
            {"detail": "too many certificates already issued for: example.com: see https://letsencrypt.org/"},
            True,
            "example.com",
        ),
        (
            {"detail": 'too many certificates (50) already issued for "example.co.uk" in the last 168h'},
            True,
            "example.co.uk",
        ),
        ({"detail": "too many certificates (5) already issued for this exact set of identifiers"}, False, ""),
        ({"detail": "too many failed authorizations recently"}, False, ""),
        ({"detail": "limit", "identifier": {"type": "dns", "value": "a.example.com"}}, False, ""),
    ],
)
def test_how_far_a_limit_reaches(document: dict[str, object], closes: bool, domain: str) -> None:
    """What the CA clearly says to concern one set of names closes nothing; in doubt the whole kind of request is closed."""
    reach = reach_of(parse({"type": URN + "rateLimited", **document}))
    assert (reach.is_closing, reach.domain) == (closes, domain)


def test_a_time_in_the_words_counts() -> None:
    """Where no Retry-After comes with it, the time that Let's Encrypt's sentence names is taken, by our clock."""
    said = parse(
        {"type": URN + "rateLimited", "detail": "too many …, retry after 2026-11-22 12:00:00 UTC: see https://x"}
    )
    found = time_in(said, timedelta(hours=2))
    assert found is not None
    assert found.isoformat() == "2026-11-22T14:00:00+00:00"
    assert time_in(parse({"detail": "retry after 2026-99-99 12:00:00 UTC"}), None) is None


def _payload(asked: Asked) -> bytes:
    from base64 import urlsafe_b64decode

    text = json.loads(asked.body or b"{}").get("payload", "")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(problem("rateLimited", 429, "stop", headers={"retry-after": "99999999"}), id="429"),
        pytest.param(problem("serverInternal", 503, headers={"retry-after": "99999999"}), id="503"),
        pytest.param(
            problem(
                "rateLimited", 429, "too many certificates already issued for this exact set of identifiers, retry after "
                "2029-01-01 00:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/"
            ),
            id="names",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("days", [90, 45, 6])
def test_no_certificate_ends_because_a_ca_gave_a_wrong_time(appliance: Appliance, refusal: Response, days: int) -> None:
    """A wait of years is a week at most, and once a day the CA is asked all the same where a certificate would end meanwhile."""
    appliance.ca.issue = lambda csr: appliance.ca.chain_for(csr, days=days)
    appliance.issue("shop.example.com")
    old = appliance.live("shop.example.com")
    appliance.ca.fail("/new-order", refusal, times=1)
    begun, asked = appliance.clock.now(), 0
    while appliance.live("shop.example.com") == old:
        assert (appliance.clock.now() - begun).days < days, "it has ended"
        before = appliance.ca.count("/new-order")
        appliance.reopened().renew()
        asked += appliance.ca.count("/new-order") - before
        appliance.clock.advance(hours=12)
    assert asked <= 4
