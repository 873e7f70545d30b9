#!/bin/sh
# cryptography 50.0.2: `Certificate.verify_directly_issued_by` cannot tell who issued a certificate that is signed with SHA-1.
#
# Asked whether a self-signed SHA-1 certificate signed itself, it raises ValueError, the same type as for a name that does not match,
# instead of checking the signature. The issuer's public key verifies that signature without complaint. Appliances ship such
# certificates (the npm package selfsigned makes them by default), and a program that only sees the ValueError calls a self-signed
# certificate one whose issuer is missing.
#
# Seen:
#   verify_directly_issued_by: ValueError: Unsupported signature algorithm
#   public_key().verify: passed
# Exit status: 0 while it is so, 1 when it has changed, 2 when the packages could not be installed or openssl is missing.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
openssl req -x509 -sha1 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=box.example 2>/dev/null || exit 2
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check cryptography==50.0.2 || exit 2
cat >ask.py <<'PY'
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

certificate = x509.load_pem_x509_certificate(open("cert", "rb").read())
try:
    certificate.verify_directly_issued_by(certificate)
    said = "passed"
except Exception as exc:
    said = f"{type(exc).__name__}: {exc}"
print(f"verify_directly_issued_by: {said}")
certificate.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes, PKCS1v15(), SHA1())
print("public_key().verify: passed")
raise SystemExit(0 if said.startswith("ValueError: Unsupported signature algorithm") else 1)
PY
venv/bin/python ask.py
