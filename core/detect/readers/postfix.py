"""Postfix: `postconf` prints the parameters, the services of master.cf, and their overrides (Postfix 2.10 and newer)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from core.detect.reading import Look, Pair, Reading, Unreadable, absolute, shown

_PARAMETERS = (
    "config_directory",
    "smtpd_tls_chain_files",
    "smtpd_tls_cert_file",
    "smtpd_tls_key_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_eckey_file",
    "smtpd_tls_security_level",
    "smtpd_use_tls",
    "smtpd_enforce_tls",
    "smtpd_tls_wrappermode",
    "tls_server_sni_maps",
)
_PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465}
_SERVERS = ("smtpd", "postscreen")


def read(look: Look) -> Reading:
    """Return the certificates of the services that receive mail. Raises Unreadable."""
    told = look.variables.get("MAIL_CONFIG")
    folder = Path(told) if told else look.configuration("-c")
    if not folder.is_absolute():
        raise Unreadable(f"It was started with the configuration {shown(str(folder))}, which is not an absolute path.")
    folder = folder.parent if folder.name == "main.cf" else folder
    look.touched.add(folder / "main.cf")
    ask = ["postconf", "-c", str(folder)]
    main = dict(_settings(look.run([*ask, "-x", *_PARAMETERS], folder)))
    overrides: dict[str, dict[str, str]] = {}
    for name, value in _settings(look.run([*ask, "-P", "-x"], folder)):
        service, _, parameter = name.rpartition("/")
        overrides.setdefault(service, {})[parameter] = value
    pairs: dict[tuple[str, str], Pair] = {}
    problems: list[str] = []
    for line in look.run([*ask, "-M"], folder).splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[1] != "inet" or fields[7] not in _SERVERS:
            continue
        settings = {**main, **overrides.get(f"{fields[0]}/{fields[1]}", {})}
        for pair in _pairs(fields[0], settings, folder, problems):
            known = pairs.get((pair.certificate, pair.key))
            listens = (*known.listens, *pair.listens) if known else pair.listens
            pairs[pair.certificate, pair.key] = Pair(certificate=pair.certificate, key=pair.key, listens=listens)
    if main.get("tls_server_sni_maps"):
        problems.append(
            f"tls_server_sni_maps ({shown(main['tls_server_sni_maps'])}) lists further certificates, which are not checked."
        )
    own = look.usual is None or folder != look.usual.parent
    return Reading(
        pairs=tuple(pairs.values()),
        problems=tuple(dict.fromkeys(problems)),
        test=("postfix", "-c", str(folder), "check") if own else (),
        reload=("postfix", "-c", str(folder), "reload") if own else (),
    )


def _settings(said: str) -> Iterator[tuple[str, str]]:
    for line in said.splitlines():
        name, equals, value = line.partition(" =")
        if equals and not line.startswith("postconf: "):
            yield name.strip(), value.strip()


def _pairs(service: str, settings: Mapping[str, str], folder: Path, problems: list[str]) -> Iterator[Pair]:
    wrapped = settings.get("smtpd_tls_wrappermode") == "yes"
    speaks = (
        wrapped
        or settings.get("smtpd_tls_security_level", "") not in ("", "none")
        or "yes" in (settings.get("smtpd_use_tls"), settings.get("smtpd_enforce_tls"))
    )
    port = service.rpartition(":")[2]
    number = int(port) if port.isdigit() else _PORTS.get(port)
    if not speaks or number is None:
        return
    listens = ((number, "" if wrapped else "smtp"),)
    for certificate, key in _files(settings):
        try:
            yield Pair(
                certificate=absolute(certificate, folder),
                key=absolute(key, folder),
                listens=listens,
            )
        except Unreadable as exc:
            problems.append(str(exc))


def _files(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    chain = settings.get("smtpd_tls_chain_files", "").replace(",", " ").split()
    if chain:
        # Each file contains key and chain, or a file with a key precedes the one with its chain.
        for at in range(0, len(chain), 2 if len(chain) % 2 == 0 else 1):
            key, certificate = (chain[at], chain[at + 1]) if len(chain) % 2 == 0 else (chain[at], chain[at])
            yield certificate, key
        return
    for certificate, key in (
        ("smtpd_tls_cert_file", "smtpd_tls_key_file"),
        ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file"),
    ):
        file = settings.get(certificate, "")
        if file and file != "none":
            yield file, settings.get(key) or file
