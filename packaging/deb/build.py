"""Build certdeck_VERSION_ARCH.deb: `build.py PYTHON FOLDER`.

Everything that certdeck needs but Python itself lies in /usr/lib/certdeck, from the lock and compiled. So nothing is fetched and
nothing is compiled when it is installed, and no package of Debian's can clash with one of ours. Building the same commit twice
gives the same bytes: times are that of the release, and the order of everything is fixed.

PYTHON: an interpreter with pip. The package is for the Debian of this machine and its Python, or for the one whose root
DEB_ROOT names. Its version ends with that release, so that an update of Debian brings the other package.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from core import version  # noqa: E402

BUILT = version.BUILT

DEBIAN = Path(os.environ.get("DEB_ROOT", "/"))
LIBRARY = Path("usr/lib/certdeck")
EPOCH = str(int(BUILT.timestamp()))
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
ENVIRONMENT.pop("PYTHONPYCACHEPREFIX", None)
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def run(*argv: str | Path, **more: object) -> str:
    done = subprocess.run(
        [str(word) for word in argv], check=True, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, **more
    )
    return str(done.stdout)


def debian_python(*argv: str | Path) -> str:
    """Run the Python of the Debian that the package is for; paths are as that one has them."""
    inside = () if Path("/") == DEBIAN else ("chroot", DEBIAN)
    return run(*inside, "/usr/bin/python3", "-I", *argv)


PYTHON_VERSION, NEXT_PYTHON, RELEASE = debian_python(
    "-c",
    "import platform, sys; major, minor = sys.version_info[:2]; release = platform.freedesktop_os_release();"
    'print(f\'{major}.{minor} {major}.{minor + 1} ~{release["ID"][:3]}{release.get("VERSION_ID", "")}\')',
).split()
VERSION = os.environ.get("DEB_VERSION", version.VERSION) + RELEASE
"""A vendor may count builds of its own: 0.1.0+acme2."""

LAUNCHER = f"""#!/usr/bin/python3 -IS
import sys
sys.path.insert(0, "/{LIBRARY}")
from tui.__main__ import program
program()
"""
"""Isolated, and without `site`: nothing that lies about on the box is imported, and no `.pth` file costs time."""


def build(python: str, out: Path) -> Path:
    """Build into the folder `out`; return the package."""
    architecture = run("dpkg", "--print-architecture").strip()
    with tempfile.TemporaryDirectory(prefix="certdeck-deb-", dir=DEBIAN / "tmp") as folder:
        stage = Path(folder) / "stage"
        _library(python, stage)
        _program(stage)
        _documents(python, stage)
        _system(stage)
        _control(stage, architecture)
        _same_times(stage)
        out.mkdir(parents=True, exist_ok=True)
        package = out / f"certdeck_{VERSION}_{architecture}.deb"
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", stage, package)
    return package


def _library(python: str, stage: Path) -> None:
    library = stage / LIBRARY
    run(
        python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--python-version", PYTHON_VERSION, "--implementation", "cp",
        "--target", library, "-r", ROOT / "requirements.txt",
    )  # fmt: skip
    shutil.rmtree(library / "bin", ignore_errors=True)
    for package in ("core", "tui", "themes"):
        shutil.copytree(ROOT / package, library / package, ignore=shutil.ignore_patterns("__pycache__"))
    for left in [
        *library.rglob("tests"),
        *library.rglob("direct_url.json"),
        *library.rglob("INSTALLER"),
        *library.rglob("REQUESTED"),
    ]:
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    for record in library.rglob("RECORD"):
        record.unlink()
    for binary in sorted(library.rglob("*.so*")):
        binary.chmod(0o644)
        run("strip", "--strip-unneeded", binary)
    # The sources are not looked at again: what is compiled is what runs, whatever the clock of the box says.
    seen = Path("/") / stage.relative_to(DEBIAN)
    debian_python(
        "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", seen, "-p", "/", seen / LIBRARY
    )  # fmt: skip


def _program(stage: Path) -> None:
    path = stage / "usr/bin/certdeck"
    path.parent.mkdir(parents=True)
    path.write_text(LAUNCHER)
    path.chmod(0o755)


def _documents(python: str, stage: Path) -> None:
    manual = stage / "usr/share/man"
    with tempfile.TemporaryDirectory() as folder:
        run(python, "-m", "tui.cli.manual", folder, cwd=ROOT)
        pages = [*Path(folder).iterdir(), ROOT / "packaging/man/certdeck-vendor.7"]
        for page in sorted(pages):
            _gzip(page.read_bytes(), manual / f"man{page.suffix[1:]}" / f"{page.name}.gz")
        run(python, "-m", "tui.cli.completion", folder, cwd=ROOT)
        for name, place in (
            ("certdeck", "bash-completion/completions"),
            ("_certdeck", "zsh/vendor-completions"),
            ("certdeck.fish", "fish/vendor_completions.d"),
        ):
            target = stage / "usr/share" / place / name
            target.parent.mkdir(parents=True)
            shutil.copyfile(Path(folder) / name, target)
    documents = stage / "usr/share/doc/certdeck"
    entry = (
        f"certdeck ({VERSION}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n"
        f" -- {_maintainer()}  {BUILT:%a, %d %b %Y %H:%M:%S +0000}\n"
    )
    _gzip(entry.encode(), documents / "changelog.gz")
    for name in ("README.md", "SECURITY.md", "CHANGELOG.md"):
        _gzip((ROOT / name).read_bytes(), documents / f"{name}.gz")
    (documents / "copyright").write_text(_copyright(stage / LIBRARY))


def _maintainer() -> str:
    lines = (HERE / "control").read_text().splitlines()
    return next(line.removeprefix("Maintainer: ") for line in lines if line.startswith("Maintainer: "))


def _copyright(library: Path) -> str:
    """Return the licenses of certdeck and of what it brings along, by what each package says of itself."""
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        "Upstream-Name: certdeck",
        "",
        "Files: *",
        f"Copyright: {BUILT:%Y} the authors of certdeck",
        "License: Apache-2.0",
        " On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.",
        "",
    ]
    for folder in sorted(library.glob("*.dist-info")):
        said: dict[str, str] = {}
        for line in (folder / "METADATA").read_text("utf-8").split("\n\n", 1)[0].splitlines():
            key, _, value = line.partition(": ")
            said.setdefault(key, value)
        name = said["Name"]
        terms = said.get("License-Expression") or said.get("License") or "see its own file"
        lines += [
            f"Files: usr/lib/certdeck/{folder.name.split('-')[0]}*",
            f"Copyright: {said.get('Author') or said.get('Author-email') or f'the authors of {name}'}",
            f"License: {name}",
            f" {terms.splitlines()[0]}; the texts are in /{LIBRARY}/{folder.name}.",
            "",
        ]
    return "\n".join(lines)


def _system(stage: Path) -> None:
    units = stage / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for name in ("certdeck-renew.service", "certdeck-renew.timer", "certdeck-first-boot.service"):
        shutil.copyfile(HERE / name, units / name)
    # `certdeck fleet service on` writes that unit; here it gets the sandbox of the timer's service.
    (units / "certdeck-fleet.service.d").mkdir()
    (units / "certdeck-fleet.service.d" / "sandbox.conf").write_text(_sandbox())
    for source, target in (
        ("certdeck.tmpfiles", "usr/lib/tmpfiles.d/certdeck.conf"),
        ("certdeck.logrotate", "etc/logrotate.d/certdeck"),
        ("certdeck.toml", "usr/share/certdeck/certdeck.toml"),
        ("lintian-overrides", "usr/share/lintian/overrides/certdeck"),
        ("../account/account.conf", "usr/share/certdeck/account/account.conf"),
        ("../account/account.rules", "usr/share/certdeck/account/account.rules"),
    ):
        place = stage / target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / source, place)
    (stage / "etc/certdeck").mkdir(mode=0o700)


def _sandbox() -> str:
    """Return the part of the timer's service that confines it, as a drop-in."""
    lines = (HERE / "certdeck-renew.service").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# What stays open"))
    return "\n".join(["[Service]", *lines[begin:], ""])


