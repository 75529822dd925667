"""P1, P6 - P9: nodes that are killed, stopped and restarted under load lose nothing and end equal."""
import threading

from cluster import wait_for
from history import Load


def test_kill_storm(cluster):
    with Load(cluster.nodes) as load:
        for number in range(6):
            node = cluster.nodes[number % 3]
            load.wait_for(30 + 10 * (number % 4))
            node.kill()
            if number % 2:
                load.wait_for(40)
            node.start()
    print("6 kills:", load.check(cluster.wait_until_converged()))


def test_all_are_killed_at_once(cluster):
    with Load(cluster.nodes) as load:
        for _ in range(2):
            load.wait_for(150)
            for node in cluster.nodes:
                node.kill()
            cluster.start_at_once(cluster.nodes)
    load.check(cluster.wait_until_converged())


def paused(node, seconds):
    node.pause()
    threading.Event().wait(seconds)  # how long it is away is what is tested
    node.resume()


def test_a_pause_that_nobody_need_notice(cluster):
    with Load(cluster.nodes) as load:
        for node in cluster.nodes:
            load.wait_for(40)
            paused(node, 1)
            node.set_serving(True)
    load.check(cluster.wait_until_converged())
    cluster.wait_until_members()


def test_a_pause_longer_than_detection(cluster):
    first, second, third = cluster.nodes
    cluster.wait_until_members()
    with Load(cluster.nodes) as load:
        load.wait_for(40)
        third.pause()
        wait_for(lambda: len(first.members()) == len(second.members()) == 2, 20, "its silence is not noticed")
        load.wait_for(100)
        third.resume()
        third.set_serving(True)
        load.wait_for(60)
    load.check(cluster.wait_until_converged())
    cluster.wait_until_members()


def test_rolling_restart_under_load(cluster):
    with Load(cluster.nodes) as load:
        for node in cluster.nodes:
            load.wait_for(40)
            node.end()
            load.wait_for(30)
            node.start()
            cluster.wait_until_members()
    print("each node restarted:", load.check(cluster.wait_until_converged()))
