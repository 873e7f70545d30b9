"""Text about the results of single commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import Stream
from tui.cli.tables import labelled
from tui.glyphs import printable
from tui.wording import text
from tui.wording.facts import certificate_facts, target_shown

if TYPE_CHECKING:
    from core.operations import Deployment, Finding, FirstBoot, Issued, LineageStatus


def issued_lines(outcome: Issued, live: Path) -> Iterator[str]:
    """Yield the issued certificate, the place of its files, and the services that use it."""
    status = outcome.status
    name = printable(status.name)
    if outcome.rehearsed_only:
        yield f"Rehearsed {name}: the staging CA issued it. Nothing was kept or deployed."
        return
    verb = "Deployed" if outcome.reused else "Issued"
    yield f"{verb} {name}."
    yield from labelled(_certificate(status, live / status.name))
    if outcome.reused:
        yield "This box already has a valid certificate for these names, so none was ordered. --force orders a new one."


def _certificate(status: LineageStatus, live: Path) -> list[tuple[str, str]]:
    facts = certificate_facts(status, "Names", "Issuer", "Valid to", "Key", "SHA-256")
    return [*facts, ("Files", printable(str(live))), *certificate_facts(status, "Served by")]


def first_boot_lines(outcome: FirstBoot, live: Path) -> Iterator[str]:
    """Yield what the first boot created, or that nothing was necessary."""
    status = outcome.status
    name = printable(status.name)
    if outcome.created:
        yield f"Created the self-signed certificate {name}."
    elif outcome.remade:
        yield f"Reissued {name} with the same key: {printable(outcome.why) or 'its names had changed'}"
    elif outcome.new_targets:
        yield f"{name} already exists, and was now deployed to {', '.join(map(printable, outcome.new_targets))} for the first time."
    else:
        yield f"Nothing to do: {name} already exists."
    yield from labelled(_certificate(status, live / status.name))
    if status.self_signed:
        yield "It is for setting up and for internal use: browsers warn about it. `certdeck issue` gets one that they trust."


def deployment_lines(deployment: Deployment) -> Iterator[str]:
    """Yield the live version, and the targets that serve it."""
    targets = ", ".join(map(target_shown, deployment.targets))
    served = f"Served by: {targets}." if targets else "No service uses it: only the files were switched."
    yield f"Version {deployment.version} of {printable(deployment.name)} is live. {served}"


def _heading(finding: Finding) -> str:
    """Return a title for use before a colon: some titles are sentences of an error."""
    return finding.title.removesuffix(".")


def finding_lines(
    findings: Sequence[Finding],
    stream: Stream,
    *,
    good: str = "Nothing prevents issuing",
    bad: str = "would prevent issuing",
) -> Iterator[str]:
    """Yield a line for each finding, with its fix below it, and the conclusion: `good`, or the number of problems and `bad`."""
    for finding in findings:
        mark = text.MARKS[finding.status]
        colour = {"pass": "green", "warn": "yellow", "fail": "red"}.get(finding.status, "dim")
        yield f"{stream.painted(mark.glyph, colour)} {printable(_heading(finding))}: {printable(finding.sentences)}"
        if finding.fix and finding.status != "pass":
            yield f"  fix: {printable(finding.fix)}"
    failures = sum(finding.status == "fail" for finding in findings)
    warnings = sum(finding.status == "warn" for finding in findings)
    yield ""
    if failures:
        yield f"{text.plural(failures, 'problem')} {bad}."
    else:
        told = f", {text.plural(warnings, 'warning')}" if warnings else ""
        yield f"{good}{told}."
