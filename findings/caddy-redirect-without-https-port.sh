#!/bin/sh
# Caddy 2.6.2 (Debian 12): with https_port set, the automatic redirect from HTTP leads to the host without that port.
#
# The global options http_port and https_port move Caddy's own listeners. Caddy takes https_port for something behind a port 443, so its
# automatic redirect says https://HOST/ also where the site is reached only at https://HOST:PORT/, and the client ends at port 443.
#
# Seen:
#   Location: https://localhost/page
# Exit status: 0 while it is so, 1 when it has changed, 2 when the package could not be had.
set -u
folder=$(mktemp -d) || exit 2
cd "$folder" || exit 2
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT
apt-get download -qq caddy 2>/dev/null
dpkg -x caddy_2.6.2*.deb root 2>/dev/null || exit 2
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
http=$(free)
https=$(free)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null || exit 2
printf '{\n  admin off\n  http_port %s\n  https_port %s\n}\nlocalhost {\n  bind 127.0.0.1\n  tls %s/cert %s/key\n  respond ok\n}\n' \
    "$http" "$https" "$PWD" "$PWD" >Caddyfile
HOME=$PWD XDG_DATA_HOME=$PWD/data XDG_CONFIG_HOME=$PWD/config root/usr/bin/caddy run --config Caddyfile --adapter caddyfile >log 2>&1 &
pid=$!
python3 - "$http" <<'PY'
import sys, time
from http.client import HTTPConnection

for _ in range(100):
    try:
        connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
        connection.request("GET", "/page", headers={"Host": "localhost"})
        break
    except OSError:
        time.sleep(0.1)
else:
    raise SystemExit(2)
location = connection.getresponse().headers["Location"]
print("Location:", location)
raise SystemExit(0 if location == "https://localhost/page" else 1)
PY
