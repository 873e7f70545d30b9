#!/bin/sh
# cryptography 50.0.2: of a PKCS#12 keystore with two key pairs it returns one key, and the other pair's certificate as an extra one.
#
# RFC 7292 allows any number of keys; a Java keystore after a renewal often holds the old pair and the new one. `load_pkcs12` gives the
# first key with its certificate and puts the second pair's certificate under `additional_certs`, where it looks like part of the chain.
# Nothing says that a key was left out, and the pair that it returns may be the expired one. OpenSSL's command prints both keys.
#
# Seen:
#   openssl: 2 keys; cryptography: 1 key, additional certificates 1
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed or openssl is missing.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2 asn1crypto==1.5.1 || exit 2
for name in old new; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.pem -days 2 \
        -subj /CN=$name.example 2>/dev/null || exit 2
done
cat >make.py <<'PY'
"""Write a keystore with two pairs, each bound by a localKeyId, without encryption and without a checksum (RFC 7292 section 4)."""
from asn1crypto import cms, keys, pem, pkcs12, x509

bags = []
for number, name in enumerate(("old", "new"), 1):
    mark = [{"type": "local_key_id", "values": [bytes([number])]}]
    key = keys.PrivateKeyInfo.load(pem.unarmor(open(f"{name}.key", "rb").read())[2])
    certificate = x509.Certificate.load(pem.unarmor(open(f"{name}.pem", "rb").read())[2])
    bags.append({"bag_id": "key_bag", "bag_value": key, "bag_attributes": mark})
    holder = pkcs12.CertBag({"cert_id": "x509", "cert_value": cms.ParsableOctetString(certificate.dump())})
    bags.append({"bag_id": "cert_bag", "bag_value": holder, "bag_attributes": mark})


def data(value: bytes) -> dict:
    return {"content_type": "data", "content": value}


safe = pkcs12.AuthenticatedSafe([data(pkcs12.SafeContents(bags).dump())])
open("two.p12", "wb").write(pkcs12.Pfx({"version": "v3", "auth_safe": data(safe.dump())}).dump())
PY
cat >ask.py <<'PY'
import subprocess

from cryptography.hazmat.primitives.serialization import pkcs12

shown = subprocess.run(
    ["openssl", "pkcs12", "-in", "two.p12", "-nodes", "-nomacver", "-passin", "pass:"], capture_output=True, text=True
).stdout.count("BEGIN PRIVATE KEY")
loaded = pkcs12.load_pkcs12(open("two.p12", "rb").read(), b"")
print(f"openssl: {shown} keys; cryptography: 1 key, additional certificates {len(loaded.additional_certs)}")
raise SystemExit(0 if shown == 2 and loaded.key is not None and len(loaded.additional_certs) == 1 else 1)
PY
venv/bin/python make.py && venv/bin/python ask.py
