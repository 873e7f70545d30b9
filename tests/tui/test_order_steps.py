"""The steps of an operation, made from what it told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from core import events as told
from core.events import Event, Report
from tests.support.lineages import NOW
from tests.support.showcase import deploy_events, issue_events, rehearsal_events
from tui.widgets.order_progress import counted
from tui.widgets.order_steps import Steps, steps_of

DOMAINS = ("shop.example.com", "www.shop.example.com")


def reports(events: Sequence[Event], lineage: str | None = "shop", *, start: float = 0.0) -> list[Report]:
    """Let `events` happen a second apart."""
    return [
        Report(at=NOW + timedelta(seconds=start + number), run="0badcafe", lineage=lineage, event=event)
        for number, event in enumerate(events)
    ]


def states(steps: Steps) -> list[tuple[str, str]]:
    return [(step.label, step.state) for step in steps.steps]


def test_nothing_told_yet() -> None:
    """Before anything has been told there are no steps, and no count."""
    assert steps_of([]) == Steps()
    assert counted([]) == (0, 0)


def test_an_issuance_from_beginning_to_end() -> None:
    """Order, each name, certificate, and each service become steps, and all of them end."""
    events = [told.AccountReady(issuer="letsencrypt", url="u", created=True), *issue_events(DOMAINS, ["nginx"])]
    steps = steps_of(reports(events), "done")
    assert states(steps) == [
        ("Account", "done"),
        ("Order", "done"),
        ("shop.example.com", "done"),
        ("www.shop.example.com", "done"),
        ("Certificate", "done"),
        ("Live", "done"),
        ("nginx", "done"),
    ]
    assert (steps.done, steps.of) == (7, 7)
    by_label = {step.label: step.detail for step in steps.steps}
    assert by_label["Order"] == "2 names at letsencrypt"
    assert by_label["shop.example.com"] == "validated, seen from 1 place"
    assert by_label["Certificate"] == "from letsencrypt, valid to 19 Feb 2027"
    assert by_label["nginx"] == "serves this certificate"


def test_what_is_to_come_is_there_already() -> None:
    """Names that have not had their turn, the certificate and the expected services stand there, waiting."""
    steps = steps_of(reports(issue_events(DOMAINS, ["nginx"])[:2]), expects=("nginx",))
    assert states(steps) == [
        ("Order", "done"),
        ("shop.example.com", "running"),
        ("www.shop.example.com", "waiting"),
        ("Certificate", "waiting"),
        ("nginx", "waiting"),
    ]
    assert counted(reports(issue_events(DOMAINS, ["nginx"])[:2]), ("nginx",)) == (1, 5)


def test_each_step_has_its_time() -> None:
    """A step's time runs from what came before it to its end, and goes on while it runs."""
    told_so_far = reports(issue_events(DOMAINS, [])[:4])
    steps = {step.label: step for step in steps_of(told_so_far).steps}
    assert steps["shop.example.com"].seconds(NOW + timedelta(seconds=60)) == 2.0
    running = {step.label: step for step in steps_of(told_so_far[:3]).steps}
    assert running["shop.example.com"].seconds(NOW + timedelta(seconds=60)) == 59.0
    assert running["Certificate"].seconds(NOW) is None


def test_the_cas_words_on_a_refusal() -> None:
    """A refused name fails with the CA's own words, and the error has what, why and what to do."""
    events = [
        *issue_events(DOMAINS, [])[:2],
        told.ChallengeFailed(identifier="shop.example.com", problem="Fetching http://…: Timeout \x1b[31mafter connect"),
        told.Failed(code="authorization-failed", what="Refused.", why="Because.", fix="Open port 80."),
    ]
    steps = steps_of(reports(events), "failed")
    failed = next(step for step in steps.steps if step.label == "shop.example.com")
    assert (failed.state, failed.detail) == ("failed", "Fetching http://…: Timeout  [31mafter connect")
    assert steps.error == ("Refused.", "Because.", "Open port 80.")


