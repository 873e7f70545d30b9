"""What this box uses of a CA's limits is counted, kept over runs, and looked at before an order is spent."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from core.budget import FAILURES, ORDERS, PER_DOMAIN, PER_NAMES, Use
from core.errors import AuthorizationFailed, BudgetSpent, RateLimited, UsageError
from core.events import Warned
from core.operations import IssueRequest
from core.store import ledger as stored
from core.store.accounts import account_id
from tests.core.workflows.test_rate_limits import due
from tests.support.acme_server import problem
from tests.support.appliance import Appliance

NAME = "www.example.com"
ACCOUNT = account_id("ca", "https://ca.test/directory")
FAILED = {"type": "urn:ietf:params:acme:error:connection", "detail": "Connection refused", "status": 400}


@pytest.fixture
def counted(appliance: Appliance) -> Appliance:
    """A box whose CA has the limits of Let's Encrypt."""
    text = appliance.paths.config.read_text()
    appliance.paths.config.write_text(text.replace("agree_tos = true\n", 'agree_tos = true\nlimits = "letsencrypt"\n'))
    return appliance


def used(appliance: Appliance, limit: str) -> list[str]:
    return [use.subject for use in stored.load(appliance.paths) if use.limit == limit]


def use_up(appliance: Appliance, limit: str, subject: str, count: int) -> None:
    now = appliance.clock.now().timestamp()
    stored.save(
        appliance.paths,
        [*stored.load(appliance.paths), *[Use(account=ACCOUNT, limit=limit, subject=subject, at=now)] * count],
    )


def orders(appliance: Appliance) -> int:
    return len(appliance.ca.orders)


def test_an_order_is_counted(counted: Appliance) -> None:
    """An order counts for the account, its certificate for each registered domain and for the set of names."""
    counted.issue("a.example.com", "b.example.com", "c.example.org")
    assert used(counted, ORDERS) == [""]
    assert used(counted, PER_DOMAIN) == ["example.com", "example.org"]
    assert used(counted, PER_NAMES) == ["a.example.com, b.example.com, c.example.org"]
    assert json.loads(counted.paths.ledger.read_text())["format"] == 1


def test_nothing_is_counted_for_a_ca_without_known_limits(appliance: Appliance) -> None:
    """A CA of somebody's own has no limits that certdeck knows of: no file is written."""
    appliance.issue(NAME)
    assert not appliance.paths.ledger.exists()


def test_the_fifth_certificate_is_the_last(counted: Appliance) -> None:
    """The sixth order for the same names in a week is refused before the CA is asked, with figure, date and ways on."""
    for _ in range(5):
        counted.issue(NAME, force=True)
    before = orders(counted)
    counted.paths.live.joinpath(NAME).unlink()
    with pytest.raises(BudgetSpent) as caught:
        counted.reopened().issue(request(NAME, key_type="rsa-2048"))
    error = caught.value
    assert orders(counted) == before
    assert error.code == "rate-limit-budget"
    assert error.what == (
        "ca allows 5 certificates for exactly these names (www.example.com) in 7 days, and this box has used all of them."
    )
    assert "on 22 Nov 2026 at 21:36 UTC" in error.why
    assert "other machines" in error.why
    assert "--issuer letsencrypt" in error.fix
    assert "--force" in error.fix
    counted.clock.advance(hours=34)
    assert counted.reopened().issue(request(NAME, key_type="rsa-2048"))


def test_force_says_what_it_costs_and_orders(counted: Appliance) -> None:
    """--force goes over a limit, and says before the order what that uses."""
    counted.issue(NAME)
    counted.told.clear()
    counted.issue(NAME, force=True)
    (said,) = [one.what for one in counted.of(Warned) if isinstance(one, Warned) and one.code == "rate-limit-cost"]
    assert said == (
        "ca allows 5 certificates for exactly these names (www.example.com) in 7 days. "
        "This order uses one of the 4 remaining."
    )
    codes = [type(event).__name__ for event in counted.events]
    assert codes.index("Warned") < codes.index("OrderCreated")
    use_up(counted, PER_NAMES, NAME, 5)
    engine, told = counted.reopened(), []
    engine.issue(request(NAME, force=True), report=told.append)
    assert any("certdeck places the order anyway." in getattr(each.event, "what", "") for each in told)


