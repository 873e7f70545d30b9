"""The product's version, and the day it was built: a clock that shows an earlier day is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from core.release import VERSION as VERSION

BUILT = datetime(2026, 11, 21, tzinfo=UTC)
