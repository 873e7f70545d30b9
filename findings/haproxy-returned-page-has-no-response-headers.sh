#!/bin/sh
# HAProxy 2.6.12 (Debian 12): `http-response set-header` does not reach a page that `http-request return` answers; `http-after-response` does.
#
# Security headers are usually added with http-response. HAProxy runs these rules on what a server has answered; its own answers (return,
# redirect, deny, errorfiles) go out without them, and nothing warns. A frontend that serves some paths itself sends half of its pages
# without headers.
#
# Seen (X-One is set with http-response, X-Two with http-after-response, which HAProxy 2.2 and later have):
#   X-One: None X-Two: 2
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
for package in haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1; do
    apt-get download -qq "$package" 2>/dev/null
done
for package in *.deb; do [ -e "$package" ] && dpkg -x "$package" root; done
case $(ls haproxy_*.deb 2>/dev/null) in *2.6.12*) ;; *) exit 2 ;; esac
LD_LIBRARY_PATH=$(find "$PWD/root/usr/lib" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | tr '\n' ':')
export LD_LIBRARY_PATH
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >haproxy.cfg <<EOF
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind 127.0.0.1:$port
    http-response set-header X-One 1
    http-after-response set-header X-Two 2
    http-request return status 200 content-type text/plain string page
EOF
root/usr/sbin/haproxy -db -f haproxy.cfg >haproxy.log 2>&1 &
pid=$!
python3 - "$port" <<'PY'
import sys, time
from http.client import HTTPConnection

for _ in range(100):
    try:
        connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
        connection.request("GET", "/")
        break
    except OSError:
        time.sleep(0.05)
else:
    raise SystemExit(2)
headers = connection.getresponse().headers
print("X-One:", headers["X-One"], "X-Two:", headers["X-Two"])
raise SystemExit(0 if headers["X-One"] is None and headers["X-Two"] == "2" else 1)
PY
