"""README, the examples of the manual page and those of docs/operations.md: every command is run as it stands
there, ports and paths included, and prints what the page shows."""
import os
import re
import shutil

import pytest
import yaml

import pages
from harness import eventually
from machine import Machine, Terminal, why_not

ELSEWHERE = "10.0.0.2"  # where the pages have another node
NODES = (8081, 8082, 8083)  # of examples/three-nodes
LOOKS = re.compile(r"(curl \S*http\S+( http\S+)*\n)+")  # nothing but GETs


class Desk:
    """A clone of the repository in which everything is built already, and terminals in it, on a machine of its own."""

    def __init__(self, kvs, folder):
        self.clone = folder / "kvs"
        self.clone.mkdir(mode=0o755)
        for name in ("examples", "tools", "packaging", "docs"):
            shutil.copytree(pages.ROOT / name, self.clone / name)
        shutil.copy(pages.ROOT / "run", self.clone)
        (self.clone / "build" / "release").mkdir(parents=True)
        (self.clone / "build" / "release" / "kvs").symlink_to(kvs)
        (folder / "bin").mkdir()
        (folder / "bin" / "cmake").symlink_to("/bin/true")  # ./run builds: there is nothing left to do
        self.logs, self.srv = folder / "logs", folder / "srv"
        self.logs.mkdir()
        (self.srv / "kvs").mkdir(parents=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KVS_")},
            "PATH": f"{folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
        }
        self.machine = Machine("my-host", addresses=[ELSEWHERE], mounts={"/srv": self.srv})
        self.terminals = []

    def terminal(self):
        errors = self.logs / f"errors{len(self.terminals)}"
        self.terminals.append(Terminal(self.machine, self.clone, self.environment, errors))
        return self.terminals[-1]

    def look(self, url):
        """The answer to a GET, or nothing."""
        return self.machine.run(f"curl -s {url} || true", self.clone, self.environment)

    def start_node(self, address, variables="", **settings):
        """A node by environment, beside those that the page starts; the terminal that it runs in."""
        host, port = address.split(":")
        settings = {"bind_address": host, "port": port, **settings}
        variables += "".join(f" KVS_{name.upper()}={value}" for name, value in settings.items())
        terminal = self.terminal()
        terminal.begin(f"{variables} exec build/release/kvs /dev/null")
        self.wait_for(address)
        return terminal

    def wait_for(self, address):
        eventually(lambda: '"status":"ok","mode":"normal"' in self.look(f"http://{address}/health"))

    def close(self):
        for terminal in self.terminals:
            terminal.close()
        self.machine.close()


