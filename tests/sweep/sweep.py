#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes a small golden file in every way of a kind, and asks two verifiers that share no code: sworn's own and
tests/verify.py. Each change must be detected, and the two must agree on the verdict, the valid seals, the sealed bytes and
the sealed events of every case.

    sweep.py --tools build/release/tests/support session|ledger|copies|encrypted [--exhaustive]

Without --exhaustive one bit of each byte is flipped, with it every bit and the whole byte."""
import argparse
import collections
import itertools
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import verify  # noqa: E402
import verify_ledger  # noqa: E402

HINTS = {verify.INDEX, verify.FOOTER}
# `sealed`: the change touches what the whole file has sealed. `excuse`: why the verdict may be that of the whole file.
Case = collections.namedtuple("Case", "what data sealed excuse")


def records_of(data):
    return [r for r in verify.scan(data, data[16:32], 32) if r.type is not None]


def mended(data, record):
    """The record's crc made to fit again: anybody can do that."""
    head, body = data[record.at:record.at + 20], data[record.at + 20:record.end]
    crc = struct.pack("<I", verify.crc32c(data[16:32] + head[4:16] + body))
    return data[:record.at + 16] + crc + data[record.at + 20:]


def renumbered(data, order):
    """Records in another order, with numbers and crcs that fit: the signatures alone must find it."""
    return data[:32] + b"".join(verify.frame(data[16:32], r.type, n, r.body) for n, r in enumerate(order))


def joined(data, order):
    return data[:32] + b"".join(data[r.at:r.end] for r in order)


def flips(data, masks, sealed_bytes):
    records = records_of(data)
    hints = min((r.at for r in records if r.type in HINTS), default=len(data))
    for at in range(len(data)):
        record = next((r for r in records if r.at <= at < r.end), None)
        # A hint may be damaged; it is no evidence, and the damage is said.
        hint = "remark" if at >= hints else ""
        # zstd has bits that decode to the same.
        slack = record and record.type in (verify.CHUNK, verify.RECOVERED) and at >= record.at + 20 + 72 + 32
        for mask in masks:
            changed = data[:at] + bytes([data[at] ^ mask]) + data[at + 1:]
            yield Case(f"flip {at} {mask:02x}", changed, at < sealed_bytes, hint)
            if record and not 16 <= at - record.at < 20:
                yield Case(f"flip {at} {mask:02x}, crc mended", mended(changed, record), at < sealed_bytes,
                           hint or ("same events" if slack else ""))


def cuts(data):
    for length in range(len(data)):
        yield Case(f"cut to {length}", data[:length], False, "")


def shuffles(data, sealed_bytes):
    records = records_of(data)
    signed = [k for k, r in enumerate(records) if r.end <= sealed_bytes]

    def cases(name, order):
        yield Case(name, joined(data, order), True, "")
        yield Case(name + " and renumbered", renumbered(data, order), True, "")

    for a, b in itertools.combinations(signed, 2):
        order = records[:]
        order[a], order[b] = order[b], order[a]
        yield from cases(f"records {a} and {b} swapped", order)
    for a in signed:
        without = records[:a] + records[a + 1:]
        yield from cases(f"record {a} doubled", records[:a] + records[a:a + 1] + records[a:])
        yield from cases(f"record {a} deleted", without)
        for b in signed:
            if abs(a - b) > 1:
                yield from cases(f"record {a} moved to {b}", without[:b] + [records[a]] + without[b:])


def changes(data, masks, sealed_bytes):
    return itertools.chain(flips(data, masks, sealed_bytes), cuts(data), shuffles(data, sealed_bytes))


class Judges:
    """Both verifiers over all cases of a file."""

    def __init__(self, tools, trust_path):
        self.server, self.trust_path = pathlib.Path(tools) / "verify_server", trust_path
        self.trust, self.redactors = (), []
        if trust_path:
            self.trust, self.redactors = verify_ledger.read_trust(pathlib.Path(trust_path).read_text(encoding="utf-8"))

    def ours(self, cases):
        with tempfile.NamedTemporaryFile(prefix="sworn-sweep-") as file:
            for session, ledger in cases:
                size = 0xFFFFFFFF if ledger is None else len(ledger)
                file.write(struct.pack("<I", len(session)) + session + struct.pack("<I", size) + (ledger or b""))
            file.flush()
            command = [self.server, file.name] + ([self.trust_path] if self.trust_path else [])
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        return run.stdout.splitlines()

    def theirs(self, data, ledger_data):
        session = verify.Session(data, self.redactors)
        line = f"{session.verdict} {session.seals} {session.sealed_bytes} {session.events}"
        if ledger_data is not None and session.verdict != "NOT-A-SESSION":
            if ledger_data[:8] != verify_ledger.MAGIC:
                return session, line + " NOT-A-LEDGER -", "NOT-A-LEDGER"
            ledger = verify_ledger.Ledger(ledger_data)
            verdict, _ = verify_ledger.compare(session, ledger, self.trust)
            return session, line + f" {ledger.state} {verdict}", verdict
        return session, line, "NOT-A-LEDGER" if session.verdict == "NOT-A-SESSION" else None


