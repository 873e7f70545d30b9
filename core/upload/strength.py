"""Checks the strength of a certificate's key and signature, and its permitted uses. Pure; each answer is (status, detail, fix)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from core.key_types import EXPLICIT_CURVE, LARGEST_QUICK_RSA, LARGEST_RSA, RSA_PSS, SMALLEST_RSA, key_words
from core.x509.certificate import Certificate
from core.x509.spki import other_key_name, spki_of

Answer = tuple[str, str, str]

_LEAST_CURVE = 224
_BROWSER_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_NEW_KEY = "Create a new key (EC P-256, or RSA with 2048 bits or more) and have a certificate issued for it."
_BROKEN_HASHES = frozenset(("md2", "md4", "md5", "sha1"))
_MD2 = "1.2.840.113549.1.1.2"
_ANY_USAGE = x509.ObjectIdentifier("2.5.29.37.0")


def key_strength(certificate: Certificate) -> Answer:
    """Check the key of a certificate."""
    try:
        key = certificate.native.public_key()
    except (ValueError, UnsupportedAlgorithm):
        name = other_key_name(spki_of(certificate.native))
        which = f"{name} keys" if name else "keys of this kind"
        return "fail", f"TLS servers and browsers do not use {which}.", _NEW_KEY
    if certificate.key_type == EXPLICIT_CURVE:
        return (
            "fail",
            "The key in the certificate has explicit curve parameters, which RFC 5480 forbids. OpenSSL 3 and Java reject it.",
            "Create a new key with a named curve, for example EC P-256, and have a certificate issued for it.",
        )
    if isinstance(key, rsa.RSAPublicKey):
        answer = _rsa(key)
        if answer[0] == "fail" or not certificate.key_type.startswith(RSA_PSS):
            return answer
        return (
            "warn",
            f"{key_words(certificate.key_type)}: its key is of type RSA-PSS, and browsers do not accept such certificates.",
            "For browsers, create a new key (EC P-256 or RSA) and have a certificate issued for it.",
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _curve(key.curve)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "pass", "Ed25519. Strong, but browsers do not accept it yet.", ""
    name = other_key_name(spki_of(certificate.native)) or type(key).__name__.removesuffix("PublicKey").strip("_")
    return "fail", f"TLS servers and browsers do not use {name} keys.", _NEW_KEY


def _rsa(key: rsa.RSAPublicKey) -> Answer:
    exponent = key.public_numbers().e
    if key.key_size < SMALLEST_RSA:
        return "fail", f"RSA with {key.key_size} bits can be broken; servers and browsers reject it.", _NEW_KEY
    if key.key_size > LARGEST_RSA:
        return "fail", f"RSA with {key.key_size:,} bits is more than any server supports.", _NEW_KEY
    if exponent < 3 or exponent % 2 == 0:
        return "fail", f"The RSA exponent {str(exponent)[:20]} makes the key worthless.", _NEW_KEY
    if exponent.bit_length() > 64:
        return "fail", "The RSA exponent is larger than clients accept.", _NEW_KEY
    if key.key_size > LARGEST_QUICK_RSA:
        return "warn", f"RSA with {key.key_size} bits makes every connection slow.", "A smaller key is strong enough."
    return "pass", f"RSA with {key.key_size} bits.", ""


def _curve(curve: ec.EllipticCurve) -> Answer:
    if curve.name in _BROWSER_CURVES:
        return "pass", f"EC {_BROWSER_CURVES[curve.name]}.", ""
    if curve.key_size < _LEAST_CURVE:
        return "fail", f"The curve {curve.name} is too weak.", _NEW_KEY
    return "warn", f"The curve {curve.name} is strong, but browsers do not support it.", "For browsers use EC P-256."


def signature(leaf: Certificate, above: tuple[Certificate, ...]) -> Answer:
    """Check the signatures of the leaf and of the intermediates above it."""
    weak = _broken_hash(leaf)
    again = "Have the certificate reissued: every CA now signs with SHA-256."
    if weak and leaf.self_signed:
        return "fail", f"It is signed with {weak}, which OpenSSL refuses to load.", again
    if weak:
        return "fail", f"It is signed with {weak}, which can be forged; clients reject it.", again
    for each in above:
        weak = _broken_hash(each)
        if weak:
            return (
                "warn",
                f"{each.subject}, in the chain, is signed with {weak}; many clients reject that.",
                "Ask the CA for its newer intermediate.",
            )
    return "pass", f"Signed with {_hash(leaf)}.", ""


def _hash(certificate: Certificate) -> str:
    native = certificate.native
    try:
        algorithm = native.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        return "MD2" if native.signature_algorithm_oid.dotted_string == _MD2 else "an unknown algorithm"
    if algorithm is not None:
        return _shown(algorithm.name)
    oid = native.signature_algorithm_oid
    return (
        "Ed25519"
        if oid == SignatureAlgorithmOID.ED25519
        else "Ed448"
        if oid == SignatureAlgorithmOID.ED448
        else "an unknown algorithm"
    )


def _shown(name: str) -> str:
    upper = name.upper()
    return f"SHA-{upper[3:]}" if upper.startswith("SHA") and "-" not in upper else upper


def _broken_hash(certificate: Certificate) -> str:
    shown = _hash(certificate)
    return shown if shown.lower().replace("-", "") in _BROKEN_HASHES else ""


def usage(leaf: Certificate) -> Answer:
    """Check whether a TLS server may use the certificate (RFC 5280 §4.2.1.3, §4.2.1.12)."""
    extensions = leaf.extensions
    again = "Have the certificate reissued for a web server."
    try:
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        purposes = set()
    if purposes and not purposes & {ExtendedKeyUsageOID.SERVER_AUTH, _ANY_USAGE}:
        return "fail", "It is not for servers: its extended key usage lacks serverAuth.", again
    try:
        key_usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        key_usage = None
    if key_usage is not None and not key_usage.digital_signature:
        if key_usage.key_encipherment:
            return "warn", "Its key usage allows only old TLS versions (no digitalSignature).", again
        if not leaf.self_signed:
            return "fail", "Its key usage does not allow TLS (no digitalSignature).", again
        return "warn", "Its key usage is that of a CA, not of a server.", again
    return "pass", "For servers (serverAuth)." if purposes else "For any use, including servers.", ""


def must_staple(leaf: Certificate) -> Answer:
    """Check whether the certificate requires OCSP stapling (RFC 7633)."""
    try:
        features = set(leaf.extensions.get_extension_for_class(x509.TLSFeature).value)
    except x509.ExtensionNotFound:
        return "pass", "Not required.", ""
    if not features & {x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2}:
        return "pass", "Not required.", ""
    return (
        "warn",
        "It requires a stapled OCSP response (must-staple). Firefox rejects it while the service sends none.",
        "Turn on OCSP stapling in the service, or have the certificate issued without must-staple.",
    )
