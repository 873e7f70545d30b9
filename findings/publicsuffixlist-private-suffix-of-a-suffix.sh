#!/bin/sh
# publicsuffixlist 1.1.2: privatesuffix() is None for a name that is a public suffix itself, and any unknown top level is a public suffix.
#
# The list names services such as github.io as public suffixes. Who counts certificates by registered domain, as CAs do, asks for
# privatesuffix("github.io") and gets None, although the CA counts that name. And privatesuffix("box.lan") is "box.lan": without a rule the
# last label counts as one (the list's own algorithm), so private names get a registered domain, too, unless accept_unknown=False.
#
# Seen:
#   github.io: None; user.github.io: user.github.io; box.lan: box.lan; box.lan with accept_unknown=False: None
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check publicsuffixlist==1.1.2.20261023 || exit 2
cat >ask.py <<'PY'
from publicsuffixlist import PublicSuffixList

known, strict = PublicSuffixList(), PublicSuffixList(accept_unknown=False)
seen = [known.privatesuffix(name) for name in ("github.io", "user.github.io", "box.lan")]
seen.append(strict.privatesuffix("box.lan"))
print("github.io: {}; user.github.io: {}; box.lan: {}; box.lan with accept_unknown=False: {}".format(*seen))
raise SystemExit(0 if seen == [None, "user.github.io", "box.lan", None] else 1)
PY
venv/bin/python ask.py
