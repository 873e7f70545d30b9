"""Folders that real ACME clients left, unpacked below a root of the test's own. Their keys are throw-away."""

from __future__ import annotations

import tarfile
from pathlib import Path

SAMPLES = Path(__file__).parent / "adopt"
"""`CLIENT-VERSION.tar.gz`, with paths as on a box."""


def unpack(client: str, root: Path) -> Path:
    """Unpack what a client left, `certbot` for example, below `root`; returns `root`."""
    (archive,) = SAMPLES.glob(f"{client}-*.tar.gz")
    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as files:
        files.extractall(root, filter="tar")
    return root
