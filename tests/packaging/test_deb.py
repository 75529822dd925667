"""What is in the Debian package. That it installs, upgrades and goes: tests/packaging/lifecycle."""
import gzip
import os
import re
import subprocess

import pytest

from conftest import ROOT

DOCS = "/usr/share/doc/kvs"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, **options).stdout


@pytest.fixture(scope="module")
def files(package):
    """path → (rights, owner), without the folders above them."""
    found = {}
    for line in run("dpkg-deb", "-c", package).splitlines():
        rights, owner, _, _, _, path = line.split(None, 5)
        found[path.removeprefix(".").rstrip("/")] = (rights, owner)
    return found


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-R", package, folder)
    return folder


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def test_its_name_and_what_it_needs(package):
    version = re.search(r"project\(kvs VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert field(package, "Package") == "kvs" and field(package, "Version") == f"{version}-1"
    needed = {entry.split()[0] for entry in field(package, "Depends").split(",")}
    assert {"adduser", "init-system-helpers", "libc6", "libstdc++6", "librocksdb7.8"} <= needed
    # What is needed to build or to test is not needed to run.
    assert not [name for name in needed if name.endswith("-dev") or "gtest" in name or "python" in name]


def test_every_file_has_its_place(files):
    expected = {
        "/usr/bin/kvs": "-rwxr-xr-x",
        "/etc/kvs/config.yaml": "-rw-r--r--",
        "/etc/logrotate.d/kvs": "-rw-r--r--",
        "/lib/systemd/system/kvs.service": "-rw-r--r--",
        f"{DOCS}/copyright": "-rw-r--r--",
        f"{DOCS}/changelog.Debian.gz": "-rw-r--r--",
        f"{DOCS}/changelog.gz": "-rw-r--r--",
        f"{DOCS}/operations.md": "-rw-r--r--",
        f"{DOCS}/examples/compose.yaml": "-rw-r--r--",
        f"{DOCS}/examples/monitoring/kvs-dashboard.json": "-rw-r--r--",
    }
    if (ROOT / "docs/kvs.1").exists():
        expected["/usr/share/man/man1/kvs.1.gz"] = "-rw-r--r--"
    if (ROOT / "packaging/completions").exists():
        expected["/usr/share/bash-completion/completions/kvs"] = "-rw-r--r--"
        expected["/usr/share/zsh/vendor-completions/_kvs"] = "-rw-r--r--"
    for path, rights in expected.items():
        assert files[path][0] == rights, path
    assert {owner for _, owner in files.values()} == {"root/root"}
    elsewhere = [path for path in files if not re.match(r"/(etc|lib|usr/(bin|share))(/|$)|/usr$|$", path)]
    assert not elsewhere
    assert not [path for path in files if path.startswith("/var")]  # data is nobody's but the node's


def test_settings_survive_upgrades(unpacked):
    conffiles = (unpacked / "DEBIAN/conffiles").read_text().split()
    in_etc = {"/" + str(path.relative_to(unpacked)) for path in (unpacked / "etc").rglob("*") if path.is_file()}
    assert set(conffiles) == in_etc == {"/etc/kvs/config.yaml", "/etc/logrotate.d/kvs"}


def test_the_packaged_configuration_is_all_defaults_but_the_folder(kvs, unpacked, tmp_path):
    packaged = (unpacked / "etc/kvs/config.yaml").read_text().splitlines()
    defaults = (ROOT / "examples/config.yaml").read_text().splitlines()
    differing = [(old, new) for old, new in zip(defaults, packaged) if old != new]
    assert len(packaged) == len(defaults)
    assert differing == [('data_dir: "./data"', 'data_dir: "/var/lib/kvs/data"')]
    checked = run(kvs, "check", unpacked / "etc/kvs/config.yaml", cwd=tmp_path)
    assert "/var/lib/kvs/data" in checked


def test_the_binary_runs_and_is_stripped(package, unpacked):
    binary = unpacked / "usr/bin/kvs"
    assert run(binary, "--version").strip() == "kvs " + field(package, "Version").split("-")[0]
    assert "not stripped" not in run("file", "-b", binary)


def test_the_scripts_are_scripts(unpacked):
    for name in ("postinst", "prerm", "postrm"):
        script = unpacked / "DEBIAN" / name
        assert os.access(script, os.X_OK)
        run("sh", "-n", script)


def test_the_changelog_is_one(unpacked, package):
    text = gzip.decompress((unpacked / DOCS[1:] / "changelog.Debian.gz").read_bytes()).decode()
    (unpacked / "changelog").write_text(text)
    assert run("dpkg-parsechangelog", "-l", unpacked / "changelog", "-S", "Version").strip() == field(
        package, "Version"
    )
