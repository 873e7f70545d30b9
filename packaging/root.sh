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

# end_root: unmount and remove it.
end_root() {
    [ -n "${root:-}" ] && [ -d "$root" ] || return 0
    for place in proc dev; do ! mountpoint -q "$root/$place" || umount --recursive "$root/$place"; done
    rm -rf --one-file-system "$root"
}
