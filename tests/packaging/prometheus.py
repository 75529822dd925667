"""Debian's prometheus: where it is, and one that runs."""
import json
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from harness import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tool(name):
    """The path of prometheus or promtool; skips the test if there is none."""
    fetched = ROOT / "build" / "prometheus" / "usr" / "bin" / name
    path = str(fetched) if fetched.exists() else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here: tests/packaging/get-prometheus fetches it")
    return path


def scraping(targets, rules):
    """A configuration that reads targets every second."""
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "kvs", "static_configs": [{"targets": targets}]}],
    }


class Prometheus:
    """Runs with a configuration; ends with close()."""

    def __init__(self, folder, config):
        self.url = f"http://127.0.0.1:{free_port()}"
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    tool("prometheus"),
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/tsdb",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, what, **parameters):
        """The data of an answer of its API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{what}?{query}", timeout=20) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def plot(self, expression, seconds=20):
        """The series of a panel over the last seconds: lists of values."""
        now = time.time()
        data = self.ask("query_range", query=expression, start=now - seconds, end=now, step=1)
        return [[float(value) for _, value in series["values"]] for series in data["result"]]
