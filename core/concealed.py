"""A mixin for values that hold a secret."""

from __future__ import annotations


class Concealed:
    """`class Credentials(Concealed, Struct)`: the repr tells the type and nothing in it, so no log or report shows the secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"
