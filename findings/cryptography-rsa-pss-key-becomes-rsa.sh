#!/bin/sh
# cryptography 50.0.2: an RSA-PSS private key is read without a word and written as a plain RSA key.
#
# A key of the type id-RSASSA-PSS (RFC 4055) loads as an ordinary RSAPrivateKey. Written again as PKCS#8 it carries the algorithm
# rsaEncryption. The certificate that was issued for it still says RSASSA-PSS, so a server that gets the two finds, with OpenSSL 3.0,
# that no signature algorithm fits, and every handshake ends with an alert. A tool that stores keys has to keep the bytes.
#
# Seen:
#   read: 1.2.840.113549.1.1.10 (id-RSASSA-PSS), written: 1.2.840.113549.1.1.1 (rsaEncryption)
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed or openssl is missing.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$folder/pss.key" 2>/dev/null || exit 2
python3 -m venv "$folder/venv" &&
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check cryptography==50.0.2 asn1crypto==1.5.1 || exit 2
cat >"$folder/ask.py" <<'PY'
import sys

from asn1crypto import keys, pem
from cryptography.hazmat.primitives import serialization as s

text = open(sys.argv[1], "rb").read()


def algorithm(data: bytes) -> str:
    return keys.PrivateKeyInfo.load(pem.unarmor(data)[2])["private_key_algorithm"]["algorithm"].dotted


key = s.load_pem_private_key(text, None)
written = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
had, has = algorithm(text), algorithm(written)
print(f"read: {had} (id-RSASSA-PSS), written: {has} (rsaEncryption)")
raise SystemExit(0 if (had, has) == ("1.2.840.113549.1.1.10", "1.2.840.113549.1.1.1") else 1)
PY
"$folder/venv/bin/python" "$folder/ask.py" "$folder/pss.key"
