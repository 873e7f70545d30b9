# A fresh minimal Debian in a folder, to install into. Sourced, not run, by root; wants apt.sh.

# The traps of whoever sources this remove the root when they are interrupted, too.
trap 'exit 130' INT TERM

# make_root FOLDER SUITE PACKAGES: a fresh root in FOLDER/root, kept as an archive for the next time. Sets $root.
make_root() {
    [ "$(id -u)" = 0 ] || fail "This test cannot run." "It installs into a root of its own, which takes root." "Run the same command as root."
    command -v mmdebstrap >/dev/null || apt_install mmdebstrap
    # shellcheck disable=SC2034  # for whoever sources this
    root=$1/root
    archive=$1/$2-$(printf '%s' "$3" | cksum | cut -d' ' -f1).tar
    end_root
    if [ ! -e "$archive" ]; then
        env -u PYTHONPYCACHEPREFIX mmdebstrap --quiet --format=tar --variant=minbase --include="$3" "$2" "$archive.new" || fail "A minimal Debian ($2) could not be made." \
            "Its packages could not be fetched; see above." "Check the package sources and the network of this machine."
        mv "$archive.new" "$archive"
    fi
    mkdir -p "$root"
    tar -C "$root" -xf "$archive"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    cp /etc/hosts "$root/etc/hosts"
}

# in_root COMMAND…: in the root, with nothing of our environment.
in_root() {
    chroot "$root" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root "$@"
}

# quietly LOG COMMAND…: show what a command said only if it fails.
quietly() {
    log=$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; return 1; }
}

# boot_root: start its systemd in a container with a network of its own, and wait until it is up. Sets $init, its process.
boot_root() {
    command -v systemd-nspawn >/dev/null || apt_install systemd-container
    release_root
    rm -f "$root/usr/sbin/policy-rc.d"
    # systemd-nspawn looks into the root for the cgroups that its systemd can use; on a machine with the old ones it needs to be told.
    [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
    systemd-nspawn --quiet --directory "$root" --boot --register=no --keep-unit --private-network --console=pipe \
        </dev/null >"$root.log" 2>&1 &
    nspawn=$!
    for _ in $(seq 300); do
        init=$(pgrep -P "$nspawn" || true)
        case $([ -z "$init" ] || in_boot systemctl is-system-running 2>/dev/null || true) in running | degraded) return 0 ;; esac
        kill -0 "$nspawn" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$root.log" >&2
    fail "The minimal Debian did not boot in a container." "See above." "Run this test on a machine that may start containers, or set BOOT=no."
}

# in_boot COMMAND…: in the root that has booted, with nothing of our environment.
in_boot() {
    nsenter --target "$init" --all --root --wd env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "$@"
}

release_root() {
    for place in proc dev; do ! mountpoint -q "$root/$place" || umount --recursive "$root/$place"; done
}

# end_root: stop what has booted, unmount and remove it.
end_root() {
    [ -n "${root:-}" ] && [ -d "$root" ] || return 0
    if [ -n "${nspawn:-}" ]; then
        # The first signal asks systemd to end, the second one does not wait for it.
        kill "$nspawn" 2>/dev/null && sleep 1 && kill "$nspawn" 2>/dev/null || true
        wait "$nspawn" 2>/dev/null || true
        nspawn=
    fi
    release_root
    rm -rf --one-file-system "$root"
}
