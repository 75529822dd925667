#!/usr/bin/env python3
"""Checks what neither the compiler nor clang-tidy checks: who may include whom, what the pure
storeys may not name, where the clock may be read, sizes, and the form of the documents.

Usage: lint.py [--no-warnings] [ROOT]

Prints `path:line: error: what` and ends with 1 if there was an error. Warnings are for a reviewer.
Each rule is a function of a Source, listed in RULES; lint_test.py has a case for each.
"""
import pathlib
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Iterator, NamedTuple

STOREYS = {
    "base": {"base"},
    "core": {"base", "core"},
    "wire": {"base", "core", "wire"},
    "io": {"base", "core", "wire", "io"},
    "sim": {"base", "core", "wire", "sim"},
    "app": {"base", "core", "wire", "io", "app"},
}
PURE = {"base", "core", "wire", "sim"}

CLOCKS_AND_ENTROPY = [
    r"_clock::now\b", r"\bclock_gettime\b", r"\bgettimeofday\b", r"\btime\((nullptr|NULL|0)\)",
    r"\brandom_device\b", r"\bs?rand\(", r"\bgetrandom\b", r"\bgetentropy\b",
]
BANNED_IN_PURE = [
    r"<thread>", r"<mutex>", r"<shared_mutex>", r"<atomic>", r"<condition_variable>", r"<future>",
    r"<filesystem>", r"<fstream>", r"<iostream>", r"<sys/", r"<unistd\.h>", r"<fcntl\.h>",
    r"\bgetenv\b", r"\bthread_local\b", r"\bthrow\b", r"\bcatch\b", r"\babsl::flat_hash",
]
SLEEPS = r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\("
MACHINE_PATH = r"(?<![\w.])/(?:work|home|root|Users|mnt)/\w"

COLUMNS_MAX = {".h": 100, ".cc": 100, ".py": 120}
FILE_LINES_MAX = 800
FILE_LINES_WARN = 500
HEADER_LINES_WARN = 200

CHANGELOG_PARTS = ["Safety and performance", "Features", "Internals"]


class Finding(NamedTuple):
    line: int
    message: str
    is_error: bool = True


def blank_comments_and_strings(text: str) -> str:
    """The same text, line by line, with comments and the insides of literals as spaces."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


@dataclass
class Source:
    """One file: its path below the root, with `/`, and its text."""

    path: str
    text: str
    siblings: frozenset = frozenset()  # names in the same folder
    unordered_names: frozenset = frozenset()  # unordered containers declared anywhere in core

    @cached_property
    def lines(self) -> list:
        return self.text.split("\n")

    @cached_property
    def code(self) -> list:
        """The lines without comments and literals."""
        return blank_comments_and_strings(self.text).split("\n")

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_cpp(self) -> bool:
        return self.name.endswith((".h", ".cc"))

    @property
    def is_header(self) -> bool:
        return self.name.endswith(".h")

    @property
    def is_test(self) -> bool:
        return self.name.endswith("_test.cc") or self.path.startswith("tests/")

    @property
    def is_main(self) -> bool:
        return self.name.startswith("main") and self.name.endswith(".cc")

    @property
    def room(self) -> str:
        """core/merge for src/core/merge.h, merge.cc and merge_test.cc; empty outside src."""
        parts = re.fullmatch(r"src/(\w+)/(\w+?)(_test)?\.(h|cc)", self.path)
        return f"{parts[1]}/{parts[2]}" if parts else ""

    @property
    def storey(self) -> str:
        return self.room.split("/")[0]

    def includes(self) -> Iterator[tuple]:
        for number, line in enumerate(self.lines, 1):
            if match := re.match(r'\s*#\s*include\s+(["<][^">]+[">])', line):
                yield number, match[1]

    def find(self, patterns: list) -> Iterator[tuple]:
        """(line number, pattern) of each pattern found in the code, includes among it."""
        for number, line in enumerate(self.code, 1):
            for pattern in patterns:
                if re.search(pattern, line):
                    yield number, pattern


def storeys_look_downwards(source: Source) -> Iterator[Finding]:
    if not source.storey:
        return
    for number, include in source.includes():
        if not include.startswith('"'):
            continue
        target = include.strip('"').split("/")[0]
        if source.is_test and target == "support":
            continue  # tests/support
        if target not in STOREYS:
            yield Finding(number, f'{include}: own headers are named from src/: "base/result.h"')
        elif target not in STOREYS.get(source.storey, set()):
            yield Finding(number, f"{source.storey} may not include {target}")


def pure_storeys_name_no_machine(source: Source) -> Iterator[Finding]:
    if source.storey not in PURE or source.is_test or source.is_main:
        return
    for number, pattern in source.find(BANNED_IN_PURE):
        yield Finding(number, f"{source.storey} is pure: {pattern} is banned")


def clocks_and_entropy_in_one_room(source: Source) -> Iterator[Finding]:
    if not source.storey or source.room == "io/os" or source.is_test:
        return
    for number, pattern in source.find(CLOCKS_AND_ENTROPY):
        yield Finding(number, f"only io/os asks the machine for time or chance ({pattern})")


def one_door_for_records(source: Source) -> Iterator[Finding]:
    if not source.storey or source.room == "core/replica" or source.is_test:
        return
    door = r"\beffects\w*(\.|->)writes(\.(push_back|emplace_back|emplace|insert)\b|\s*=[^=])"
    for number, _ in source.find([door]):
        yield Finding(number, "only core/replica appends to effects.writes")


def no_order_by_hash(source: Source) -> Iterator[Finding]:
    if source.storey != "core" or source.is_test:
        return
    for name in sorted(source.unordered_names):
        loop = rf"for\s*\([^;)]*:\s*(this->)?{name}\s*\)|\b{name}\.c?begin\(\)"
        for number, _ in source.find([loop]):
            yield Finding(number, f"{name} is an unordered container: its order is no order")


def headers_are_headed(source: Source) -> Iterator[Finding]:
    if not source.is_header:
        return
    if not source.lines[0].startswith("//"):
        yield Finding(1, "a header opens with what its room is for, its invariants, its thread")
    if "#pragma once" not in source.lines:
        yield Finding(1, "no #pragma once")


def own_header_first(source: Source) -> Iterator[Finding]:
    own = source.room.split("/")[-1] + ".h"
    if not source.room or not source.name.endswith(".cc") or own not in source.siblings:
        return
    first = next(source.includes(), (1, ""))
    if first[1] != f'"{source.room}.h"':
        yield Finding(first[0], f'the first include is the own header, "{source.room}.h"')


def rooms_have_tests(source: Source) -> Iterator[Finding]:
    if not source.room or not source.name.endswith(".cc") or source.is_test or source.is_main:
        return
    if source.name[:-3] + "_test.cc" not in source.siblings:
        yield Finding(1, "no unit test beside this room", is_error=False)


def tests_do_not_sleep(source: Source) -> Iterator[Finding]:
    """A bounded loop that polls is no sleep; it stands in a function wait_something or eventually."""
    if not source.is_cpp or not source.is_test:
        return
    for number, _ in source.find([SLEEPS]):
        before = source.code[max(0, number - 8):number]
        if not any(re.search(r"\b(wait_\w+|eventually)\(.*\{$", line) for line in before):
            yield Finding(number, "a test waits for what it asserts, it does not sleep")


def sizes(source: Source) -> Iterator[Finding]:
    if source.name.endswith(".md") or source.path == "docs/openapi.yaml":
        return  # documents are as long as what they tell
    count = len(source.lines) - 1
    if count > FILE_LINES_MAX:
        yield Finding(count, f"{count} lines, {FILE_LINES_MAX} at most")
    elif count > FILE_LINES_WARN:
        yield Finding(count, f"{count} lines: more than {FILE_LINES_WARN}", is_error=False)
    elif source.is_header and count > HEADER_LINES_WARN:
        yield Finding(count, f"{count} lines: much for a header", is_error=False)
    columns_max = COLUMNS_MAX.get(pathlib.PurePosixPath(source.name).suffix)
    for number, line in enumerate(source.lines, 1):
        if columns_max and len(line) > columns_max:
            yield Finding(number, f"{len(line)} columns, {columns_max} at most")


def clean_text(source: Source) -> Iterator[Finding]:
    if not source.text.endswith("\n") or source.text.endswith("\n\n"):
        yield Finding(len(source.lines), "a file ends with one newline")
    for number, line in enumerate(source.lines, 1):
        if line != line.rstrip():
            yield Finding(number, "spaces at the end of the line")
        if "\t" in line:
            yield Finding(number, "a tab")


def no_machine_paths(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.lines, 1):
        if match := re.search(MACHINE_PATH, line):
            yield Finding(number, f"{match[0]}...: a path of somebody's machine")


def known_suffixes(source: Source) -> Iterator[Finding]:
    if source.name.endswith((".cpp", ".cxx", ".hpp", ".hh", ".c")):
        yield Finding(1, "C++ files end in .h and .cc: others are not built")


def changelog_form(source: Source) -> Iterator[Finding]:
    """`# Changelog`, then releases, newest first, each with its parts in order and `- ` entries."""
    if source.path != "CHANGELOG.md":
        return
    if source.lines[0] != "# Changelog":
        yield Finding(1, "the first line is `# Changelog`")
    release, part = None, -1
    for number, line in enumerate(source.lines, 1):
        if line.startswith("## "):
            part = -1
            if not re.fullmatch(r"## (Unreleased|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\))", line):
                yield Finding(number, "a release is `## Unreleased` or `## 1.2.3 (2030-12-31)`")
            elif line == "## Unreleased" and release is not None:
                yield Finding(number, "`## Unreleased` comes first")
            release = line
        elif line.startswith("### "):
            title = line[4:]
            if title not in CHANGELOG_PARTS:
                yield Finding(number, f"the parts of a release are {', '.join(CHANGELOG_PARTS)}")
            elif CHANGELOG_PARTS.index(title) <= part:
                yield Finding(number, f"parts come in this order: {', '.join(CHANGELOG_PARTS)}")
            else:
                part = CHANGELOG_PARTS.index(title)
        elif release and line and not line.startswith(("- ", "  ")):
            yield Finding(number, "an entry begins with `- `")


RULES = [
    storeys_look_downwards, pure_storeys_name_no_machine, clocks_and_entropy_in_one_room,
    one_door_for_records, no_order_by_hash, headers_are_headed, own_header_first,
    rooms_have_tests, tests_do_not_sleep, sizes, clean_text, no_machine_paths, known_suffixes,
    changelog_form,
]

FOLDERS = ["src", "tests", "bench", "tools", "docs", "cmake", "examples", "packaging", ".ci"]
NOT_OURS = ("tests/data/", "tests/fuzz/corpus/")


def declared_unordered(text: str) -> set:
    """Names of unordered containers that C++ code declares."""
    return set(re.findall(r"\bunordered_(?:multi)?(?:map|set)<.*>&?\s+(\w+)\s*[;={(),]",
                          blank_comments_and_strings(text)))


def sources(root: pathlib.Path) -> list:
    paths = [path for path in root.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        paths += [path for path in (root / folder).rglob("*") if path.is_file()]
    names = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(path.name)
    found = []
    for path in sorted(paths):
        relative = path.relative_to(root).as_posix()
        if relative.startswith(NOT_OURS) or "__pycache__" in relative:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not a text
        found.append(Source(relative, text, frozenset(names[path.parent])))
    unordered = set()
    for source in found:
        if source.storey == "core":
            unordered |= declared_unordered(source.text)
    for source in found:
        source.unordered_names = frozenset(unordered)
    return found


def check(source: Source) -> list:
    return [finding for rule in RULES for finding in rule(source)]


def main(arguments: list) -> int:
    show_warnings = "--no-warnings" not in arguments
    roots = [argument for argument in arguments if not argument.startswith("--")]
    root = pathlib.Path(roots[0]) if roots else pathlib.Path(__file__).resolve().parent.parent
    errors = warnings = 0
    checked = sources(root)
    for source in checked:
        for finding in check(source):
            errors += finding.is_error
            warnings += not finding.is_error
            if finding.is_error or show_warnings:
                kind = "error" if finding.is_error else "warning"
                print(f"{source.path}:{finding.line}: {kind}: {finding.message}")
    print(f"lint: {len(checked)} files, {errors} errors, {warnings} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
