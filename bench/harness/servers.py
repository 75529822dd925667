"""The servers that are compared: each starts on loopback, is filled, measured and stopped alike."""

import base64
import http.client
import json
import socket
import subprocess
import time
from pathlib import Path

from . import packages, process
from .packages import LOADER, NODE
from .process import Failed

VALUE_SIZE = 100


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def key(number):
    return f"users/{number:08d}/profile"


def value(number):
    head = f'{{"id":{number},"data":"'
    return head + "x" * (VALUE_SIZE - 2 - len(head)) + '"}'


def ask(port, method, path, body=None, timeout=30.0):
    """One request on a connection of its own: (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Server:
    """`kinds`: workload -> (kind of request in requests.lua, requests in one write)."""

    name = ""
    note = ""
    programs = ()  # of Debian packages; none for the node itself
    kinds = {}

    def __init__(self, folder, nice=0):
        self.folder = Path(folder) / self.name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self.log = self.folder / "log"
        self.nice = nice
        self.port = free_port()
        self.processes = []

    @classmethod
    def describe(cls):
        versions = [f"{name} {packages.version(name)}" for name in cls.programs]
        return "; ".join([cls.note, *versions])

    def spawn(self, *command):
        child = process.start([str(part) for part in command], process.SERVER_CORE, self.log,
                              self.nice, cwd=self.folder)
        self.processes.append(child)
        return child

    def answers(self, path="/", port=None):
        """True if an HTTP answer comes; Failed if the process has ended."""
        for child in self.processes:
            if child.poll() is not None:
                tail = self.log.read_text(errors="replace")[-1000:]
                raise Failed(f"{self.name} ended with code {child.returncode}: {tail}")
        try:
            ask(port or self.port, "GET", path)
            return True
        except (OSError, http.client.HTTPException):
            return False

    def wait(self, path="/", seconds=30):
        process.wait_until(lambda: self.answers(path), seconds, f"{self.name} does not answer")

    def start(self):
        raise NotImplementedError

    def fill(self, keys):
        """Writes keys 0..keys-1."""

    def check(self, keys):
        """Failed unless first, middle and last key are there."""

    def port_of(self, _workload):
        return self.port

    def cpu_ns(self):
        return sum(process.cpu_ns(child.pid) for child in self.processes)

    def rss_mib(self):
        return sum(process.rss_kib(child.pid) for child in self.processes) / 1024

    def peak_mib(self):
        return sum(process.peak_rss_kib(child.pid) for child in self.processes) / 1024

    def reset_peak(self):
        for child in self.processes:
            process.reset_peak(child.pid)

    def stop(self):
        for child in reversed(self.processes):
            process.stop(child)
        self.processes = []


class Node(Server):
    """This project's node."""

    durability = ""
    settings = ""  # more lines of configuration

    def start(self):
        config = self.folder / "config.yaml"
        config.write_text(f"port: {self.port}\nbind_address: 127.0.0.1\n"
                          f"node_id: {self.name.replace(' ', '-')}\n"
                          f"data_dir: {self.folder / 'data'}\ndurability: {self.durability}\n"
                          f"{self.settings}")
        self.spawn(NODE, config)
        self.wait("/health")

    def fill(self, keys):
        load(self.port, keys, size=VALUE_SIZE)

    def check(self, keys):
        for number in (0, keys // 2, keys - 1):
            status, body = ask(self.port, "GET", "/kv/" + key(number))
            if status != 200 or len(body) != VALUE_SIZE:
                raise Failed(f"{self.name}: key {number}: {status} {body[:200]}")


class NodeOs(Node):
    name = "kvs os"
    note = "`durability: os`"
    durability = "os"
    kinds = {"get": ("kvs_get", 1), "get16": ("kvs_get", 16),
             "put-os": ("kvs_put", 1), "put16-os": ("kvs_put", 16)}


class NodeSync(Node):
    name = "kvs sync"
    note = "`durability: sync`, the default"
    durability = "sync"
    kinds = {"put-sync": ("kvs_put", 1), "put16-sync": ("kvs_put", 16)}


class NodeTree(Node):
    """All keys lie below one folder of 100 children."""

    name = "kvs tree"
    note = "`durability: os`; all keys below one folder with 100 children"
    durability = "os"
    children = 100
    kinds = {"get": ("kvs_get_tree", 1), "get16": ("kvs_get_tree", 16), "list": ("kvs_list", 1),
             "list-flat": ("kvs_list_flat", 1), "list-below": ("kvs_list_below", 1)}

    def fill(self, keys):
        for child in range(self.children):
            load(self.port, keys // self.children, pattern=f"tree/child-{child:03d}/{{:06}}/leaf")

    def check(self, keys):
        for path in ("tree/", "tree/child-042/?limit=100", "tree/?recursive=true&limit=100"):
            status, body = ask(self.port, "GET", "/kv/" + path)
            entries = json.loads(body)["entries"] if status == 200 else []
            if len(entries) != self.children:
                raise Failed(f"{self.name}: GET /kv/{path}: {status}, {len(entries)} entries")


class NodeSmallCache(NodeTree):
    """A node whose caches stay small, so that growth shows."""

    name = "kvs small cache"
    note = "`durability: os`, `cache_mb: 16`"
    settings = "cache_mb: 16\n"


class Nginx(Server):
    name = "nginx"
    note = "one worker, `return 200`: 100 B for GET, 73 B for PUT; stores nothing"
    programs = ("nginx",)
    kinds = {"get": ("kvs_get", 1), "get16": ("kvs_get", 16), "put-os": ("kvs_put", 1),
             "put16-os": ("kvs_put", 16)}

    def start(self):
        self.put_port = free_port()
        uuid = "a1b2c3d4-e5f6-4890-9234-567890abcdef"
        written = f'{{"uuid":"{uuid}","timestamp":1672531200000}}'
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port} backlog=4096; "
            f"location / {{ default_type application/json; return 200 '{body}'; }} }}\n"
            for port, body in ((self.port, value(1)), (self.put_port, written)))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/pid; error_log {self.log} crit;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600;\n"
            f"client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;\n"
            f"fastcgi_temp_path {self.folder}/fcgi; uwsgi_temp_path {self.folder}/uwsgi;\n"
            f"scgi_temp_path {self.folder}/scgi;\n{servers}}}\n")
        self.spawn(packages.program("nginx"), "-c", self.folder / "nginx.conf", "-p", self.folder)
        self.wait()

    def port_of(self, workload):
        return self.put_port if workload.startswith("put") else self.port


