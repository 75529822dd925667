"""The recipe of docs/clients.md by which Prometheus reads what it scrapes from a key."""
import json
import subprocess

import yaml

import prometheus
import recipes
from harness import eventually

SECTION = "Prometheus: targets from a key"


def targets(reader):
    """address → (health, label `team`) of what it scrapes."""
    active = reader.ask("targets", state="active")["activeTargets"]
    return {
        target["discoveredLabels"]["__address__"]: (target["health"], target["labels"].get("team")) for target in active
    }


def test_targets_follow_a_key(new_node, tmp_path):
    prometheus.tool("prometheus")
    node, other = new_node().start(), new_node(node_id="other").start()
    (stored,) = recipes.only(SECTION, "bash")
    (config,) = recipes.only(SECTION, "yaml")
    here = stored.replace("localhost:8080", node.address)
    assert here.count(node.address) == 2
    subprocess.run(["bash", "-euc", here], check=True, timeout=20, capture_output=True)
    config = yaml.safe_load(config.replace("localhost:8080", node.address))
    reader = prometheus.Prometheus(tmp_path, config)
    try:
        eventually(reader.ready, 60)
        eventually(lambda: targets(reader) == {node.address: ("up", "storage")}, 60)
        groups = [{"targets": [node.address, other.address], "labels": {"team": "all"}}]
        node.put("/kv/prometheus/targets", json.dumps(groups))
        both = {node.address: ("up", "all"), other.address: ("up", "all")}
        eventually(lambda: targets(reader) == both, 60)
        (up,) = reader.ask("query", query='sum(up{job="from-kvs", team="all"})')["result"]
        assert up["value"][1] == "2"
    finally:
        reader.close()
