#!/usr/bin/python3
"""Writes the rules by which tools/tidy runs clang-tidy: tidy_rules.py BUILD_FOLDER [FILE|FOLDER...]

BUILD_FOLDER/tidy.ninja has one mark for each source of the compilation database, and what it rests
on: the source, what it includes, and the lists of checks. Prints the marks of the sources that are
asked for, all without any.
"""

import json
import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS_CONFIG = ROOT / "tests" / ".clang-tidy"

# The configurations are found by each file's own place (no --config-file): so names are judged in
# the files of this repository and not in each header of the system, which halves the time.
# -Wp,-MD writes what was included; tools would strip a plain -MD.
RULE = """\
builddir = {marks}
rule tidy
  command = if clang-tidy-19 -p {build} --quiet $options --extra-arg=-Wp,-MD,{root}/$out.d $in >$out.log 2>&1; $
      then touch $out; else grep -vE '^([0-9]+ warnings|Suppressed|Use -)' $out.log; false; fi
  description = tidy $in
  depfile = $out.d
  deps = gcc
"""


def is_test(source: str) -> bool:
    return source.endswith("_test.cc") or source.startswith("tests/")


def options_for_tests() -> str:
    """The checks of tests/.clang-tidy, for the tests beside the rooms."""
    config = yaml.safe_load(TESTS_CONFIG.read_text())
    checks = "".join(config["Checks"].split())
    return f"--checks='{checks}' --header-filter='{config['HeaderFilterRegex'].replace('$', '$$')}'"


def sources_of(build: pathlib.Path) -> list[str]:
    """The sources of the compilation database, without those that the build wrote itself."""
    entries = json.loads((build / "compile_commands.json").read_text())
    paths = {pathlib.Path(entry["file"]) for entry in entries}
    return sorted(
        str(path.relative_to(ROOT))
        for path in paths
        if path.is_relative_to(ROOT) and not path.is_relative_to(build.resolve())
    )


def configs_of(source: str) -> list[str]:
    """The files that say which checks a source gets: those above it, and that of all tests."""
    above = [ROOT / folder / ".clang-tidy" for folder in pathlib.Path(source).parents]
    configs = {TESTS_CONFIG, *(config for config in above if config.exists())}
    return sorted(str(config.relative_to(ROOT)) for config in configs)


def is_asked_for(source: str, wanted: list[pathlib.Path]) -> bool:
    return not wanted or any((ROOT / source).is_relative_to(path) for path in wanted)


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    wanted = [pathlib.Path(name).resolve() for name in sys.argv[2:]]
    marks = build / "clean"
    for_tests = options_for_tests()
    lines = [RULE.format(root=ROOT, marks=marks, build=build)]
    asked_for = []
    for source in sources_of(build):
        mark = marks / source
        mark.parent.mkdir(parents=True, exist_ok=True)
        lines.append(f"build {mark}: tidy {source} | {' '.join(configs_of(source))}")
        lines.append(f"  options = {for_tests if is_test(source) else ''}")
        if is_asked_for(source, wanted):
            asked_for.append(str(mark))
    (build / "tidy.ninja").write_text("\n".join(lines) + "\n")
    print("\n".join(asked_for))
    return 0


if __name__ == "__main__":
    sys.exit(main())
