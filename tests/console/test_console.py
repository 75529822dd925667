"""The console in a real browser, on clusters of three."""
import subprocess

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
