"""A CA for the test of the package: `pebble.py FOLDER`. Writes FOLDER/ready, lines of shell, and runs until it is ended."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.pebble import PebbleServer

folder = Path(sys.argv[1])
server = PebbleServer(folder)
if "HTTP_PORT" in os.environ:
    server.http01_port = int(os.environ["HTTP_PORT"])
server.start()
ready = folder / "ready.new"
ready.write_text(f"directory={server.directory_url}\nhttp_port={server.http01_port}\n")
ready.rename(folder / "ready")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    signal.pause()
finally:
    server.stop()
