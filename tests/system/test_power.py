"""P2: with `durability: sync` acknowledged writes survive the loss of power, twenty times over."""
import pytest

from ledger import Load
from power import PowerCutDisk, why_not

CUTS = 20


@pytest.fixture
def disk(tmp_path):
    probe = tmp_path / "probe"
    probe.mkdir()
    if reason := why_not(probe):
        pytest.skip(reason)
    disk = PowerCutDisk(tmp_path)
    yield disk
    disk.unmount()


def test_power_cuts_under_load(new_node, disk):
    node = new_node(durability="sync", data_dir=str(disk.mount_point / "data"))
    load = Load(node)
    try:
        for number in range(CUTS):
            disk.mount()
            node.start()
            load.check()
            load.start()
            load.wait_for(20 + 7 * (number % 10))
            cut = disk.cut_power()
            node.process.wait(10) if number % 2 else node.kill()
            load.finish()
            load.doubt_since(cut)
            load.again()
            disk.unmount()
        disk.mount()
        node.start()
        load.check()
        print(f"{CUTS} power cuts, {load.acknowledged} acknowledged writes, none lost")
        assert load.acknowledged > CUTS * 10
    finally:
        node.destroy()