@pytest.mark.parametrize("issuer", ["letsencrypt-staging", "lab"])
def test_a_rehearsal_is_folded(issuer: str) -> None:
    """After a rehearsal the real order has steps of its own, and the rehearsal is one line that passed, whatever its issuer."""
    steps = steps_of(reports([*rehearsal_events(DOMAINS, issuer=issuer), *issue_events(DOMAINS, [])[:1]]))
    assert states(steps)[:2] == [("Rehearsal", "done"), ("Order", "done")]
    assert steps.steps[0].detail == f"passed at {issuer}"
    assert [label for label, _ in states(steps)].count("Order") == 1


def test_a_rehearsal_alone() -> None:
    """A rehearsal that nothing follows shows its steps, all of them done."""
    steps = steps_of(reports(rehearsal_events(DOMAINS)), "done")
    assert {state for _, state in states(steps)} == {"done"}
    assert steps.steps[-1].detail == "from letsencrypt-staging, not kept"


def test_an_order_at_an_issuer_called_staging_is_no_rehearsal() -> None:
    """An order that was given up and made anew is told as that, also where the issuer's name ends in "staging"."""
    twice = [issue_events(DOMAINS, [], issuer="my-staging")[0]] * 2
    assert states(steps_of(reports(twice)))[0] == ("First order", "warned")


def test_a_fallback_issuer_is_told() -> None:
    """Where another issuer has to help out, what went wrong with the first one stays on the screen."""
    fell_back = told.IssuerFellBack(from_issuer="letsencrypt", to_issuer="zerossl", why="The CA is down.")
    steps = steps_of(
        reports([*issue_events(DOMAINS, [])[:2], fell_back, *issue_events(DOMAINS, [], issuer="zerossl")[:1]])
    )
    assert (steps.steps[0].label, steps.steps[0].state, steps.steps[0].detail) == (
        "letsencrypt",
        "failed",
        "The CA is down.",
    )
    assert states(steps)[1] == ("Order", "done")


def test_a_rolled_back_service() -> None:
    """A service that had to be put back has failed, whatever it serves afterwards."""
    events = [
        told.TargetStaged(target="nginx"),
        told.VersionSwitched(version=2),
        told.TargetSwitched(target="nginx"),
        told.TargetRolledBack(target="nginx", why="the reload failed"),
        told.VersionSwitched(version=1),
        told.TargetProbed(target="nginx", served="AA", matches=True),
    ]
    steps = {step.label: step for step in steps_of(reports(events), "failed").steps}
    assert (steps["nginx"].state, steps["nginx"].detail) == ("failed", "restored")
    assert steps["Live"].detail == "version 1"


def test_what_was_under_way_when_it_was_stopped() -> None:
    """A step that was running when somebody stopped the operation has not been done."""
    steps = steps_of(reports(issue_events(DOMAINS, [])[:2]), "cancelled")
    assert next(step.state for step in steps.steps if step.label == "shop.example.com") == "failed"
    assert next(step.state for step in steps.steps if step.label == "Certificate") == "waiting"


def test_waiting_is_told_where_it_happens() -> None:
    """Why it waits, and until when, stands beside the step that waits."""
    waiting = told.Waiting(why="the CA is still looking", until=NOW + timedelta(minutes=1))
    steps = steps_of(reports([*issue_events(DOMAINS, [])[:2], waiting]))
    assert (
        next(step.detail for step in steps.steps if step.state == "running")
        == "the CA is still looking, asks again at 04:03"
    )


def test_warnings_are_notes_once() -> None:
    """A warning is kept with what to do, once however often it is told."""
    warned = told.Warned(code="x", what="Port 80 is slow.", fix="Look at the firewall.")
    assert steps_of(reports([warned, warned])).notes == [("Port 80 is slow.", "Look at the firewall.")]


def test_several_certificates_are_a_line_each() -> None:
    """Work on several certificates is one step for each, with its latest news, and the engine's own count."""
    events = [
        *reports(issue_events(["a.example"], []), "a"),
        *reports(issue_events(["b.example"], [])[:2], "b", start=20),
        *reports([told.Progressed(done=1, of=2)], None, start=30),
    ]
    steps = steps_of(events)
    assert [label for label, _ in states(steps)] == ["a", "b"]
    assert (steps.done, steps.of) == (1, 2)
    assert (
        steps_of([*events, *reports([told.Failed(code="x", what="No.", why="W.", fix="F.")], "b", start=40)], "done")
        .steps[1]
        .state
        == "failed"
    )


