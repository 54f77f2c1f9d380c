#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The second half of the stand-alone verifier: a ledger, and a session held against it. Written from docs/ledger.md alone.

    verify_ledger.py /var/lib/sworn/ledger/entries [--trust FILE] [--require-pin] [web1.sworn...]"""
import argparse
import base64
import datetime
import json
import struct
import sys

from verify import (DOMAIN, EXITS, MAJOR, Bad, Cursor, Session, Tree, Unsupported, crc32c, need, read_map, scan, sha,
                    signature_holds, worst)

MAGIC = b"\x89SWL\r\n\x1a\n"
ENTRY = 0x20
GRAVITY = ["LEDGERED", "NO-LEDGER", "INCOMPLETE", "UNPINNED", "NOT-IN-LEDGER", "TRUNCATED", "TAMPERED", "ROLLBACK",
           "LEDGER-BROKEN"]
LEDGER_EXITS = dict(zip(GRAVITY, (0, 0, 2, 4, 3, 3, 3, 3, 3)))
KINDS = {
    "genesis": "ledger_id bin16,scope text,host_id text,uid u32,origin text,checkpoint_key text,first_key bin32,"
               "previous_size u64,previous_root bin",
    "boot": "boot_id text",
    "session_open": "file_id bin16,first_key bin32,header bin32,name text,user text,loginuid i64,audit_session i64",
    "heartbeat": "sessions bin",
    "session_close": "mark bin60,file_digest bin32,exit text",
    "session_lost": "file_id bin16,reason text",
    "recovery": "mark bin60,file_digest bin32,reason text",
    "redaction": "file_id bin16,new_digest bin32,actor text,reason text",
    "retention_delete": "file_id bin16,file_digest bin32,actor text,reason text",
    "key_rotation": "checkpoint_key text,actor text,reason text",
    "anchor": "type text,tree_size u64,root bin32,proof bin",
    "view": "file_id bin16,actor text,what text",
    "review": "file_id bin16,actor text,outcome text,note text",
}


class Facts:
    """What the ledger says of one session."""

    def __init__(self):
        self.opened = self.open = self.closed = self.recovery = self.deletion = None
        self.marks = []


class Ledger:
    def __init__(self, data):
        self.data, self.remarks, self.sessions, self.tree, self.roots = data, [], {}, Tree(), [None]
        self.genesis, self.leaf0, self.last_t, self.good = None, None, 0, 32
        try:
            self.state = self.read()
        except Bad as bad:
            self.remarks.append(f"entry {self.tree.size}: {bad}")
            self.state = "UNSUPPORTED" if isinstance(bad, Unsupported) else "LEDGER-BROKEN"

    def read(self):
        head = self.data[:32]
        need(head[:8] == MAGIC and len(head) == 32, "not a ledger")
        self.id, state = head[16:], "INTACT"
        need(crc32c(head[:12] + self.id) == struct.unpack("<I", head[12:16])[0], "the preamble is damaged")
        need(head[8] == MAJOR and not head[10], "version", Unsupported)
        for record in scan(self.data, self.id, 32):
            if record.type is None:
                self.remarks.append(f"the last {record.skipped} bytes are no whole entry")
                state = "TORN"
                break
            need(not record.skipped, "unreadable bytes, and entries behind them")
            need(record.type == ENTRY and record.number == self.tree.size, "another record stands here")
            self.entry(record)
            self.good = record.end
        need(self.tree.size, "not one entry")
        return state

    def entry(self, record):
        r = Cursor(record.body)
        stored = r.take(*r.unpack("H"))
        next_key, signature = r.take(32), r.take(64)
        need(not r.left(), "bytes behind the entry")
        common = read_map(stored, "kind text,wall_us i64,mono_us i64")
        kind = common.kind.decode("utf-8", "replace")
        need(kind, "no kind")
        fact = read_map(stored, KINDS[kind]) if kind in KINDS else None
        need((kind == "genesis") == (not self.tree.size), "genesis is the first entry and no other is")
        if kind == "genesis":
            need(fact.ledger_id == self.id, "the genesis of another ledger")
            need(len(fact.previous_root) in (0, 32), "previous_root")
            self.key = fact.first_key
        need(kind == "boot" or common.mono_us >= self.last_t, "the time since boot goes back")
        leaf = sha(b"\0", stored)
        tree = Tree(self.tree.size, self.tree.parts).add(leaf)
        message = DOMAIN + b"ledger\0" + self.id + struct.pack("<Q", tree.size) + tree.root() + next_key
        need(signature_holds(self.key, message, signature), "the signature does not hold")
        self.tree, self.key, self.last_t = tree, next_key, common.mono_us
        self.roots.append(tree.root())
        self.on_fact(kind, fact, leaf)

    def facts(self, file_id):
        return self.sessions.setdefault(file_id, Facts())

    def on_fact(self, kind, fact, leaf):
        if kind == "genesis":
            self.genesis, self.leaf0 = fact, leaf
        elif kind == "session_open":
            facts = self.facts(fact.file_id)
            need(facts.open is None, "a session is opened for the second time")
            facts.opened, facts.open = self.tree.size - 1, fact
        elif kind == "heartbeat":
            need(len(fact.sessions) % 60 == 0 and len(fact.sessions) <= 60_000, "marks of a wrong size")
            for at in range(0, len(fact.sessions), 60):
                self.mark(fact.sessions[at:at + 60])
        elif kind in ("session_close", "recovery"):
            facts = self.mark(fact.mark)
            need(kind == "recovery" or facts.closed is None, "a session is closed for the second time")
            setattr(facts, "closed" if kind == "session_close" else "recovery", fact)
        elif kind == "retention_delete":
            self.facts(fact.file_id).deletion = fact

    def mark(self, data):
        file_id, seal, size, root = struct.unpack("<16sIQ32s", data)
        facts = self.facts(file_id)
        if facts.marks:
            last = facts.marks[-1]
            need(seal >= last[0] and size >= last[1] and (size > last[1] or root == last[2]), "a session went back")
        facts.marks.append((seal, size, root))
        return facts


def read_trust(text):
    """Parts of a trust store, one dictionary for each ledger; a key may occur several times only where it is a list."""
    parts, everywhere = [], {"redactor": []}
    lines = [line.split("#")[0].split() if line.startswith("#") else line.split() for line in text.splitlines()]
    for words in filter(None, lines):
        if words[0] == "ledger":
            parts.append({"id": words[1], "redactor": []})
        elif words[0] == "redactor":
            (parts[-1] if parts else everywhere)["redactor"].append(bytes.fromhex(words[1]))
        elif parts:
            parts[-1][words[0]] = words[1:]
    return parts, everywhere["redactor"] + [key for part in parts for key in part["redactor"]]


def compare(session, ledger, trust=(), require_pin=False):
    """The verdict about a session that is held against a ledger, and why."""
    found, remarks = ["LEDGERED"], []

    def blame(verdict, text):
        found.append(verdict)
        remarks.append(f"{verdict}: {text}")

    reference = None
    if session.header and session.header.ledger:
        try:
            reference = read_map(session.header.ledger, "ledger_id bin16,genesis bin32,size u64,root bin32")
        except Bad as bad:
            blame("NOT-IN-LEDGER", f"the header's reference: {bad}")
    if ledger.state in ("LEDGER-BROKEN", "UNSUPPORTED"):
        blame("LEDGER-BROKEN", ledger.remarks[-1])
    genesis, pin = ledger.genesis, None
    if genesis:
        pin = next((part for part in trust if part["id"] == genesis.ledger_id.hex()), None)
        host = [part for part in trust if part.get("host", [""])[0] == genesis.host_id.decode("utf-8", "replace")]
        if pin is None and host and genesis.scope == b"host":
            blame("ROLLBACK", "the host has another ledger in the trust store")
    if (pin is None or pin["pinned"][0] != "administrator") and require_pin:
        blame("UNPINNED", "no administrator vouches for this ledger")
    if pin:
        if pin["genesis"][0] != (ledger.leaf0 or b"").hex():
            blame("LEDGER-BROKEN", "another genesis entry than the pinned one")
        if "seen" in pin:
            grown_from(ledger, int(pin["seen"][0]), base64.b64decode(pin["seen"][1]), blame)
    if reference and ledger.tree.size:
        if (reference.ledger_id, reference.genesis) != (ledger.id, ledger.leaf0):
            blame("NOT-IN-LEDGER", "the session belongs to another ledger")
        else:
            grown_from(ledger, reference.size, reference.root, blame)
    held_against(session, ledger, reference, pin, blame, found)
    return max(found, key=GRAVITY.index), remarks


def grown_from(ledger, size, root, blame):
    if size > ledger.tree.size:
        blame("ROLLBACK", f"the ledger had {size} entries before, now it has {ledger.tree.size}")
    elif ledger.roots[size] != root:
        blame("ROLLBACK", f"the first {size} entries are others than before")


def held_against(session, ledger, reference, pin, blame, found):
    facts = ledger.sessions.get(session.id) if session.header else None
    if not session.header:
        found.append("NOT-IN-LEDGER")
        return
    if facts is None or facts.open is None:
        since = pin and pin.get("sealed-since") and pin.get("host", [""])[0].encode() == session.header.host_id
        since = since and datetime.datetime.fromisoformat(pin["sealed-since"][0].replace("Z", "+00:00")).timestamp()
        if reference or (since and session.header.started_us >= since * 1e6):
            blame("NOT-IN-LEDGER", "no entry knows this session, and one should")
        else:
            found.append("NO-LEDGER")
        return
    if facts.open.first_key != session.header.first_key or facts.open.header != session.leaf0:
        blame("TAMPERED", "another header than the one that was opened")
    if reference and facts.opened < reference.size:
        blame("TAMPERED", "opened before the ledger that its header names")
    for seal, size, root in facts.marks:
        if seal >= len(session.marks):
            blame("TRUNCATED", f"the ledger saw seal {seal}, the file has {len(session.marks)}")
            break
        if session.marks[seal] != (size, root):
            blame("TAMPERED", f"at seal {seal} the ledger saw another history")
            break
    if facts.closed:
        if not session.final:
            blame("TRUNCATED", "the ledger saw the end of the session")
    else:
        found.append("INCOMPLETE")
        if facts.recovery and facts.recovery.file_digest != sha(session.data):
            blame("TAMPERED", "changed after what the interruption left was recorded")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ledger")
    parser.add_argument("sessions", nargs="*")
    parser.add_argument("--trust", metavar="FILE", help="a trust store")
    parser.add_argument("--require-pin", action="store_true", help="UNPINNED where no administrator vouches")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        with open(args.ledger, "rb") as file:
            ledger = Ledger(file.read())
        trust, redactors = (), []
        if args.trust:
            with open(args.trust, encoding="utf-8") as file:
                trust, redactors = read_trust(file.read())
        exits = [3 if ledger.state == "LEDGER-BROKEN" else 6 if ledger.state == "UNSUPPORTED" else 0]
        report = {"ledger": args.ledger, "state": ledger.state, "entries": ledger.tree.size, "root": ledger.tree.root().hex(),
                  "genesis": (ledger.leaf0 or b"").hex(), "remarks": ledger.remarks, "sessions": []}
        present = set()
        for path in args.sessions:
            with open(path, "rb") as file:
                session = Session(file.read(), redactors)
            verdict, remarks = compare(session, ledger, trust, args.require_pin)
            present.add(session.id if session.header else None)
            exits += [EXITS[session.verdict], LEDGER_EXITS[verdict]]
            report["sessions"].append({"path": path, "verdict": session.verdict, "ledger_verdict": verdict,
                                       "remarks": session.remarks + remarks})
        report["missing"] = [file_id.hex() for file_id, facts in ledger.sessions.items()
                             if facts.open and not facts.deletion and file_id not in present]
    except OSError as error:
        print(f"verify_ledger: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(report))
    else:
        print(f"{args.ledger}\n  {ledger.state}, {ledger.tree.size} entries, genesis {report['genesis']}")
        print("".join(f"  {text}\n" for text in ledger.remarks), end="")
        for session in report["sessions"]:
            print(f"{session['path']}\n  {session['verdict']}, {session['ledger_verdict']}")
            print("".join(f"  {text}\n" for text in session["remarks"]), end="")
        print(f"sessions in the ledger that were not given: {len(report['missing'])}")
    return worst(exits)


if __name__ == "__main__":
    sys.exit(main())
