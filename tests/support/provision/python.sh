# A Python that is new enough and can make environments. Sourced, after apt.sh.

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
        command -v "$name" >/dev/null 2>&1 && new_enough "$name" && can_make "$name" && command -v "$name" && return 0
    done
    return 1
}

# Print the path of one; install Debian's when there is none (it keeps ensurepip in a package of its own).
need_python() {
    find_python && return 0
    apt_install python3 python3-venv
    find_python || fail "No Python 3.11 or newer that can make environments was found." \
        "Tried python3 and python3.11 to python3.14; this machine's python3 is $(python3 --version 2>&1 || true)." \
        "Install Python 3.11 or newer with its venv module, or name one: make run PYTHON=/path/to/python3"
}
