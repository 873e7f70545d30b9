#!/bin/sh
# msgspec 0.22.0, Python 3.11: making a Struct of many fields by keyword takes longer than making the same object of a class in Python.
#
# A Struct is made in C, and by position it is made in a fraction of a microsecond whatever its size. By keyword, the time for each field
# grows with the number of fields: with 5 fields it is half of what a class with `__slots__` and a written `__init__` takes, with 40 it is
# more than twice as much, and ten times or more of what the same call by position takes. `kw_only=True` leaves only the slow way.
#
# Seen (microseconds; those of another machine differ, their order does not):
#   5 fields: Struct by keyword 0.24, by position 0.11, class by keyword 0.54
#   40 fields: Struct by keyword 7.52, by position 0.17, class by keyword 2.88
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be installed.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check msgspec==0.22.0 || exit 2
cat >ask.py <<'PY'
import timeit

from msgspec import defstruct


def micro(call):
    return min(timeit.repeat(call, number=5000, repeat=15)) / 5000 * 1e6


def times(count):
    names = [f"field{number}" for number in range(count)]
    struct = defstruct("Example", [(name, int) for name in names])
    written = f"class Plain:\n    __slots__ = {tuple(names)}\n    def __init__(self, {', '.join(names)}):\n"
    known = {"Struct": struct}
    exec(written + "".join(f"        self.{name} = {name}\n" for name in names), known)
    keywords = ", ".join(f"{name}=1" for name in names)
    calls = (f"Struct({keywords})", f"Struct({'1, ' * count})", f"Plain({keywords})")
    found = [micro(eval(f"lambda: {call}", known)) for call in calls]
    print("{} fields: Struct by keyword {:.2f}, by position {:.2f}, class by keyword {:.2f}".format(count, *found))
    return found


few, many = times(5), times(40)
raise SystemExit(0 if few[0] < few[2] and many[0] > 1.3 * many[2] and many[0] > 10 * many[1] else 1)
PY
venv/bin/python ask.py
