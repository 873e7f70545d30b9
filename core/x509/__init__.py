"""Certificates, keys and chains (RFC 5280): bytes in, values out. No files, no clock, no network."""

import warnings

# cryptography warns about every certificate that violates RFC 5280; the checks report such faults themselves.
# Set once for the process: `catch_warnings` around each use would change the filters of other threads.
warnings.filterwarnings("ignore", module=r"core\.(x509|upload)\.")
