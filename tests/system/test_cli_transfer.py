"""`kvs export` and `kvs import`: nothing is lost or changed on the way, whatever interrupts it."""
import json
import os
import signal
import subprocess
import threading

import pytest

from client import STORED, Client, Stub, error
from harness import Node, eventually

COUNT = 2000


@pytest.fixture(scope="module")
def pair(kvs, tmp_path_factory):
    """Two nodes that know nothing of each other; the first holds records."""
    nodes = [Node(kvs, tmp_path_factory.mktemp(name), {"durability": "os"}).start() for name in ("from", "to")]
    connection = nodes[0].connect()
    for number in range(COUNT):
        value = f'{{"n":{number},"text":"{"é" * (number % 50)}"}}'
        connection.request("PUT", f"/kv/data/{number % 7}/{number:06}", body=value.encode())
        connection.getresponse().read()
    for name, value in ODD.items():
        connection.request("PUT", f"/kv/odd/{name}", body=value)
        connection.getresponse().read()
    connection.close()
    yield [Client(kvs, node.address) for node in nodes]
    for node in nodes:
        node.destroy()


ODD = {
    "blanks": b' { "a" : 1 }  ',
    "lines": b'{\r\n\t"a": [\n1,\n2]\n}\n',
    "escapes": rb'"\u00e9\n\\\""',
    "number": b"-1.50e+3",
    "null": b"null",
    "a%20b%3Fc": b"[]",
    "large": b'"' + b"x" * 900_000 + b'"',
}


def contents(client, path=""):
    """path → stored bytes as text, of everything that an export shows."""
    found = {}
    for line in client.ok("export", path).splitlines():
        record = json.loads(line)
        found[record["path"]] = record.get("text", json.dumps(record["data"]))
    return found


def test_lines_hold_everything_and_only_lines(pair):
    client = pair[0]
    lines = client.ok("export").splitlines()
    assert len(lines) == COUNT + len(ODD)
    for line in lines:
        record = json.loads(line)
        assert set(record) - {"text"} == {"path", "uuid", "timestamp", "version", "data"}
    assert [json.loads(line)["path"] for line in lines] == sorted(json.loads(line)["path"] for line in lines)
    assert "exported 2,007 records" in client.run("export").stderr


def test_what_is_exported_and_imported_is_the_same_byte_for_byte(pair):
    source, target = pair
    exported = source.start("export", stdout=subprocess.PIPE)
    imported = target.start("import", stdin=exported.stdout, stderr=subprocess.PIPE)
    exported.stdout.close()
    _, said = imported.communicate(timeout=60)
    assert exported.wait(20) == 0 and imported.returncode == 0, said
    assert b"stored 2,007 records" in said
    assert contents(target) == contents(source)
    for name in ODD:
        key = "odd/" + name.replace("%20", " ").replace("%3F", "?")
        assert target.run("get", key).stdout == ODD[name]


def test_a_part_is_exported_below_its_path(pair):
    assert set(contents(pair[0], "odd")) == {"odd/" + name.replace("%20", " ").replace("%3F", "?") for name in ODD}
    assert contents(pair[0], "nothing") == {}


def test_export_goes_on_after_a_path(pair):
    client = pair[0]
    whole = client.ok("export", "data").splitlines()
    for at in (0, 1234, len(whole) - 1):
        rest = client.ok("export", "data", "--after", json.loads(whole[at])["path"]).splitlines()
        assert rest == whole[at + 1 :]
    assert client.run("export", "data", "--after", "odd/x").returncode == 2