class Sweep:
    def __init__(self, judges):
        self.judges, self.failed, self.whole, self.counts = judges, 0, None, collections.Counter()

    def complain(self, text):
        self.failed += 1
        if self.failed <= 20:
            print("  FAILED " + text)

    def session(self, name, data, masks):
        """Changes of the session file alone."""
        whole = verify.Session(data, self.judges.redactors)
        seal_ends = [r.end for r in records_of(data) if r.type == verify.SEAL]
        events = [(e.number, e.data) for e in events_of(data)]
        self.whole = whole
        cases = list(changes(data, masks, whole.sealed_bytes))
        lines = self.judges.ours((case.data, None) for case in cases)
        for case, ours in itertools.zip_longest(cases, lines):
            session, theirs, _ = self.judges.theirs(case.data, None)
            self.counts["cases"] += 1
            if ours != theirs:
                self.complain(f"{name}, {case.what}: sworn says {ours}, verify.py {theirs}")
            if case.what.startswith("cut"):
                self.check_cut(name, case, session, seal_ends)
            elif verify.EXITS[session.verdict] == 0 and whole.verdict != session.verdict:
                self.complain(f"{name}, {case.what}: {session.verdict}, better than the whole file")
            elif session.verdict == whole.verdict and case.sealed and session.seals >= whole.seals:
                # In an open file the last seal may be missing: then less is sealed, and that is what is said.
                self.counts["harmless"] += 1
                same = case.excuse == "same events" and [(e.number, e.data) for e in events_of(case.data)] == events
                if not same:
                    self.complain(f"{name}, {case.what}: not detected")
            elif session.verdict == whole.verdict and case.excuse == "remark":
                self.counts["harmless"] += 1
                if len(session.remarks) == len(whole.remarks):
                    self.complain(f"{name}, {case.what}: nothing is said of a damaged hint")

    def check_cut(self, name, case, session, seal_ends):
        """Exactly the seals that stand there whole, and no word of an end that does not."""
        sealed = sum(end <= len(case.data) for end in seal_ends)
        said = session.seals, session.sealed_bytes, session.verdict in ("SELF-CONSISTENT", "LOCKED")
        noted = len(session.redactions) == len(self.whole.redactions)
        closed = bool(self.whole.final and sealed == len(seal_ends) and noted)
        if said != (sealed, seal_ends[sealed - 1] if sealed else 0, closed):
            self.complain(f"{name}, {case.what}: {said}, {sealed} seals stand there")

    def ledger(self, data, ledger, masks):
        """Changes of the ledger, and cuts of the session, with a trust store that has seen the whole ledger."""
        cases = [(case, data, case.data) for case in changes(ledger, masks, len(ledger))]
        sealed = verify.Session(data).sealed_bytes
        cases += [(case, case.data, ledger) for case in itertools.chain(cuts(data), shuffles(data, sealed))]
        lines = self.judges.ours((session, entries) for _, session, entries in cases)
        hints = min(r.at for r in records_of(data) if r.type in HINTS)
        for (case, session_data, ledger_data), ours in itertools.zip_longest(cases, lines):
            session, theirs, verdict = self.judges.theirs(session_data, ledger_data)
            if ours != theirs:
                self.complain(f"ledger, {case.what}: sworn says {ours}, verify.py {theirs}")
            found = verdict == "NOT-A-LEDGER" or verify_ledger.LEDGER_EXITS[verdict] == 3 or session.verdict == "TAMPERED"
            if not found and not (ledger_data is ledger and len(session_data) >= hints):
                self.complain(f"ledger, {case.what}: {theirs}")
            self.counts["cases"] += 1


def events_of(data):
    """Every event that verifies, recovered ones included."""
    group, out = None, []
    for record in records_of(data):
        try:
            if record.type == verify.CHUNK:
                chunk = verify.parse_chunk(record.body)
                group = verify.Zstd() if chunk.flags & 1 else group
                out += verify.open_chunk(chunk, group)
            elif record.type == verify.RECOVERED:
                size = struct.unpack("<I", record.body[:4])[0]
                if len(record.body) > 4 + size + 64:
                    out += verify.open_chunk(verify.parse_chunk(record.body[4 + size:-64]), verify.Zstd())
        except verify.Bad:
            continue
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["session", "ledger", "copies", "encrypted"])
    parser.add_argument("--tools", required=True, help="where make_fixture and verify_server are")
    parser.add_argument("--exhaustive", action="store_true")
    args = parser.parse_args()
    masks = [1 << bit for bit in range(8)] + [0xFF] if args.exhaustive else [0x10]
    with tempfile.TemporaryDirectory(prefix="sworn-sweep-") as place:
        place = pathlib.Path(place)
        subprocess.run([pathlib.Path(args.tools) / "make_fixture", "evidence", place], check=True)
        file = {path.name: path.read_bytes() for path in place.iterdir()}
        sweep = Sweep(Judges(args.tools, place / "trust" if args.what == "ledger" else None))
        session, theirs, verdict = sweep.judges.theirs(file["session.sworn"], file["entries"])
        line = sweep.judges.ours([(file["session.sworn"], file["entries"])])[0]
        print(f"the whole: {line}")
        if line != theirs or session.verdict != "SELF-CONSISTENT" or verdict != "LEDGERED":
            sweep.complain(f"the untouched files: sworn says {line}, verify.py {theirs} {session.remarks}")
        if args.what == "session":
            sweep.session("session", file["session.sworn"], masks)
        elif args.what == "ledger":
            sweep.ledger(file["session.sworn"], file["entries"], masks)
        else:
            plain = "open.sworn.part", "crashed.sworn.part", "salvaged.sworn", "redacted.sworn"
            for name in plain if args.what == "copies" else sorted(name for name in file if name.startswith("encrypted")):
                sweep.session(name, file[name], masks)
    print(f"{args.what}: {sweep.counts['cases']} cases, {sweep.counts['harmless']} changes of hints or of zstd's own slack "
          f"that change no event, {sweep.failed} failed")
    return 1 if sweep.failed or not sweep.counts["cases"] else 0


if __name__ == "__main__":
    sys.exit(main())
