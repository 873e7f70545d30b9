"""A mixin for value classes with a secret."""

from __future__ import annotations


class Concealed:
    """`class Credentials(Concealed, Struct)`: the repr shows only the type, so that no log or report shows the secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"
