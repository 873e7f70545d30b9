"""core.config.load: everything that is wrong is said at once, and how to mend it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config.load import lineage_names, load_config, load_lineage, parse_config, parse_lineage
from core.config.model import Config, LineageConfig
from core.errors import ConfigError, NotFound, StoreError
from core.paths import Paths, paths_for

FILE = Path("/etc/certdeck/certdeck.toml")

CONTRACT = b"""
[appliance]
name = "Acme Box"
hostname = "box.example.com"
external_url = "https://box.example.com:8443"
theme = "dark"

[issuers.pebble]
directory = "https://127.0.0.1:14000/dir"
ca_bundle = "/path/ca.pem"
email = "admin@example.com"
agree_tos = true
eab_kid = "kid"

[defaults]
issuer = "letsencrypt"
fallback_issuers = ["zerossl"]
key_type = "ec-256"
challenge = "http-01"
renew_days_before = 30
auto_renew = true

[http01]
mode = "standalone"
address = "0.0.0.0"
port = 80

[dns01]
resolvers = ["127.0.0.1:8053"]
timeout_seconds = 180

[targets.web]
kind = "nginx"
certificate = "/etc/ssl/domains/domain.crt"
key = "/etc/ssl/domains/domain.key"
test = ["nginx", "-t"]
reload = ["nginx", "-s", "reload"]
probe = "127.0.0.1:443"

[dns_providers.cf]
kind = "cloudflare"
zones = ["example.com"]
zone_id = "abc"
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)
    made.certificates.mkdir(parents=True)
    return made


def problems(text: bytes) -> list[dict[str, object]]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    found = caught.value.details["problems"]
    assert isinstance(found, list)
    return found


def test_the_example_of_the_contract_loads() -> None:
    """Every key that acceptance checks write is known and lands in its field."""
    config = parse_config(CONTRACT, FILE)
    assert config.appliance.external_url == "https://box.example.com:8443"
    assert config.issuers["pebble"].agree_tos is True
    assert config.defaults.fallback_issuers == ("zerossl",)
    assert config.dns01.resolvers == ("127.0.0.1:8053",)
    assert config.targets["web"].name == "web"
    assert config.targets["web"].reload == ("nginx", "-s", "reload")
    assert config.dns_providers["cf"].settings == {"zone_id": "abc"}


def test_the_example_that_the_package_installs() -> None:
    """It sets nothing, and is a valid configuration once its examples are no longer comments (SO-43)."""
    text = (Path(__file__).resolve().parents[3] / "packaging/deb/certdeck.toml").read_text()
    assert parse_config(text.encode(), FILE) == Config()
    config = parse_config(re.sub(r"(?m)^#(?! )", "", text).encode(), FILE)
    assert (config.appliance.name, list(config.issuers), list(config.targets)) == ("Acme Box", ["letsencrypt"], ["web"])


def test_a_missing_file_is_the_default(paths: Paths) -> None:
    """A box without a configuration file has the default configuration."""
    assert load_config(paths) == Config()


def test_all_problems_come_at_once_with_their_lines() -> None:
    """One look at the file is enough: each problem has its line, key and remedy."""
    found = problems(
        b'[appliance]\nnmae = "x"\n\n[http01]\nport = 70000\nmode = "standalon"\n\n'
        b'[targets.web]\ncertificate = "a.crt"\nkey = "/k"\ntest = "nginx -t"\n[defaults]\nkey_type = "ec256"\nauto_renew = "yes"\n'
    )
    assert [(p["line"], p["key"]) for p in found] == [
        (2, "appliance.nmae"),
        (5, "http01.port"),
        (6, "http01.mode"),
        (9, "targets.web.certificate"),
        (11, "targets.web.test"),
        (13, "defaults.key_type"),
        (14, "defaults.auto_renew"),
    ]
    assert found[0]["fix"] == "Did you mean name?"
    assert all(p["file"] == str(FILE) and p["problem"] and p["fix"] for p in found)


