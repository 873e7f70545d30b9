"""Both front ends of the engine: the Textual console and the command line."""

import os
import sys


def _keep_bytecode_whole() -> None:
    """Remove bytecode that was written only in part, as on a full disk: Python would keep it, and no later run could load it.

    Fixed in Python 3.12.8 and 3.13.1 (python/cpython issue 126606). Called here, before anything else is imported.
    """
    loader = type(__spec__.loader)
    write = getattr(loader, "set_data", None)
    if write is None:
        return  # not loaded from files

    def set_data(self: object, path: str, data: bytes, **how: object) -> None:
        write(self, path, data, **how)
        try:
            if os.stat(path).st_size < len(data):
                os.unlink(path)
        except OSError:
            pass  # it was not written at all

    setattr(loader, "set_data", set_data)  # noqa: B010 - it has no type for that


if sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1):
    _keep_bytecode_whole()
