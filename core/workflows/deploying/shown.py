"""Which targets do not carry the certificate that they should: said by every scheduled run, whether anything is due or not.

A few small files are compared for each target. Whatever differs is looked at as `status` does it, and only then is anything parsed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.config.model import TargetConfig
from core.errors import CertdeckError, StoreCorrupt
from core.regular import read_regular, read_without_waking
from core.renewal_report import Notice
from core.store.index import Facts
from core.targets.extra import is_different_each_time
from core.targets.layout import CHAIN, FULLCHAIN, StoredFiles, content_of
from core.targets.paths import paths_of
from core.workflows.context import View

CODE = "other-certificate"


def shown_elsewhere(view: View, every: Iterable[Facts]) -> tuple[Notice, ...]:
    """Return a warning for each target whose files are not the live version's. Never raises."""
    return tuple(warning for facts in every if facts.targets for warning in _of(view, facts))


def differing(view: View, every: Iterable[Facts]) -> list[Facts]:
    """Return the lineages with a target whose files are not the live version's. Never raises."""
    return [facts for facts in every if facts.targets and _differs(view, facts)]


def live_problem(view: View, name: str) -> str:
    """Return in one sentence why the files of the live version cannot be used; empty where they can, or nothing is live."""
    from core.store import lineages
    from core.x509.pair import files_problem

    try:
        version = lineages.live_version(view.paths, name)
        pair = None if version is None else lineages.read_pair(view.paths, name, version)
    except CertdeckError:
        return ""  # said as this lineage's own failure
    return "" if pair is None else files_problem(pair.cert, pair.chain, pair.fullchain, pair.privkey)


def unusable(name: str, problem: str = "Its files were changed or damaged.") -> StoreCorrupt:
    """Return the error for a live version whose files cannot be used. `problem`: a sentence."""
    return StoreCorrupt(
        f"The live version of {name} cannot be used.",
        problem,
        f"Renew it: certdeck --renew {name} --force. If it was uploaded, upload it again: certdeck import {name}.",
        lineage=name,
    )


def _differs(view: View, facts: Facts) -> bool:
    live = view.paths.live / facts.name / "fullchain.pem"
    configured = (view.config.targets.get(name) for name in facts.targets)
    return not facts.on_fallback and not all(target is None or _is_same(target, live) for target in configured)


def _of(view: View, facts: Facts) -> Iterator[Notice]:
    if not _differs(view, facts):
        return
    problem = live_problem(view, facts.name)
    if problem:  # nothing is wrong with the service, and this version cannot be deployed again
        yield Notice(
            code="live-damaged",
            what=f"The live version of {facts.name} cannot be used. {problem}",
            fix=f"Renew it: certdeck --renew {facts.name} --force. If it was uploaded, import it again.",
            lineage=facts.name,
        )
        return
    from core.workflows.status import status_of

    try:
        states = status_of(view, facts.name).targets
    except CertdeckError:
        return  # said as this lineage's own failure
    for state in states:
        if state.state != "stale":
            continue
        newer = state.outside is not None and state.outside.newer
        yield Notice(
            code=CODE,
            what=f"Target {state.name} does not serve {facts.name}. {state.why}",
            fix=state.outside.command if state.outside is not None and newer else f"certdeck deploy {facts.name}",
            lineage=facts.name,
            target=state.name,
        )


def _is_same(target: TargetConfig, live: Path) -> bool:
    """Tell whether a target's files are those of the live version. Where there is no live one there is nothing to compare."""
    (place, file), *others = paths_of(target)
    return _is_same_certificate(place, file, live) and all(
        _shows(path, each, live.parent)
        for path, each in others
        if each != CHAIN and not is_different_each_time(each)  # as `observe` has it
    )


def _is_same_certificate(place: Path, file: str, live: Path) -> bool:
    if file != FULLCHAIN:
        return _shows(place, file, live.parent)
    try:
        ours = os.stat(live).st_size
    except OSError:
        return True
    try:
        return os.stat(place).st_size == ours and read_without_waking(place) == read_regular(live)
    except OSError:
        return False


def _shows(place: Path, file: str, live: Path) -> bool:
    """Tell whether a path shows what the layout of its target puts there: more, or less, than the fullchain."""
    try:
        ours = content_of(file, StoredFiles(live))
    except OSError:
        return True
    try:
        return read_without_waking(place) == ours
    except OSError:
        return False