def _control(stage: Path, architecture: str) -> None:
    control = stage / "DEBIAN"
    control.mkdir()
    size = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file()) // 1024
    text = (HERE / "control").read_text()
    for key, value in (
        ("VERSION", VERSION),
        ("ARCHITECTURE", architecture),
        ("SIZE", str(size)),
        ("PYTHON", PYTHON_VERSION),
        ("NEXT", NEXT_PYTHON),
    ):
        text = text.replace(f"@{key}@", value)
    (control / "control").write_text(text)
    (control / "conffiles").write_text("/etc/logrotate.d/certdeck\n")
    for name in ("postinst", "prerm", "postrm", "config", "templates"):
        shutil.copyfile(HERE / name, control / name)
        (control / name).chmod(0o644 if name == "templates" else 0o755)
    files = sorted(path for path in stage.rglob("*") if path.is_file() and control not in path.parents)
    sums = run("md5sum", *[path.relative_to(stage) for path in files], cwd=stage)
    (control / "md5sums").write_text(sums)


def _gzip(content: bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(content, 9, mtime=0))


def _same_times(stage: Path) -> None:
    """Give everything the time of the release, and the modes of a package."""
    for path in sorted(stage.rglob("*"), reverse=True):
        if path.is_symlink():
            continue
        if path.is_dir() and path.relative_to(stage) != Path("etc/certdeck"):
            path.chmod(0o755)
        elif path.is_file() and not path.stat().st_mode & 0o111:
            path.chmod(0o644)
        os.utime(path, (int(EPOCH), int(EPOCH)))


if __name__ == "__main__":
    sys.stdout.write(f"{build(sys.argv[1], Path(sys.argv[2]))}\n")