def test_a_command_as_text_is_refused() -> None:
    """A command is a list of arguments; the refusal shows the list to write, and says why."""
    (found,) = problems(b'[targets.web]\ncertificate = "/c"\nkey = "/k"\nreload = "systemctl reload nginx"\n')
    assert (
        found["fix"] == 'Write it as a list; no shell is used. For example: reload = ["systemctl", "reload", "nginx"].'
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b"[appliance]\nname = 3\n", "appliance.name"),
        (b'[appliance]\nname = "a\\u001bb"\n', "appliance.name"),
        (b'appliance = "x"\n', "appliance"),
        (b"[targets]\nweb = 3\n", "targets.web"),
        (b'[targets."../x"]\ncertificate = "/c"\nkey = "/k"\n', "targets.../x"),
        (b'[targets.web]\nkey = "/k"\n', "targets.web.certificate"),
        (b'[targets.web]\ncertificate = "/c"\nkey = "/k"\nprobe = "443"\n', "targets.web.probe"),
        (b'[targets.web]\ncertificate = "/c"\nkey = "/k"\nfile_mode = "0644"\n', "targets.web.file_mode"),
        (b'[targets.web]\ncertificate = "/c"\nkey = "/k"\nowner = "99999999999999999999"\n', "targets.web.owner"),
        (b'[targets.web]\ncertificate = "/c"\nkey = "/k"\ngroup = "4294967295"\n', "targets.web.group"),
        (b'[targets.web]\ncertificate = "/c"\nkey = "/k"\nname = "other"\n', "targets.web.name"),
        (b'[issuers.x]\ndirectory = "http://ca.example/dir"\n', "issuers.x.directory"),
        (b'[issuers.x]\ndirectory = "https://ca.example:99999/dir"\n', "issuers.x.directory"),
        (b'[issuers.x]\ndirectory = "https://me:secret@ca.example/dir"\n', "issuers.x.directory"),
        (b'[issuers.x]\nca_bundle = "ca.pem"\n', "issuers.x.ca_bundle"),
        (b"[http01]\nport = true\n", "http01.port"),
        (b"[http01]\nport = 80.0\n", "http01.port"),
        (b'[dns01]\nresolvers = ["a:b:c:999999", 3]\n', "dns01.resolvers"),
        (b'[dns01]\nresolvers = ["ns.example:99999"]\n', "dns01.resolvers"),
        (b'[defaults]\nchallenge = "http01"\n', "defaults.challenge"),
        (b"[defaults]\nrenew_days_before = 0\n", "defaults.renew_days_before"),
        (b'[dns_providers.cf]\nkind = "cloudflare"\na = [1]\n', "dns_providers.cf.a"),
        (b'["\\u001b[31m"]\n', "'\\x1b[31m'"),
        (b'[fleet]\nendpoints = ["https://[::1"]\n', "fleet.endpoints"),
        (b'[fleet]\nendpoints = ["https://etcd1.example:port"]\n', "fleet.endpoints"),
    ],
)
def test_impossible_values_are_refused(text: bytes, key: str) -> None:
    """A value of another type, out of range or of no use names its key."""
    assert [p["key"] for p in problems(text)] == [key]


def test_a_password_in_an_address_of_etcd_is_not_repeated() -> None:
    """The refusal names the address without what stands before the @."""
    [problem] = problems(b'[fleet]\nendpoints = ["https://me:hunter2@etcd1.example:2379"]\n')
    assert problem["problem"] == "'etcd1.example:2379' is not a valid etcd endpoint"
    assert "hunter2" not in str(problem)