def test_many_orders_at_once_stay_below_the_limit(counted: Appliance) -> None:
    """Eight renewals that begin together do not go over a limit together: orders under way count."""
    names = due(counted, 8)
    for path in counted.paths.lineages.glob("*/1/version.json"):
        path.write_text(path.read_text().replace("https://ca.test/directory", "https://old.test/directory"))
    use_up(counted, PER_DOMAIN, "example.com", 45)
    report = counted.reopened().renew()
    assert (len(report.renewed), len(report.skipped), report.failed) == (5, 3, ())
    assert set(report.renewed) <= set(names)
    assert all("allows 50 certificates for example.com in 7 days" in each.why for each in report.skipped)
    assert all(each.renew_at is not None for each in report.skipped)


def test_a_renewal_of_the_same_names_counts_for_the_set_alone(counted: Appliance) -> None:
    """Let's Encrypt exempts it from orders and certificates per domain, so a full bucket of a domain does not stop it."""
    counted.ca.has_renewal_info = False
    counted.issue(NAME)
    use_up(counted, PER_DOMAIN, "example.com", 60)
    use_up(counted, ORDERS, "", 400)
    counted.clock.advance(days=70)
    use_up(counted, PER_DOMAIN, "example.com", 60)
    use_up(counted, ORDERS, "", 400)
    assert counted.reopened().renew().renewed == (NAME,)
    assert used(counted, PER_NAMES) == [NAME]


def test_failed_validations_are_counted(counted: Appliance) -> None:
    """Five failures of a name in an hour keep the sixth order back for 12 minutes; a success elsewhere is not held up."""
    counted.ca.judge = lambda name, _kind: FAILED if name == NAME else None
    for _ in range(5):
        with pytest.raises(AuthorizationFailed):
            counted.reopened().issue(request(NAME, name="a"))
    assert used(counted, FAILURES) == [NAME] * 5
    assert used(counted, PER_NAMES) == []
    with pytest.raises(BudgetSpent, match=r"5 failed validations of www\.example\.com in 1 hour"):
        counted.reopened().issue(request(NAME, name="a"))
    counted.issue("other.example.com")


def test_the_cas_own_refusal_names_the_figure(counted: Appliance) -> None:
    """SO-34, CC-24: what Let's Encrypt refuses is said with the limit, the date, staging and other CAs."""
    text = 'too many certificates (50) already issued for "example.com" in the last 168h0m0s, retry after 2026-11-22 08:00:00 UTC'
    counted.ca.fail("/new-order", problem("rateLimited", 429, text))
    with pytest.raises(RateLimited) as caught:
        counted.issue(NAME)
    error = caught.value
    assert error.code == "rate-limited"
    assert (
        "ca allows 50 certificates for example.com in 7 days (as of 5 Aug 2026). This box has used 0 of them."
        in error.why
    )
    assert "Wait until 22 Nov 2026 08:00 UTC." in error.fix
    assert "--issuer letsencrypt" in error.fix


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"uses": 3}', '{"uses": [{"account": 1}]}', '{"format": 99, "uses": []}']
)
def test_a_damaged_ledger_counts_as_empty(counted: Appliance, text: str) -> None:
    """A file that cannot be read stops nothing; one of a later release is left as it is."""
    counted.paths.state.mkdir(parents=True, exist_ok=True)
    counted.paths.ledger.write_text(text)
    counted.issue(NAME)
    if "99" in text:
        assert counted.paths.ledger.read_text() == text
    else:
        assert used(counted, PER_NAMES) == [NAME]


