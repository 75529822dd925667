"""The client commands against a real node: what they print, how they end."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from client import Client, Stub, error
from harness import Node, eventually

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def shared(kvs, tmp_path_factory):
    """One node for all tests here, which use paths of their own."""
    node = Node(kvs, tmp_path_factory.mktemp("node"), {"durability": "os"}).start()
    yield node
    node.destroy()


@pytest.fixture
def client(kvs, shared):
    return Client(kvs, shared.address)


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


# -- values


@pytest.mark.parametrize(
    "value",
    [b"1", b'"\xc3\xa9"', b' {\n\t"a" : null }\n', b'"' + b"x" * 300_000 + b'"'],
    ids=["number", "text", "lines", "large"],
)
def test_a_value_comes_back_as_it_was_given(client, tmp_path, value):
    file = tmp_path / "value"
    file.write_bytes(value)
    assert UUID.fullmatch(client.ok("put", "v/file", "--file", file).strip())
    assert UUID.fullmatch(client.ok("put", "v/stdin", stdin=value).strip())
    assert UUID.fullmatch(client.ok("put", "v/dash", "--file", "-", stdin=value).strip())
    names = ["v/file", "v/stdin", "v/dash"]
    if len(value) < 100_000:
        client.ok("put", "--", "v/argument", value.decode())
        names.append("v/argument")
    for name in names:
        assert client.run("get", name).stdout == value


def test_text_becomes_a_json_string(client):
    client.ok("put", "v/text", 'say "hé"\n', "--string")
    assert json.loads(client.ok("get", "v/text")) == 'say "hé"\n'
    assert client.run("put", "v/text", "--string", stdin=b"\xff").returncode == 2


def test_keys_with_odd_characters(client):
    for key in ["odd/a b?c=d&e#f%41+", 'odd/"<é>', "odd/-x", "odd/😀/\u202e"]:
        client.ok("put", "--", key, "7")
        assert client.ok("get", "--", key) == "7"
        assert client.json("get", "--", key)["path"] == key


def test_versions_and_conditions(client):
    first = client.json("put", "c/a", "1", "--if-none-match")
    assert first["path"] == "c/a" and first["created"] is True
    assert client.run("put", "c/a", "2", "--if-none-match").returncode == 4
    second = client.ok("put", "c/a", "2", "--if-match", first["uuid"]).strip()
    for arguments in (["put", "c/a", "3"], ["del", "c/a"]):
        refused = client.run(*arguments, "--if-match", first["uuid"])
        assert refused.returncode == 4 and "condition" in refused.stderr
    assert client.json("get", "c/a") == {
        "path": "c/a",
        "uuid": second,
        "timestamp": client.json("get", "c/a")["timestamp"],
        "data": 2,
    }
    row, value = client.ok("get", "c/a", "--meta").splitlines()
    assert row.split("\t")[:2] == ["c/a", second] and value == "2"
    assert client.json("del", "c/a", "--if-match", second)["deleted"] is True
    assert client.run("del", "c/a", "--if-match", "*").returncode in (3, 4)
    assert client.run("put", "c/a", "1", "--if-match", "*").returncode == 4
    # An empty variable in a script is no condition that is left out.
    assert client.run("put", "c/a", "1", "--if-match", "").returncode == 2
    assert client.run("get", "c/a").returncode == 3


def test_what_is_not_there(client):
    for arguments in (["get", "no/such"], ["get", "no/such", "--meta"], ["del", "no/such"]):
        done = client.run(*arguments)
        assert (done.returncode, done.stdout) == (3, b"")
        assert done.stderr.startswith("kvs: ")
    assert client.ok("ls", "no/such") == ""


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "a/../b", "a\nb", "k" * 5000])
def test_refused_keys_are_not_sent(kvs, key):
    with Stub(lambda *_: error(500, "io_error")) as stub:
        client = Client(kvs, stub.address)
        for arguments in (["get", key], ["put", key, "1"], ["del", key]):
            done = client.run(*arguments)
            assert done.returncode == 2 and done.stderr.startswith("kvs: "), done
        assert stub.requests == []


def test_refused_values(client):
    for value in ["{x", "", "1 2", '{"a":1,"a":2}']:
        done = client.run("put", "r/a", value)
        assert done.returncode == 2 and "no JSON" in done.stderr
    done = client.run("put", "r/a", stdin=b'"' + b"x" * 2_000_000 + b'"')
    assert done.returncode == 2 and "max_value_bytes" in done.stderr
    assert client.run("put", "r/a", "--file", "/no/such").returncode == 1
    assert client.run("get", "r/a").returncode == 3


def test_wrong_command_lines(client):
    for arguments in (
        ["get"],
        ["get", "a", "b"],
        ["get", "a", "--colour"],
        ["put", "a", "1", "--file", "x"],
        ["put", "a", "1", "--if-match", "x", "--if-none-match"],
        ["ls", "--limit", "0"],
        ["get", "a", "--node", "nowhere"],
        ["get", "a", "--timeout", "0"],
        ["export", "--continue"],
        ["import", "--from-line", "0"],
        ["bench", "--reads", "101"],
    ):
        done = client.run(*arguments)
        assert done.returncode == 2, done
        assert done.stderr.startswith("kvs: ") and done.stderr.count("\n") == 1, done
        assert f"see kvs {arguments[0]} --help" in done.stderr


# -- listings


@pytest.fixture(scope="module")
def listed(shared):
    for name in ["a", "b/c", "b/d/e", "b", "ü"]:
        assert shared.put(f"/kv/l/{name.replace('ü', '%C3%BC')}", {"n": name}).status == 201


def test_ls(client, listed):
    assert client.ok("ls", "l").splitlines() == client.ok("ls", "l/").splitlines() == ["a", "b", "b/", "ü"]
    assert client.ok("ls", "l", "--recursive").splitlines() == ["a", "b", "b/c", "b/d/e", "ü"]
    assert client.ok("ls", "l/b", "--values").splitlines() == ['c\t{"n": "b/c"}', "d/\t"]
    assert "l/" in client.ok("ls", "/").splitlines()
    lines = [json.loads(line) for line in client.ok("ls", "l", "--json", "--values").splitlines()]
    assert [line["path"] for line in lines] == ["l/a", "l/b", "l/b/", "l/ü"]
    assert lines[0]["data"] == {"n": "a"} and UUID.fullmatch(lines[0]["uuid"]) and lines[0]["timestamp"] > 0
    assert lines[2] == {"path": "l/b/"}
    some = client.run("ls", "l", "--limit", "2")
    assert some.stdout.splitlines() == [b"a", b"b"] and "more than 2" in some.stderr
    assert client.run("ls", "l", "--limit", "4").stderr == ""


def test_ls_of_several_pages(client):
    names = [f"{number:05}" for number in range(2100)]
    client.ok("import", stdin="".join(f'{{"path":"many/{name}","data":0}}\n' for name in names).encode())
    assert client.ok("ls", "many").splitlines() == names
    assert client.ok("ls", "many", "--limit", "1500").splitlines() == names[:1500]
    assert client.ok("tree", "many").splitlines()[1:-1] == ["    " + name for name in names]


def test_tree(client, listed):
    assert client.ok("tree", "l") == (
        "l/\n    a\n    b\n    b/\n        c\n        d/\n            e\n    ü\n2 folders, 5 keys\n"
    )
    assert client.ok("tree", "l", "--depth", "1") == "l/\n    a\n    b\n    b/\n    ü\n1 folder, 3 keys\n"
    lines = [json.loads(line)["path"] for line in client.ok("tree", "l", "--json").splitlines()]
    assert lines == ["l/a", "l/b", "l/b/", "l/b/c", "l/b/d/", "l/b/d/e", "l/ü"]
    assert client.ok("tree", "nothing") == "nothing/\n0 folders, 0 keys\n"


# -- a terminal


def test_tables_on_a_terminal(client, listed):
    code, seen = client.on_terminal("ls", "l", "--values")
    assert code == 0
    title, *rows = seen.splitlines()
    assert title.split() == ["NAME", "MODIFIED", "VERSION", "VALUE"]
    assert len(rows) == 4 and all(row.index("{") == title.index("VALUE") for row in rows if "{" in row)
    code, seen = client.on_terminal("tree", "l")
    assert seen.splitlines()[1:-1] == ["├── a", "├── b", "├── b/", "│   ├── c", "│   └── d/", "│       └── e", "└── ü"]
    code, seen = client.on_terminal("get", "l/a")
    assert (code, seen) == (0, '{"n": "a"}\n')
    code, seen = client.on_terminal("get", "l/a", "--meta")
    assert seen.startswith("PATH ") and seen.endswith('\n\n{"n": "a"}\n')
    code, seen = client.on_terminal("put", "t/a", "1")
    assert re.fullmatch(r"created t/a, version [0-9a-f-]{36} of 2\d\d\d-\d\d-\d\dT[0-9:.]*Z\n", seen)
    assert client.on_terminal("del", "t/a") == (0, "deleted t/a\n")
    code, seen = client.on_terminal("status")
    assert code == 0 and "\nmode " in seen and "MEMBER" in seen
    code, seen = client.on_terminal("members")
    assert seen.startswith("ID ") and " now " in seen


def test_nothing_that_is_stored_commands_the_terminal(client):
    client.ok("put", "x/\u009b2J", '"\u009b31m \u202e"')
    for arguments in (["ls", "x", "--values"], ["tree", "x"], ["get", "x/\u009b2J"], ["put", "x/\u009b2J", "1"]):
        code, seen = client.on_terminal(*arguments)
        assert code == 0 and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", seen), repr(seen)


# -- the cluster


def test_members_and_status(client, shared):
    (member,) = client.json("members")
    assert member["id"] == "node-alpha"
    row = client.ok("members").rstrip("\n").split("\t")
    assert row[:4] == ["node-alpha", shared.address, "alive", "normal"]
    both = client.json("status")
    assert both["health"]["status"] == "ok" and both["convergence"]["converged"] is True
    facts = dict(line.split("\t", 1) for line in client.ok("status").splitlines())
    assert facts["mode"] == "normal" and facts["live members"] == "1" and "only member" in facts["convergence"]


def test_a_degraded_node_has_a_status(kvs):
    health = {"status": "degraded", "reason": "disk_full", "mode": "normal", "node_id": "n", "member_count": 1}
    pages = {"/health": (503, {}, json.dumps(health).encode()), "/cluster/convergence": (200, {}, b'{"members":[]}')}
    with Stub(lambda method, target, body: pages[target]) as stub:
        done = Client(kvs, stub.address).run("status")
        assert done.returncode == 1 and b"reason\tdisk_full\n" in done.stdout, done


def test_leave(kvs, new_node):
    node = new_node().start()
    client = Client(kvs, node.address)
    assert client.run("leave", "nobody").returncode == 3
    assert client.run("leave", "node-alpha").returncode == 1
    code, seen = client.on_terminal("leave", typed=b"n\n")
    assert code == 1 and "leave the cluster and stop. Go on? [y/N]" in seen and node.process.poll() is None
    assert client.json("leave")["left"] is True
    assert node.process.wait(20) == 0


# -- what goes wrong on the way


def test_no_node(kvs):
    client = Client(kvs, free_address())
    for arguments in (
        ["get", "a"],
        ["put", "a", "1"],
        ["ls"],
        ["tree"],
        ["members"],
        ["status"],
        ["leave"],
        ["export", "--retry", "0"],
        ["import"],
        ["bench"],
    ):
        done = client.run(*arguments)
        assert done.returncode == 5, done
        assert "no node can be reached at" in done.stderr and "--node" in done.stderr
    for arguments in (["get", "a"], ["export", "--retry", "0"], ["import"], ["bench"]):
        assert json.loads(client.run(*arguments, "--json").stderr)["error"]["code"] == "address_unusable"


def test_a_node_that_says_nothing(kvs):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(kvs, f"127.0.0.1:{silent.getsockname()[1]}")
        done = client.run("put", "a", "1", "--timeout", "1")
    assert done.returncode == 5 and "nothing came for 1 s" in done.stderr and "a read tells" in done.stderr


@pytest.mark.parametrize(
    "given, exit_code, words",
    [
        (error(503, "read_only", 60), 6, "this is read_only; try again in 60 s"),
        (error(503, "overloaded", 1), 6, "this is overloaded; try again in 1 s"),
        (error(507, "disk_full", 10), 6, "this is disk_full; try again in 10 s"),
        (error(500, "corrupt_data"), 1, "this is corrupt_data"),
        (error(414, "key_too_large"), 2, "this is key_too_large"),
        ((502, {}, b"<html>bad gateway</html>"), 5, "502"),
        (None, 5, "did not answer"),
    ],
)
def test_errors_of_the_node(kvs, given, exit_code, words):
    with Stub(lambda *_: given) as stub:
        client = Client(kvs, stub.address)
        for arguments in (["get", "a"], ["put", "a", "1"], ["del", "a"], ["ls"], ["members"]):
            done = client.run(*arguments)
            assert done.returncode == exit_code and words in done.stderr, (arguments, done)
        assert words in json.loads(client.run("get", "a", "--json").stderr)["error"]["message"]


def test_a_listing_of_a_node_that_still_fetches_says_so(kvs):
    page = b'{"path":"","entries":[{"name":"a","uuid":"u","timestamp":1}]}'
    lines = b'{"path":"a","uuid":"u","timestamp":1,"version":"v","data":1}\n'

    def answer(_method, target, _body):
        return 200, {"X-KVS-Source": "partial"}, lines if target.startswith("/export") else page

    with Stub(answer) as stub:
        client = Client(kvs, stub.address)
        for subcommand in ("ls", "tree"):
            done = client.run(subcommand)
            assert done.returncode == 0 and "still fetches" in done.stderr
        done = client.run("export")
        assert done.returncode == 6 and "--partial" in done.stderr
        assert client.run("export", "--partial").returncode == 0


def test_a_reader_that_goes_away_ends_the_command(client):
    process = client.start("ls", "many", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(20) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


def test_an_output_that_takes_nothing_is_an_error(client):
    with open("/dev/full", "wb") as full:
        process = client.start("ls", "many", stdout=full, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1 and b"No space left" in said


# -- bench


def test_bench_leaves_nothing_and_ends_with_its_count(client, shared):
    told = client.json("bench", "--count", "500", "--keys", "50", "--reads", "40", "--connections", "3", "--depth", "4")
    assert told["requests"] == 500 == told["put"]["count"] + told["get"]["count"]
    assert told["refused"] == 0 and told["interrupted"] is False
    for kind in ("put", "get"):
        steps = [told[kind][f"{name}_us"] for name in ("p50", "p90", "p99", "p999", "max")]
        assert steps == sorted(steps) and steps[0] > 0
    assert client.ok("ls", "kvs-bench") == ""
    put, get = client.ok("bench", "--count", "30", "--keys", "5", "--keep", "--prefix", "mine/b").splitlines()
    assert put.startswith("PUT\t") and get.startswith("GET\t") and put.count("\t") == 8
    assert len(client.ok("ls", "mine/b").splitlines()) == 5


def test_bench_ends_with_ctrl_c(client):
    process = client.start("bench", "--seconds", "600", "--keys", "10", "--json", stdout=subprocess.PIPE)
    eventually(lambda: client.ok("ls", "kvs-bench") != "")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 130 and json.loads(said)["interrupted"] is True
    assert client.ok("ls", "kvs-bench") == ""


def test_a_bench_ends_with_its_time_and_progress_is_for_terminals(client):
    code, seen = client.on_terminal("bench", "--seconds", "1", "--keys", "10")
    assert code == 0 and re.search(r"\r[0-9,]+ requests, [0-9,]+/s, [0-9]+ %, [0-9]+ s left\x1b\[K", seen)
    assert client.run("bench", "--count", "100", "--keys", "10").stderr == ""


def test_help_names_every_subcommand(kvs):
    help_text = subprocess.run([kvs, "--help"], capture_output=True, text=True, check=True, env=os.environ).stdout
    for name in "get put del ls tree watch members status leave export import bench check make-conflict".split():
        assert re.search(rf"^  {name} ", help_text, re.MULTILINE), name
