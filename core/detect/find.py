"""Finds the TLS services of this box and what each presents. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from importlib import import_module

from core.concurrently import map_concurrently
from core.config.model import TargetConfig
from core.detect.files import stored
from core.detect.ports import TLS_PORTS, addresses, dialects_of
from core.detect.presented import Question, ask
from core.detect.reading import Pair, Reading, Unreadable, shown
from core.detect.rows import Instance, instances, is_one, wanted
from core.detect.said import described
from core.detect.seen import Seen
from core.detected import DetectedService, Presented
from core.ports import CancelToken, Environment, RunningProgram
from core.targets.kind import NO_ACTION
from core.targets.kinds import kind_named

_AT_ONCE = 8
_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108 - where a service looks


def detect(
    env: Environment,
    *,
    own: Set[str],
    targets: Mapping[str, TargetConfig],
    now: datetime,
    cancel: CancelToken | None = None,
) -> tuple[DetectedService, ...]:
    """Return every TLS service that was found, running ones first. Blocks for some seconds at most.

    Args:
        own: fingerprints of certdeck's certificates.
        targets: as configured; a service whose files belong to one of them is reported with that target.

    Raises Cancelled.
    """
    cancel = cancel or CancelToken()
    kinds, programs = list(wanted()), tuple(env.programs())
    running, installed = instances(kinds, programs, env, cancel)
    found = _read(running)
    touched = {path for each in running for path in each.look.touched}
    rest = [each for each in installed if each.look.usual not in touched]
    found += _read(rest)
    cancel.check()
    seen = [each for instance, reading in found for each in _seen(instance, reading)]
    strangers = [each for each in programs if not any(is_one(each, kind.how) for kind in kinds)]
    unknown = {each.pid: _questions_of_stranger(each) for each in strangers}
    questions = [each for item in seen for each in item.questions]
    presented = ask(env.prober, [*questions, *(each for several in unknown.values() for each in several)], own, now)
    cancel.check()
    strange = {
        each.name: answers
        for each in strangers
        if (answers := tuple(presented[asked] for asked in unknown[each.pid] if presented[asked].sha256))
    }
    return described(_assigned(seen, presented), strange, targets, env.places.root, now)


def _read(found: Sequence[Instance]) -> list[tuple[Instance, Reading]]:
    """Read the configurations in parallel. Raises Cancelled."""
    return list(zip(found, map_concurrently(_reading, found, at_once=_AT_ONCE), strict=True))


def _reading(instance: Instance) -> Reading:
    program = instance.program
    if program is not None and program.is_contained:
        return Reading(problems=("It runs in a container or a chroot, so its files cannot be found from here.",))
    try:
        reading = import_module(f"core.detect.readers.{instance.how.reader}").read(instance.look)
    except Unreadable as exc:
        return Reading(problems=(str(exc),))
    except PermissionError:
        return Reading(
            problems=("This user does not have permission to read its configuration. Run the command as root.",)
        )
    except OSError as exc:
        return Reading(problems=(f"{shown(str(exc.filename or 'Its configuration'))} cannot be read: {exc.strerror}.",))
    except (ValueError, RecursionError):
        return Reading(problems=("Its configuration cannot be parsed.",))
    assert isinstance(reading, Reading)
    return reading


def _seen(instance: Instance, reading: Reading) -> list[Seen]:
    """Return one entry per certificate; one without a certificate if the configuration is unreadable or names none."""
    every: list[Seen] = []
    problems = (*reading.problems, *_own_configuration(instance, reading))
    for number, pair in enumerate(reading.pairs):
        file = stored(pair)
        every.append(
            Seen(
                instance=instance,
                pair=pair,
                problems=(
                    *(problems if number == 0 else ()),
                    *_not_listening(instance, pair),
                    *_own_tmp(instance, pair),
                ),
                test=reading.test,
                reload=reading.reload,
                file=file,
                questions=_questions(instance, pair, file.names),
            )
        )
    if not every and (reading.problems or instance.program is not None):
        every.append(
            Seen(
                instance=instance,
                pair=None,
                problems=reading.problems,
                file=None,
                questions=_questions(instance, None, ()),
            )
        )
    return every


def _questions(instance: Instance, pair: Pair | None, names: Sequence[str]) -> tuple[Question, ...]:
    """Return the probes of a running service's ports for one of its certificates."""
    program = instance.program
    if program is None:
        return ()
    name = next((each for each in (*(pair.names if pair else ()), *names) if each), "")
    if pair is None or not pair.listens:
        return tuple(
            Question(host, port, dialects_of(port, instance.how.dialects), name)
            for host, port in addresses(program.sockets)
        )
    spoken = dict(pair.listens)
    return tuple(
        Question(host, port, (spoken[port],), name) for host, port in addresses(program.sockets) if port in spoken
    )


def _own_configuration(instance: Instance, reading: Reading) -> Iterable[str]:
    """Report if the kind's usual commands would affect another instance and no others are known."""
    look, row = instance.look, kind_named(instance.kind)
    own = instance.program is not None and look.touched and look.usual not in look.touched
    if own and reading.pairs and not reading.reload and row is not None and row.action.how != NO_ACTION:
        file = shown(str(min(look.touched)))
        yield f"It runs with a separate configuration, {file}. Set the test and reload commands of its target."


def _not_listening(instance: Instance, pair: Pair) -> Iterable[str]:
    program = instance.program
    if program is None:
        return
    open_ports = {port for _, port in program.sockets}
    for port, _ in pair.listens:
        if port not in open_ports:
            yield f"Its configuration names port {port}, but the service does not listen on it. Reload or restart it."


def _own_tmp(instance: Instance, pair: Pair) -> Iterable[str]:
    program = instance.program
    if program is None or not program.is_private:
        return
    for path in dict.fromkeys((pair.certificate, pair.key)):
        if path.startswith(_TEMPORARY):
            yield f"It has a private /tmp (PrivateTmp), so {shown(path)} is a different file there. Move it to another folder."


def _questions_of_stranger(program: RunningProgram) -> tuple[Question, ...]:
    """Return the probes of an unknown program: TLS on the ports registered for it, and nothing else."""
    return tuple(Question(host, port, ("",)) for host, port in addresses(program.sockets) if port in TLS_PORTS)


def _assigned(
    seen: Sequence[Seen], presented: Mapping[Question, Presented]
) -> list[tuple[Seen, tuple[Presented, ...]]]:
    """Assign each certificate its listeners.

    If the configuration does not say which port uses which certificate, a listener that presents another certificate of the
    service belongs to that one, and a port without TLS belongs to none.
    """
    files: dict[int, set[str]] = {}
    for each in seen:
        if each.file is not None and each.file.sha256:
            files.setdefault(id(each.instance.look), set()).add(each.file.sha256)
    found = []
    for each in seen:
        answers = tuple(presented[question] for question in each.questions)
        if each.pair is None or not each.pair.listens:
            mine = each.file.sha256 if each.file else None
            others = files.get(id(each.instance.look), set()) - {mine}
            answers = tuple(answer for answer in answers if answer.sha256 and answer.sha256 not in others)
        found.append((each, answers))
    return found