def test_a_deployment() -> None:
    """A deployment alone has a step for going live and one for each service."""
    steps = steps_of(reports(deploy_events(["nginx", "postfix"])), "done", ("nginx", "postfix"))
    assert states(steps) == [("Live", "done"), ("nginx", "done"), ("postfix", "done")]


def _dns_events() -> list[Event]:
    names = ("_acme-challenge.example.com", "_acme-challenge.shop.example.com")
    slow = ("ns2.example.com (192.0.2.2)", "ns3.example.com (2001:db8::3)")
    return [
        told.OrderCreated(issuer="letsencrypt", url="u", identifiers=("*.example.com", "shop.example.com")),
        told.RecordAdded(provider="cf", name=names[0]),
        told.RecordAdded(provider="cf", name=names[0]),
        told.RecordAdded(provider="bind", name=names[1]),
        told.PropagationChecked(name=names[0], seen=1, of=3, missing=slow),
        told.PropagationChecked(name=names[1], seen=2, of=2),
        told.PropagationChecked(name=names[0], seen=3, of=3),
        told.ChallengePresented(identifier="*.example.com", type="dns-01", where=names[0]),
        told.ChallengePresented(identifier="shop.example.com", type="dns-01", where=names[1]),
        told.RecordRemoved(provider="cf", name=names[0]),
        told.RecordRemoved(provider="bind", name=names[1]),
        told.ChallengeValidated(identifier="*.example.com"),
        told.ChallengeValidated(identifier="shop.example.com"),
    ]


def test_a_proof_by_dns_step_by_step() -> None:
    """Records written, seen, answered, validated and removed are steps of their own, each with its time (CC-08)."""
    steps = steps_of(reports(_dns_events()))
    assert [(step.label, step.state, step.detail) for step in steps.steps] == [
        ("Order", "done", "2 names at letsencrypt"),
        ("Records written", "done", "2 at cf, 1 at bind"),
        ("Name servers", "done", "2 of 2 names visible everywhere"),
        ("*.example.com", "done", "validated"),
        ("shop.example.com", "done", "validated"),
        ("Records removed", "done", "1 at cf, 1 at bind"),
        ("Certificate", "running", "asked for"),
    ]
    took = {step.label: step.seconds(NOW) for step in steps.steps}
    assert (took["Records written"], took["Name servers"], took["Records removed"]) == (3.0, 4.0, 2.0)


def test_who_lacks_a_record_is_named() -> None:
    """While it waits for the name servers, it says how many have the record and who does not (CC-09)."""
    steps = {step.label: step for step in steps_of(reports(_dns_events()[:5])).steps}
    assert steps["Name servers"].state == "running"
    assert steps["Name servers"].detail == "1 of 3; ns2.example.com and 1 more not yet"
    answered = {step.label: step for step in steps_of(reports(_dns_events()[:8])).steps}
    assert answered["*.example.com"].detail == "the CA checks its record"


def test_two_records_to_set_at_one_name() -> None:
    """Records that somebody has to set wait for that person, also two at one name, and nothing calls them done (ST-14)."""
    name = "_acme-challenge.a.example"
    events = [
        told.RecordsRequired(records=((name, "TXT", "abc"), (name, "TXT", "def"))),
        told.RunFinished(operation="issue", outcome="pending"),
    ]
    steps = steps_of(reports(events), "done")
    assert [(step.label, step.state, step.detail) for step in steps.steps] == [
        (name, "waiting", "needs TXT abc"),
        (name, "waiting", "needs TXT def"),
    ]


def test_a_connection_test_step_by_step() -> None:
    """The steps of a provider's test stand there with their result and the time that each took (ST-24)."""
    results = (("credentials", "pass", 212), ("write", "fail", 95), ("remove", "skip", 0))
    events = [
        told.ProviderTested(provider="cf", step=step, status=status, detail=f"{step} told", milliseconds=time)
        for step, status, time in results
    ]
    steps = steps_of(reports(events), "done")
    assert states(steps)[:2] == [("Credentials", "done"), ("Write record", "failed")]
    assert steps.steps[0].seconds(NOW) == 0.212
    assert steps.steps[1].detail == "write told"
