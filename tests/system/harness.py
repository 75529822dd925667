"""One node as a process: its configuration, its life, and a plain HTTP client for it."""
import dataclasses
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import time


@dataclasses.dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of an error body."""
        return self.json["error"]["code"]


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Node:
    """A node's process. Settings are keys of the configuration."""

    START_SECONDS = 20

    def __init__(self, binary, folder, settings):
        self.binary, self.folder = pathlib.Path(binary), pathlib.Path(folder)
        bound = settings.get("bind_address", "")
        self.host = bound if bound.startswith("127.") else "127.0.0.1"
        self.port = settings.get("port") or free_port(self.host)
        self.settings = {
            "node_id": "node-alpha",
            "data_dir": str(self.folder / "data"),
            **settings,
            "port": self.port,
        }
        self.host = settings.get("bind_address", "127.0.0.1")
        self.process = None
        self.log_path = self.folder / "log"

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def data_dir(self):
        return pathlib.Path(self.settings["data_dir"])

    # -- life
    def write_config(self):
        path = self.folder / "config.yaml"
        path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in self.settings.items()))
        return path

    def spawn(self, wrapper=(), **options):
        """Starts the process without waiting for it."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, self.binary, self.write_config()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **options,
            )
        return self

    def start(self, **options):
        self.spawn(**options)
        return self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + self.START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the node ended with {self.process.returncode}: {self.log()}")
            try:
                if self.get("/health", timeout=2).status in (200, 503):
                    return self
            except OSError:
                time.sleep(0.01)
        raise AssertionError(f"the node did not answer in {self.START_SECONDS} s: {self.log()}")

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Sends a signal and waits for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def kill(self):
        self.stop(signal.SIGKILL)

    def pause(self):
        """It stands still; what clients send meanwhile waits for resume()."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def destroy(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # -- requests
    def connect(self, timeout=10):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, target, body=None, headers=None, timeout=10):
        connection = self.connect(timeout)
        try:
            return send(connection, method, target, body, headers)
        finally:
            connection.close()

    def get(self, target, **options):
        return self.request("GET", target, **options)

    def put(self, target, value, **options):
        body = value if isinstance(value, (bytes, str)) else json.dumps(value)
        return self.request("PUT", target, body=body, **options)

    def delete(self, target, **options):
        return self.request("DELETE", target, **options)

    def raw(self, data, timeout=10):
        """Sends bytes as they are and reads until the other side closes."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as sock:
            sock.sendall(data)
            chunks = []
            while chunk := sock.recv(65536):
                chunks.append(chunk)
        return b"".join(chunks)


def eventually(condition, seconds=20):
    """Waits until the condition holds; what it came to. Pass a function that tells what it sees."""
    deadline = time.monotonic() + seconds
    while not (met := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return met


def send(connection, method, target, body=None, headers=None):
    """One request on an open connection."""
    if isinstance(body, str):
        body = body.encode()
    connection.request(method, target, body=body, headers=headers or {})
    response = connection.getresponse()
    return Answer(
        response.status,
        {name.lower(): value for name, value in response.getheaders()},
        response.read(),
    )