def request(*domains: str, **given: object) -> IssueRequest:
    return IssueRequest(domains=domains, **given)


def test_a_renewal_with_replaces_uses_nothing(counted: Appliance) -> None:
    """An order that the CA has noted as a replacement (RFC 9773 §5) counts against no limit of Let's Encrypt."""
    counted.issue(NAME)
    counted.clock.advance(days=80)
    use_up(counted, PER_NAMES, NAME, 5)
    before = stored.load(counted.paths)
    assert counted.reopened().renew().renewed == (NAME,)
    assert stored.load(counted.paths) == before


@pytest.mark.parametrize(("number", "status"), [(3, "pass"), (4, "warn"), (5, "fail")])
def test_a_limit_is_known_before_the_order(counted: Appliance, number: int, status: str) -> None:
    """The check of a request, and the doctor, say that a limit is used up, or that the order is the last one (CL-19)."""
    use_up(counted, PER_NAMES, NAME, number)
    for found in (
        counted.engine.check_request(request(NAME)),
        counted.engine.doctor(request=request(NAME)),
    ):
        known = [each.status for each in found if each.id == "budget"]
        assert known == [status] or (status == "pass" and not known)  # the wizard says nothing where nothing is wrong


def test_what_the_ca_has_said_is_kept(counted: Appliance) -> None:
    """A refusal for a set of names that other machines have used up is not asked for again before its time."""
    text = (
        "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, "
        "retry after 2026-11-22 08:00:00 UTC"
    )
    counted.ca.fail("/new-order", problem("rateLimited", 429, text))
    with pytest.raises(RateLimited, match="because of a rate limit"):
        counted.issue(NAME)
    asked = orders(counted)
    with pytest.raises(BudgetSpent, match=r"ca reports that all of them are used\. .* on 22 Nov 2026 at 08:00 UTC"):
        counted.reopened().issue(request(NAME))
    assert orders(counted) == asked
    counted.issue("other.example.com")
    counted.clock.advance(hours=21)
    counted.issue(NAME)


def test_numbers_of_its_own_hold_for_a_ca(appliance: Appliance) -> None:
    """A table of limits counts as published limits do: the order over it waits, show and error follow it."""
    appliance.configure('\n[issuers.ca.limits]\norders = "2/30d"\n')
    appliance.issue("a.example.com")
    appliance.issue("b.example.com")
    appliance.clock.advance(days=10)
    with pytest.raises(BudgetSpent) as refused:
        appliance.issue("c.example.com")
    assert "ca allows 2 orders in 30 days" in refused.value.what
    shown = appliance.engine.issuer("ca")
    (standing,) = shown.limits
    assert (standing.limit, standing.count, standing.used, standing.left) == ("orders", 2, 2, 0)
    assert shown.limits_as_of == ""
    appliance.clock.advance(days=6)
    appliance.issue("c.example.com")


def test_limits_are_set_and_changed_by_command(appliance: Appliance) -> None:
    """`issuer add` writes the table, changes it, and refuses what is no limit with status 2; nothing is written then."""
    had = appliance.engine.config().issuers["ca"]
    appliance.engine.add_issuer("ca", replace(had, limits={"orders": "20/1d"}))
    appliance.engine.add_issuer("ca", replace(had, limits={"orders": "30/1d", "exempt": "renewal"}))
    text = appliance.paths.config.read_text()
    with pytest.raises(UsageError, match="limits of ca"):
        appliance.engine.add_issuer("ca", replace(had, limits={"orders": "many"}))
    assert appliance.paths.config.read_text() == text
    assert appliance.engine.config().issuers["ca"] == replace(had, limits={"orders": "30/1d", "exempt": "renewal"})
    appliance.engine.add_issuer("fresh", replace(had, limits={"orders": "1/1h"}))
    assert [each.count for each in appliance.engine.issuer("fresh").limits] == [1]
