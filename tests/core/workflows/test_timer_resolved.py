"""Whether what failed in the last scheduled run is resolved by now, so that no alarm is left for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ports import Completed
from core.workflows.renewing import last_run
from tests.support.appliance import Appliance

NAME = "shop.example.com"
REFUSES = Completed(returncode=1, output="nginx: [emerg] unknown directive")


def test_a_failure_that_was_resolved(appliance: Appliance, tmp_path: Path) -> None:
    """A renewal whose deployment failed is told until the service works again and the certificate deployed (ST-27)."""
    service = appliance.add_service(tmp_path / "srv")
    appliance.issue(NAME, targets=("web",))
    service.test_answers.append(REFUSES)
    appliance.clock.advance(days=70)
    assert appliance.engine.renew().failed
    timer = appliance.engine.status().timer
    assert (timer.last_outcome, timer.resolved) == ("failed", False)
    appliance.engine.deploy(NAME)
    timer = appliance.engine.status().timer
    assert (timer.last_outcome, timer.resolved) == ("failed", True)


def test_a_run_that_failed_itself_stays_told(appliance: Appliance) -> None:
    """Where the run itself failed, no certificate in order says that the next one will not fail as well."""
    appliance.issue(NAME)
    ended = last_run.LastRun(at=appliance.clock.now(), outcome="failed", error="The vault cannot be opened.")
    last_run.record(appliance.paths, ended)
    assert not appliance.engine.status().timer.resolved


def test_one_of_two_is_not_enough(appliance: Appliance) -> None:
    """A lineage whose file cannot be read any more is not resolved, whatever became of the others."""
    appliance.issue(NAME)
    names = (NAME, "broken")
    last_run.record(
        appliance.paths, last_run.LastRun(at=appliance.clock.now(), outcome="failed", error="x", lineages=names)
    )
    (appliance.paths.certificates / "broken.toml").write_text("domains = nonsense")
    assert not appliance.engine.status().timer.resolved
    (appliance.paths.certificates / "broken.toml").unlink()
    assert appliance.engine.status().timer.resolved


@pytest.mark.parametrize(
    "text",
    [
        '{"at": "2026-11-21T03:00:00+00:00", "outcome": "failed", "error": "x"}',
        '{"at": "2026-11-21T03:00:00+00:00", "outcome": "failed", "error": "x", "lineages": []}',
    ],
)
def test_what_an_older_version_left(appliance: Appliance, text: str) -> None:
    """What an older version wrote names no lineage, so its failure stays told until the next run."""
    appliance.issue(NAME)
    appliance.paths.last_run.write_text(text)
    timer = appliance.engine.status().timer
    assert (timer.last_outcome, timer.resolved) == ("failed", False)
