#!/usr/bin/env python3
"""Every rule of lint.py finds what it is for, and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint

HEADER = "// What this room is for.\n#pragma once\n"


def found(rule, path, text, siblings=(), unordered=()):
    """The lines at which `rule` complains about a file."""
    source = lint.Source(path, text, frozenset(siblings), frozenset(unordered))
    return [finding.line for finding in rule(source)]


class Blanking(unittest.TestCase):
    def test_keeps_code_and_lines(self):
        blank = lint.blank_comments_and_strings
        self.assertEqual(blank("a; // throw\nb;").split("\n"), ["a;         ", "b;"])
        self.assertEqual(blank("/* x\ny */z").split("\n"), ["    ", "    z"])
        self.assertEqual(blank('f("throw \\" //", 1); g'), "f(" + " " * 13 + ", 1); g")
        self.assertEqual(blank('R"(a "throw" )" + b').rstrip(), " " * 15 + " + b")
        self.assertEqual(blank("'\"' throw"), "    throw")
        self.assertEqual(blank("1'000'000 throw '\\''"), "1'000'000 throw     ")


class Storeys(unittest.TestCase):
    rule = staticmethod(lint.storeys_look_downwards)

    def test_may_look_downwards(self):
        for path, include in [("src/core/merge.cc", "base/ids.h"), ("src/io/loop.h", "wire/http.h"),
                              ("src/app/main.cc", "io/os.h"), ("src/sim/world.cc", "wire/api.h"),
                              ("src/core/merge.cc", "core/merge.h")]:
            self.assertEqual(found(self.rule, path, f'#include "{include}"\n'), [])

    def test_may_not_look_upwards_or_sideways(self):
        for path, include in [("src/base/ids.h", "core/key.h"), ("src/core/node.cc", "wire/api.h"),
                              ("src/wire/http.h", "io/os.h"), ("src/io/store.cc", "sim/disk.h"),
                              ("src/sim/world.cc", "io/os.h"), ("src/io/store.cc", "app/serve.h"),
                              ("src/app/serve.cc", "sim/world.h")]:
            self.assertEqual(found(self.rule, path, f'\n#include "{include}"\n'), [2])

    def test_headers_are_named_from_src(self):
        self.assertEqual(found(self.rule, "src/core/merge.cc", '#include "merge.h"\n'), [1])

    def test_only_tests_use_test_support(self):
        text = '#include "support/folder.h"\n'
        self.assertEqual(found(self.rule, "src/io/store_test.cc", text), [])
        self.assertEqual(found(self.rule, "src/io/store.cc", text), [1])

    def test_elsewhere_anything_goes(self):
        self.assertEqual(found(self.rule, "tests/fuzz/f.cc", '#include "io/os.h"\n'), [])


class Purity(unittest.TestCase):
    rule = staticmethod(lint.pure_storeys_name_no_machine)

    def test_finds_each_banned_name(self):
        for line in ["#include <thread>", "#include <sys/stat.h>", "#include <iostream>",
                     "throw 1;", "} catch (...) {", "thread_local int x;", 'getenv("X");',
                     "#include <atomic>", "#include <filesystem>", "#include <mutex>"]:
            self.assertEqual(found(self.rule, "src/core/a.cc", f"int a;\n{line}\n"), [2], line)

    def test_knows_code_from_words(self):
        text = '// we never throw\nf("catch");\nint thrown = caught;\n'
        self.assertEqual(found(self.rule, "src/wire/a.cc", text), [])

    def test_is_for_pure_storeys_only(self):
        for path in ["src/io/a.cc", "src/app/a.cc", "src/core/a_test.cc", "src/sim/main.cc"]:
            self.assertEqual(found(self.rule, path, "throw 1;\n"), [], path)


class Clocks(unittest.TestCase):
    rule = staticmethod(lint.clocks_and_entropy_in_one_room)

    def test_finds_clocks_and_entropy(self):
        for line in ["std::chrono::steady_clock::now();", "clock_gettime(CLOCK_REALTIME, &t);",
                     "std::random_device device;", "time(nullptr);", "getrandom(p, 8, 0);",
                     "srand(1);"]:
            self.assertEqual(found(self.rule, "src/io/loop.cc", f"{line}\n"), [1], line)
            self.assertEqual(found(self.rule, "src/core/node.cc", f"{line}\n"), [1], line)

    def test_allows_the_one_room_and_tests(self):
        for path in ["src/io/os.cc", "src/io/os_test.cc", "src/app/a_test.cc", "bench/x.cc"]:
            self.assertEqual(found(self.rule, path, "steady_clock::now();\n"), [], path)

    def test_knows_code_from_words(self):
        self.assertEqual(found(self.rule, "src/io/a.cc", "operand(1); runtime(0);\n"), [])


class Door(unittest.TestCase):
    rule = staticmethod(lint.one_door_for_records)

    def test_only_replica_appends(self):
        for line in ["effects.writes.push_back(w);", "effects_.writes.emplace_back();",
                     "effects->writes = {};"]:
            self.assertEqual(found(self.rule, "src/core/node.cc", f"{line}\n"), [1], line)
            self.assertEqual(found(self.rule, "src/core/replica.cc", f"{line}\n"), [])

    def test_reading_is_free(self):
        text = "for (const auto& w : effects.writes) {\nif (effects.writes == other) {\n"
        self.assertEqual(found(self.rule, "src/io/store.cc", text), [])


class HashOrder(unittest.TestCase):
    rule = staticmethod(lint.no_order_by_hash)

    def test_finds_iteration(self):
        for line in ["for (auto& [k, v] : entries_) {", "auto i = entries_.begin();",
                     "for (auto& e : this->entries_) {"]:
            lines = found(self.rule, "src/core/a.cc", f"{line}\n", unordered=["entries_"])
            self.assertEqual(lines, [1], line)

    def test_looking_up_is_free(self):
        text = "entries_.find(k) != entries_.end();\nfor (auto& e : others_) {\n"
        self.assertEqual(found(self.rule, "src/core/a.cc", text, unordered=["entries_"]), [])

    def test_finds_declarations(self):
        text = "std::unordered_map<std::string, int> a_;\nunordered_set<int> b = {};\nmap<int> c;\n"
        self.assertEqual(lint.declared_unordered(text), {"a_", "b"})


class Headers(unittest.TestCase):
    def test_headers_are_headed(self):
        rule = lint.headers_are_headed
        self.assertEqual(found(rule, "src/core/a.h", HEADER), [])
        self.assertEqual(found(rule, "src/core/a.h", "#pragma once\n"), [1])
        self.assertEqual(found(rule, "src/core/a.h", "// words\nint a;\n"), [1])
        self.assertEqual(found(rule, "src/core/a.cc", "int a;\n"), [])

    def test_own_header_first(self):
        rule = lint.own_header_first
        good = '#include "core/a.h"\n\n#include <string>\n'
        bad = '#include <string>\n#include "core/a.h"\n'
        for path in ["src/core/a.cc", "src/core/a_test.cc"]:
            self.assertEqual(found(rule, path, good, ["a.h"]), [])
            self.assertEqual(found(rule, path, bad, ["a.h"]), [1])
            self.assertEqual(found(rule, path, "int a;\n", ["a.h"]), [1])
            self.assertEqual(found(rule, path, bad, []), [])


class Tests(unittest.TestCase):
    def test_rooms_have_tests(self):
        rule = lint.rooms_have_tests
        self.assertEqual(found(rule, "src/core/a.cc", "\n", ["a.cc", "a_test.cc"]), [])
        self.assertEqual(found(rule, "src/core/a.cc", "\n", ["a.cc"]), [1])
        self.assertEqual(found(rule, "src/app/main.cc", "\n", ["main.cc"]), [])
        source = lint.Source("src/core/a.cc", "int a;\n")
        self.assertFalse(next(rule(source)).is_error)

    def test_tests_do_not_sleep(self):
        rule = lint.tests_do_not_sleep
        text = "void f() {\n  std::this_thread::sleep_for(1ms);\n}\n"
        self.assertEqual(found(rule, "src/io/a_test.cc", text), [2])
        self.assertEqual(found(rule, "tests/law/a.cc", text), [2])
        self.assertEqual(found(rule, "src/io/a.cc", text), [])
        self.assertEqual(found(rule, "src/io/a_test.cc", text.replace("f()", "wait_for_x()")), [])
        self.assertEqual(found(rule, "src/io/a_test.cc", text.replace("f()", "eventually()")), [])
        self.assertEqual(found(rule, "src/io/a_test.cc", "oversleep(1); asleep(2);\n"), [])


class Form(unittest.TestCase):
    def test_sizes(self):
        self.assertEqual(found(lint.sizes, "src/core/a.cc", "//" + "x" * 98 + "\n"), [])
        self.assertEqual(found(lint.sizes, "src/core/a.cc", "//" + "x" * 99 + "\n"), [1])
        self.assertEqual(found(lint.sizes, "src/core/a.cc", "ä" * 100 + "\n"), [])
        self.assertEqual(found(lint.sizes, "tools/a.py", "x" * 120 + "\n"), [])
        self.assertEqual(found(lint.sizes, "tools/a.py", "x" * 121 + "\n"), [1])
        self.assertEqual(found(lint.sizes, "docs/a.md", "x" * 200 + "\n" + "\n" * 900), [])

        def severity(path, count):
            findings = list(lint.sizes(lint.Source(path, "\n" * count)))
            return [finding.is_error for finding in findings]

        self.assertEqual(severity("src/core/a.cc", 500), [])
        self.assertEqual(severity("src/core/a.cc", 501), [False])
        self.assertEqual(severity("src/core/a.cc", 800), [False])
        self.assertEqual(severity("src/core/a.cc", 801), [True])
        self.assertEqual(severity("src/core/a.h", 200), [])
        self.assertEqual(severity("src/core/a.h", 201), [False])

    def test_clean_text(self):
        self.assertEqual(found(lint.clean_text, "a.md", "a\n"), [])
        self.assertEqual(found(lint.clean_text, "a.md", "a"), [1])
        self.assertEqual(found(lint.clean_text, "a.md", "a\n\n"), [3])
        self.assertEqual(found(lint.clean_text, "a.md", "a \nb\n"), [1])
        self.assertEqual(found(lint.clean_text, "a.md", "a\n\tb\n"), [2])

    def test_no_machine_paths(self):
        rule = lint.no_machine_paths
        for top in ["work", "home", "root", "Users"]:
            self.assertEqual(found(rule, "docs/a.md", f"see /{top}/x\n"), [1])
        self.assertEqual(found(rule, "docs/a.md", "/kv/users and /var/lib/kvs, src/home/x\n"), [])

    def test_known_suffixes(self):
        self.assertEqual(found(lint.known_suffixes, "src/core/a.cpp", "\n"), [1])
        self.assertEqual(found(lint.known_suffixes, "src/core/a.cc", "\n"), [])

    def test_changelog(self):
        rule = lint.changelog_form
        good = ("# Changelog\n\nWords.\n\n## Unreleased\n\n### Features\n- One\n  more of it.\n\n"
                "## 0.1.0 (2030-01-31)\n\n### Safety and performance\n- Two\n"
                "### Internals\n- Three\n")
        self.assertEqual(found(rule, "CHANGELOG.md", good), [])
        for bad, line in [("Changes\n", 1), ("# Changelog\n## v1\n", 2),
                          ("# Changelog\n## Unreleased\n### Bugs\n", 3),
                          ("# Changelog\n## Unreleased\n### Internals\n### Features\n", 4),
                          ("# Changelog\n## Unreleased\n* one\n", 3),
                          ("# Changelog\n## 1.0.0 (2030-01-31)\n## Unreleased\n", 3)]:
            self.assertEqual(found(rule, "CHANGELOG.md", bad), [line], bad)
        self.assertEqual(found(rule, "docs/a.md", "anything\n"), [])


class Program(unittest.TestCase):
    def tree(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            target = pathlib.Path(folder.name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return folder.name

    def test_ends_with_1_if_there_is_an_error(self):
        good = {"src/core/a.h": HEADER, "src/core/a.cc": '#include "core/a.h"\n'}
        self.assertEqual(lint.main(["--no-warnings", self.tree(good)]), 0)
        bad = good | {"src/core/b.cc": '#include "io/os.h"\n'}
        self.assertEqual(lint.main(["--no-warnings", self.tree(bad)]), 1)

    def test_third_party_data_is_not_ours(self):
        self.assertEqual(lint.main([self.tree({"tests/data/x/a.h": "  \t"})]), 0)

    def test_a_container_is_known_in_all_of_core(self):
        files = {"src/core/a.h": HEADER + "std::unordered_map<int, int> entries_;\n",
                 "src/core/b.cc": "for (auto& e : entries_) {\n"}
        self.assertEqual(lint.main(["--no-warnings", self.tree(files)]), 1)


if __name__ == "__main__":
    unittest.main()
