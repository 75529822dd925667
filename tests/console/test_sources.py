"""The console's sources: what they must not contain, whatever a browser would make of it."""
import pathlib
import re

import pytest

UI = pathlib.Path(__file__).resolve().parents[2] / "src" / "app" / "ui"
FILES = sorted(UI.iterdir())

# Text would become markup or code; or another host would be asked.
FORBIDDEN = [
    r"innerHTML",
    r"outerHTML",
    r"insertAdjacentHTML",
    r"document\.write",
    r"\beval\b",
    r"new Function",
    r"DOMParser",
    r"createContextualFragment",
    r"set(?:Timeout|Interval)\(\s*[\"'`]",
    r"\bstyle=",
    r"\son\w+=\"",
    r"javascript:",
    r"https?://(?!\$\{member\.address\}/|www\.w3\.org/2000/svg)",
    r"@import",
    r"\burl\(",
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_runs_that_is_not_ours(path):
    text = path.read_text()
    for pattern in FORBIDDEN:
        found = re.search(pattern, text)
        assert not found, f"{path.name}: {found[0]}"


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".js"], ids=lambda path: path.name)
def test_modules_say_what_they_are_for(path):
    assert path.read_text().startswith("// "), path.name


def test_colours_stand_in_the_tokens_only():
    css = (UI / "console.css").read_text()
    rules = css[css.index("* { box-sizing") :]
    found = re.findall(r"#[0-9a-f]{3,8}\b", rules)
    assert not found, found


def test_it_is_small():
    """The page and all that it loads: less than 150 KB without compression."""
    assert sum(path.stat().st_size for path in FILES) < 150_000
