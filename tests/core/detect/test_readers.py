"""What is read from the configuration of a service: certificate, key, names and ports; and what is reported instead of guessed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.detect.find import detect
from core.detect.readers import (
    apache,
    dovecot,
    ejabberd,
    haproxy,
    nginx,
    options,
    postfix,
    postgresql,
    redis,
    strongswan,
)
from core.detect.reading import Look, Unreadable
from core.errors import UntrustedPath
from core.ports import Completed, RunningProgram
from core.targets.kinds import all_kinds
from tests.support.authority import self_signed
from tests.support.boxes import the_environment
from tests.support.clock import NOON
from tests.support.looks import environment, files, look, program
from tests.support.runner import FakeRunner

# -- nginx ---------------------------------------------------------------------------------------------------------------

NGINX = """\
nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
# configuration file /etc/nginx/nginx.conf:
http {
    ssl_certificate whole.crt; ssl_certificate_key "whole.key";  # { a comment }
    include sites/*.conf;
    server { listen 80; server_name plain.example.com; }
    server { listen [::]:443 ssl http2; server_name ~^www\\d+$ _ .Shop.example.com; }
}
mail { server { listen 25; protocol smtp; starttls on; ssl_certificate /mail.crt; ssl_certificate_key /mail.key; } }
# configuration file /etc/nginx/sites/a.conf:
server {
    listen 8443 ssl; listen unix:/run/x ssl; server_name a.example.com;
    ssl_certificate /a.rsa.crt; ssl_certificate_key /a.rsa.key;
    ssl_certificate /a.ec.crt; ssl_certificate_key /a.ec.key;
}
server { listen 443 ssl; ssl_certificate /dynamic/$ssl_server_name.crt; ssl_certificate_key /dynamic/$ssl_server_name.key; }
"""


def test_nginx_servers() -> None:
    """Each server's certificates are found, with names and ports, in included files and inherited from above."""
    found = nginx.read(look("nginx", Path("/etc/nginx/nginx.conf"), said=NGINX, program=program("nginx", "nginx")))
    assert [(each.certificate, each.key, each.names, each.listens) for each in found.pairs] == [
        ("/a.rsa.crt", "/a.rsa.key", ("a.example.com",), ((8443, ""),)),
        ("/a.ec.crt", "/a.ec.key", ("a.example.com",), ((8443, ""),)),
        ("/etc/nginx/whole.crt", "/etc/nginx/whole.key", ("shop.example.com",), ((443, ""),)),
        ("/mail.crt", "/mail.key", (), ((25, "smtp"),)),
    ]
    assert found.problems == (
        "nginx chooses the certificate at each connection: /dynamic/$ssl_server_name.crt. It cannot be taken over.",
    )


def test_a_wildcard_of_nginx_stops_at_a_slash() -> None:
    """`conf.d/*.conf` stands for files of that folder alone, and not for hidden ones, as nginx reads it."""
    server = "server {{ listen 443 ssl; ssl_certificate /{0}.crt; ssl_certificate_key /{0}.key; }}\n"
    said = (
        "# configuration file /etc/nginx/nginx.conf:\nhttp {\n include conf.d/*.conf;\n}\n"
        f"# configuration file /etc/nginx/conf.d/a.conf:\n{server.format('a')}"
        f"# configuration file /etc/nginx/conf.d/below/b.conf:\n{server.format('b')}"
        f"# configuration file /etc/nginx/conf.d/.c.conf:\n{server.format('c')}"
    )
    found = nginx.read(look("nginx", Path("/etc/nginx/nginx.conf"), said=said, program=program("nginx", "nginx")))
    assert files(*found.pairs) == [("/a.crt", "/a.key")]


def test_a_running_nginx_is_asked_for_its_own_configuration() -> None:
    """The options of the running process are given to the tool, and to the commands of the target."""
    running = program("nginx", "nginx: master process /usr/sbin/nginx -p /srv -c /srv/n.conf -g daemon off;")
    seen = look("nginx", Path("/etc/nginx/nginx.conf"), said=NGINX, program=running)
    found = nginx.read(seen)
    assert isinstance(seen.env.runner, FakeRunner)
    assert seen.env.runner.commands == [("nginx", "-p", "/srv", "-c", "/srv/n.conf", "-T")]
    assert found.reload == ("nginx", "-p", "/srv", "-c", "/srv/n.conf", "-s", "reload")


def test_what_a_tool_says_of_a_wrong_configuration_is_reported() -> None:
    """A configuration that its own tool refuses is not read, and the tool's words are quoted, cleaned."""
    said, running = "nginx: [emerg] unknown directive\x1b[2J", program("nginx", "nginx")
    seen = look("nginx", Path("/etc/nginx/nginx.conf"), said=said, status=1, program=running)
    with pytest.raises(Unreadable, match=r"exited with status 1: nginx: \[emerg\] unknown directive") as caught:
        nginx.read(seen)
    assert "\x1b" not in str(caught.value)


def test_a_tool_is_not_run_on_what_others_can_change(tmp_path: Path) -> None:
    """As root, a service's tool is never given a configuration that another account can write: it could load code. It is read."""
    if os.geteuid() != 0:
        pytest.skip("any other user can do no more than that account")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text("http { server { listen 443 ssl; ssl_certificate /c; ssl_certificate_key /k; } }")
    configuration.chmod(0o666)
    seen = look("nginx", configuration, said=NGINX, program=program("nginx", f"nginx -c {configuration}"))
    assert files(*nginx.read(seen).pairs) == [("/c", "/k")]
    assert isinstance(seen.env.runner, FakeRunner)
    assert seen.env.runner.commands == []


def test_a_program_that_others_can_change_is_not_run() -> None:
    """The same check as for a target's commands stands before every tool."""

    def refuse(argv: object) -> None:
        raise UntrustedPath("It was not run.", "Others can change it.", "chmod")

    seen = look("nginx", Path("/etc/nginx/nginx.conf"), said=NGINX, program=program("nginx", "nginx"))
    seen.env = replace(seen.env, check_command=refuse)
    with pytest.raises(Unreadable, match=r"It was not run\."):
        nginx.read(seen)


def test_what_does_not_run_is_read_and_not_tested(tmp_path: Path) -> None:
    """`nginx -t` creates a PID file, and apache2ctl folders, where the service does not run: then its files are read."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a").write_text(
        "server { listen 443 ssl; ssl_certificate a.crt; ssl_certificate_key a.key; }"
    )
    configuration = tmp_path / "nginx.conf"
    configuration.write_text("http { include sites/*; include none/*; }")
    seen = look("nginx", configuration, said=NGINX)
    assert files(*nginx.read(seen).pairs) == [(f"{tmp_path}/a.crt", f"{tmp_path}/a.key")]
    assert isinstance(seen.env.runner, FakeRunner)
    assert seen.env.runner.commands == []
    (tmp_path / "sites" / "a").write_text(
        "<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile a.pem\n</VirtualHost>\n"
    )
    configuration.write_text("IncludeOptional sites/*\n")
    assert files(*apache.read(look("apache", configuration)).pairs) == [(f"{tmp_path}/a.pem", f"{tmp_path}/a.pem")]


def test_a_configuration_that_includes_itself(tmp_path: Path) -> None:
    """Files that include each other without an end are reported."""
    configuration = tmp_path / "x.conf"
    configuration.write_text("include x.conf;\n")
    with pytest.raises(Unreadable, match="too many files"):
        nginx.read(look("nginx", configuration))
    configuration.write_text("Include x.conf\n")
    with pytest.raises(Unreadable, match="too many files"):
        apache.read(look("apache", configuration))


# -- mail ----------------------------------------------------------------------------------------------------------------


def test_postfix_overrides_of_one_service(tmp_path: Path) -> None:
    """A service of master.cf may have a certificate of its own, and TLS from the first byte."""
    said = {
        "-x": "smtpd_tls_cert_file = /mx.crt\nsmtpd_tls_key_file = /mx.key\nsmtpd_tls_security_level = may\n"
        "myhostname = MX.example.com\n",
        "-P": "10465/inet/smtpd_tls_wrappermode = yes\nsubmission/inet/smtpd_tls_chain_files = /both.pem\n",
        "-M": "smtp inet n - y - - smtpd\n10465 inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
        "cleanup unix n - y - 0 cleanup\n",
    }
    seen = look("postfix", tmp_path / "main.cf")
    answers = {"postconf": lambda argv: Completed(returncode=0, output=said[argv[3]])}
    seen.env = replace(seen.env, runner=FakeRunner(answers))
    found = postfix.read(seen)
    assert [(each.certificate, each.key, each.names, each.listens) for each in found.pairs] == [
        ("/mx.crt", "/mx.key", (), ((25, "smtp"), (10465, ""))),
        ("/both.pem", "/both.pem", (), ((587, "smtp"),)),
    ]


DOVECOT = """\
# 2.3.19.1: /etc/dovecot/dovecot.conf
local_name imap.example.com {
  ssl_cert = </imap.crt
  ssl_key = </imap.key
}
ssl_cert = </etc/dovecot/private/dovecot.pem
ssl_key = </etc/dovecot/private/dovecot.key
"""


def test_dovecot_names() -> None:
    """A certificate for single names is told from the one for all."""
    found = dovecot.read(look("dovecot", Path("/etc/dovecot/dovecot.conf"), said=DOVECOT))
    assert [(each.certificate, each.names) for each in found.pairs] == [
        ("/imap.crt", ("imap.example.com",)),
        ("/etc/dovecot/private/dovecot.pem", ()),
    ]


@pytest.mark.parametrize("said", ["ssl_cert = -----BEGIN\nssl_key = </k\n", "ssl_key = </k\n"])
def test_dovecot_without_a_file(said: str) -> None:
    """A certificate in the configuration itself, or none, is reported."""
    found = dovecot.read(look("dovecot", Path("/etc/dovecot/dovecot.conf"), said=said))
    assert found.pairs == ()
    assert "The certificate is not in a file" in found.problems[0]


def test_dovecot_with_tls_switched_off() -> None:
    """`ssl = no` means that no certificate is used, whatever else is set."""
    assert dovecot.read(look("dovecot", Path("/d.conf"), said=f"ssl = no\n{DOVECOT}")).pairs == ()


# -- databases -----------------------------------------------------------------------------------------------------------


def test_postgresql_includes_and_later_settings(tmp_path: Path) -> None:
    """The last setting counts: of included files, of postgresql.auto.conf, of the command line."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "tls.conf").write_text("ssl = on\nssl_cert_file = 'it''s.crt'  # ours\nport 6543\n")
    (tmp_path / "postgresql.conf").write_text(
        "#ssl = off\nssl_key_file='/k1'\ninclude_dir 'conf.d'\ninclude_if_exists 'none'\n"
    )
    (tmp_path / "postgresql.auto.conf").write_text("ssl_key_file = '/k2'\n")
    running = program("postgres", "/usr/lib/postgresql/15/bin/postgres", "-D", str(tmp_path), "-c", "ssl_key_file=/k3")
    (pair,) = postgresql.read(look("postgresql", program=running)).pairs
    assert (pair.certificate, pair.key, pair.listens) == (f"{tmp_path}/it's.crt", "/k3", ((6543, "postgres"),))


def test_postgresql_that_includes_itself(tmp_path: Path) -> None:
    """A configuration without an end is reported."""
    path = tmp_path / "postgresql.conf"
    path.write_text("include 'postgresql.conf'\n")
    with pytest.raises(Unreadable, match="too many files"):
        postgresql.read(look("postgresql", path))


ANSWERS = {"tls-cert-file": "c", "tls-key-file": "/k", "tls-port": "7000", "dir": "/d"}


def test_redis_of_another_instance(tmp_path: Path) -> None:
    """The usual file is not taken for that of a server that listens elsewhere; one that tells nothing is reported."""
    path = tmp_path / "redis.conf"
    path.write_text("tls-port 6380\nport 0\ntls-cert-file /c\ntls-key-file /k\n")
    assert files(*redis.read(look("redis", path)).pairs) == [("/c", "/k")]
    other = RunningProgram(name="redis-server", pid=2, uid=0, sockets=(("127.0.0.1", 7000),))
    told = look("redis", path, program=other)
    answers = {"redis-cli": lambda argv: Completed(returncode=0, output=f"{argv[-1]}\n{ANSWERS[argv[-1]]}\n")}
    told.env = replace(told.env, runner=FakeRunner(answers))
    assert files(*redis.read(told).pairs) == [("/d/c", "/k")]
    with pytest.raises(Unreadable, match="did not return its configuration"):
        redis.read(look("redis", path, program=other))


# -- ejabberd -----------------------------------------------------------------------------------------------------------


def test_ejabberd_finds_out_what_belongs_together(tmp_path: Path) -> None:
    """Certificates and keys of one list are paired by what is in them; a missing file is told as a certificate."""
    one, other = self_signed(["a.example.com"]), self_signed(["b.example.com"])
    one.write(tmp_path / "one.crt", tmp_path / "one.key")
    (tmp_path / "other.pem").write_bytes(other.fullchain_pem + other.key_pem)
    path = tmp_path / "ejabberd.yml"
    path.write_text(
        f'hosts: ["x"]\ncertfiles:\n  # both\n  - "{tmp_path}/one.*"\n  - {tmp_path}/other.pem\n  - /no.pem\nacl: {{}}\n'
    )
    assert files(*ejabberd.read(look("ejabberd", path)).pairs) == [
        (f"{tmp_path}/one.crt", f"{tmp_path}/one.key"),
        (f"{tmp_path}/other.pem", f"{tmp_path}/other.pem"),
        ("/no.pem", "/no.pem"),
    ]


# -- strongswan ---------------------------------------------------------------------------------------------------------


def test_strongswan_takes_what_has_a_key(tmp_path: Path) -> None:
    """A certificate with its key is the service's own, and its target has a place for the chain; those of peers are left out."""
    own, peer = self_signed(["vpn.example.com"]), self_signed(["peer.example.com"])
    for name in ("x509", "x509ca", "private"):
        (tmp_path / name).mkdir()
    own.write(tmp_path / "x509" / "own.pem", tmp_path / "private" / "any.pem")
    (tmp_path / "x509" / "peer.pem").write_bytes(peer.fullchain_pem)
    (only,) = strongswan.read(look("strongswan", tmp_path)).pairs
    assert (only.certificate, only.key, only.chain) == (
        f"{tmp_path}/x509/own.pem",
        f"{tmp_path}/private/any.pem",
        f"{tmp_path}/x509ca/own.pem",
    )


# -- options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        (
            "mosquitto",
            "# certfile /no\nlistener 8883\ncertfile /a\nkeyfile /b\nlistener 9\ncertfile /c\nkeyfile /d",
            [("/a", "/b"), ("/c", "/d")],
        ),
        (
            "stunnel",
            "; cert = /no\ncert = /both.pem\n[x]\naccept=9\nkey = /k\ncert = /c",
            [("/both.pem", "/k"), ("/c", "/c")],
        ),
        (
            "hitch",
            'pem-file = "/h.pem"\npem-file = {\n  cert = "/c"\n  private-key = "/k"\n}',
            [("/h.pem", "/h.pem"), ("/c", "/k")],
        ),
        ("squid", "https_port 3129 tls-cert=/c tls-key=/k", [("/c", "/k")]),
        ("unbound", 'server:\n  tls-service-pem: "/c"\n  tls-service-key: "/k"', [("/c", "/k")]),
        ("coturn", "cert=/c\npkey=/k", [("/c", "/k")]),
        ("prosody", 'ssl = {\n  -- certificate = "/no"\n  certificate = "/c"; key = "/k";\n}', [("/c", "/k")]),
        ("syslog-ng", 'tls( key-file("/k") cert-file("/c") )', [("/c", "/k")]),
        (
            "freeradius",
            "certdir = /etc/r\ncertificate_file = ${certdir}/c\nprivate_key_file = ${certdir}/k",
            [("/etc/r/c", "/etc/r/k")],
        ),
        ("memcached", "-Z\n-o ssl_chain_cert=/c,ssl_key=/k", [("/c", "/k")]),
        ("vsftpd", "rsa_cert_file=/no", []),
        ("stunnel", "[x]\nkey =\ncert = /c", [("/c", "/c")]),
        ("squid", "https_port 3129 tls-key= --x tls-cert=/c", [("/c", "/c")]),
        (
            "rsyslog-gtls",
            "$DefaultNetstreamDriver gtls\n$DefaultNetstreamDriverCertFile /c\n$DefaultNetstreamDriverKeyFile /k",
            [("/c", "/k")],
        ),
        ("rsyslog-ossl", "$DefaultNetstreamDriver gtls\n$DefaultNetstreamDriverCertFile /c", []),
        ("proftpd", "TLSRSACertificateFile /c\nTLSRSACertificateKeyFile /k", [("/c", "/k")]),
        ("ngircd", "[SSL]\nCertFile = c\nKeyFile = k", [("{base}/c", "{base}/k")]),
    ],
)
def test_options(tmp_path: Path, kind: str, text: str, wanted: list[tuple[str, str]]) -> None:
    """Certificate and key stand next to each other, however a service writes its options; comments do not count."""
    path = tmp_path / ("x.lua" if kind == "prosody" else "x.conf")
    path.write_text(text)
    found = options.read(look(kind, path))
    assert files(*found.pairs) == [(c.format(base=tmp_path), k.format(base=tmp_path)) for c, k in wanted]


def test_what_the_command_line_says_counts(tmp_path: Path) -> None:
    """A service that is told its files on the command line does not use those of the usual configuration."""
    path = tmp_path / "memcached.conf"
    path.write_text("-o ssl_chain_cert=/old\n")
    running = program("memcached", "memcached", "-Z", "-o", "ssl_chain_cert=/c,ssl_key=/k")
    assert files(*options.read(look("memcached", path, program=running)).pairs) == [("/c", "/k")]
    running = program("mariadbd", "mariadbd", "--no-defaults", "--ssl-cert=/c", "--ssl-key=/k")
    assert files(*options.read(look("mariadb", path, program=running)).pairs) == [("/c", "/k")]


def test_unknown_variables_are_reported(tmp_path: Path) -> None:
    """A path that depends on something unknown is no path."""
    path = tmp_path / "x.conf"
    path.write_text("cert=${HOME}/c\n")
    found = options.read(look("coturn", path))
    assert (found.pairs, len(found.problems)) == ((), 1)


def test_includes(tmp_path: Path) -> None:
    """Files and folders that are included are read, in their order."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1.conf").write_text("certfile /c\nkeyfile /k\n")
    path = tmp_path / "mosquitto.conf"
    path.write_text("include_dir d\n")
    assert files(*options.read(look("mosquitto", path)).pairs) == [("/c", "/k")]


@pytest.mark.parametrize(
    ("kind", "read"),
    [("mosquitto", options.read), ("apache", apache.read), ("postgresql", postgresql.read), ("haproxy", haproxy.read)],
)
def test_nothing_is_guessed(kind: str, read: Callable[[Look], object]) -> None:
    """Where there is no configuration, or one that cannot be found, that is said."""
    running = program(kind, kind, "-c", "relative.conf", "-f", "relative.conf", "-D", "relative")
    with pytest.raises(Unreadable):
        read(look(kind, program=running))


def test_every_kind_is_looked_for_in_a_way_that_exists() -> None:
    """Each row names a reader that is there, and what it looks for."""
    import importlib

    for kind in all_kinds():
        if kind.detect is None:
            continue
        assert callable(importlib.import_module(f"core.detect.readers.{kind.detect.reader}").read)
        assert kind.detect.programs
        assert kind.detect.reader != "options" or kind.detect.certificate, kind.name


@pytest.mark.parametrize("pattern", ["/", "", "**", "a**/*", "../../*", "x\0*", "[", "/**/**", "conf.d/*"])
@pytest.mark.parametrize("kind", ["nginx", "apache"])
def test_an_odd_pattern_of_an_include_stops_nothing(tmp_path: Path, kind: str, pattern: str) -> None:
    """What an include names is foreign text: the configuration is read, or a problem says why not."""
    name = {"nginx": "etc/nginx/nginx.conf", "apache": "etc/apache2/apache2.conf"}[kind]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(f"include {pattern}{';' if kind == 'nginx' else ''}\n")
    env = replace(environment("no", 1), places=replace(the_environment().places, root=tmp_path), programs=lambda: ())
    assert [each.kind for each in detect(env, own=set(), targets={}, now=NOON)] in ([], [kind])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a folder of another account")
def test_a_configuration_that_this_user_may_not_see(tmp_path: Path) -> None:
    """A service behind a closed folder is listed with the reason, and the others are found as well."""
    for each in (tmp_path, *tmp_path.parents[:-2]):
        each.chmod(each.stat().st_mode | 0o055)
    shut = tmp_path / "etc/redis"
    shut.mkdir(parents=True)
    (shut / "redis.conf").touch()
    shut.chmod(0o700)
    env = replace(environment(), places=replace(the_environment().places, root=tmp_path))
    os.seteuid(54321)
    try:
        found = detect(replace(env, programs=lambda: ()), own=set(), targets={}, now=NOON)
    finally:
        os.seteuid(0)
    [redis] = found
    assert redis.kind == "redis"
    assert "Permission denied" in redis.problems[0]
