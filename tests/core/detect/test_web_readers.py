"""What is read from the configuration of HAProxy, Apache and Caddy."""

from __future__ import annotations

from pathlib import Path

from core.detect.readers import apache, caddy, haproxy
from tests.support.looks import files, look, program


def test_haproxy_folder_and_base(tmp_path: Path) -> None:
    """Every file of a `crt` folder is a certificate; a key may lie beside its certificate; lists are reported."""
    for name in ("a.pem", "b.pem", "b.pem.key", "a.pem.ocsp"):
        (tmp_path / name).write_text("")
    path = tmp_path / "haproxy.cfg"
    path.write_text(
        f"global\n  crt-base {tmp_path}\nfrontend x\n  bind :443,:::444 ssl crt . crt-list /l # crt /no\n"
        "  bind :80\n  bind :9 ssl crt 'un\n"
    )
    found = haproxy.read(look("haproxy", path))
    assert found.problems == ("/l cannot be read: No such file or directory.",)
    assert (f"{tmp_path}/a.pem", f"{tmp_path}/a.pem") in files(*found.pairs)
    assert (f"{tmp_path}/b.pem", f"{tmp_path}/b.pem.key") in files(*found.pairs)
    assert found.pairs[0].listens == ((443, ""), (444, ""))


def test_haproxy_lists(tmp_path: Path) -> None:
    """A crt-list names certificates with their names; options, wildcards, exceptions and comments are no names."""
    (tmp_path / "list").write_text(
        "# comment\n\na.pem [alpn h2 ssl-min-ver TLSv1.3] Shop.example.com !no.example.com *.example.com\n/x/b.pem\n"
    )
    path = tmp_path / "haproxy.cfg"
    path.write_text(f"global\n  crt-base /base\nfrontend x\n  bind :443 ssl crt-list {tmp_path}/list\n")
    found = haproxy.read(look("haproxy", path))
    assert [(each.certificate, each.names, each.listens) for each in found.pairs] == [
        ("/base/a.pem", ("shop.example.com",), ((443, ""),)),
        ("/x/b.pem", (), ((443, ""),)),
    ]


def test_apache_variables_of_its_own(tmp_path: Path) -> None:
    """A path and an include may be made of variables, which may be made of others."""
    path = tmp_path / "apache2.conf"
    path.write_text(
        f"ServerRoot {tmp_path}\nDefine TOP {tmp_path}\nDefine TLS ${{TOP}}/tls\nInclude ${{TOP}}/site.conf\n"
    )
    (tmp_path / "site.conf").write_text(
        "<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile ${TLS}/a.crt\nSSLCertificateKeyFile ${TLS}/a.key\n</VirtualHost>\n"
    )
    assert files(*apache.read(look("apache", path)).pairs) == [(f"{tmp_path}/tls/a.crt", f"{tmp_path}/tls/a.key")]


def test_apache_unknown_variable(tmp_path: Path) -> None:
    """A path with a variable that the configuration does not define is reported; the other hosts are found."""
    path = tmp_path / "apache2.conf"
    path.write_text(
        "ServerRoot /etc/apache2\n<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile ${WHERE}/x.crt\n</VirtualHost>\n"
        "<VirtualHost 1.2.3.4:8443>\nServerName a.example.com\nSSLEngine on\nSSLCertificateFile tls/a.pem\n</VirtualHost>\n"
        "<VirtualHost *:80>\nSSLCertificateFile /no.crt\n</VirtualHost>\n"
    )
    said = f"Included configuration files:\n  (*) {path}\n"
    found = apache.read(look("apache", path, said=said, program=program("apache2", "apache2")))
    assert files(*found.pairs) == [("/etc/apache2/tls/a.pem", "/etc/apache2/tls/a.pem")]
    assert "depends on a variable" in found.problems[0]


CADDY = (
    '{"apps":{"http":{"servers":{"srv0":{"listen":[":443"],"routes":[{"match":[{"host":["a.example.com"]}],"termina'
    'l":true},{"match":[{"host":["b.example.com","c.example.com"]}],"handle":[{"handler":"subroute","routes":[{"han'
    'dle":[{"body":"ok","handler":"static_response"}]}]}],"terminal":true}],"tls_connection_policies":[{"match":{"s'
    'ni":["a.example.com"]},"certificate_selection":{"any_tag":["cert0"]}},{}]},"srv1":{"listen":[":80"],"routes":['
    '{"match":[{"host":["d.example.com"]}],"handle":[{"handler":"subroute","routes":[{"handle":[{"body":"no","handl'
    'er":"static_response"}]}]}],"terminal":true}]}}},"tls":{"certificates":{"load_files":[{"certificate":"/x/a.crt'
    '","key":"/x/a.key","tags":["cert0"]}]}}}}'
)
"""What Caddy 2.6.2 adapts from three sites: one with a certificate, one with two names and none, one with plain HTTP."""


def test_caddy_manages_what_has_no_certificate_of_its_own(tmp_path: Path) -> None:
    """Sites with `tls CERTIFICATE KEY` are found; names that Caddy gets certificates for are told; plain HTTP is neither."""
    path = tmp_path / "Caddyfile"
    path.write_text("a.example.com {\n tls /x/a.crt /x/a.key\n}\n")
    found = caddy.read(look("caddy", path, said=f'{{"level":"warn","msg":"not formatted"}}\n{CADDY}\n'))
    assert files(*found.pairs) == [("/x/a.crt", "/x/a.key")]
    (said,) = found.problems
    assert said.startswith("Caddy gets and renews certificates itself: b.example.com, c.example.com. ")
    path.write_text(CADDY.replace('{"host":["b.example.com","c.example.com"]}', '{"host":["a.example.com"]}'))
    assert caddy.read(look("caddy", path)).problems == ()
