"""The contract below the API: framing, pipelining, limits, time-outs, connections."""
import json
import re
import socket
import time

import pytest


def request(method, target, body=b"", *fields):
    """The bytes of one request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: kvs", *fields]
    if body or method == "PUT":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def statuses(data):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


CLOSE = "Connection: close"


def test_pipelined_requests_are_answered_in_order(node):
    requests = b"".join(
        request("PUT", f"/kv/p/{n % 10}", b"%d" % n) + request("GET", f"/kv/p/{n % 10}") for n in range(200)
    )
    data = node.raw(requests + request("GET", "/kv/p/9", b"", CLOSE))
    assert statuses(data) == [201 if s < 10 else 200 for n in range(200) for s in (n, 999)] + [200]
    bodies = re.findall(rb"\r\n\r\n(\d+)HTTP", data)
    assert bodies == [b"%d" % n for n in range(200)]


def test_pipelined_errors_keep_their_place(node):
    data = node.raw(
        request("PUT", "/kv/a", b"1")
        + request("PUT", "/kv/a", b"{")
        + request("GET", "/kv/a//b")
        + request("DELETE", "/kv/a")
        + request("GET", "/kv/a", b"", CLOSE)
    )
    assert statuses(data) == [201, 400, 400, 204, 404]


def test_chunked_bodies(node):
    chunked = "Transfer-Encoding: chunked"
    head = f"PUT /kv/c HTTP/1.1\r\nHost: kvs\r\n{chunked}\r\n{CLOSE}\r\n\r\n".encode()
    assert statuses(node.raw(head + b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n')) == [201]
    assert node.get("/kv/c").body == b'{"a":1}'
    assert statuses(node.raw(head + b"x\r\n1\r\n0\r\n\r\n")) == [400]
    big = b"%x\r\n" % (2 << 20) + b"1" * (2 << 20) + b"\r\n0\r\n\r\n"
    assert statuses(node.raw(head + big)) == [413]
    assert node.get("/kv/c").body == b'{"a":1}'


@pytest.mark.parametrize(
    "fields, status",
    [
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 1\r\nContent-Length: 2", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 1x", 400),
        ("Content-Length: 18446744073709551616", 400),
        ("Transfer-Encoding: gzip", 501),
        ("Transfer-Encoding: chunked, chunked", 501),
        ("X: a\r\n b", 400),
        ("X: a\rb", 400),
        ("X : a", 400),
        ("X: a\0b", 400),
        ("Host: other", 400),
        ("Expect: something", 417),
    ],
)
def test_doubtful_framing_is_refused_and_the_connection_closed(node, fields, status):
    smuggled = request("GET", "/health")
    data = node.raw(f"PUT /kv/a HTTP/1.1\r\nHost: kvs\r\n{fields}\r\n\r\n1".encode() + smuggled)
    assert statuses(data) == [status], data
    assert node.get("/kv/a").status == 404


def test_no_host_no_length_no_http(node):
    assert statuses(node.raw(b"GET /health HTTP/1.1\r\n\r\n")) == [400]
    assert statuses(node.raw(b"PUT /kv/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) == [411]
    assert statuses(node.raw(b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n")) == [505]
    assert statuses(node.raw(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")) == [400]
    assert node.get("/health").status == 200


def test_http_1_0(node):
    data = node.raw(b"GET /health HTTP/1.0\r\n\r\n")
    assert statuses(data) == [200] and b'"status":"ok"' in data


def test_limits_of_heads_and_targets(node):
    room = "X: " + "a" * 15_000
    assert statuses(node.raw(request("GET", "/health", b"", room, CLOSE))) == [200]
    answer = node.raw(request("GET", "/health", b"", "X: " + "a" * 17_000, CLOSE))
    assert statuses(answer) == [431] and b"headers_too_large" in answer
    assert statuses(node.raw(request("GET", "/" + "a" * 8_000, b"", CLOSE))) == [404]
    assert statuses(node.raw(request("GET", "/" + "a" * 9_000, b"", CLOSE))) == [414]


def test_expect_100_continue(node):
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        sock.sendall(b"PUT /kv/e HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"7")
        assert sock.recv(1000).startswith(b"HTTP/1.1 201 ")
    too_large = b"PUT /kv/e HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    assert statuses(node.raw(too_large)) == [413]


def test_bytes_that_trickle_in(node):
    data = request("PUT", "/kv/slow", b'{"a":[1,2]}', CLOSE)
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            sock.sendall(data[i : i + 1])
        assert statuses(sock.recv(1000)) == [201]


def test_an_idle_connection_is_closed_and_a_busy_one_stays(new_node):
    node = new_node(idle_timeout=1).start()
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as idle:
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as busy:
            deadline = time.monotonic() + 8
            idle.setblocking(False)
            while time.monotonic() < deadline:
                busy.sendall(request("GET", "/health"))
                assert statuses(busy.recv(1000)) == [200]
                try:
                    assert idle.recv(1000) == b""
                    return
                except BlockingIOError:
                    time.sleep(0.1)
    raise AssertionError("the idle connection was not closed")


def test_a_slow_head_gets_408(node):
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as sock:
        begin = time.monotonic()
        sock.sendall(b"GET /health HTTP/1.1\r\n")
        data = sock.recv(1000)
    assert statuses(data) == [408] and time.monotonic() - begin > 5


def test_garbage_ends_nothing(node):
    for seed in range(50):
        garbage = bytes((seed * 31 + i * i * 7) % 256 for i in range(2000)) + b"\r\n\r\n"
        assert statuses(node.raw(garbage)) in ([400], [505], [431], [414], [501])
    assert node.get("/health").status == 200


def test_an_accepted_write_happens_though_its_client_leaves(node):
    for number in range(50):
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as sock:
            sock.sendall(request("PUT", f"/kv/left/{number}", b"1"))
    deadline = time.monotonic() + 10
    while len(node.get("/kv/left/").json["entries"]) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_errors_are_json(node):
    for data in (b"GET /kv/a//b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"nonsense\r\n\r\n"):
        body = node.raw(data).partition(b"\r\n\r\n")[2]
        assert set(json.loads(body)["error"]) == {"code", "message"}
