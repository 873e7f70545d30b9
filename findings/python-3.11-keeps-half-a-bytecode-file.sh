#!/bin/sh
# Python 3.11.2 (Debian 12): bytecode of which only a part fitted on the disk is kept, and every later import of that module fails, though
# its source is whole and the disk has room again.
#
# importlib writes a .pyc file to a temporary name and renames it, but does not look how much of it was written: on a full disk, with a
# quota or a file size limit the first write may take a part. The date and size of the source that Python compares are in the first
# 16 bytes, so the half file counts as valid; the import ends with EOFError instead of compiling the source again.
# Fixed in 3.12.8 and 3.13.1 (python/cpython issue 126606), not in 3.11.
#
# Seen (an ordinary module of 2,000 lines, imported first where files cannot grow over 4 KiB, then without a limit):
#   limited: imported
#   afterwards: EOFError: marshal data too short
#   without the bytecode: imported
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
trap 'rm -rf "$folder"' EXIT
for package in python3.11-minimal libpython3.11-minimal libpython3.11-stdlib; do
    apt-get download -qq "$package" 2>/dev/null
done
for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" root; done
case $(ls python3.11-minimal_*.deb 2>/dev/null) in *_3.11.2-*) ;; *) exit 2 ;; esac
mkdir work
for number in $(seq 2000); do echo "value_$number = $number"; done >work/ordinary.py
cat >try.py <<'PY'
import sys

sys.path.insert(0, "work")
try:
    import ordinary
except EOFError as exc:
    print(f"EOFError: {exc}")
else:
    print("imported" if ordinary.value_2000 == 2000 else "wrong")
PY
run() { PYTHONHOME=$folder/root/usr PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX= root/usr/bin/python3.11 "$@"; }
run -c pass # so that the bytecode of the standard library is there
limited=$(ulimit -f 8; run try.py)
after=$(run try.py)
rm -r work/__pycache__
again=$(run try.py)
printf 'limited: %s\nafterwards: %s\nwithout the bytecode: %s\n' "$limited" "$after" "$again"
case $limited/$after/$again in imported/EOFError*/imported) exit 0 ;; imported/*/imported) exit 1 ;; *) exit 2 ;; esac
