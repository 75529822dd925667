"""The examples for containers: the file that makes the image, compose, Kubernetes. There is no engine here: what they
name must exist, fit together, and be taken by the node. tests/packaging/image carries the Containerfile out."""
import fnmatch
import json
import os
import re
import socket
import subprocess

import pytest
import yaml

import containerfile
from conftest import ROOT
from harness import free_port

CONTAINERFILE = ROOT / "packaging" / "Containerfile"
COMPOSE = ROOT / "packaging" / "compose.yaml"
KUBERNETES = ROOT / "packaging" / "kubernetes.yaml"
CONFIG = "/etc/kvs/config.yaml"
INSTRUCTIONS = {
    "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD",
}


@pytest.fixture(scope="module")
def stages():
    return containerfile.read(CONTAINERFILE)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text())


@pytest.fixture(scope="module")
def objects():
    """kind and name → object."""
    found = {}
    for each in yaml.safe_load_all(KUBERNETES.read_text()):
        found[each["kind"], each["metadata"]["name"]] = each
    return found


def check(kvs, folder, text, environment):
    """What the node says of a configuration."""
    (folder / "config.yaml").write_text(text)
    result = subprocess.run(
        [kvs, "check", "config.yaml"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 0, result
    return result.stdout


def packaged_configuration():
    defaults = (ROOT / "examples/config.yaml").read_text()
    return defaults.replace('data_dir: "./data"', 'data_dir: "/var/lib/kvs/data"')


# -- the image
def test_the_stages(stages):
    build, image = stages
    assert build.image == image.image == "debian:12-slim" and build.name == "build"
    for stage in stages:
        assert {each.name for each in stage.instructions} <= INSTRUCTIONS
        for each in stage.all("RUN"):
            subprocess.run(["sh", "-n", "-c", each.text], check=True, timeout=20)


def ignored(path):
    """Whether the file of what is left out of the context leaves out `path`: the last line that fits decides."""
    out = False
    for line in (ROOT / "packaging/Containerfile.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        parts = path.split("/")
        above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        if any(fnmatch.fnmatchcase(each, pattern) for each in above):
            out = not line.startswith("!")
    return out


def test_what_is_copied_is_there(stages):
    build, image = stages
    copied = set()
    for each in build.all("COPY"):
        *sources, _ = each.words
        for source in sources:
            assert (ROOT / source).exists(), source
            assert not ignored(source), source
            copied.add(source)
    for each in image.all("COPY"):
        assert each.option("from") == build.name
    # Whatever CMake reads in a build without tests is among them.
    folders = {"CMakeLists.txt", "CMakePresets.json", "cmake", "src", "tests/CMakeLists.txt", "packaging", "docs"}
    assert folders <= copied
    assert ignored("build/release/kvs") and ignored(".git/config") and ignored("data/FORMAT")


def test_every_file_that_cmake_names_is_copied(stages):
    copied = {source for each in stages[0].all("COPY") for source in each.words[:-1]}
    named = set()
    for path in [ROOT / "CMakeLists.txt", *(ROOT / "cmake").glob("*.cmake")]:
        named |= set(re.findall(r"\$\{PROJECT_SOURCE_DIR\}/([\w.]+)", path.read_text()))
    assert named - {"tests", "bench"} <= {source.split("/")[0] for source in copied}


def test_it_runs_as_nobody_special(stages):
    image = stages[1]
    uid, gid = image.last("USER").text.split(":")
    made = image.all("RUN")[0].text
    assert f"--uid {uid}" in made and f"--gid {gid}" in made and int(uid) > 0
    assert image.last("ENTRYPOINT").words + image.last("CMD").words == ["/usr/bin/kvs", CONFIG]
    assert image.last("STOPSIGNAL").text == "SIGTERM"


def test_the_node_takes_the_settings_of_the_image(kvs, stages, tmp_path):
    environment = dict(each.text.split("=", 1) for each in stages[1].all("ENV"))
    said = check(kvs, tmp_path, packaged_configuration(), environment)
    assert re.search(r'bind_address: "?0\.0\.0\.0', said)
    assert re.search(rf"port: {stages[1].last('EXPOSE').text}\b", said)
    assert f'data_dir: "{stages[1].last("VOLUME").text}/data"' in said


# -- compose
def test_compose_fits_together(compose):
    assert set(compose) == {"name", "x-node", "x-environment", "services", "volumes"}
    published, used = [], []
    for name, service in compose["services"].items():
        assert service["hostname"] == name == service["environment"]["KVS_NODE_ID"]
        assert service["environment"]["KVS_ADVERTISE_ADDRESS"] == f"{name}:8080"
        assert (COMPOSE.parent / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).samefile(CONTAINERFILE)
        published += [port.rsplit(":", 1)[0] for port in service["ports"]]
        for volume in service["volumes"]:
            source, target = volume.split(":")
            assert source in compose["volumes"] and target == "/var/lib/kvs"
            used.append(source)
        seeds = service["environment"]["KVS_SEED_NODES"].split(",")
        assert {seed.split(":")[0] for seed in seeds} == set(compose["services"])
    assert len(set(published)) == len(set(used)) == len(compose["services"]) == 3


def test_the_node_takes_the_settings_of_compose(kvs, compose, tmp_path):
    for name, service in compose["services"].items():
        said = check(kvs, tmp_path, packaged_configuration(), service["environment"])
        assert f'node_id: "{name}"' in said


def test_the_health_check_of_compose_tells_well_from_unwell(compose, new_node):
    command = next(iter(compose["services"].values()))["healthcheck"]["test"]
    assert command[0] == "CMD"
    node = new_node().start()

    def healthy(port):
        # compose writes $$ for a dollar.
        script = [part.replace("$$", "$").replace("/8080", f"/{port}") for part in command[1:]]
        return subprocess.run(script, capture_output=True, timeout=20, check=False).returncode == 0

    assert healthy(node.port)
    with socket.create_server(("127.0.0.1", 0)) as unwell:
        probe = subprocess.Popen(
            [part.replace("$$", "$").replace("/8080", f"/{unwell.getsockname()[1]}") for part in command[1:]],
            stderr=subprocess.DEVNULL,
        )
        client, _ = unwell.accept()
        client.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        client.close()
        assert probe.wait(20) != 0
    assert not healthy(free_port())


# -- Kubernetes
def test_the_objects_fit_together(objects):
    labels = {"app.kubernetes.io/name": "kvs"}
    stateful = objects["StatefulSet", "kvs"]["spec"]
    template = stateful["template"]
    assert template["metadata"]["labels"] == stateful["selector"]["matchLabels"] == labels
    for kind, name in objects:
        if kind == "Service":
            spec = objects[kind, name]["spec"]
            assert spec["selector"] == labels
            assert [port["targetPort"] for port in spec["ports"]] == ["http"]
    assert objects["PodDisruptionBudget", "kvs"]["spec"]["selector"]["matchLabels"] == labels
    nodes = objects["Service", stateful["serviceName"]]["spec"]
    assert nodes["clusterIP"] == "None" and nodes["publishNotReadyAddresses"] is True
    (container,) = template["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        target = container[probe].get("httpGet") or container[probe]["tcpSocket"]
        assert target["port"] in ports
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in stateful["volumeClaimTemplates"]}
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    assert mounts == claims | set(volumes)
    assert ("ConfigMap", volumes["config"]["configMap"]["name"]) in objects
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(ports["http"])


def test_the_pods_run_as_the_user_of_the_image(objects, stages):
    context = objects["StatefulSet", "kvs"]["spec"]["template"]["spec"]["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == stages[1].last("USER").text
    assert context["runAsNonRoot"] is True and context["fsGroup"] == context["runAsGroup"]


def pod_environment(objects, pod):
    """The variables of a pod: its own, and those that Kubernetes makes of services unless it is told not to."""
    spec = objects["StatefulSet", "kvs"]["spec"]["template"]["spec"]
    made = {}
    if spec.get("enableServiceLinks", True):
        for kind, name in objects:
            if kind == "Service" and objects[kind, name]["spec"].get("clusterIP") != "None":
                made[name.upper().replace("-", "_") + "_PORT"] = "tcp://10.0.0.1:8080"
    for variable in spec["containers"][0]["env"]:
        value = variable.get("value", pod)
        made[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda name: made[name[1]], value)
    return made


def test_the_node_takes_the_settings_of_each_pod(kvs, objects, tmp_path):
    text = objects["ConfigMap", "kvs"]["data"]["config.yaml"]
    stateful = objects["StatefulSet", "kvs"]["spec"]
    pods = [f"kvs-{number}" for number in range(stateful["replicas"])]
    addresses = [f"{pod}.{stateful['serviceName']}:8080" for pod in pods]
    for pod, address in zip(pods, addresses):
        said = check(kvs, tmp_path, text, pod_environment(objects, pod))
        assert f'node_id: "{pod}"' in said and f'advertise_address: "{address}"' in said
        assert all(f'"{seed}"' in said for seed in addresses), said
    assert stateful["template"]["spec"]["containers"][0]["args"] == [CONFIG]


def test_a_service_of_that_name_would_be_taken_for_a_setting(kvs, objects, tmp_path):
    """Why enableServiceLinks is off."""
    text = objects["ConfigMap", "kvs"]["data"]["config.yaml"]
    with pytest.raises(AssertionError, match="enableServiceLinks"):
        check(kvs, tmp_path, text, {"KVS_PORT": "tcp://10.0.0.1:8080"})


def test_new_nodes_with_the_same_seeds_make_one_cluster(new_cluster, objects):
    """As compose and Kubernetes start them: all at once, none special."""
    config = yaml.safe_load(objects["ConfigMap", "kvs"]["data"]["config.yaml"])
    cluster = new_cluster(3, cluster_name=config["cluster_name"], cache_mb=config["cache_mb"])
    cluster.start_at_once(cluster.nodes)
    cluster.wait_until_members()
    cluster.wait_until_connected()
    assert json.loads(cluster.nodes[2].get("/kv/connected/node1").body) is True
