"""What the manual page and the shell completions say is what the command line has."""
import pathlib
import re
import shutil
import subprocess

import pytest

from client import Client
from harness import Node

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "kvs.1"
BASH = ROOT / "packaging" / "completions" / "kvs.bash"
ZSH = ROOT / "packaging" / "completions" / "_kvs"


def help_of(kvs, *arguments):
    return subprocess.run([kvs, *arguments, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.fixture(scope="session")
def options(kvs):
    """subcommand → its long options, as --help tells them."""
    parts = re.split(r"^Subcommands:$", help_of(kvs), flags=re.MULTILINE)
    names = re.findall(r"^  ([a-z][a-z-]+) ", parts[1], re.MULTILINE)
    assert len(names) >= 13
    return {name: set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_of(kvs, name), re.MULTILINE)) for name in names}


@pytest.fixture(scope="session")
def sections():
    """subcommand → the text of the manual that is about it, without the marks of troff."""
    text = MANUAL.read_text().replace("\\-", "-")
    parts = re.split(r"^\.SS kvs ([a-z-]+).*$", text.split("\n.SH OUTPUT FOR SCRIPTS")[0], flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2]))
    found["every client"] = re.search(r"\.SH OPTIONS OF EVERY CLIENT\n(.*?)\n\.SH", text, re.DOTALL)[1]
    found["synopsis"] = re.search(r"\.SH SYNOPSIS\n(.*?)\n\.SH", text, re.DOTALL)[1]
    return found


COMMON = {"--node", "--timeout", "--json"}


def listed(section):
    return set(re.findall(r"^\.BI? (--[a-z-]+)", section, re.MULTILINE))


def test_the_manual_has_each_subcommand_with_just_its_options(options, sections):
    assert set(options) == set(sections) - {"every client", "synopsis"}
    assert listed(sections["every client"]) == COMMON
    for name, found in options.items():
        assert f"kvs {name}" in sections["synopsis"], name
        assert found >= {"--help"}
        expected = found - {"--help"} - (COMMON if COMMON <= found else set())
        assert listed(sections[name]) == expected, name


def test_the_manual_tells_every_exit_code_and_variable():
    text = MANUAL.read_text()
    statuses = text.split(".SH EXIT STATUS")[1].split(".SH ENVIRONMENT")[0]
    codes = re.findall(r"inline constexpr int kExit\w+ = (\d+)", (ROOT / "src/app/cli.h").read_text())
    assert re.findall(r"^\.B ([0-6])$", statuses, re.MULTILINE) == [code for code in codes if code != "128"]
    assert "KVS_NODE" in text


def test_the_manual_is_sound():
    for tool in (["groff", "-man", "-ww", "-Tutf8", "-z"], ["mandoc", "-T", "lint", "-W", "error"]):
        if shutil.which(tool[0]):
            done = subprocess.run([*tool, MANUAL], capture_output=True, text=True, check=False, timeout=60)
            assert (done.returncode, done.stderr) == (0, "") and not done.stdout, done


def test_readme_tells_the_same_exit_codes():
    section = (ROOT / "README.md").read_text().split("## Command line")[1].split("\n## ")[0]
    for code in ("0", "1", "2", "3", "4", "5", "6", "130"):
        assert re.search(rf"^\| `?{code}\b", section, re.MULTILINE), code


# -- completions


def complete(line, node="127.0.0.1:1"):
    """What bash offers at the end of the line."""
    script = f"""
        source {BASH}
        compopt() {{ :; }}
        export KVS_NODE={node}
        COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        [[ {line!r} == *" " ]] && {{ COMP_CWORD=${{#COMP_WORDS[@]}}; COMP_WORDS+=(""); }}
        _kvs
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


def test_bash_offers_each_subcommand_and_its_options(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complete("kvs ") == set(options) | {"--help", "--version"}
    assert complete("kvs me") == {"members"}
    for name, found in options.items():
        assert complete(f"kvs {name} --") == found, name
    assert complete("kvs put --if-") == {"--if-match", "--if-none-match"}
    assert complete("kvs get --timeout ") == set()


def test_bash_offers_keys_and_files(kvs, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kvs").symlink_to(kvs)
    (tmp_path / "a.yaml").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    assert complete("kvs check a") == {"a.yaml"} and "a.yaml" in complete("kvs import ")
    assert complete("kvs get us") == set()  # no node
    node = Node(kvs, tmp_path, {}).start()
    try:
        client = Client(kvs, node.address)
        for key in ("users/john", "users/jo e", "users/mary", "users/john/x", "other"):
            client.ok("put", key, "1")
        assert complete("kvs get ", node.address) == {"users/", "other"}
        assert complete("kvs ls us", node.address) == {"users/"}
        assert complete("kvs get users/jo", node.address) == {"users/john", "users/john/", "users/jo e"}
        host, port = node.address.split(":")
        assert complete(f"kvs get --node {host} : {port} o") == {"other"}
    finally:
        node.destroy()


def test_zsh_has_each_subcommand_and_its_options(options):
    text = ZSH.read_text()
    assert set(re.findall(r"^    '([a-z-]+):", text, re.MULTILINE)) == set(options)
    client = set(re.findall(r"'(?:\([^)]*\))?(--[a-z-]+)\[", re.search(r"client=\((.*?)\n  \)", text, re.DOTALL)[1]))
    for name, found in options.items():
        case = re.search(rf"^        {name}\)(.*?);;", text, re.DOTALL | re.MULTILINE)[1]
        named = set(re.findall(r"'(?:\([^)]*\))?(--[a-z-]+)\[", case)) | (client if "$client" in case else set())
        assert named == found, name


def test_zsh_can_read_it():
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    subprocess.run(["zsh", "-n", ZSH], check=True, timeout=20)
