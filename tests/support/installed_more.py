"""More real services on loopback ports, as in `installed`: proxies, databases, directories, DNS, FTP."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.installed import Installed
from tests.support.programs import find_program, free_port


def haproxy(folder: Path) -> Installed:
    """Start HAProxy with certificate and key in one file."""
    service = Installed(folder, "haproxy")
    service.combine()
    configuration = service.write(
        "haproxy.cfg",
        f"global\n  crt-base {service.folder}\ndefaults\n  mode tcp\n  timeout connect 1s\n"
        "  timeout client 5s\n  timeout server 5s\n"
        f"listen site\n  bind 127.0.0.1:{service.port} ssl crt haproxy.crt alpn http/1.1  # the site\n"
        "  server one 127.0.0.1:9\n",
    )
    service.run([find_program("haproxy"), "-W", "-f", str(configuration)])
    return service


def apache(folder: Path) -> Installed:
    """Start Apache with a virtual host in a file that is included, whose paths hold a variable."""
    service = Installed(folder, "apache")
    home, modules = service.folder, "/usr/lib/apache2/modules"
    service.write(
        "sites/site.conf",
        f"Define TLS {home}\n<VirtualHost 127.0.0.1:{service.port}>\n  ServerName shop.example.com\n  SSLEngine on\n"
        "  SSLCertificateFile ${TLS}/apache.crt\n  SSLCertificateKeyFile ${TLS}/apache.key\n</VirtualHost>\n",
    )
    names = ("mpm_event", "ssl", "authz_core")
    loaded = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in names)
    configuration = service.write(
        "apache.conf",
        f"ServerRoot {home}\nServerName localhost\nPidFile {home}/pid\nErrorLog {home}/error.log\n{loaded}"
        f"Listen 127.0.0.1:{service.port}\nMutex file:{home} default\nIncludeOptional sites/*.conf\n",
    )
    service.run([find_program("apache2"), "-X", "-f", str(configuration)])
    return service


def lighttpd(folder: Path) -> Installed:
    """Start lighttpd, whose own tool prints its configuration."""
    service = Installed(folder, "lighttpd")
    configuration = service.write(
        "lighttpd.conf",
        f'server.document-root = "{service.folder}"\nserver.bind = "127.0.0.1"\nserver.port = {service.port}\n'
        'server.modules = ("mod_openssl")\nssl.engine = "enable"\n'
        f'ssl.pemfile = "{service.certificate}"\nssl.privkey = "{service.key}"\n',
    )
    service.run([find_program("lighttpd"), "-D", "-f", str(configuration)])
    return service


def hitch(folder: Path) -> Installed:
    """Start hitch with certificate and key in one file."""
    service = Installed(folder, "hitch")
    service.combine()
    configuration = service.write(
        "hitch.conf",
        f'frontend = "[127.0.0.1]:{service.port}"\nbackend = "[127.0.0.1]:9"\nworkers = 1\nuser = "nobody"\ngroup = "nogroup"\n'
        f'pem-file = "{service.certificate}"\nocsp-dir = ""\n',
    )
    service.run([find_program("hitch"), f"--config={configuration}"])
    return service


def stunnel(folder: Path) -> Installed:
    """Start stunnel with a service section of its own."""
    service = Installed(folder, "stunnel")
    configuration = service.write(
        "stunnel.conf",
        f"foreground = yes\npid =\n; cert = /old.pem\n[web]\naccept = 127.0.0.1:{service.port}\nconnect = 127.0.0.1:9\n"
        f"cert = {service.certificate}\nkey = {service.key}\n",
    )
    service.run([find_program("stunnel4"), str(configuration)])
    return service


def mariadb(folder: Path) -> Installed:
    """Start MariaDB, whose settings come from a file that another one includes."""
    service = Installed(folder, "mariadb", owner="mysql")
    os.chown(service.folder, 0, 0)
    home = service.folder
    data = home / "data"
    subprocess.run(
        [
            find_program("mariadb-install-db"),
            "--no-defaults",
            "--user=mysql",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
    )
    service.write("conf.d/tls.cnf", f"[mariadb]\nssl-cert = {service.certificate}\nssl_key = {service.key}\n")
    configuration = service.write(
        "my.cnf",
        f"[client]\nssl-cert = /etc/client.crt\n[mysqld]\nuser = mysql\ndatadir = {data}\nport = {service.port}\n"
        f"bind-address = 127.0.0.1\nsocket = {data}/socket\npid-file = {data}/pid\n!includedir {home}/conf.d\n",
    )
    service.run([find_program("mariadbd"), f"--defaults-file={configuration}"])
    return service


def redis(folder: Path) -> Installed:
    """Start Redis, which writes its command line over."""
    service = Installed(folder, "redis")
    configuration = service.write(
        "redis.conf",
        f'bind 127.0.0.1\nport 0\ntls-port {service.port}\ntls-auth-clients no\nsave ""\ndir {service.folder}\n'
        f"tls-cert-file {service.certificate}\ntls-key-file {service.key}\n",
    )
    service.run([find_program("redis-server"), str(configuration)])
    return service


def mosquitto(folder: Path) -> Installed:
    """Start mosquitto, as root and in a folder of its account."""
    service = Installed(folder, "mosquitto", owner="mosquitto")
    configuration = service.write(
        "mosquitto.conf",
        f"listener {service.port} 127.0.0.1\nallow_anonymous true\ncertfile {service.certificate}\nkeyfile {service.key}\n",
    )
    service.run([find_program("mosquitto"), "-c", str(configuration)])
    return service


def slapd(folder: Path) -> Installed:
    """Start slapd with its configuration in a database, STARTTLS on `port` and TLS on the next one."""
    service = Installed(folder, "slapd", owner="openldap")
    home = service.folder
    settings = home / "slapd.d"
    settings.mkdir()
    ldif = service.write(
        "start.ldif",
        f"dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcPidFile: {home}/pid\n"
        f"olcTLSCertificateFile: {service.certificate}\nolcTLSCertificateKeyFile: {service.key}\n\n"
        "dn: olcDatabase={0}config,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: {0}config\n",
    )
    subprocess.run(
        [find_program("slapadd"), "-n0", "-F", str(settings), "-l", str(ldif)], check=True, capture_output=True
    )
    for each in (settings, *settings.rglob("*")):
        shutil.chown(each, "openldap", "openldap")
    wrapped = free_port()
    service.more = [wrapped]
    urls = f"ldap://127.0.0.1:{service.port} ldaps://127.0.0.1:{wrapped}"
    service.run(
        [find_program("slapd"), "-d", "0", "-u", "openldap", "-g", "openldap", "-F", str(settings), "-h", urls],
        service.port,
        wrapped,
    )
    return service


def bind9(folder: Path) -> Installed:
    """Start BIND with DNS over TLS."""
    service = Installed(folder, "bind9")
    configuration = service.write(
        "named.conf",
        f'tls local {{ cert-file "{service.certificate}"; key-file "{service.key}"; }};\n'
        f'options {{ directory "{service.folder}"; pid-file none; session-keyfile none; recursion no; listen-on-v6 {{ none; }};\n'
        f"  listen-on port {service.port} tls local {{ 127.0.0.1; }}; }};\ncontrols {{ }};\n",
    )
    service.run([find_program("named"), "-g", "-n", "1", "-c", str(configuration)])
    return service


def vsftpd(folder: Path) -> Installed:
    """Start vsftpd, whose one option file is its argument."""
    service = Installed(folder, "vsftpd")
    empty = service.folder / "empty"
    empty.mkdir()
    configuration = service.write(
        "vsftpd.conf",
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={service.port}\nbackground=NO\nsecure_chroot_dir={empty}\n"
        f"anonymous_enable=NO\nlocal_enable=YES\nssl_enable=YES\nrsa_cert_file={service.certificate}\n"
        f"rsa_private_key_file={service.key}\n",
    )
    service.run([find_program("vsftpd"), str(configuration)])
    return service
