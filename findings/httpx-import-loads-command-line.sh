#!/bin/sh
# httpx 0.28.1: `import httpx` loads click, rich and pygments wherever click and rich are installed, by whatever package.
#
# httpx/__init__.py imports its own command line (httpx._main) and lets an ImportError pass. So the cost of importing the library depends on
# what else lies in the environment: a package that requires click (apprise, black, flask …) makes every program that uses httpx start
# later. One would expect that of httpx[cli] alone.
#
# Seen:
#   modules of click, rich and pygments after import httpx: 0 without click, 84 with it
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check httpx==0.28.1 || exit 2
cat >count.py <<'PY'
import sys

import httpx

print(sum(name.partition(".")[0] in ("click", "rich", "pygments") for name in sys.modules))
PY
without=$(venv/bin/python count.py) || exit 2
venv/bin/pip install --quiet --disable-pip-version-check click==8.1.8 rich==14.0.0 || exit 2
with=$(venv/bin/python count.py) || exit 2
echo "modules of click, rich and pygments after import httpx: $without without click, $with with it"
[ "$without" = 0 ] && [ "$with" -gt 20 ]
