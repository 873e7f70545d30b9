"""What a check of many certificates costs in Python when nothing is due: one JSON file, one `stat` for each. Usage: DIR."""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    folder, now = sys.argv[1], time.time()
    index = os.path.join(folder, "index.json")
    if not os.path.exists(index):
        found = {each.name: [each.stat().st_mtime, now + 60 * 86400] for each in os.scandir(folder)}
        with open(index, "w") as file:
            json.dump(found, file)
    with open(index) as file:
        known = json.load(file)
    print(sum(os.stat(os.path.join(folder, name)).st_mtime != at or due < now for name, (at, due) in known.items()))


main()
