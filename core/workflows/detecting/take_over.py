"""Adds detected services as targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from core.config.model import TargetConfig
from core.config.sharing import sharing
from core.detected import DetectedService
from core.errors import ConfigError, NotFound, UsageError
from core.events import DETECTED_PROBLEM, Warned
from core.workflows.context import Context
from core.workflows.detecting.detect import detect
from core.workflows.settings.targets import add_target


def take_over(context: Context, ids: Sequence[str], name: str | None = None) -> tuple[TargetConfig, ...]:
    """Detect services, and write a target for each of `ids`. Returns the targets. `name`: of the target, for a single id.

    An id may be just a kind (`nginx`) if only one service of that kind is not a target yet.

    Raises:
        NotFound: no such service was found.
        UsageError: a service cannot be taken over, or a kind matches several services.
        ConfigError: the target cannot work. Nothing is written then.
    """
    from core.identifiers import check_lineage_name
    from core.targets.check import refuse

    found = {each.id: each for each in detect(context)}
    services = list({each.id: each for each in (named(id, found) for id in ids)}.values())
    wanted = [_suggested(each) for each in services]
    if name is not None:
        check_lineage_name(name)
        if len(wanted) != 1:
            raise UsageError(
                "One name was given for several targets.",
                "Each target has its own name.",
                "Take over one service at a time.",
            )
        if name in context.config.targets:
            raise UsageError(
                f"The target {name} already exists.",
                "A detected service is added as a new target.",
                f"Choose another name, or remove {name} first.",
            )
        wanted = [replace(wanted[0], name=name)]
    for at, target in enumerate(wanted):
        wanted[at] = sharing(target, [*context.config.targets.values(), *wanted[:at]])
    try:
        refuse(wanted, context.config.targets.values(), context.paths.state)
    except ConfigError as exc:
        raise UsageError(exc.what, exc.why, exc.fix, details=exc.details) from exc
    for service, target in zip(services, wanted, strict=True):
        add_target(context, target)
        known = {**context.config.targets, target.name: target}
        context = replace(context, config=replace(context.config, targets=known))
        for problem in service.problems:
            context.narrator.tell(
                Warned(
                    code=DETECTED_PROBLEM,
                    what=f"{target.name}: {problem}",
                    fix=f"`certdeck target show {target.name}` shows what is set.",
                )
            )
    return tuple(wanted)


def named(id: str, found: Mapping[str, DetectedService]) -> DetectedService:
    """Return the service with an id, or the only one of a kind that is not a target yet. Raises UsageError, NotFound."""
    if id in found:
        return found[id]
    of_kind = [each for each in found.values() if each.kind == id]
    fitting = [each for each in of_kind if each.suggest is not None] or of_kind
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(
            f"There are several services of kind {id}.",
            f"Their IDs: {', '.join(each.id for each in fitting)}.",
            "Give one of these IDs. List them with `certdeck target detect`.",
        )
    known = ", ".join(each.id for each in found.values() if each.suggest is not None)
    raise NotFound(
        f"No service {id!r} was found on this box.",
        f"Services that can be taken over: {known}." if known else "No detected service can be taken over.",
        "List the services with `certdeck target detect`.",
    )


def _suggested(service: DetectedService) -> TargetConfig:
    if service.suggest is None:
        if service.target is not None:
            raise UsageError(
                f"{service.title} is already the target {service.target}.",
                "Its certificate file is written by that target.",
                f"Deploy a certificate with `certdeck deploy NAME --target {service.target}`.",
            )
        raise UsageError(
            f"{service.title} cannot be taken over.",
            " ".join(service.problems) or "Its configuration does not contain the paths of certificate and key.",
            "Add it manually; see `certdeck target add --help`.",
        )
    return service.suggest
