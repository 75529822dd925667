"""What connections, slow readers and long listings cost a node in memory."""

import json
import resource
import select
import socket
import time
import urllib.parse

from . import servers
from .process import Failed

HOST = "127.0.0.1"


def raise_descriptor_limit(wanted):
    """Lets this process and the servers that it starts hold `wanted` descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Failed(f"ulimit -Hn is {hard}; {wanted} descriptors are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _request(path):
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def _answered(connection):
    """Reads one answer with a Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            raise Failed("the node closed an idle connection")
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)


def idle_connections(node, count):
    """Bytes of node memory for each of `count` connections that made one request and now wait.

    The kernel's socket buffers are not in it."""
    before = node.rss_mib()
    opened = []
    try:
        for _ in range(count):
            connection = socket.create_connection((HOST, node.port), 10)
            opened.append(connection)
            connection.sendall(_request("/kv/tree/child-000/000000/leaf"))
            _answered(connection)
        time.sleep(1)
        after = node.rss_mib()
        _must_answer(node)
    finally:
        for connection in opened:
            connection.close()
    return (after - before) * (1 << 20) / count


def _must_answer(node):
    status, _ = servers.ask(node.port, "GET", "/health", timeout=5)
    if status != 200:
        raise Failed(f"{node.name}: /health answers {status}")


def never_read(node, path, connections, seconds):
    """(growth of the peak in MiB, requests sent) while `connections` clients ask and never read."""
    request = _request(path)
    block = request * 64
    node.reset_peak()
    before = node.rss_mib()
    opened = [_slow_socket(node.port) for _ in range(connections)]
    pending = {connection: b"" for connection in opened}
    sent = 0
    deadline = time.monotonic() + seconds
    try:
        while (left := deadline - time.monotonic()) > 0:
            _, writable, _ = select.select([], opened, [], left)
            for connection in writable:
                data = pending[connection] or block
                count = connection.send(data)
                pending[connection] = data[count:]
                sent += count
        _must_answer(node)
        return node.peak_mib() - before, sent // len(request)
    finally:
        for connection in opened:
            connection.close()


def _slow_socket(port):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((HOST, port))
    connection.setblocking(False)
    return connection


def walk(node, query, expected):
    """Growth of the peak in MiB while every page of /kv/{query} is read; checks the count."""
    node.reset_peak()
    before = node.rss_mib()
    found, cursor = 0, ""
    while cursor is not None:
        separator = "&" if "?" in query else "?"
        after = separator + "after=" + urllib.parse.quote(cursor, safe="") if cursor else ""
        status, body = servers.ask(node.port, "GET", f"/kv/{query}{after}")
        if status != 200:
            raise Failed(f"{node.name}: GET /kv/{query}{after}: {status} {body[:200]}")
        page = json.loads(body)
        found += len(page["entries"])
        cursor = page.get("next")
    if found != expected:
        raise Failed(f"{node.name}: /kv/{query} lists {found} entries, not {expected}")
    return node.peak_mib() - before


def put_large(node, count, size):
    """Writes big/0 ... big/count-1, JSON strings of `size` bytes, and reads each once."""
    servers.load(node.port, count, size=size, pattern="big/{}", depth=2)
    for number in range(count):
        status, body = servers.ask(node.port, "GET", f"/kv/big/{number}")
        if status != 200 or len(body) != size:
            raise Failed(f"{node.name}: big/{number}: {status}, {len(body)} bytes")
