"""One certificate of one service, before it is turned into a result."""

from __future__ import annotations

from msgspec import Struct

from core.detect.files import Stored
from core.detect.presented import Question
from core.detect.reading import Pair
from core.detect.rows import Instance


class Seen(Struct, frozen=True, kw_only=True):
    """A service, with the certificate that its configuration names."""

    instance: Instance
    pair: Pair | None
    """None: its configuration names no readable certificate."""
    problems: tuple[str, ...]
    file: Stored | None
    questions: tuple[Question, ...]
    test: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