def test_an_export_to_a_file_goes_on_where_it_was_cut(pair, tmp_path):
    client, file = pair[0], tmp_path / "all.jsonl"
    client.ok("export", "--output", file)
    whole = file.read_bytes()
    again = client.run("export", "--output", file)
    assert again.returncode == 1 and "--continue" in again.stderr and file.read_bytes() == whole
    for cut in (0, 5, 50_000, len(whole) // 2, len(whole) - 1, len(whole)):
        file.write_bytes(whole[:cut])
        client.ok("export", "--output", file, "--continue")
        assert file.read_bytes() == whole


def test_ctrl_c_ends_an_export_at_a_line(pair, tmp_path):
    client = pair[0]
    process = client.start("export", stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = process.stdout.read(1)  # it has begun, and then the pipe is full
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=20)
    lines = (first + rest).splitlines(keepends=True)
    assert process.returncode == 130 and all(line.endswith(b"\n") for line in lines)
    last = json.loads(lines[-1])["path"]
    assert f"the last one was {last}: --after goes on" in said.decode()
    assert b"".join(lines).decode() + client.ok("export", "--after", last) == client.ok("export")


def test_an_export_whose_connection_breaks_goes_on_by_itself(kvs):
    lines = [f'{{"path":"k{n:03}","uuid":"u","timestamp":1,"version":"v","data":{n}}}\n' for n in range(40)]
    attempts = []

    def answer(method, target, body):
        if target == "/metrics":
            return 200, {}, b""
        attempts.append(target)
        done = 10 * (len(attempts) - 1)
        if len(attempts) == 3:
            return error(503, "overloaded", 0)
        if len(attempts) > 3:
            done -= 10
        if done < 30:  # ends within a line
            text = "".join(lines[done : done + 10]) + lines[done + 10][:20]
            return 200, {"X-Cut": "yes"}, text.encode() + b"\x00"
        return 200, {}, "".join(lines[done:]).encode()

    with CutStub(answer) as stub:
        done = Client(kvs, stub.address).run("export")
    assert done.returncode == 0, done
    assert [json.loads(line)["data"] for line in done.stdout.splitlines()] == list(range(40))
    assert len(attempts) == 5 and all("after=" in target for target in attempts[1:])
    assert "different moments" in done.stderr


class CutStub(Stub):
    """Bodies that end in a zero byte are cut off there: the length promised one byte more."""

    def __init__(self, answer):
        super().__init__(answer)
        handler = self.server.RequestHandlerClass
        plain_end = handler.end_headers

        class Cutter(handler):
            def end_headers(self):
                plain_end(self)
                stream = self.wfile

                class Cut:
                    def write(inner, data):
                        if data.endswith(b"\x00"):
                            stream.write(data[:-1])
                            self.close_connection = True
                        else:
                            stream.write(data)

                    def __getattr__(inner, name):
                        return getattr(stream, name)

                self.wfile = Cut()

        self.server.RequestHandlerClass = Cutter


# -- import


def lines_of(count, start=0, at="i"):
    return "".join(f'{{"path":"{at}/{n:05}","data":{n}}}\n' for n in range(start, start + count)).encode()


@pytest.fixture
def target(pair, request):
    """The second node, with a folder `at` for this test alone."""
    client = Client(pair[1].binary, pair[1].address)
    client.at = f"i{abs(hash(request.node.nodeid))}"
    return client


def test_the_last_of_equal_paths_stays(target):
    lines = "".join(f'{{"path":"{target.at}/{n % 3}","data":{n}}}\n' for n in range(1000)).encode()
    assert target.json("import", stdin=lines)["written"] == 1000
    assert [target.ok("get", f"{target.at}/{n}") for n in range(3)] == ["999", "997", "998"]


def test_blank_lines_and_a_missing_last_line_break(target):
    told = target.json("import", stdin=b'\n{"path":"i/a","data":1}\n\r\n{"data":2,"more":3,"path":"i/b"}')
    assert told == {"written": 2, "kept": 0, "refused": 0, "next_line": 5, "complete": True}


@pytest.mark.parametrize(
    "bad, words",
    [
        (b"{}", "this is no record"),
        (b'{"path":"i/x","data":12', "this is no record"),
        (b'{"path":"i/x","data":{]}', "no JSON"),
        (b'{"path":"i//x","data":1}', "empty segment"),
        (b'{"path":"' + b"k" * 2000 + b'","data":1}', "max_key_bytes"),
    ],
    ids=["empty", "cut", "broken", "key", "long"],
)
def test_a_wrong_line_stops_the_import_and_tells_how_to_go_on(target, tmp_path, bad, words):
    file = tmp_path / "lines"
    file.write_bytes(lines_of(100, 0, target.at) + bad + b"\n" + lines_of(100, 100, target.at))
    done = target.run("import", file)
    assert done.returncode == 2 and "line 101: " in done.stderr and words in done.stderr
    assert "--from-line 101 goes on" in done.stderr
    assert len(target.ok("ls", target.at).splitlines()) >= 100
    told = target.json("import", file, "--from-line", "102")
    assert told["written"] == 100 and told["complete"] is True
    assert len(target.ok("ls", target.at).splitlines()) == 200


def test_wrong_lines_can_be_skipped(target):
    lines = lines_of(50, 0, target.at) + b"x\n" + lines_of(50, 50, target.at) + b'{"path":"","data":1}\n'
    done = target.run("import", "--skip-refused", stdin=lines)
    assert done.returncode == 1 and "line 51: " in done.stderr and "line 102: " in done.stderr
    assert "stored 100 records" in done.stderr and "2 refused" in done.stderr


def test_existing_keys_can_be_kept(target):
    target.ok("put", f"{target.at}/00003", '"mine"')
    done = target.run("import", "--keep-existing", stdin=lines_of(10, 0, target.at))
    assert done.returncode == 0 and "1 had a value and kept it" in done.stderr
    assert target.ok("get", f"{target.at}/00003") == '"mine"' and target.ok("get", f"{target.at}/00004") == "4"


def test_ctrl_c_ends_an_import_and_it_goes_on_there(target):
    reader, writer = os.pipe()
    process = target.start("import", stdin=reader, stderr=subprocess.PIPE)
    os.close(reader)
    os.write(writer, lines_of(500, 0, target.at))
    eventually(lambda: len(target.ok("ls", target.at).splitlines()) == 500)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    os.close(writer)
    assert process.returncode == 130
    assert b"interrupted: stored 500 records" in said and b"--from-line 501 goes on" in said


def test_what_the_node_refuses_for_now_is_sent_again(kvs):
    seen, lock = {}, threading.Lock()

    def answer(method, target, body):
        with lock:
            seen[target] = seen.get(target, 0) + 1
            attempt, number = seen[target], int(target[-5:])
        if attempt == 1 and number % 10 == 3:
            return error(503, "overloaded", 0)
        if attempt == 1 and number == 50:
            return error(507, "disk_full", 1)
        if attempt == 1 and number % 10 == 7:
            return None  # breaks the connection off, and with it what is behind
        return STORED

    with Stub(answer) as stub:
        told = Client(kvs, stub.address).json("import", "--connections", "2", "--depth", "4", stdin=lines_of(100))
    assert told["written"] == 100 and told["complete"] is True
    assert len(seen) == 100 and all(seen[f"/kv/i/{n:05}"] >= 2 for n in range(100) if n % 10 in (3, 7) or n == 50)


def test_patience_ends(kvs):
    with Stub(lambda *_: error(503, "syncing", 0)) as stub:
        done = Client(kvs, stub.address).run("import", "--retry", "1", stdin=lines_of(10))
        assert done.returncode == 6 and "this is syncing" in done.stderr
        assert "stored 0 records" in done.stderr and "the same command goes on" in done.stderr
    with Stub(lambda *_: error(503, "read_only", 60)) as stub:
        done = Client(kvs, stub.address).run("import", stdin=lines_of(10))
        assert done.returncode == 6 and "this is read_only" in done.stderr
    with Stub(lambda *_: error(500, "io_error")) as stub:
        assert Client(kvs, stub.address).run("import", stdin=lines_of(10)).returncode == 1


def test_a_node_that_is_killed_and_comes_back(kvs, new_node):
    node = new_node(durability="os").start()
    client = Client(kvs, node.address)
    reader, writer = os.pipe()
    process = client.start("import", "--json", stdin=reader, stdout=subprocess.PIPE)
    os.close(reader)
    os.write(writer, lines_of(300))
    eventually(lambda: len(client.ok("ls", "i").splitlines()) == 300)
    node.kill()
    os.write(writer, lines_of(300, 300))
    os.close(writer)
    node.start()
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and json.loads(said)["written"] == 600
    assert [json.loads(line)["data"] for line in client.ok("export", "i").splitlines()] == list(range(600))
