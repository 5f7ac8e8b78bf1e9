"""Holds each C++ file against the rule that namespaces follow folders.

Usage: namespaces.py FILE... Prints each file that breaks the rule, and exits 1 if there is one.
hwsim/base/x.h is in namespace hwsim and waitctx/base/x.h in waitctx: all rooms of a layer use its
base without naming it. Every other file is in the namespace of its folder: engine/run/x.h in engine::run.
A file may declare in another namespace what has to stand there: a class ahead of its definition, the names
of an enumeration, and PrintTo, which GoogleTest looks for beside its argument.
"""

import os
import re
import sys

OPENS = re.compile(r"^namespace ((?:engine|hwsim|tools|waitctx)(?:::\w+)*) \{", re.MULTILINE)
FORWARD = re.compile(r"^namespace [\w:]+ \{\n(?:(?:class|struct) \w+;\n)+\}", re.MULTILINE)
PRINT = re.compile(r"^namespace [\w:]+ \{\n(?:// [^\n]*\n)*void PrintTo\([^{}]*\);\n\}", re.MULTILINE)
NAMES = re.compile(r"^namespace hwsim \{\n+template <>\ninline constexpr auto kNamesOf<.*?^\}", re.MULTILINE | re.DOTALL)


def expected(path):
    folder = os.path.dirname(path)
    if folder in ("hwsim/base", "waitctx/base"):
        folder = os.path.dirname(folder)
    return folder.replace("/", "::")


def main(paths):
    bad = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = PRINT.sub("", NAMES.sub("", FORWARD.sub("", file.read())))
        for opened in OPENS.findall(text):
            if opened not in (expected(path), expected(path) + "::internal"):
                print(f"{path}: namespace {opened}, not {expected(path)}")
                bad += 1
    return 1 if bad else 0


sys.exit(main(sys.argv[1:]))
