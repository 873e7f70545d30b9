#!/bin/sh
# cryptography 50.0.2: a PKCS#8 key under the empty passphrase cannot be opened, while a PKCS#12 file under it can.
#
# OpenSSL encrypts under an empty passphrase when it is told to, and opens the result. `load_pem_private_key(data, b"")` takes the empty
# passphrase for none and asks for one; there is no other way to give it. `load_pkcs12(data, b"")` takes it.
#
# Seen:
#   PKCS#8: TypeError: Password was not given but private key is encrypted
#   PKCS#12: opened
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed or openssl is missing.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -days 2 -subj /CN=box.example 2>/dev/null &&
    openssl pkcs8 -topk8 -in key -out sealed.key -passout pass: &&
    openssl pkcs12 -export -inkey key -in cert -out sealed.pfx -passout pass: &&
    openssl pkey -in sealed.key -passin pass: -out /dev/null || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2 || exit 2
cat >ask.py <<'PY'
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

try:
    load_pem_private_key(open("sealed.key", "rb").read(), b"")
    said = "opened"
except Exception as exc:
    said = f"{type(exc).__name__}: {exc}"
print(f"PKCS#8: {said}")
loaded = pkcs12.load_pkcs12(open("sealed.pfx", "rb").read(), b"")
print("PKCS#12:", "opened" if loaded.key is not None else "no key")
raise SystemExit(0 if said.startswith("TypeError: Password was not given") and loaded.key is not None else 1)
PY
venv/bin/python ask.py
