#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""witness.py STATE LOG_VKEY NAME < REQUEST: one add-checkpoint call of a C2SP witness, for tests.

STATE holds "size base64-root"; the key's seed is 32 times 0x07. Answers on standard output: the HTTP
status, the content type, the body. Written from the specification only.
"""
import base64
import hashlib
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = int(os.environ.get("WITNESS_NOW", "1795224300"))


def answer(status, body="", kind="text/plain"):
    sys.stdout.buffer.write(f"{status}\n{kind}\n{body}".encode())
    sys.exit(0)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(size1, root1, size2, root2, proof):
    """RFC 9162, section 2.1.4.2."""
    if not proof:
        return False
    if size1 & (size1 - 1) == 0:
        proof = [root1] + proof
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == root1 and sr == root2 and sn == 0


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def main():
    state_path, vkey, name = sys.argv[1:4]
    log_name, _, log_key = vkey.split("+", 2)
    log_public = base64.b64decode(log_key)[1:]
    head, checkpoint = sys.stdin.buffer.read().decode().split("\n\n", 1)
    lines = head.split("\n")
    old, proof = int(lines[0].removeprefix("old ")), [base64.b64decode(x) for x in lines[1:]]
    text, signatures = checkpoint.rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    size, root = int(size), base64.b64decode(root)
    if origin != log_name:
        answer(404)
    good = False
    for line in signatures.splitlines():
        _, who, value = line.split(" ")
        value = base64.b64decode(value)
        if who == log_name and value[:4] == key_id(log_name, 1, log_public):
            try:
                Ed25519PublicKey.from_public_bytes(log_public).verify(value[4:], text.encode())
                good = True
            except InvalidSignature:
                pass
    if not good:
        answer(403)
    if old > size:
        answer(400)
    seen, seen_root = 0, b""
    if os.path.exists(state_path):
        with open(state_path, encoding="ascii") as state:
            words = state.read().split()
            seen, seen_root = int(words[0]), base64.b64decode(words[1])
    if old != seen:
        answer(409, f"{seen}\n", "text/x.tlog.size")
    if seen == size:
        if seen_root != root:
            answer(409)
    elif seen != 0 and not consistent(seen, seen_root, size, root, proof):
        answer(422)
    with open(state_path, "w", encoding="ascii") as state:
        state.write(f"{size} {base64.b64encode(root).decode()}")
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(f"cosignature/v1\ntime {NOW}\n{text}".encode())
    value = key_id(name, 4, public) + struct.pack(">Q", NOW) + signature
    answer(200, f"\u2014 {name} {base64.b64encode(value).decode()}\n")


main()
