"""Lists, adds, tests and removes targets: the services that use the certificates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import CertdeckError, ConfigError, InUse, StageFailed, UsageError
from core.events import Changed
from core.operations import Finding, TargetInfo
from core.store.index import facts_of_all
from core.targets.command_result import CommandResult, shown
from core.workflows.context import Context
from core.workflows.issuing.plan import unknown_target


def targets(context: Context) -> tuple[TargetInfo, ...]:
    """Return the configured targets, each with the lineage that is deployed to it."""
    from core.targets.answers import ends_sessions
    from core.targets.layout import layout_of
    from core.targets.resolved import resolved

    holders = _holders(context)
    found = []
    for name, configured in context.config.targets.items():
        target = resolved(configured)
        found.append(
            TargetInfo(
                name=name,
                kind=target.kind,
                certificate=target.certificate,
                key=target.key,
                test=target.test,
                reload=target.reload,
                probe=target.probe,
                lineage=holders.get(name),
                layout=layout_of(target),
                window=target.window,
                ends_sessions=ends_sessions(target),
                files_of=target.files_of,
            )
        )
    return tuple(found)


def add_target(context: Context, target: TargetConfig) -> None:
    """Write or change `[targets.NAME]`.

    Raises UsageError, ConfigError for settings that cannot work. Nothing is written in this case.
    """
    from core.config.edit import set_target
    from core.config.sharing import sharing
    from core.identifiers import check_lineage_name
    from core.targets.attributes import owner_of_new
    from core.targets.check import refuse
    from core.targets.kinds import kind_of

    check_lineage_name(target.name)
    try:
        kind_of(target)
    except ConfigError as exc:  # the request is wrong, not the configuration
        fix = "Use --kind files, which works for every service that reads PEM files. List all kinds with `certdeck target kinds`."
        raise UsageError(f"There is no kind of target {target.kind!r}.", exc.why, fix) from exc
    others = _others(context, target)
    target = sharing(target, others)
    refuse([target, *_same_files(target, others)], others, context.paths.state)
    try:
        owner_of_new(target)
    except StageFailed as exc:
        raise UsageError(exc.what, exc.why, exc.fix) from exc
    set_target(context.paths, target)
    context.narrator.tell(Changed(what=f"target {target.name} set"))


def remove_target(context: Context, name: str) -> None:
    """Remove a target. The service keeps its files as plain copies.

    Raises NotFound; InUse (`in-use`) if a lineage is deployed to it, or another target uses its files.
    """
    from core.config.edit import remove_table
    from core.workflows.deploying.deploy import release_target

    target = context.config.targets.get(name)
    if target is None:
        raise unknown_target(context.config, name)
    holder = _holders(context).get(name)
    if holder is not None:
        raise InUse(
            f"The target {name} serves the certificate {holder}.",
            "The certificate would no longer be renewed there.",
            f"First deploy {holder} elsewhere, or delete it.",
        )
    sharers = [each.name for each in context.config.targets.values() if each.files_of == name]
    if sharers:
        raise InUse(
            f"The files of target {name} are also those of {', '.join(sharers)}.",
            "The other targets use the files of this one.",
            f"Remove {', '.join(sharers)} first.",
        )
    if target.files_of is None:
        release_target(context, target)
    remove_table(context.paths, ("targets", name))
    context.narrator.tell(Changed(what=f"target {name} removed"))


def test_target(context: Context, name: str) -> tuple[Finding, ...]:
    """Check the paths, run the configuration test and probe the served certificate. Changes nothing. Raises NotFound."""
    target = context.config.targets.get(name)
    if target is None:
        raise unknown_target(context.config, name)
    return tuple(_findings(context, target))


def _findings(context: Context, configured: TargetConfig) -> Iterator[Finding]:
    from core.targets.answers import ends_sessions
    from core.targets.attributes import owner_of_new
    from core.targets.check import refuse
    from core.targets.resolved import resolved
    from core.targets.service import is_pushed, run_test
    from core.targets.site import Sites
    from core.targets.survey import survey

    name = configured.name
    try:
        target = resolved(configured)
        refuse([target], _others(context, target), context.paths.state)
        owner_of_new(target)
        with Sites() as sites:
            survey(target, sites)
    except CertdeckError as exc:
        yield Finding(id="target-paths", status="fail", title=name, detail=f"{exc.what} {exc.why}", fix=exc.fix)
        return
    yield Finding(id="target-paths", status="pass", title=name, detail=target.certificate)
    yield from _key_findings(context, target)
    yield from _confinement(context, target)
    if ends_sessions(target):
        when = (
            f"in its window {target.window}"
            if target.window
            else "whenever a renewal is due; to choose a time, set window"
        )
        yield Finding(
            id="target-restart",
            status="pass",
            title=name,
            detail=f"a new certificate restarts the service and closes its connections; scheduled runs do this {when}",
        )
    yield from _names(context, target)
    if is_pushed(target):
        from core.targets.remote import check

        verdict = check(context.env, target)
        detail = f"{target.host} accepts the files" if verdict.ok else verdict.why
        fix = f"Fix this, then run: certdeck target test {name}"
        status = "pass" if verdict.ok else "fail"
        yield Finding(id="target-remote", status=status, title=name, detail=detail, fix="" if verdict.ok else fix)
    if not os.path.lexists(target.certificate):
        yield Finding(
            id="target-test",
            status="warn",
            title=name,
            detail="its certificate does not exist yet, so its configuration cannot be tested",
            fix="No action is needed: the first deployment creates it, then tests the configuration.",
        )
    elif target.test:
        yield _tested(name, run_test(context.env, target), target, is_given=bool(configured.test))
    if target.probe:
        from core.targets.sight import see_all

        for sight in see_all(context.env.prober, target, _names_on(context, name), timeout=3.0):
            address = sight.listener.address
            if sight.served:
                yield Finding(id="target-probe", status="pass", title=name, detail=f"TLS works on {address}")
                continue
            yield Finding(
                id="target-probe",
                status="warn",
                title=name,
                detail=f"no TLS response on {address}: {sight.why}",
                fix="This is normal before the first certificate. Otherwise, start the service or correct the probe.",
            )


def _key_findings(context: Context, target: TargetConfig) -> Iterator[Finding]:
    """Yield who can read the key: every account of the service must, tested by reading, and nobody else may."""
    from core.targets.readers import readers_of

    name, key = target.name, Path(target.key)
    try:
        is_open = os.stat(key).st_mode & 0o004
    except OSError:
        return  # the key does not exist yet, or we cannot enter its folder
    if is_open:
        yield Finding(
            id="target-key",
            status="fail",
            title=name,
            detail=f"every user on this box can read the key {key}",
            fix=f"Run: chmod o-rwx {key}. If the service can then no longer read it, set the service's group on it.",
        )
    for reader in readers_of(target):
        can_read = context.env.reads_as(reader.name, key)
        if can_read is None:
            continue
        if can_read:
            detail = f"{reader.name} can read the key, as required by {target.kind} at each reload"
            yield Finding(id="target-key", status="pass", title=name, detail=detail)
        else:
            yield Finding(
                id="target-key",
                status="warn",
                title=name,
                detail=f"{reader.name} cannot read the key {key}, but {target.kind} reads it as that user",
                fix="The next deployment sets the key's group. If the key is still not readable, allow the "
                "group to enter the folder.",
            )


def _confinement(context: Context, target: TargetConfig) -> Iterator[Finding]:
    """Yield a finding where AppArmor keeps the files from the service, whatever their owner and mode are."""
    from core.targets.confinement import hidden

    found = hidden(target, context.env.places.root)
    if found is not None:
        detail = found.sentence.removesuffix(".")
        yield Finding(id="target-apparmor", status="warn", title=target.name, detail=detail, fix=found.fix)


def _names(context: Context, target: TargetConfig) -> Iterator[Finding]:
    """Yield whether the certificate on a target covers the names that clients use."""
    from core.workflows.deploying.served_names import missing_names

    names = _names_on(context, target.name)
    if not target.names or not names:
        return
    missing = missing_names(target, names)
    if not missing:
        yield Finding(id="target-names", status="pass", title=target.name, detail="its certificate covers its names")
        return
    yield Finding(
        id="target-names",
        status="fail" if target.single else "warn",
        title=target.name,
        detail=f"its certificate does not cover {', '.join(missing)}",
        fix=f"Order one with these names, or correct names in [targets.{target.name}].",
    )


def _others(context: Context, target: TargetConfig) -> list[TargetConfig]:
    """Return the targets with which `target` must share no path. Other faults of theirs do not matter here."""
    return [other for name, other in context.config.targets.items() if name != target.name]


def _same_files(target: TargetConfig, others: list[TargetConfig]) -> list[TargetConfig]:
    """Return the targets that use the files of this one: a change here must suit them too."""
    return [each for each in others if each.files_of == target.name]


def _tested(name: str, verdict: CommandResult, target: TargetConfig, *, is_given: bool) -> Finding:
    command = shown(target.test)
    if verdict.ok:
        # A box may run several instances, for example of nginx: the kind's command tests the one that the system starts.
        whose = (
            ""
            if is_given
            else f", which checks the {target.kind} of the system; for another instance, set test and reload"
        )
        return Finding(id="target-test", status="pass", title=name, detail=f"`{command}` passed{whose}")
    return Finding(
        id="target-test",
        status="fail",
        title=name,
        detail=f"`{command}` rejected the configuration: {verdict.output or verdict.why}",
        fix="Fix the service's own configuration first: a deployment would be rolled back.",
    )


def _names_on(context: Context, target: str) -> tuple[str, ...]:
    """Return the names of the certificate on a target. Empty if it has none of certdeck's."""
    every = facts_of_all(context.paths)[0]
    return next((tuple(facts.names) for facts in every if target in facts.targets), ())


def _holders(context: Context) -> dict[str, str]:
    return {target: facts.name for facts in facts_of_all(context.paths)[0] for target in facts.targets}
