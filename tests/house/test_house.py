#!/usr/bin/env python3
"""Each rule of the house is shown a tree that keeps it and a tree that breaks it."""

import unittest

import house

GOOD = {
    "gossip/base/key.hpp": "#pragma once\n#include <array>\nnamespace wigwag {}\n",
    "gossip/base/packed.cpp": '#include "gossip/base/key.hpp"\n#include <msgpack.hpp>\nnamespace wigwag {}\n',
    "gossip/trust/grant.hpp": '#pragma once\n#include "gossip/base/key.hpp"\nnamespace wigwag {}\n',
    "gossip/trust/crypto.cpp": '#include "gossip/base/key.hpp"\n#include <sodium.h>\nnamespace wigwag {}\n',
    "gossip/node.hpp": '#pragma once\n#include "gossip/trust/grant.hpp"\nnamespace wigwag {}\n',
    "netlink/tunnel_diff.hpp": '#pragma once\n#include "gossip/base/key.hpp"\nnamespace wigwag {}\n',
    "netlink/socket.cpp": "#include <libmnl/libmnl.h>\n#include <boost/asio.hpp>\nnamespace wigwag {}\n",
    "daemon/main.cpp": '#include "gossip/node.hpp"\n#include "netlink/tunnel_diff.hpp"\n#include <spdlog/spdlog.h>\nint main() {}\n',
}


def findings(rule, **changed):
    """What the rule says of the good tree with some files changed; '__' in a name stands for '/', '_hpp' for '.hpp'."""
    tree = dict(GOOD)
    for name, text in changed.items():
        path = name.replace("__", "/")
        for ending in ("hpp", "cpp", "md", "py"):
            if path.endswith("_" + ending):
                path = path[: -len(ending) - 1] + "." + ending
        tree[path] = text
    return [str(finding) for finding in house.RULES[rule](tree)]


def header(*lines):
    return "\n".join(("#pragma once",) + lines + ("namespace wigwag {}", ""))


class AGoodTree(unittest.TestCase):
    def test_breaks_no_rule(self):
        for rule in house.RULES:
            self.assertEqual(findings(rule), [], rule)


class Includes(unittest.TestCase):
    def test_base_knows_nothing_above_it(self):
        found = findings("includes", gossip__base__key_hpp=header('#include "gossip/trust/grant.hpp"'))
        self.assertEqual(len(found), 1)
        self.assertIn("gossip/base/key.hpp:2:", found[0])

    def test_the_node_is_above_its_parts(self):
        self.assertTrue(findings("includes", gossip__trust__grant_hpp=header('#include "gossip/node.hpp"')))

    def test_the_core_does_not_know_the_kernel_nor_the_kernel_the_core(self):
        self.assertTrue(findings("includes", gossip__node_hpp=header('#include "netlink/tunnel_diff.hpp"')))
        self.assertTrue(findings("includes", netlink__tunnel_diff_hpp=header('#include "gossip/node.hpp"')))

    def test_the_difference_engine_does_not_know_the_sockets(self):
        self.assertTrue(findings("includes", netlink__socket_hpp=header(),
                                 netlink__tunnel_diff_hpp=header('#include "netlink/socket.hpp"')))

    def test_the_simulator_does_not_know_the_daemon(self):
        self.assertTrue(findings("includes", daemon__shell_hpp=header(), sim__world_cpp='#include "daemon/shell.hpp"\n'))

    def test_paths_start_at_the_root(self):
        self.assertTrue(findings("includes", gossip__base__key_hpp=header('#include "key.hpp"')))

    def test_a_test_may_include_everything(self):
        self.assertFalse(findings("includes", tests__node__join_cpp='#include "daemon/main.cpp"\n'))


class Doors(unittest.TestCase):
    def test_each_library_has_one(self):
        for include in ("<msgpack.hpp>", "<sodium.h>", "<libmnl/libmnl.h>", "<boost/asio.hpp>", "<spdlog/spdlog.h>",
                        "<toml++/toml.h>", "<CLI/CLI.hpp>", "<nlohmann/json.hpp>"):
            found = findings("doors", gossip__node_hpp=header(f"#include {include}"))
            self.assertEqual(len(found), 1, include)

    def test_a_comment_opens_none(self):
        self.assertFalse(findings("doors", gossip__node_hpp=header("// not #include <sodium.h> here")))


class Purity(unittest.TestCase):
    def test_the_core_looks_nothing_up(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "std::random_device device;", "#include <random>",
                     "std::uniform_int_distribution<int> die;", "#include <sys/socket.h>", "std::cout << 1;",
                     "#include <thread>", "std::shared_ptr<int> p;", "std::unordered_map<int, int> m;", "printf(\"x\");",
                     "std::shuffle(a, b, c);", "getrandom(p, n, 0);"):
            found = findings("purity", gossip__node_hpp=header(line))
            self.assertGreaterEqual(len(found), 1, line)
            self.assertIn("gossip/node.hpp:2:", found[0])

    def test_the_difference_engine_is_pure_too(self):
        self.assertTrue(findings("purity", netlink__tunnel_diff_hpp=header("#include <unistd.h>")))

    def test_words_in_comments_and_texts_are_only_words(self):
        self.assertFalse(findings("purity", gossip__node_hpp=header('// unlike a steady_clock', 'auto s = "random_device";')))

    def test_the_daemon_may_look_at_the_clock(self):
        self.assertFalse(findings("purity", daemon__shell_cpp="auto t = std::chrono::steady_clock::now();\n"))


class Length(unittest.TestCase):
    def test_four_hundred_lines_are_enough(self):
        self.assertFalse(findings("length", gossip__node_hpp="\n" * 400))
        self.assertTrue(findings("length", gossip__node_hpp="\n" * 401))

    def test_scripts_are_code_and_prose_is_not(self):
        self.assertTrue(findings("length", tests__run="#!/bin/sh\n" + "\n" * 400))
        self.assertFalse(findings("length", README_md="\n" * 1000))

    def test_the_list_of_exceptions_does_not_rot(self):
        house.LONG_FILES["gossip/node.hpp"] = "one table"
        try:
            self.assertFalse(findings("length", gossip__node_hpp="\n" * 500))
            self.assertTrue(findings("length"))
        finally:
            del house.LONG_FILES["gossip/node.hpp"]


class Shape(unittest.TestCase):
    def test_headers_are_read_once(self):
        self.assertTrue(findings("shape", gossip__node_hpp="namespace wigwag {}\n"))

    def test_macros_stay_out(self):
        self.assertTrue(findings("shape", gossip__node_hpp=header("#define LIMIT 3")))

    def test_headers_import_no_namespace(self):
        self.assertTrue(findings("shape", gossip__node_hpp=header("using namespace std;")))

    def test_names_are_ours(self):
        self.assertTrue(findings("shape", gossip__node_hpp="#pragma once\nint x;\n"))


class Words(unittest.TestCase):
    def test_nothing_is_left_unfinished(self):
        for text in ("// TODO: later", "FIXME", "it is simple for now"):
            self.assertTrue(findings("words", README_md=text), text)

    def test_no_machine_is_named(self):
        self.assertTrue(findings("words", README_md="see /home/somebody/wigwag"))
        self.assertFalse(findings("words", README_md="see ../home/somewhere and a/home/b"))


class Main(unittest.TestCase):
    def test_an_unknown_rule_is_an_error(self):
        self.assertEqual(house.main(["nonsense"]), 2)


if __name__ == "__main__":
    unittest.main()