class Etcd(Server):
    name = "etcd"
    note = "v3 JSON gateway over HTTP; fsyncs each group of writes (no mode without)"
    programs = ("etcd",)
    kinds = {"get": ("etcd_get", 1), "put-os": ("etcd_put", 1), "put-sync": ("etcd_put", 1)}
    load_batch = 500

    def start(self):
        peer = f"http://127.0.0.1:{free_port()}"
        client = f"http://127.0.0.1:{self.port}"
        self.spawn(packages.program("etcd"), "--name", "bench", "--data-dir", self.folder / "data",
                   "--listen-client-urls", client, "--advertise-client-urls", client,
                   "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                   "--initial-cluster", f"bench={peer}", "--quota-backend-bytes", str(8 << 30),
                   "--max-txn-ops", str(self.load_batch), "--log-level", "error",
                   "--logger", "zap")
        self.wait("/health")

    def fill(self, keys):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        encode = lambda text: base64.b64encode(text.encode()).decode()
        for begin in range(0, keys, self.load_batch):
            puts = [{"requestPut": {"key": encode(key(n)), "value": encode(value(n))}}
                    for n in range(begin, min(begin + self.load_batch, keys))]
            for _ in range(20):
                connection.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    break
                time.sleep(0.1)  # "too many requests" while it is still choosing itself
            else:
                raise Failed(f"etcd refuses to be filled: {answer.status} {body[:200]}")
        connection.close()

    def check(self, keys):
        for number in (0, keys // 2, keys - 1):
            body = json.dumps({"key": base64.b64encode(key(number).encode()).decode()})
            status, answer = ask(self.port, "POST", "/v3/kv/range", body)
            if status != 200 or b'"count":"1"' not in answer:
                raise Failed(f"etcd: key {number}: {status} {answer[:200]}")


class Redis(Server):
    programs = ("redis-server", "webdis")
    appendfsync = ""

    def start(self):
        self.redis_port = free_port()
        self.spawn(packages.program("redis-server"), "--port", self.redis_port, "--bind",
                   "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "yes",
                   "--appendfsync", self.appendfsync, "--auto-aof-rewrite-percentage", "0",
                   "--daemonize", "no")
        config = {"redis_host": "127.0.0.1", "redis_port": self.redis_port, "redis_auth": None,
                  "http_host": "127.0.0.1", "http_port": self.port, "threads": 1,
                  "daemonize": False, "database": 0, "acl": [], "verbosity": 0,
                  "logfile": str(self.folder / "webdis.log")}
        (self.folder / "webdis.json").write_text(json.dumps(config))
        process.wait_until(self._redis_listens, 30, f"{self.name}: redis-server does not answer")
        self.spawn(packages.program("webdis"), self.folder / "webdis.json")
        self.wait("/PING")

    def _redis_listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.redis_port), 1).close()
            return True
        except OSError:
            return False

    def fill(self, keys, batch=1000):
        with socket.create_connection(("127.0.0.1", self.redis_port), 60) as link:
            for begin in range(0, keys, batch):
                numbers = range(begin, min(begin + batch, keys))
                link.sendall("".join(self._set(n) for n in numbers).encode())
                self._expect(link, b"+OK\r\n" * len(numbers))

    @staticmethod
    def _set(number):
        name, content = key(number), value(number)
        return (f"*3\r\n$3\r\nSET\r\n${len(name)}\r\n{name}\r\n${len(content)}\r\n{content}\r\n")

    @staticmethod
    def _expect(link, wanted):
        received = b""
        while len(received) < len(wanted):
            part = link.recv(65536)
            received += part
            if not part or not wanted.startswith(received):
                raise Failed(f"redis answers {received[-200:]}")

    def check(self, keys):
        for number in (0, keys // 2, keys - 1):
            path = "/GET/" + key(number).replace("/", "%2F") + ".txt"
            status, body = ask(self.port, "GET", path)
            if status != 200 or len(body) != VALUE_SIZE:
                raise Failed(f"{self.name}: key {number}: {status} {body[:200]}")


class RedisOs(Redis):
    name = "redis os"
    note = "redis-server `appendfsync everysec` behind webdis, both on the one core"
    appendfsync = "everysec"
    kinds = {"get": ("webdis_get", 1), "put-os": ("webdis_put", 1)}


class RedisSync(Redis):
    name = "redis sync"
    note = "redis-server `appendfsync always` behind webdis, both on the one core"
    appendfsync = "always"
    kinds = {"put-sync": ("webdis_put", 1)}


ALL = (NodeOs, NodeSync, Nginx, Etcd, RedisOs, RedisSync)


def load(port, count, size=VALUE_SIZE, **options):
    """Fills a node with kvs-load; returns its figures."""
    command = [str(LOADER), "--count", str(count), "--size", str(size)]
    for name, content in options.items():
        command += [f"--{name}", str(content)]
    child = subprocess.run([*command, f"127.0.0.1:{port}"], capture_output=True, text=True,
                           timeout=660, check=False)
    if child.returncode != 0:
        raise Failed(child.stderr.strip())
    return json.loads(child.stdout)
