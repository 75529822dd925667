"""The dashboard and the alert rules: that they name what a node tells, and that Debian's prometheus, reading a running
cluster, has data for every query."""
import json
import math
import re
import subprocess
import threading

import pytest
import yaml

import prometheus
from conftest import ROOT
from harness import eventually, send

FOLDER = ROOT / "packaging" / "monitoring"
RULES = FOLDER / "kvs-alerts.yaml"
RULE_TESTS = FOLDER / "kvs-alerts.test.yaml"
NOT_OURS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes", "up"}


@pytest.fixture(scope="module")
def dashboard():
    return json.loads((FOLDER / "kvs-dashboard.json").read_text())


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """(title, expression) of all panels, with the variables as a person's choice of all nodes sets them."""
    found = []
    for panel in panels(dashboard):
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "15s")
            expression = expression.replace("$job", "kvs").replace("$instance", ".*")
            assert "$" not in expression, expression
            found.append((panel["title"], expression))
    return found


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def told_by(node):
    """name → {label → values} of all that its /metrics tells."""
    found = {}
    for line in node.get("/metrics").body.decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels = re.match(r"(\w+)(?:\{(.*)\})? ", line).groups()
        entry = found.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels or ""):
            entry.setdefault(label, set()).add(value)
    return found


def selectors(expression):
    """(name, [(label, operator, value)]) of each metric in an expression."""
    found = []
    for name, matchers in re.findall(r"\b((?:kvs_|node_)\w+|up\b)(?:\{([^}]*)\})?", expression):
        found.append((name, re.findall(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"', matchers)))
    return found


def assert_told(told, expression):
    for name, matchers in selectors(expression):
        if name in NOT_OURS:
            continue
        assert name in told, f"{name} is not in /metrics: {expression}"
        for label, operator, value in matchers:
            if label in ("job", "instance"):
                continue
            assert label in told[name], f"{name} has no label {label}: {expression}"
            if operator == "=" and name != "kvs_http_requests_total":  # whose statuses come as they are answered
                assert value in told[name][label], f"{name}: no {label} {value}"


def test_all_that_is_asked_is_told(new_cluster, dashboard):
    cluster = new_cluster(2).start()
    eventually(lambda: "kvs_peer_fingerprints_agree" in told_by(cluster.nodes[0]))  # known after a round of pings
    told = told_by(cluster.nodes[0])
    for _, expression in queries(dashboard):
        assert_told(told, expression)
    for rule in alerts().values():
        assert_told(told, rule["expr"])
        for label in re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())):
            names = [name for name, _ in selectors(rule["expr"])]
            assert label in ("instance", "mountpoint") or any(label in told.get(name, {}) for name in names), rule


def test_the_dashboard_is_laid_out(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(set(titles)) == len(titles)
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "job", "instance"]


def test_every_alert_says_what_to_do_and_has_its_histories():
    tests = yaml.safe_load(RULE_TESTS.read_text())["tests"]
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"]["summary"], name
        assert len(rule["annotations"]["description"]) > 20, name
        kinds = set()
        for each in tests:
            for sample in each["promql_expr_test"]:
                if f'alertname="{name}"' in sample["expr"]:
                    kinds.add(bool(sample["exp_samples"]))
        assert kinds == {True, False}, f"{name}: one history in which it fires, and one in which it does not"


def test_the_page_counts_them():
    assert f"{len(alerts())} alerts on" in (ROOT / "docs/operations.md").read_text()


def test_rules_fire_when_they_must():
    promtool = prometheus.tool("promtool")
    for arguments in (["check", "rules", RULES], ["test", "rules", RULE_TESTS],
                      ["check", "config", "--syntax-only", FOLDER / "prometheus.yml"]):
        done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_metrics_are_named_as_prometheus_wants(new_node):
    promtool = prometheus.tool("promtool")
    node = new_node().start()
    node.put("/kv/a", "1")
    text = node.get("/metrics").body
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stdout + done.stderr, done


class Visitors:
    """Clients that do a little of everything, on all nodes, until they are told to stop."""

    def __init__(self, cluster):
        self.cluster, self.over = cluster, threading.Event()
        self.threads = [threading.Thread(target=self.visit, args=(node,)) for node in cluster.nodes]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def visit(self, node):
        connection = node.connect()
        for number in range(100_000):  # bounded, whatever happens
            path = f"/kv/visits/{node.name}/{number % 50}"
            send(connection, "PUT", path, body='{"n":1}')
            for target in (path, f"/kv/visits/{node.name}/", "/kv/nobody"):
                send(connection, "GET", target)
            if number % 10 == 0:
                send(connection, "DELETE", path)
            if self.over.wait(0.02):
                break
        connection.close()


def has_data(series):
    return any(not math.isnan(value) for values in series for value in values)


def test_a_running_cluster_has_data_for_every_query(new_cluster, dashboard, tmp_path):
    prometheus.tool("prometheus")
    cluster = new_cluster(3).start()
    config = prometheus.scraping([node.address for node in cluster.nodes], RULES)
    reader = prometheus.Prometheus(tmp_path, config)
    try:
        eventually(reader.ready)
        with Visitors(cluster):
            eventually(lambda: reader.plot('sum(up{job="kvs"})', 3)[-1:] == [[3.0] * 4], 60)
            for title, expression in queries(dashboard):
                eventually(lambda asked=expression: has_data(reader.plot(asked)), 60)
                assert title
            for variable in dashboard["templating"]["list"]:
                if variable["type"] == "query":
                    label = re.match(r"label_values\(.*, (\w+)\)", variable["definition"])[1]
                    assert reader.ask(f"label/{label}/values", **{"match[]": "kvs_build_info"}), variable
        firing = [alert for alert in reader.ask("alerts")["alerts"] if alert["state"] == "firing"]
        assert not firing, firing
        for group in reader.ask("rules")["groups"]:
            for rule in group["rules"]:
                assert rule["health"] == "ok", rule
        cluster.nodes[2].kill()
        eventually(lambda: "KvsNodeDown" in {alert["labels"]["alertname"] for alert in reader.ask("alerts")["alerts"]})
    finally:
        reader.close()
