"""The binary as a client: commands with their output, on terminals too, and servers that answer as told."""
import http.server
import json
import os
import pty
import subprocess
import threading


class Client:
    """Runs `kvs SUBCOMMAND ...` against one address."""

    def __init__(self, binary, address):
        self.binary, self.address = str(binary), address

    def environment(self):
        return {**os.environ, "KVS_NODE": self.address}

    def run(self, *arguments, stdin=b"", timeout=30):
        """The finished process; standard output as bytes, standard error as text."""
        done = subprocess.run(
            [self.binary, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=self.environment(),
            timeout=timeout,
            check=False,
        )
        done.stderr = done.stderr.decode()
        return done

    def ok(self, *arguments, **options):
        """Standard output as text of a command that must end with 0."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def json(self, *arguments, **options):
        """The one line of JSON that a command prints."""
        subcommand, *rest = arguments
        (line,) = self.ok(subcommand, "--json", *rest, **options).splitlines()
        return json.loads(line)

    def start(self, *arguments, **options):
        """The running process."""
        return subprocess.Popen([self.binary, *map(str, arguments)], env=self.environment(), **options)

    def on_terminal(self, *arguments, typed=b""):
        """Exit code, and what a person sees at a terminal: both outputs, with line ends as `\\n`."""
        leader, follower = pty.openpty()
        process = self.start(*arguments, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        if typed:
            os.write(leader, typed)
        seen = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other side has closed
                break
            if not part:
                break
            seen += part
        os.close(leader)
        return process.wait(30), seen.decode().replace("\r\n", "\n")


class Stub:
    """A server that answers what `answer(method, target, body)` gives: (status, fields, body), or nothing,
    which breaks the connection off. Remembers the requests."""

    def __init__(self, answer):
        self.requests = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.requests.append((self.command, self.path, body))
                given = answer(self.command, self.path, body)
                if given is None:
                    self.close_connection = True
                    return
                status, fields, text = given
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_DELETE = do_POST = handle_any

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def error(status, code, retry_after=None):
    """An error of a node."""
    fields = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return status, fields, json.dumps({"error": {"code": code, "message": f"this is {code}"}}).encode()


STORED = (200, {}, b'{"uuid":"620ff93d-4937-416b-853b-9c0ece0e9283","timestamp":1672531200000}')