@pytest.fixture
def desk(kvs, tmp_path):
    if reason := why_not():
        pytest.skip(reason)
    for tool in ("curl", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing")
    made = Desk(kvs, tmp_path)
    try:
        yield made
    finally:
        made.close()


class Reader:
    """Somebody who types what a page says, and looks at what comes."""

    def __init__(self, desk):
        self.desk = desk
        self.hands = desk.terminal()
        self.foreground = None  # the terminal in which something runs
        self.watching = None
        self.printed = ""
        self.typed = ""

    def read(self, language, text):
        if language == "bash":
            self.typed = text
            self.do(text)
        elif language == "yaml":
            self.compare_file(text)
        else:
            assert language in ("json", "")
            self.compare(text)

    def do(self, text):
        last = text.rstrip("\n").splitlines()[-1]
        if last.endswith("./run"):
            self.run_in_foreground(text)
            self.desk.wait_for("localhost:8080")
        elif last == "examples/three-nodes":
            self.run_in_foreground(text)
            for port in NODES:
                self.desk.wait_for(f"127.0.0.1:{port}")
                eventually(lambda port=port: self.desk.look(f"http://127.0.0.1:{port}/members/").count('"id"') == 3)
        elif "watch=true" in text:
            self.watching = self.desk.terminal()
            self.watching.begin(text)
            assert self.watching.process.stdout.readline() == "event: bookmark\n"
        else:
            if "make-conflict" in text:
                assert self.end_foreground() == 130  # the three nodes, whose ports these want
            self.printed = self.hands.type(text)
            for port in re.findall(r"KVS_PORT=(\d+) .*&$", text, re.MULTILINE):
                self.desk.wait_for(f"127.0.0.1:{port}")
            refusals = self.printed.replace('"status":404,"error"', "")  # but for a result that is shown
            assert LOOKS.fullmatch(text) or '"error"' not in refusals, (text, self.printed)

    def run_in_foreground(self, text):
        if self.foreground is not None:
            self.end_foreground()
        self.foreground = self.desk.terminal()
        self.foreground.begin(text)

    def end_foreground(self):
        return self.foreground.interrupt()

    def compare(self, shown):
        if "a conflict was settled" in shown:
            # Without a terminal curl tells how far it is, on the line on which a node may log.
            told = self.hands.told().splitlines()
            lines = [line[line.index("{") :] for line in told if "a conflict was settled" in line]
            assert len(lines) == 3
            for line, number in zip(sorted(lines, key=lambda line: line[line.index("conflict/") :]), (1, 2, 3)):
                assert pages.same_form(shown.replace("conflict/1", f"conflict/{number}"), line), line
        elif shown.startswith("event: "):
            self.compare_events(shown)
        elif LOOKS.fullmatch(self.typed):
            # What was written elsewhere comes in a moment: whoever does not see it looks again.
            eventually(lambda: pages.same_form(shown, self.printed) or self.do(self.typed))
        else:
            assert pages.same_form(shown, self.printed), (self.typed, self.printed)

    def compare_events(self, shown):
        seen = ["event: bookmark\n"]
        while not pages.same_form(shown, "".join(seen)):
            seen.append(self.watching.process.stdout.readline())
            assert seen[-1] and len(seen) < 20, seen
        self.watching.interrupt()

    def compare_file(self, shown):
        name = yaml.safe_load(shown)["node_id"]
        text = (pages.ROOT / "examples" / f"{name}.yaml").read_text()
        assert shown == "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def test_readme(desk):
    desk.start_node(f"{ELSEWHERE}:8080", node_id="elsewhere", cluster_name="elsewhere", data_dir="./elsewhere")
    reader = Reader(desk)
    for language, text in pages.blocks(pages.README):
        reader.read(language, text)
    assert (desk.clone / "restored" / "FORMAT").is_file()
    assert (desk.clone / "all.jsonl").is_file()


FIRST, SECOND = "127.0.0.1:8080", "127.0.0.1:8082"
SETTINGS = {
    FIRST: {"node_id": "first", "data_dir": "/srv/kvs/data", "backup_folder": "/srv/kvs/backups"},
    SECOND: {"node_id": "second", "data_dir": "./second", "seed_nodes": FIRST},
}
SHORT_INTERVALS = {"tombstone_min_age_hours": 1, "sync_interval": 2, "catchup_interval": 1}
LATER_MS = 2 * 3_600_000


@pytest.fixture
def hands(desk):
    """A terminal for somebody who has the program installed."""
    terminal = desk.terminal()
    terminal.type("PATH=$PATH:$PWD/build/release")
    return terminal


def test_the_examples_of_the_manual(desk, hands):
    for address, settings in SETTINGS.items():
        desk.start_node(address, **settings)
    desk.start_node(f"{ELSEWHERE}:8080", node_id="elsewhere", cluster_name="elsewhere", data_dir="./elsewhere")
    for line in pages.manual_examples().splitlines():
        hands.type(line)
    assert (desk.srv / "kvs" / "restored" / "FORMAT").is_file()
    kept = hands.type("kvs get users/mary")
    assert kept == '{"name":"Mary","age":32}'
    assert hands.type(f"kvs get users/mary --node {ELSEWHERE}:8080") == kept


def test_the_commands_of_operations(kvs, desk, hands):
    """But for those of the package, which tests/packaging/lifecycle installs. The first node goes on with the
    backup when the other has forgotten that John was deleted, so what the backup has of him is lost."""
    package, lost, backup = (text for language, text in pages.blocks(pages.OPERATIONS) if language == "bash")
    assert "tools/package" in package

    def start(address, variables=""):
        return desk.start_node(address, variables, **SETTINGS[address], **SHORT_INTERVALS)

    nodes = {address: start(address) for address in SETTINGS}
    hands.type("""kvs put users/john '{"name":"John"}'""")
    hands.type(backup)
    hands.type(f"kvs del users/john --node {FIRST}")
    eventually(lambda: "all 2 members hold the same" in desk.look(f"{SECOND}/cluster/convergence"))
    assert [node.interrupt() for node in nodes.values()] == [0, 0]
    later = f"LD_PRELOAD={kvs.parent}/kvs_shifted_clock.so SHIFTED_CLOCK_MS={LATER_MS}"
    nodes = {address: start(address, later) for address in SETTINGS}
    eventually(lambda: "kvs_tombstones_collected_total 1" in desk.look(f"{SECOND}/metrics"), 60)
    assert nodes[FIRST].interrupt() == 0
    hands.type("rm -r /srv/kvs/data; mv /srv/kvs/restored /srv/kvs/data")
    start(FIRST, f"{later} KVS_SEED_NODES={SECOND}")
    eventually(lambda: "John" in desk.look(f"{FIRST}/cluster/lost"), 60)
    hands.type(lost)
    assert hands.type("kvs get users/john") == '{"name":"John"}'
