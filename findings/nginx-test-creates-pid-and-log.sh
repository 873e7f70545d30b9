#!/bin/sh
# nginx 1.22.1 (Debian 12): `nginx -t` creates an empty PID file and the log files where nginx does not run.
#
# A configuration test is expected to look and to change nothing. nginx opens its logs and writes its PID file on the way; with -t the PID
# file is empty afterwards. A tool that looks at a box with `nginx -t` or `nginx -T` leaves files behind, as root owned by root, and a
# later reload by signal finds a PID file without a number ("invalid PID number").
#
# Seen (size and name of the files that the test made beside nginx.conf):
#   0 access.log
#   0 error.log
#   0 nginx.pid
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
trap 'rm -rf "$folder"' EXIT
apt-get download -qq nginx 2>/dev/null
dpkg -x nginx_1.22.1*.deb root 2>/dev/null && [ -x root/usr/sbin/nginx ] || exit 2
mkdir run
cat >run/nginx.conf <<EOF
pid $PWD/run/nginx.pid;
error_log $PWD/run/error.log;
events {}
http { access_log $PWD/run/access.log; server { listen 127.0.0.1:1; } }
EOF
root/usr/sbin/nginx -p "$PWD/run" -e "$PWD/run/error.log" -t -c "$PWD/run/nginx.conf" >test.log 2>&1 || exit 2
find run -type f ! -name nginx.conf -printf '%s %f\n' | sort
[ -e run/nginx.pid ] && [ ! -s run/nginx.pid ] && [ -e run/access.log ]
