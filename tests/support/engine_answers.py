"""Operations of the engine that a test answers with a value: bound against the real signature, so that a wrong call fails.

engine.answers["web"] = state              # what the operation returns; a function gets the arguments by name
engine.fails["apply_web"] = SomeError(…)   # what it raises instead
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from core.engine import Engine


class EngineAnswers:
    """Mix-in for every operation that its host does not define. Its host has `_called`, which records and raises."""

    answers: dict[str, Any]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(Engine, name, None)
        if name.startswith("_") or not inspect.isfunction(operation):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            bound = inspect.signature(operation).bind(self, *args, **kwargs)
            given = {key: value for key, value in bound.arguments.items() if key not in ("self", "report", "cancel")}
            self._called(name, **given)
            answer = self.answers[name]
            return answer(**given) if callable(answer) else answer

        return call
