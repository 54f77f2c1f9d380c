#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the compile command of a file and the bytes of every project header that it includes, for a cache key.

tidy_dependencies.py BUILD_DIR FILE, from the source root. Follows quoted includes only: what angle brackets
name comes from Debian packages and changes with the host.
"""
import json
import os
import re
import sys

INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def main(build_dir, file):
    with open(os.path.join(build_dir, "compile_commands.json"), encoding="utf-8") as commands:
        for entry in json.load(commands):
            if entry["file"] == os.path.abspath(file):
                print(entry["command"])
    seen, todo = set(), [file]
    while todo:
        path = todo.pop()
        if path in seen or not os.path.exists(path):
            continue
        seen.add(path)
        with open(path, "rb") as source:
            content = source.read()
        todo += [name.decode() for name in INCLUDE.findall(content)]
    for path in sorted(seen):
        with open(path, "rb") as source:
            sys.stdout.flush()
            sys.stdout.buffer.write(path.encode() + b"\n" + source.read())


main(*sys.argv[1:])
