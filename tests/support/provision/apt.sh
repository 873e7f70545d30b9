# What the other scripts share: plain errors, and packages from apt. Sourced, not run.

say() { printf '%s\n' "$*" >&2; }

# fail WHAT WHY FIX
fail() {
    say "Error: $1"
    say "  Why: $2"
    say "  Fix: $3"
    exit 1
}

# Run a command as root: directly, or through sudo. Without a terminal sudo must not ask.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null 2>&1; then
        return 127
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# apt_install PACKAGE…: install what the machine lacks, without starting any service.
apt_install() {
    command -v apt-get >/dev/null 2>&1 || fail "These packages are missing: $*." \
        "This machine has no apt-get, so they cannot be installed from here." \
        "Install them with the package manager of this machine and run the same command again."
    as_root true 2>/dev/null || fail "These packages are missing: $*." \
        "Installing them needs root, and sudo is missing or wants a password that it cannot ask for." \
        "Run 'apt-get install $*' as root, then the same command again."
    say "Installing with apt: $*"
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e $policy ]; then
        # A web server that comes with the tests must not take port 80 of the machine.
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy && made=$policy
    fi
    log=$(mktemp)
    installed=
    # The lists of a fresh container are empty and those of an old one point at files that are gone: refresh, try again.
    for refresh in no yes; do
        [ $refresh = no ] || as_root apt-get -qq update >>"$log" 2>&1 || true
        if as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >>"$log" 2>&1
        then
            installed=yes
            break
        fi
    done
    [ -z "$made" ] || as_root rm -f "$made"
    if [ -z "$installed" ]; then
        tail -n 12 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $*." "Its last words are above." \
            "Check the package sources and the network of this machine ('apt-get update'), then run the same command again."
    fi
    rm -f "$log"
}
