#!/bin/sh
# redis-server 7.0.15 (Debian 12): the running server's /proc/PID/exe is redis-check-rdb, and its command line names no configuration file.
#
# redis-server, redis-check-rdb, redis-check-aof and redis-sentinel are one program; Debian's redis-server is a symbolic link to
# redis-check-rdb, and the kernel resolves links. The server also overwrites its arguments with "redis-server ADDRESS:PORT". Whoever looks
# for running services by program name does not find Redis, and whoever looks for its configuration in /proc finds none; CONFIG GET tells.
#
# Seen (FOLDER is a temporary one, in which redis.conf lies):
#   exe: redis-check-rdb; command line: root/usr/bin/redis-server unixsocket:FOLDER/socket
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
for package in redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1 libatomic1 lua-cjson lua-bitop; do
    apt-get download -qq "$package" 2>/dev/null
done
for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" root; done
case $(ls redis-tools_*.deb 2>/dev/null) in *7.0.15*) ;; *) exit 2 ;; esac
LD_LIBRARY_PATH=$(find "$PWD/root/usr/lib" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | tr '\n' ':')
export LD_LIBRARY_PATH
printf 'port 0\nunixsocket %s/socket\nsave ""\n' "$PWD" >redis.conf
root/usr/bin/redis-server "$PWD/redis.conf" >log 2>&1 &
pid=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.05; done
[ -S socket ] || exit 2
exe=$(readlink "/proc/$pid/exe")
line=$(tr '\0' ' ' <"/proc/$pid/cmdline")
echo "exe: ${exe##*/}; command line: $line" | sed "s|$PWD|FOLDER|; s| *\$||"
case $exe in */redis-check-rdb) ;; *) exit 1 ;; esac
case $line in *redis.conf*) exit 1 ;; esac
