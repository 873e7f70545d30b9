# One package of a newer Debian suite, fetched with a private apt state and only unpacked. Sourced, not run; wants apt.sh.
# The system's apt lists, sources and packages stay as they are.

# private_apt FOLDER: make FOLDER ready; sets $mirror, empty where this machine's sources name none, and $options.
private_apt() {
    # Everything apt reads and writes here, except its network settings and keys, lives in this folder.
    rm -rf "$1"
    mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial" "$1/none"
    # The mirror of this machine's own sources, by the suite's name, so that a proxy or a local mirror goes on working.
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    mirror=$(apt-get indextargets --format '$(CODENAME) $(SUITE) $(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v name="$codename" '$4 == "main" && ($1 == name || $3 == name || $2 == name) { print $5; exit }')
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e $keyring ] && options="[signed-by=$keyring] " || options=
    cat >"$1/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear APT::Default-Release;
Dir::State "$1/state";
Dir::Cache "$1/cache";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "$1/none";
Dir::Etc::preferences "$1/none/preferences";
Dir::Etc::preferencesparts "$1/none";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Sandbox::User "root";
CONF
}

# unpack_from SUITE PACKAGE FOLDER: unpack the package into FOLDER/root; fails, with apt's last words, where there is none.
unpack_from() {
    printf 'deb %s%s %s main\n' "$options" "$mirror" "$1" >"$3/sources.list"
    rm -rf "$3/root" "$3"/*.deb
    (
        cd "$3"
        apt-get -qq -c apt.conf update && apt-get -qq -c apt.conf download "$2" && dpkg-deb -x "$2"_*.deb root
    ) >"$3/log" 2>&1 || { tail -n 3 "$3/log" >&2; return 1; }
}
