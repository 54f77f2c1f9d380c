#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stand-alone verifier of sworn recordings, written from docs/format.md alone; it shares no code with sworn. Needs Python 3.9,
its package `cryptography`, and libzstd. Ledgers: verify_ledger.py.

    verify.py web1.sworn
    verify.py --json --redactor 8f0a... *.sworn

Exit: 0 intact, 1 usage or I/O, 2 a valid prefix only, 3 tampered, 4 unsealed or locked, 5 redacted by somebody who is not
named, 6 unsupported. With several files the first of 3 1 6 5 4 2 0. Encrypted events are not opened: that takes a key."""
import argparse
import ctypes
import functools
import hashlib
import json
import struct
import sys
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAJOR = 0
DOMAIN = b"sworn/v%d/" % MAJOR
MAGIC, SYNC = b"\x89SWN\r\n\x1a\n", b"\x1a\xe1\xa7\xd5"
HEADER, CHUNK, SEAL, BOX, END, INDEX, REDACTION, RECOVERED, FOOTER = 1, 3, 4, 5, 8, 9, 10, 11, 255
MIB, I64_MAX, U64_MAX = 1 << 20, (1 << 63) - 1, (1 << 64) - 1
EXITS = {"SELF-CONSISTENT": 0, "INCOMPLETE": 2, "UNSEALED": 4, "REDACTION-REFUSED": 5, "UNSUPPORTED": 6, "TAMPERED": 3,
         "LOCKED": 4, "NOT-A-SESSION": 1}

class Bad(Exception):
    """What the bytes say does not hold."""
class Unsupported(Bad):
    """A version or form that the page does not describe."""
def need(holds, text, kind=Bad):
    if not holds:
        raise kind(text)
def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

CRC = list(range(256))  # the Castagnoli polynomial, reflected
for _ in range(8):
    CRC = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in CRC]

@functools.lru_cache(maxsize=4096)
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF

@functools.lru_cache(maxsize=4096)
def signature_holds(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False

class Tree:
    """RFC 9162, incremental: the roots of the complete subtrees, largest first."""
    def __init__(self, size=0, parts=()):
        self.size, self.parts = size, list(parts)
    def add(self, leaf):
        bits, self.size = self.size, self.size + 1
        while bits & 1:
            leaf, bits = sha(b"\x01", self.parts.pop(), leaf), bits >> 1
        self.parts.append(leaf)
        return self
    def root(self):
        parts = reversed(self.parts or [sha()])
        return functools.reduce(lambda right, left: sha(b"\x01", left, right), parts)

class Cursor:
    """Reads bytes, and refuses to run over their end."""
    def __init__(self, data):
        self.data, self.at = data, 0
    def take(self, n):
        need(0 <= n <= self.left(), "cut off")
        self.at += n
        return self.data[self.at - n:self.at]
    def unpack(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
    def left(self):
        return len(self.data) - self.at
    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value, shift = value | (byte & 127) << shift, shift + 7
            need(shift <= 70 and value <= U64_MAX, "a number of more than 64 bits")
            if byte < 128:
                return value
    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

class Text(bytes):
    """A msgpack str; a bin is plain bytes, an array a list, a map a tuple of pairs."""
WIDTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}

def unpack(r, depth=0):
    tag = r.take(1)[0]
    if tag < 0x80 or tag >= 0xE0:
        return tag if tag < 0x80 else tag - 256
    if tag in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[tag]
    if tag in (0xCA, 0xCB):
        return struct.unpack(">f" if tag == 0xCA else ">d", r.take(4 if tag == 0xCA else 8))[0]
    if 0xCC <= tag <= 0xD3:
        return int.from_bytes(r.take(1 << (tag & 3)), "big", signed=tag >= 0xD0)
    need(tag < 0xC0 or tag in WIDTHS, "a type that maps do not use")
    n = tag & (15 if tag < 0xA0 else 31) if tag < 0xC0 else int.from_bytes(r.take(WIDTHS[tag]), "big")
    if 0xA0 <= tag <= 0xDB:
        return r.take(n) if 0xC4 <= tag <= 0xC6 else Text(r.take(n))
    need(n <= 65536 and depth < 8, "a value that is too large or too deep")
    if 0x90 <= tag <= 0x9F or tag in (0xDC, 0xDD):
        return [unpack(r, depth + 1) for _ in range(n)]
    return tuple((unpack(r, depth + 1), unpack(r, depth + 1)) for _ in range(n))
FORMS = {"text": (lambda v: isinstance(v, Text), Text()), "bin": (lambda v: type(v) is bytes, b""),  # how known, default
         **{name: (lambda v, low=low, high=high: type(v) is int and low <= v <= high, 0) for name, low, high in
            (("u32", 0, (1 << 32) - 1), ("u64", 0, U64_MAX), ("i64", -I64_MAX - 1, I64_MAX))},
         "list": (lambda v: type(v) is list, []), "bool": (lambda v: type(v) is bool, False),
         **{f"bin{n}": (lambda v, n=n: type(v) is bytes and len(v) == n, None) for n in (16, 32, 60)}}  # needed

def read_map(data, fields):
    """The wanted fields ("name form", ...) of a map; others are ignored."""
    r = Cursor(data)
    need(0 < len(data) <= MIB, "a map of an impossible size")
    pairs = unpack(r)
    need(type(pairs) is tuple and not r.left(), "no map, or bytes behind it")
    found = {key: value for key, value in pairs if isinstance(key, Text)}
    need(len(found) == len(pairs), "a key that is no text, or a doubled one")
    out = {}
    for name, form in (field.split() for field in fields.split(",")):
        holds, default = FORMS[form]
        out[name] = found.get(name.encode(), default)
        need(holds(out[name]), f"no {name}, or one of a wrong type")
    return argparse.Namespace(**out)

class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]
class Zstd:
    """One group: one zstd frame, fed part by part."""
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_createDCtx.restype, lib.ZSTD_decompressStream.restype = ctypes.c_void_p, ctypes.c_size_t
    def __init__(self):
        self.context, self.begun, self.over, self.raw = ctypes.c_void_p(self.lib.ZSTD_createDCtx()), False, False, 0
        self.lib.ZSTD_DCtx_setParameter(self.context, 100, 18)  # the largest window
    def __del__(self):
        self.lib.ZSTD_freeDCtx(self.context)
    def part(self, stored, n):
        need(self.begun or stored[:4] == b"\x28\xb5\x2f\xfd", "no zstd frame")
        self.begun = True
        room = ctypes.create_string_buffer(n + 1)
        out, source = Buffer(ctypes.cast(room, ctypes.c_char_p), n + 1, 0), Buffer(stored, len(stored), 0)
        while source.pos < source.size or not self.over:
            need(not self.over, "bytes behind the zstd frame")
            before = source.pos, out.pos
            left = self.lib.ZSTD_decompressStream(self.context, ctypes.byref(out), ctypes.byref(source))
            need(left < U64_MAX - 999, "damaged zstd")
            self.over = left == 0
            if (source.pos, out.pos) == before:
                break
        need(source.pos == source.size and out.pos == n, "another length than announced")
        return room.raw[:n]

Chunk = namedtuple("Chunk", "number n first t0 t1 root raw flags form nodes stored stated found")
Event = namedtuple("Event", "number kind t at data commitment")

def parse_chunk(body, file_id=b""):
    r = Cursor(body)
    number, n, first, t0, t1, root, raw, flags, form, m = r.unpack("IIQQQ32sIBBH")
    need(0 < n <= 1 << 18 and t0 <= t1 <= I64_MAX and first + n <= U64_MAX and raw <= MIB and flags < 8, "fields of a chunk")
    need(form < 2, "salt form", Unsupported)
    need(form or m == 1, "no seed")
    stated, found = (r.take(32), sha(b"\x03", file_id, body[64:72], body[104:])) if flags & 6 else (b"", b"")
    nodes = [] if flags & 2 else [r.take(32) for _ in range(m)]
    return Chunk(number, n, first, t0, t1, root, raw, flags, form, nodes, r.take(r.left()), stated, found)

def parse_columns(chunk, columns):
    r, t, times, ats, events = Cursor(columns), chunk.t0, [], [], []
    kinds, low = r.take(chunk.n), r.take(chunk.n)
    for byte in low:
        t += r.varint() << 8 | byte
        times.append(t)
    need(times[0] == chunk.t0 and t == chunk.t1, "times")
    for kind, t in zip(kinds, times):
        earlier = r.zigzag() if kind & 64 else 0
        need(kind & 63 and 0 <= earlier <= t and bool(earlier) == bool(kind & 64), "kind, or time of happening")
        ats.append(t - earlier)
    lengths = [r.varint() for _ in kinds]
    for j, kind in enumerate(kinds):
        commitment = r.take(32) if kind & 128 else None
        length = lengths[j] - (32 if kind & 128 else 0)
        need(length <= 65536, "an event that is too large")
        events.append(Event(chunk.first + j, kind & 63, times[j], ats[j], r.take(length), commitment))
    need(not r.left(), "bytes behind the events")
    return events

def open_chunk(chunk, group):
    events, nodes, salts, tree = parse_columns(chunk, group.part(chunk.stored, chunk.raw)), list(chunk.nodes), {}, Tree()
    removed = [event.commitment is not None for event in events]
    need(chunk.form or not any(removed), "a redacted event beside its seed")
    def visit(start, width, node):
        if node is None and not any(removed[start:start + width]):
            need(nodes, "a salt node is missing")
            node = nodes.pop(0)
        salts[start] = node
        for prefix, child in ((b"\x10", start), (b"\x11", start + width // 2)):
            if width > 1 and child < chunk.n:
                visit(child, width // 2, node and sha(prefix, node))

    visit(0, 1 << (chunk.n - 1).bit_length(), None)
    need(not nodes, "a salt node too many")
    for j, event in enumerate(events):
        own = event.commitment or sha(b"\x02", salts[j], struct.pack("<I", len(event.data)), event.data)
        tree.add(sha(b"\0\0", struct.pack("<qqBI", event.t, event.at, event.kind, j), own))
    need(tree.root() == chunk.root, "not the events that it commits to")
    return events

Record = namedtuple("Record", "at skipped type number body end")

def scan(data, file_id, at):
    """Records, one behind the other; in the end one of type None that skips what trails."""
    def record(place):
        head = data[place:place + 20]
        if len(head) < 20 or head[:4] != SYNC or any(head[5:8]):
            return None
        number, n, crc = struct.unpack("<III", head[8:])
        body = data[place + 20:place + 20 + n]
        if n > 16 * MIB or len(body) < n or crc32c(file_id + head[4:16] + body) != crc:
            return None
        return Record(place, place - at, head[4], number, body, place + 20 + n)

    while at < len(data):
        place, found = at, record(at)
        while not found and place >= 0:
            place = data.find(SYNC, place + 1)
            found = record(place) if place >= 0 else None
        yield found or Record(len(data), len(data) - at, None, 0, b"", len(data))
        at = found.end if found else len(data)

def frame(file_id, kind, number, body):
    head = struct.pack("<BBHII", kind, 0, 0, number, len(body))
    return SYNC + head + struct.pack("<I", crc32c(file_id + head + body)) + body
def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

Open = namedtuple("Open", "number leaf held at")
HEADER_MAP = ("host_id text,boot_id text,suite u32,first_key bin32,started_us i64,started_mono_us i64,sync text,mode text,"
              "seal_max_interval_ms u32,seal_heartbeat_ms u32,recorder_version text,recorder_digest text,policy_digest text,"
              "ledger bin,encryption bin,redactors bin")
REDACTION_MAP = ("source_digest bin32,actor text,reason text,when_us i64,events u64,list_digest bin32,key bin32,"
                 "stored bin,key_box bin")
RECOVERED_MAP = "source_digest bin32,tail_digest bin32,reason text,when_us i64,key bin32,content text"

class Session:
    def __init__(self, data, redactors=()):
        self.data, self.redactors, self.remarks, self.suspicions, self.open, self.marks = data, redactors, [], [], [], []
        self.broken = self.unsupported = self.final = self.recovered = self.end = self.hint_seen = False
        self.id = self.header = self.group = self.leaf0 = None
        self.tree, self.index, self.redactions, self.hints = Tree(), [], [], b""
        self.seals = self.events = self.sealed_bytes = self.gaps = self.redacted = self.late_bytes = self.rewritten = self.closed_chunks = 0
        self.first_open = self.next_chunk = self.next_event = self.last_t = self.seal_t = self.next_recovered = 0
        self.next_number, self.list, self.stored, self.box = 1, hashlib.sha256(), hashlib.sha256(), b""
        self.verdict = self.conclude()
    def tampered(self, text):
        self.broken = self.broken or not self.unsupported
        self.remarks.append(text)
    def conclude(self):
        records = scan(self.data, self.data[16:32], 32)
        try:
            verdict = self.read_head(records)
        except Bad as bad:
            self.header, self.remarks = None, [str(bad)]
            verdict = "UNSUPPORTED" if isinstance(bad, Unsupported) else "TAMPERED"
        if verdict:
            return verdict
        for record in records:
            self.take(record)
        self.remarks += [text + " (behind the last seal)" for text in self.suspicions]
        refused = False
        if self.redacted or self.redactions or self.rewritten or self.box[:1] == b"\3":
            last, whole = self.redactions[-1] if self.redactions else None, not self.closed_chunks
            fits = last and (not whole or (last.events, last.list_digest) == (self.redacted, self.list.digest()))
            again = (self.stored.digest(), sha(self.box)) if self.header.encryption else (b"", b"")
            again = again if self.rewritten else (b"", b"")
            if not fits or (last.stored, last.key_box) != again or self.rewritten not in (0, len(self.index)):
                self.tampered("no redaction note accounts for exactly what was removed")
            keys = self.header.redactors
            named = {keys[i:i + 32] for i in range(0, len(keys) - 31, 32)}.union(self.redactors)
            refused = any(note.key not in named for note in self.redactions)
        return ("TAMPERED" if self.broken else "UNSUPPORTED" if self.unsupported else "REDACTION-REFUSED" if refused else
                "LOCKED" if self.rewritten and self.closed_chunks else "UNSEALED" if not self.seals else
                "SELF-CONSISTENT" if self.final and not self.recovered else "INCOMPLETE")
    def read_head(self, records):
        head = self.data[:32]
        if head[:8] != MAGIC or len(head) < 32:
            return "UNSEALED" if head[:8] == MAGIC else "NOT-A-SESSION"
        self.id = head[16:]
        need(crc32c(head[:12] + self.id) == struct.unpack("<I", head[12:16])[0], "the preamble is damaged")
        need(head[8] == MAJOR and not head[10], f"version {head[8]}.{head[9]}, incompat {head[10]}", Unsupported)
        first = next(records, None)
        if not first or first.type is None:
            return "UNSEALED"
        need(first.at == 32 and first.type == HEADER and not first.number, "no header")
        self.header = read_map(first.body, HEADER_MAP)
        need(self.header.suite == 1, "suite", Unsupported)
        need(any(self.header.first_key), "the header has no key")
        if self.header.encryption:
            scheme = read_map(self.header.encryption, "scheme u32,recipients list,groups list,detached bool")
            need(scheme.scheme == 1, "scheme", Unsupported)
            sizes, names = scheme.groups, scheme.recipients
            need(all(isinstance(name, Text) for name in names) and all(FORMS["u32"][0](n) and n for n in sizes), "recipients")
            need(0 < len(sizes) <= 8 and sum(sizes) == len(names), "groups of recipients")
        self.key, self.leaf0 = self.header.first_key, sha(b"\0\x01", bytes(4), head, first.body)
        self.open.append(Open(0, self.leaf0, True, 32))
        return None
    def add_leaf(self, record, covered, held=True):
        leaf = sha(b"\0", struct.pack("<BI", record.type, record.number), covered)
        self.open.append(Open(record.number, leaf, held, record.at))
    def on_box(self, record):
        self.add_leaf(record, record.body[:64])
        r = Cursor(record.body)
        try:
            need(record.number == 1 and self.header.encryption and not self.box, "it does not belong there")
            _, recorded, form, n, zero = r.unpack("32s32sBBH")
            need(form < 4 and not zero and n <= 8 and (form == 3 or (n == 0) == (form == 1)), "its form")
            r.take(32 if form == 3 else 0)
            boxes = [r.take(r.unpack("I")[0]) for _ in range(n)]
            need(not r.left() and all(len(box) <= 1 << 17 for box in boxes), "its size")
            need(form or sha(record.body[68:]) == recorded, "other boxes than the recorder's")
        except Bad as bad:
            self.suspicions.append(f"the key box at {record.at}: {bad}")
        self.box = record.body[64:] or b"?"
    def take(self, record):
        kind = record.type
        if record.skipped:
            where = self.remarks if self.final or kind is None else self.suspicions
            where.append(f"{record.skipped} bytes before {record.at} are no record")
            self.group = None
        if kind is None or self.final:
            return self.behind_final(record) if kind is not None else None
        if record.number != self.next_number:
            self.suspicions.append(f"record {record.number} at {record.at} where {self.next_number} belongs")
        self.next_number = record.number + 1 & 0xFFFFFFFF
        if self.recovered and kind != RECOVERED:
            self.tampered("a record behind RECOVERED")
        if self.end and kind != SEAL:
            self.suspicions.append("a record behind END")
        if self.header.encryption and not self.box and kind != BOX:
            self.suspicions.append("an encrypted session without its key box")
            self.box = b"?"
        known = {CHUNK: self.on_chunk, SEAL: self.on_seal, END: self.on_end, RECOVERED: self.on_recovered, BOX: self.on_box}
        if kind in known:
            known[kind](record)
        elif 0x80 <= kind <= 0xBF or kind in (2, 6):
            self.add_leaf(record, record.body)
        elif kind in (HEADER, INDEX, FOOTER):
            self.tampered(f"a record of type {kind} at {record.at}")
        else:
            self.unsupported = True
            self.remarks.append(f"a critical record of type {kind} at {record.at}")
    def on_chunk(self, record):
        held, group, self.group = True, self.group, None  # lost, unless the columns come out
        try:
            chunk = parse_chunk(record.body, self.id)
        except Bad as bad:
            self.unsupported = self.unsupported or isinstance(bad, Unsupported)
            (self.remarks if isinstance(bad, Unsupported) else self.suspicions).append(f"chunk at {record.at}: {bad}")
            self.add_leaf(record, b"", False)
            return
        if (chunk.number, chunk.first) != (self.next_chunk, self.next_event) or chunk.t0 < self.last_t:
            self.suspicions.append(f"chunk {chunk.number} at {record.at} is out of order")
        try:
            self.rewritten += bool(chunk.flags & 4)
            self.closed_chunks += bool(chunk.flags & 2)
            if chunk.flags & 4:
                self.stored.update(struct.pack("<I32s", chunk.number, chunk.found))
            if bool(chunk.stated) != bool(self.header.encryption) or (chunk.stated != chunk.found and not chunk.flags & 4):
                group = None
                raise Bad("not the stored bytes that were sealed")
            group = Zstd() if chunk.flags & 1 else group
            need(group, "the beginning of its group is lost")
            group.raw += chunk.raw
            need(group.raw <= MIB, "a group that is too large")
            for event in open_chunk(chunk, group) if not chunk.flags & 2 else ():
                self.gaps += event.kind == 18 and event.commitment is None
                if event.commitment is not None:
                    self.redacted += 1
                    self.list.update(struct.pack("<Q32sI", event.number, event.commitment, len(event.data)) + event.data)
        except Bad as bad:
            held = False
            self.suspicions.append(f"chunk {chunk.number} at {record.at}: {bad}")
        self.group = group
        self.add_leaf(record, record.body[:64] + chunk.stated, held)
        self.index.append((record.at, chunk.n, chunk.t0, chunk.t1, chunk.raw << 1 | chunk.flags & 1))
        self.next_chunk, self.next_event, self.last_t = chunk.number + 1 & 0xFFFFFFFF, chunk.first + chunk.n, chunk.t1
    def on_end(self, record):
        self.add_leaf(record, record.body)
        self.end = record if len(record.body) == 28 else self.end
        *counts, self.late_bytes, _ = struct.unpack("<QIQQ", record.body) if len(record.body) == 28 else (None, 0, 0)
        if counts != [self.next_event, self.next_chunk]:
            self.suspicions.append("END of another form, or with other counts")
    def on_seal(self, record):
        for text in self.suspicions:
            self.tampered(text)
        self.suspicions, body = [], record.body
        fixed = struct.unpack("<IHHqq32s64s", body[:120]) if len(body) >= 120 else None
        if not fixed or fixed[1] > 7 or len(body) != 120 + 32 * fixed[2] or fixed[0] != self.seals:
            self.tampered(f"the seal at {record.at} is malformed or out of order")
            return
        number, flags, m, t, wall, next_key, signature = fixed
        leaves, tree = [body[i:i + 32] for i in range(120, len(body), 32)], Tree(self.tree.size, self.tree.parts)
        root = functools.reduce(Tree.add, leaves, tree).root()
        message = DOMAIN + b"seal\0" + self.id + struct.pack("<IHHQ", number, flags, m, tree.size) + root
        if not signature_holds(self.key, message + struct.pack("<qq", t, wall) + next_key, signature):
            self.tampered(f"the signature of seal {number} does not hold")
            return
        missing = set(range(m))
        for leaf in self.open:
            place = leaf.number - self.first_open
            if place not in missing or (leaf.held and leaves[place] != leaf.leaf):
                self.tampered(f"record {leaf.number} at {leaf.at} is not the one that was sealed")
            missing.discard(place)
        for place in missing:
            self.tampered(f"record {self.first_open + place} is missing")
        if t < self.seal_t or (self.index and t < self.last_t):
            self.tampered("a seal is older than what it covers")
        if (flags & 1) == any(next_key) or (flags & 1) != bool(self.end):
            self.tampered("final seal, END and next key do not fit")
        self.tree, self.key, self.seal_t, self.open = tree, next_key, t, []
        self.first_open, self.seals, self.sealed_bytes, self.events = record.number + 1, number + 1, record.end, self.next_event
        self.marks.append((tree.size, root))
        if flags & 1:
            self.final = record
            self.derive_hints(record)
    def signed_note(self, record, domain, layout, head=b""):
        note, signed = read_map(head or record.body[:-64], layout), record.body[:-64]
        need(signature_holds(note.key, DOMAIN + domain + b"\0" + self.id + sha(signed), record.body[-64:]), "signature")
        return note
    def on_recovered(self, record):
        if not self.recovered:
            self.next_recovered = self.next_event
            if len(self.open) != (0 if self.seals else 2 if self.header.encryption else 1) or self.suspicions:
                self.tampered("RECOVERED does not stand behind the last seal")
        self.recovered, r = True, Cursor(record.body[:-64])
        try:
            note = self.signed_note(record, b"recovered", RECOVERED_MAP, r.take(*r.unpack("I")))
            first = self.next_recovered
            while note.content == b"tail" and r.left():
                _, number, length = r.unpack("QQI")
                need(length <= 65569 and len(r.take(length)) == length, "an entry of the tail that is too large")
                need(number == self.next_recovered or number > first == self.next_recovered, "numbers")
                self.next_recovered = number + 1
            need(note.content in (b"", b"chunk", b"tail"), "content")
            if r.left() or note.content == b"chunk":
                chunk = parse_chunk(r.take(r.left()))
                need(note.content or not chunk.form and not chunk.flags & 2 and open_chunk(chunk, Zstd()), "its chunk")
                need(chunk.first >= self.next_recovered, "an event for the second time")
                self.next_recovered = chunk.first + chunk.n
        except Bad as bad:
            self.tampered(f"RECOVERED at {record.at}: {bad}")
    def behind_final(self, record):
        if record.type == REDACTION and not self.hint_seen:
            try:
                self.redactions.append(self.signed_note(record, b"redaction", REDACTION_MAP))
            except Bad as bad:
                self.tampered(f"REDACTION at {record.at}: {bad}")
            self.derive_hints(record)
        elif record.type not in (INDEX, FOOTER):
            self.tampered("a record behind the final seal")
        else:
            self.hint_seen, place, whole = True, record.at - self.hints_at, self.data[record.at:record.end]
            if not self.broken and not self.unsupported and self.hints[place:place + len(whole)] != whole:
                self.tampered("an index or footer that is not the one of this file")
    def derive_hints(self, behind):
        body, last_at, last_t, number, self.hints_at = varint(len(self.index)), 0, 0, behind.number + 1, behind.end
        for at, n, t0, t1, raw in self.index:
            step = t0 - last_t
            numbers = at - last_at, n, step << 1 ^ step >> 63, t1 - t0, raw
            body, last_at, last_t = body + b"".join(varint(value & U64_MAX) for value in numbers), at, t1
        fits = len(body) <= 16 * MIB
        footer = struct.pack("<QQQ", behind.end if fits else 0, self.end.at if self.end else 0, self.final.at) + b"FSWN"
        self.hints = (frame(self.id, INDEX, number, body) if fits else b"") + frame(self.id, FOOTER, number + fits, footer)

def worst(exits):
    return next(status for status in (3, 1, 6, 5, 4, 2, 0) if status in exits or not status)
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--redactor", action="append", default=[], type=bytes.fromhex, help="a trusted public key, hexadecimal")
    parser.add_argument("--json", action="store_true", help="one object a line for each file")
    args, exits = parser.parse_args(), []
    for path in args.files:
        try:
            with open(path, "rb") as file:
                s = Session(file.read(), args.redactor)
            exits.append(EXITS[s.verdict])
        except OSError as error:
            print(f"verify: {error}", file=sys.stderr)
            exits.append(1)
            continue
        out = {"path": path, "verdict": s.verdict, "exit": exits[-1], "seals": s.seals, "sealed_bytes": s.sealed_bytes,
               "file_bytes": len(s.data), "events": s.events, "closed": bool(s.final), "gaps": s.gaps, "late_bytes": s.late_bytes,
               "redacted": s.redacted, "events_opened": not s.closed_chunks,
               "first_key": s.header.first_key.hex() if s.header else "", "remarks": s.remarks}
        if args.json:
            print(json.dumps(out))
            continue
        print(f"{path}\n  integrity     {s.verdict}: {s.seals} seals hold, through byte {s.sealed_bytes} of {len(s.data)}"
              f"{', EVENTS NOT OPENED' if s.closed_chunks else ''}\n  completeness  {'closed' if s.final else 'NOT CLOSED'}, "
              f"{s.events} events, {s.gaps} gaps, {s.redacted} redacted, {s.late_bytes} bytes came too late\n"
              f"  identity      NOT PINNED: first key {out['first_key'] or '-'}")
        print("".join(f"  {text}\n" for text in s.remarks), end="")
    return worst(exits)

if __name__ == "__main__":
    sys.exit(main())
