"""A runner of child processes that runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.ports import OUTPUT_LIMIT_BYTES, CancelToken, Completed

OK = Completed(returncode=0, output="")
Answer = Completed | Callable[[Sequence[str]], Completed]


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that was asked for."""

    argv: tuple[str, ...]
    timeout: float
    extra_env: Mapping[str, str]
    stdin: bytes | None


class FakeRunner:
    """Answers by the program's name, with success when nothing is said; keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.ran: list[Ran] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        extra_env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        output_limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        if cancel is not None:
            cancel.check()
        self.ran.append(Ran(tuple(argv), timeout, dict(extra_env or {}), stdin))
        answer = self.answers.get(argv[0], OK)
        return answer(argv) if callable(answer) else answer

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Every argument list, in order."""
        return [each.argv for each in self.ran]
