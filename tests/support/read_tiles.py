#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_tiles.py DIR SIZE: reads a tiled log (C2SP tlog-tiles) and compares it with its checkpoint.

Knows nothing of sworn. Exit status 0 where the tree has SIZE entries, every entry bundle hashes to
the level 0 tiles, every tile to the one above, and the root is the one that the checkpoint states.
"""
import base64
import hashlib
import os
import sys


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(hashes):
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node(tree(hashes[:split]), tree(hashes[split:]))


def path(directory, level, index, width):
    digits = f"{index:03d}"
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return os.path.join(directory, "tile", level, name) + (f".p/{width}" if width < 256 else "")


def read(directory, level, count):
    for index in range((count + 255) // 256):
        with open(path(directory, level, index, min(256, count - 256 * index)), "rb") as tile:
            yield tile.read()


def main():
    directory, size = sys.argv[1], int(sys.argv[2])
    with open(os.path.join(directory, "checkpoint"), encoding="utf-8") as note:
        lines = note.read().split("\n")
    assert int(lines[1]) == size, "size"
    leaves = []
    for bundle in read(directory, "entries", size):
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            assert len(bundle) >= 2 + length, "cut bundle"
            leaves.append(hashlib.sha256(b"\x00" + bundle[2 : 2 + length]).digest())
            bundle = bundle[2 + length :]
    assert len(leaves) == size, "entries"
    level, hashes = 0, leaves
    while hashes:
        tiles = b"".join(read(directory, str(level), len(hashes)))
        assert tiles == b"".join(hashes), f"level {level}"
        hashes = [tree(hashes[i : i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    assert tree(leaves) == base64.b64decode(lines[2]), "root"


main()
