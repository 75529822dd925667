"""The console in a real browser, on clusters of three."""
import json
import subprocess

import recipes

KEYS = 20


def test_a_visit(new_cluster, browse):
    cluster = new_cluster(3).start()
    nodes = cluster.nodes
    browse("visit.mjs", nodes, {"kill": lambda n: nodes[n - 1].kill(), "start": lambda n: nodes[n - 1].start()})
    cluster.assert_equal()
    cluster.assert_sound()


def test_looks(kvs, new_cluster, browse):
    """The nodes begin with conflicts, so that there are verdicts to look at."""
    cluster = new_cluster(3)
    nodes = cluster.nodes
    folders = [node.data_dir for node in nodes[:2]]
    command = [kvs, "make-conflict", *folders, "--keys", str(KEYS)]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    for node in nodes:
        node.start()
    cluster.wait_until_converged()
    browse("looks.mjs", nodes, {"kill": lambda n: nodes[n - 1].kill(), "start": lambda n: nodes[n - 1].start()})
    cluster.assert_equal()
    cluster.assert_sound()


def test_the_recipe_for_eventsource(new_cluster, browse, monkeypatch):
    """docs/clients.md, as it stands there."""
    section = "JavaScript: a copy that follows"
    library, usage = recipes.only(section, "js")
    (told,) = recipes.only(section, "text")
    writes = [("PUT", "users/ann", '{"name":"Ann"}'), ("PUT", "users/bob", "1"), ("DELETE", "users/bob", None)]
    recipe = {"library": library, "usage": usage, "told": told, "writes": writes}
    monkeypatch.setenv("RECIPE", json.dumps(recipe))
    (node,) = new_cluster(1, seed_nodes=[]).start().nodes
    browse("recipe.mjs", [node], {"kill": lambda _: node.kill(), "start": lambda _: node.start()})