def test_addresses_of_etcd_load() -> None:
    """A name or an address, with or without a port."""
    text = b'[fleet]\nendpoints = ["https://a.example:2379/", "http://[::1]:2379", "https://192.0.2.1"]\n'
    assert len(parse_config(text, FILE).fleet.endpoints) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"[a]\nx = [\n b", 3),
        (b"a = 'x\n", 1),
        (b"ok = 1\n\xff\xfe\n", 2),
        (b"[a]\n[a]\n", 2),
        (b"x = " + b"[" * 5000, 1),
    ],
    ids=["open list", "open text", "no utf-8", "twice", "deep"],
)
def test_what_is_no_toml_names_the_line(text: bytes, line: int) -> None:
    """A syntax error is a ConfigError with the line, never a traceback."""
    (found,) = problems(text)
    assert found["line"] == line


def test_windows_line_ends_load() -> None:
    """A file edited on Windows loads."""
    assert parse_config(CONTRACT.replace(b"\n", b"\r\n"), FILE).appliance.name == "Acme Box"


def test_a_byte_order_mark_loads() -> None:
    """What Windows editors put before the text is not part of it, and the lines of problems stay right."""
    assert parse_config(b"\xef\xbb\xbf[appliance]\r\nname = 'x'\r\n", FILE).appliance.name == "x"
    with pytest.raises(ConfigError) as caught:
        parse_config(b"\xef\xbb\xbf[appliance]\nname = 5\n", FILE)
    assert "line 2: appliance.name" in caught.value.why


def test_a_value_far_too_long_is_not_quoted_in_full() -> None:
    """The error for a value of any length stays short, and still names key and line."""
    with pytest.raises(ConfigError) as caught:
        parse_config(b'[defaults]\nkey_type = "' + b"x" * 100_000 + b'"\n', FILE)
    assert "line 2: defaults.key_type" in caught.value.why
    assert len(caught.value.why) < 1000


def test_a_lineage_loads_by_its_name(paths: Paths) -> None:
    """The name comes from the file's name, the rest from its keys."""
    (paths.certificates / "shop.toml").write_text(
        'domains = ["shop.example.com"]\ntargets = ["web"]\nauto_renew = false\n'
    )
    assert load_lineage(paths, "shop") == LineageConfig(
        name="shop", domains=("shop.example.com",), targets=("web",), auto_renew=False
    )


def test_an_unknown_lineage_is_not_found(paths: Paths) -> None:
    """A name without a file, and a name that would leave the folder, are not found."""
    for name in ("nothing", "../certdeck", "", ".hidden"):
        with pytest.raises(NotFound):
            load_lineage(paths, name)


def test_lineage_names_are_the_files(paths: Paths) -> None:
    """Temporary and foreign files are no lineages."""
    for file in ("b.toml", "a.example.com.toml", ".tmp-1-1", ".x.toml", "notes.txt"):
        (paths.certificates / file).write_text("")
    assert lineage_names(paths) == ("a.example.com", "b")


def test_a_broken_lineage_says_which() -> None:
    """An unknown key in a lineage's file names the file and the nearest key."""
    with pytest.raises(ConfigError) as caught:
        parse_lineage(b'domain = ["x"]\n', "shop", Path("/c/shop.toml"))
    assert caught.value.what == "/c/shop.toml has a problem."
    assert "Did you mean domains?" in caught.value.fix


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path), os.mkdir])
def test_what_is_no_file_holds_nobody(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A pipe under the configuration's name held every command for ever, and /dev/zero filled the memory."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)
    paths.etc.mkdir()
    make(paths.config)
    with pytest.raises(StoreError) as caught:
        load_config(paths)
    assert str(paths.config) in caught.value.what


def test_a_file_far_too_long_is_refused(tmp_path: Path) -> None:
    """Ten megabytes of anything are no configuration, and took ten seconds and half a gigabyte to parse."""
    paths = paths_for({"CERTDECK_HOME": str(tmp_path)}, 0)
    paths.etc.mkdir()
    paths.config.write_bytes(b"#" * 10_000_000)
    with pytest.raises(StoreError) as caught:
        load_config(paths)
    assert "too large" in caught.value.why
