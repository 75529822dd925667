"""P1, P7: acknowledged writes survive `kill -9` under load, fifty times over."""
import pytest

from ledger import Load

KILLS = 50


@pytest.mark.parametrize("durability", ["sync", "os"])
def test_kill_under_load(new_node, durability):
    node = new_node(durability=durability)
    load = Load(node)
    for number in range(KILLS // 2):
        node.start()
        load.check()
        load.start()
        load.wait_for(20 + 13 * (number % 20))
        node.kill()
        load.finish()
        load.again()
    node.start()
    checked = load.check()
    print(
        f"{durability}: {KILLS // 2} kills, {load.acknowledged} acknowledged writes, "
        f"{checked} keys, none lost"
    )
    assert load.acknowledged > KILLS * 10


def test_kill_during_recovery(new_node):
    """A node that is killed while it opens its folder opens it at the next start."""
    node = new_node(durability="os")
    load = Load(node, pad=2000)
    node.start()
    load.start()
    load.wait_for(2000)
    node.kill()
    load.finish()
    for _ in range(10):
        node.spawn()
        node.kill()
    node.start()
    load.check()
