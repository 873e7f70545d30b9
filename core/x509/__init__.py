"""Certificates, keys and chains (RFC 5280): bytes in, values out. No files, no clock, no network."""

import warnings

# cryptography warns each time that it reads a certificate which violates RFC 5280; the checks report what is wrong with it.
# Set once for the process: `catch_warnings` around each use would change the filters of the other threads.
warnings.filterwarnings("ignore", module=r"core\.(x509|upload)\.")
