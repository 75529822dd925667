"""docs/operations.md against /metrics: what is shown is documented, and nothing else is."""
import pathlib
import re

PATH = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def test_every_metric_is_in_the_table_and_every_row_is_true(node):
    text = node.get("/metrics").body.decode()
    shown = re.findall(r"^# HELP (kvs_[a-z_]+) ", text, re.MULTILINE)
    table = PATH.read_text().partition("| metrics | what | alarm |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`(kvs_[a-z_]+)`", row)]
    assert sorted(documented) == sorted(shown)
