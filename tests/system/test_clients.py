"""Each recipe of docs/clients.md does what the page says: its blocks are run as they stand there."""
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

import recipes
from harness import eventually, free_port

HERE = "http://localhost:8080"


def needs(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing")


def run(command, program, folder, suffix=""):
    """What the program prints; it has to end well, without a word on standard error."""
    path = folder / f"recipe{suffix}"
    path.write_text(program)
    done = subprocess.run([*command, path], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done
    return recipes.same_versions(done.stdout)


def test_every_block_of_the_page_is_run():
    """A new section needs a test here, in tests/packaging, or, for a browser, in tests/console."""
    sections = {
        "curl",
        "Python",
        "JavaScript",
        "JavaScript: a copy that follows",
        "Prometheus: targets from a key",
        "nginx: TLS in front",
    }
    assert set(recipes.blocks()) == sections
    text = recipes.PATH.read_text()
    assert text.count("\n```") == 2 * sum(len(found) for found in recipes.blocks().values())


@pytest.mark.parametrize(
    "section, language, command, suffix",
    [
        ("curl", "bash", ["bash", "-euo", "pipefail"], ".sh"),
        ("Python", "python", ["/usr/bin/python3"], ".py"),
        ("JavaScript", "js", ["node"], ".mjs"),
    ],
)
def test_recipe(node, tmp_path, section, language, command, suffix):
    needs(command[0], *(["jq", "curl"] if section == "curl" else []))
    program, told = recipes.program(section, language)
    assert HERE in program
    assert run(command, program.replace(HERE, f"http://{node.address}"), tmp_path, suffix) == told


@pytest.mark.parametrize(
    "section, language, command, usage",
    [
        ("Python", "python", ["/usr/bin/python3"], 'print(Kvs("{url}").put("a", 1)["timestamp"])'),
        ("JavaScript", "js", ["node"], 'console.log((await new Kvs("{url}").put("a", 1)).timestamp);'),
    ],
)
def test_recipe_waits_as_long_as_the_node_says(tmp_path, section, language, command, usage):
    """Twice busy, then an answer; refused for good is an error at once."""
    needs(command[0])
    busy = b'{"error":{"code":"overloaded","message":"later"}}'
    asked = []

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            while len(asked) < 3:
                asked.append(read_request(connection))
                body = busy if len(asked) < 3 else b'{"uuid":"x","timestamp":5}'
                status = b"503 Busy\r\nRetry-After: 1" if len(asked) < 3 else b"200 OK"
                head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                connection.sendall(head % (status, len(body)) + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        library = recipes.only(section, language)[0]
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        suffix = ".mjs" if language == "js" else ".py"
        assert run(command, library + usage.replace("{url}", url), tmp_path, suffix) == "5\n"
        server.join()
    assert asked == ["PUT /kv/a 1"] * 3


def read_request(connection):
    """"METHOD TARGET BODY" of the next request."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(4096)
    head, _, body = text.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields[b"content-length"])
    while len(body) < length:
        body += connection.recv(4096)
    return b" ".join([*head.split(b" ")[:2], body]).decode()


# -- nginx


class Proxy:
    """nginx with the page's configuration, in a folder of its own."""

    def __init__(self, folder, node):
        self.port, self.folder = free_port(), folder
        (certificate, usage) = recipes.only("nginx: TLS in front", "bash")
        self.usage, self.told = self.moved(usage), recipes.only("nginx: TLS in front", "text")[0]
        made = subprocess.run(["bash", "-euc", self.moved(certificate)], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made
        (site,) = recipes.only("nginx: TLS in front", "nginx")
        assert "server 127.0.0.1:8080" in site and "listen 443 ssl" in site
        site = self.moved(site).replace("127.0.0.1:8080", node.address).replace("listen 443", f"listen {self.port}")
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "kvs.conf").write_text(site)
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 1;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}include {folder}/kvs.conf;\n}}\n"
        )
        command = ["nginx", "-p", folder, "-c", folder / "nginx.conf"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.trust = ssl.create_default_context(cafile=folder / "kvs.crt")

    def moved(self, text):
        return text.replace("/etc/nginx/", f"{self.folder}/").replace("localhost:443", f"localhost:{self.port}")

    def request(self, method, target, body=None, **headers):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=self.trust)
        try:
            connection.request(method, target, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def answers(self):
        assert self.process.poll() is None, (self.folder / "error.log").read_text()
        try:
            return self.request("GET", "/health")[0] == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def proxy(node, tmp_path):
    needs("nginx", "openssl")
    folder = tmp_path / "nginx"
    folder.mkdir(mode=0o755)
    made = Proxy(folder, node)
    try:
        eventually(made.answers)
        yield made
    finally:
        made.close()


def test_nginx_recipe(proxy, tmp_path):
    assert run(["bash", "-euo", "pipefail"], proxy.usage, tmp_path) + "\n" == proxy.told


def test_all_of_the_api_works_behind_nginx(proxy, node):
    status, headers, _ = proxy.request("PUT", "/kv/a%2Fb/%C3%A4%20%25", '{"x" : 1}')
    assert status == 201
    status, headers, body = proxy.request("GET", "/kv/a/b%2F%C3%A4%20%25")
    assert (status, body) == (200, b'{"x" : 1}')
    tag = headers["ETag"]
    assert proxy.request("GET", "/kv/a/b/%C3%A4%20%25", **{"If-None-Match": tag})[0] == 304
    assert proxy.request("PUT", "/kv/a/b/%C3%A4%20%25", "2", **{"If-None-Match": "*"})[0] == 412
    assert proxy.request("PUT", "/kv/a/b/%C3%A4%20%25", "2", **{"If-Match": tag})[0] == 200
    assert proxy.request("GET", "/kv/a//b")[0] == 400

    operations = [{"op": "put", "path": f"{n:05d}", "data": "x" * 700} for n in range(10_000)]
    body = json.dumps({"operations": operations})
    assert len(body) > 7_000_000
    status, _, body = proxy.request("POST", "/kv/many/?batch", body)
    assert status == 200 and {result["status"] for result in json.loads(body)["results"]} == {201}
    status, _, body = proxy.request("GET", "/kv/many/?recursive=true&values=true&limit=10000")
    assert status == 200 and len(json.loads(body)["entries"]) == 10_000
    status, _, body = proxy.request("DELETE", "/kv/many/?recursive=true&progress=true")
    assert status == 200 and json.loads(body.splitlines()[-1]) == {"deleted": 10_000, "done": True}
    assert proxy.request("DELETE", "/kv/a/b/%C3%A4%20%25")[0] == 204


def test_what_is_not_for_clients_is_closed_behind_nginx(proxy, node):
    for target in ("/internal/v1/push", "/%69nternal/v1/push", "/kv/../internal/v1/gossip", "//internal/v1/sync"):
        assert proxy.request("POST", target, b"x")[0] in (400, 403), target
    for method, target in (("POST", "/members/leave"), ("DELETE", "/members/leave"), ("POST", "/members/join")):
        assert proxy.request(method, target)[0] == 403
    assert proxy.request("GET", "/members/")[0] == 200
    assert node.process.poll() is None
