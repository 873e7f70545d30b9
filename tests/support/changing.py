"""A change of a target's files, step by step, with its folders held open as a deployment holds them.

with Changing(target) as changing:      # or without: then its folders are open until the test ends
    changing.stage(contents)
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.config.model import TargetConfig
from core.targets import pair
from core.targets.change import Change
from core.targets.site import Site, Sites
from core.targets.survey import survey


class Changing:
    """One deployment to one target, or with `change` the end of one that died."""

    def __init__(self, target: TargetConfig, change: Change | None = None) -> None:
        self.sites = Sites()
        self.target = target
        try:
            self.change = survey(target, self.sites) if change is None else change
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Changing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the folders."""
        self.sites.__exit__()

    @property
    def site(self) -> Site:
        """The folders of the target."""
        return self.sites.of(self.target)

    def stage(self, contents: Mapping[str, bytes]) -> None:
        """See `core.targets.pair`, here and below."""
        pair.stage(self.change, self.site, contents)

    def adopt(self) -> None:
        pair.adopt(self.change, self.site)

    def switch(self) -> None:
        pair.switch(self.change, self.site)

    def settle(self) -> None:
        pair.settle(self.change, self.site)

    def show_old(self) -> None:
        pair.show_old(self.change, self.site)

    def put_back(self) -> None:
        pair.put_back(self.change, self.site)

    def deploy(self, contents: Mapping[str, bytes]) -> None:
        """Do all of it."""
        self.stage(contents)
        self.adopt()
        self.switch()
        self.settle()


def recovered(change: Change, target: TargetConfig) -> Changing:
    """Return the change as a later run has it, which reads its record and opens the folders anew."""
    return Changing(target, Change.from_json(json.loads(json.dumps(change.as_json())), target))
