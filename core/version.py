"""The product's version, in one place, and the day it was built: a clock that shows an earlier day is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

VERSION = "0.1.0"
BUILT = datetime(2026, 11, 21, tzinfo=UTC)
