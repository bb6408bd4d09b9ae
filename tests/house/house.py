#!/usr/bin/env python3
"""The rules of the house that a compiler does not check: who may include whom, where each
library has its one door, what the pure core must not know, how long a file may grow.

  tests/house/house.py [RULE ...]     check the tree, print every finding, exit 1 if there is one

Each rule is a function from a tree (a mapping of path to text) to findings, so that
test_house.py can show each rule a tree that breaks it.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}
CODE = (".cpp", ".hpp")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def read_tree(root=ROOT):
    tree = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if SKIPPED_FOLDERS.intersection(relative.parts) or not path.is_file() or path.is_symlink():
            continue
        try:
            tree[relative.as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # Golden vectors and the like are bytes, and have no lines to judge.
    return tree


def code_files(tree, *folders):
    for path, text in tree.items():
        if path.endswith(CODE) and (not folders or path.startswith(folders)):
            yield path, text


def matches(text, pattern):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.search(pattern, line)
        if found:
            yield number, found


# ---- includes: nothing points back ----

# A layer is the first of these prefixes that a path starts with; it may include itself, and the layers
# whose prefixes start as named.
LAYERS = {
    "gossip/base/": (),
    "gossip/trust/": ("gossip/base/",),
    "gossip/status.": ("gossip/base/",),  # What can be seen of the core: nouns that every layer fills in.
    "gossip/membership/": ("gossip/base/", "gossip/trust/", "gossip/status."),
    "gossip/topology/": ("gossip/base/", "gossip/trust/", "gossip/status.", "gossip/membership/"),
    "gossip/": ("gossip/base/", "gossip/trust/", "gossip/status.", "gossip/membership/", "gossip/topology/"),
    "netlink/tunnel_diff": ("gossip/base/",),
    "netlink/": ("gossip/base/", "netlink/tunnel_diff"),
    "daemon/": ("gossip/", "netlink/"),
    "sim/embedded.": (),
    "sim/world/": ("gossip/", "netlink/tunnel_diff"),
    "sim/hostile/": ("gossip/", "sim/world/"),
    "sim/scenario/": ("gossip/base/", "sim/embedded.", "sim/world/", "sim/hostile/"),
    "sim/check/": ("gossip/", "netlink/tunnel_diff", "sim/world/", "sim/hostile/", "sim/scenario/"),
    "sim/run/": ("gossip/", "sim/world/", "sim/hostile/", "sim/scenario/", "sim/check/"),
    "sim/report/": ("gossip/base/", "gossip/status.", "sim/embedded.", "sim/scenario/", "sim/run/"),
    "sim/explore/": ("gossip/base/", "gossip/trust/", "sim/scenario/", "sim/run/", "sim/report/"),
    "sim/replay/": ("gossip/",),
    "sim/": ("gossip/", "sim/"),
}


def layer_of(path):
    return next((prefix for prefix in LAYERS if path.startswith(prefix)), None)


def includes(tree):
    """base <- trust <- membership <- topology <- node; base <- netlink; all of them <- daemon; the core <- sim."""
    for path, text in code_files(tree):
        own = layer_of(path)
        for number, found in matches(text, r'^\s*#\s*include\s+"([^"]+)"'):
            target = found.group(1)
            if target not in tree:
                yield Finding(path, number, f'"{target}" is no file of ours as seen from the repository root')
                continue
            layer = layer_of(target)
            if own is None:
                continue  # Tests may look at everything.
            if layer is None or (layer != own and not layer.startswith(LAYERS[own])):
                yield Finding(path, number, f"{own}* may not include {target}")


# ---- doors: each library behind its own ----

DOORS = {
    r"<msgpack": ("gossip/base/packed.cpp",),
    r"<sodium": ("gossip/trust/crypto.cpp",),
    r"<libmnl/": ("netlink/", "tests/netlink/", "tests/kernel/"),
    r"<boost/": ("netlink/", "daemon/", "tests/netlink/", "tests/kernel/", "tests/daemon/"),
    r"<spdlog/": ("daemon/",),
    r"<toml\+\+/|<toml\.hpp>": ("daemon/", "sim/scenario/"),
    r"<CLI/": ("daemon/", "sim/"),
    r"<nlohmann/": ("daemon/", "sim/", "tests/daemon/", "tests/sim/"),
}


def doors(tree):
    """msgpack, libsodium, libmnl, Asio, spdlog, toml++, CLI11 and the JSON library are each included in one place."""
    for path, text in code_files(tree):
        for pattern, places in DOORS.items():
            if path.startswith(places):
                continue
            for number, _ in matches(text, rf"^\s*#\s*include\s+({pattern})"):
                yield Finding(path, number, f"only {', '.join(places)} may include {pattern.replace(chr(92), '')}…")


# ---- purity: what the core cannot look up ----

IMPURE = {
    r"(system|steady|high_resolution)_clock\b": "has no clock: the caller hands time in",
    r"\b(clock_gettime|gettimeofday|std::time|::time)\s*\(": "has no clock: the caller hands time in",
    r"\b(random_device|mt19937\w*|minstd_rand\w*|getrandom|getentropy|arc4random\w*)\b": "has no randomness of its own",
    r"std::\w+_distribution\b|std::(shuffle|sample|random_shuffle)\b": "draws through our generator alone, whose output is the same everywhere",
    r"#\s*include\s+<(random|thread|mutex|atomic|future|condition_variable|shared_mutex|iostream|fstream|cstdio|stdio\.h|ctime|time\.h)>":
        "has no threads, streams or clock",
    r"#\s*include\s+<(sys/(socket|time|random|types|epoll|stat)|netinet/\w+|net/\w+|linux/[\w/]+|unistd|fcntl|poll|netdb)(\.h)?>":
        "makes no system calls",
    r"\bstd::(cout|cerr|clog|printf)\b|\b(f|sn)?printf\s*\(": "writes nothing: logs belong to the shell",
    r"\bshared_ptr\b": "refers by id: no shared ownership in the core",
    r"\bunordered_(multi)?(map|set)\b": "iterates in an order that is the same everywhere",
}
PURE = ("gossip/", "netlink/tunnel_diff")
IMPURE_ALLOWED = {
    "gossip/base/check.cpp": ("cstdio", "printf"),  # A failed check ends the program, and says why while it can.
    # Remembers what was verified: asked for members, never walked. Holds what simulated nodes share; see Verifier::share.
    "gossip/trust/crypto.hpp": ("unordered_set", "shared_ptr"),
    "gossip/trust/signed.hpp": ("shared_ptr",),  # What was verified and never changes, held once by all simulated nodes.
    "gossip/trust/crypto.cpp": ("unordered_set",),
    "gossip/membership/spread.hpp": ("unordered_set",),  # Remembers which ids were seen: asked, never walked.
}


def purity(tree):
    """gossip/ and the difference engine know no clock, socket, thread, log or foreign randomness."""
    for path, text in code_files(tree, *PURE):
        for pattern, reason in IMPURE.items():
            for number, found in matches(without_comments(text), pattern):
                if not any(word in found.group(0) for word in IMPURE_ALLOWED.get(path, ())):
                    yield Finding(path, number, f"'{found.group(0).strip()}': the core {reason}")


def without_comments(text):
    """The text with // comments and string contents blanked, line by line, so that line numbers stay."""
    blanked = re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda found: '"' + " " * (len(found.group(0)) - 2) + '"'
                     if len(found.group(0)) >= 2 else found.group(0), text)
    return re.sub(r"//[^\n]*", "", blanked)


# ---- shape: length, macros, namespaces ----

LINES_MAX = 400
# A file may be longer where cutting it in two would make two halves of one idea; the reason stands beside it.
LONG_FILES = {}


def length(tree):
    """No file grows past 400 lines unless it is listed with a reason."""
    for path, text in tree.items():
        lines = text.count("\n")
        if not path.endswith(CODE + (".py", ".sh")) and not text.startswith("#!"):
            continue
        if lines > LINES_MAX and path not in LONG_FILES:
            yield Finding(path, lines, f"{lines} lines, more than {LINES_MAX}: is it still one idea?")
    for path in LONG_FILES:
        if path not in tree or tree[path].count("\n") <= LINES_MAX:
            yield Finding(path, 1, "listed as a long file, but is not one")


def shape(tree):
    """Headers have #pragma once, nothing defines macros, and all of ours is in namespace wigwag."""
    for path, text in code_files(tree, "gossip/", "netlink/", "daemon/", "sim/"):
        bare = without_comments(text)
        if path.endswith(".hpp") and not re.search(r"^#pragma once$", text, re.M):
            yield Finding(path, 1, "a header starts with #pragma once")
        for number, _ in matches(bare, r"^\s*#\s*define\b"):
            yield Finding(path, number, "no macros: a constant, a template or a function says it better")
        if path.endswith(".hpp"):
            for number, _ in matches(bare, r"^\s*using\s+namespace\b"):
                yield Finding(path, number, "no 'using namespace' in a header")
        if not re.search(r"\bnamespace wigwag\b", bare) and not re.search(r"\bint main\(", bare):
            yield Finding(path, 1, "everything of ours is in namespace wigwag")


# ---- words: nothing unfinished, nothing about one machine ----

UNFINISHED = r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b"
ELSEWHERE = r"(?<![\w.])/home/\w|/tmp/\w+-?build|/tmp/build-|\bdeb\.debian\.org\b"


def words(tree):
    """No file calls itself unfinished, names a path of somebody's machine or a registry's host."""
    for path, text in tree.items():
        if path.startswith("tests/house/"):
            continue  # The patterns themselves stand here.
        for number, found in matches(text, UNFINISHED):
            yield Finding(path, number, f"'{found.group(0)}': finish it, or say in the README what is missing")
        for number, found in matches(text, ELSEWHERE):
            yield Finding(path, number, f"'{found.group(0)}' belongs to one machine, not to the project")


RULES = {rule.__name__: rule for rule in (includes, doors, purity, length, shape, words)}


def main(names):
    unknown = [name for name in names if name not in RULES]
    if unknown:
        print(f"house: no rule is called {', '.join(unknown)}; there are {', '.join(RULES)}", file=sys.stderr)
        return 2
    tree = read_tree()
    if not any(code_files(tree, "gossip/")):
        print(f"house: no code of ours under {ROOT}: nothing was checked", file=sys.stderr)
        return 2
    findings = [finding for name in names or RULES for finding in RULES[name](tree)]
    for finding in findings:
        print(finding)
    print(f"house: {len(findings)} findings in {len(tree)} files ({', '.join(names or RULES)})")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
