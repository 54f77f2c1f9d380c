# SPDX-License-Identifier: Apache-2.0
"""What the evidence costs and what it withstands: thousands of crashes, every flipped bit, before two verifiers."""
import os
import re
import subprocess
import sys

from . import common
from .common import BenchError, note
from .results import Section


def costs(context):
    """Bytes and microseconds of a seal, an Enter, a heartbeat and a ledger entry."""
    section = Section("evidence", "What the evidence costs")
    report = context.json([context.tool("evidence"), "--directory", context.work])
    names = {
        "seal": "a seal over one line of output",
        "enter": "an Enter: 3 events and their seal",
        "heartbeat": "a heartbeat seal in silence",
        "ledger_entry": "a ledger entry, its three syncs included",
    }
    section.text("Without a sync of the session file: that is the policy's, and its own line in the ledger.")
    section.table(
        ["", "p50 us", "p99 us", "bytes in the file"],
        [
            (text, f"{report[name]['p50_us']:.0f}", f"{report[name]['p99_us']:.0f}", f"{report[name]['bytes']:.0f}")
            for name, text in names.items()
        ],
    )
    enter = report["enter"]["p50_us"]
    section.targets([("an Enter costs at most 100 us", f"{enter:.0f} us", enter <= 100)])
    return section, True  # a figure, not a promise that can break


def crashes(context, count):
    """Power cuts and kills at random moments of writing a session and its ledger."""
    section = Section("crashes", "Power cuts and kills while a session and its ledger are written")
    binary = context.build / "tests/unit_format"
    if not binary.exists():
        raise BenchError(f"{binary} is not built: cmake --build {context.build} --target unit_format")
    done = subprocess.run(
        [binary, "-tc=crash:*"],
        env={**os.environ, "SWORN_CRASHES": str(count)},
        capture_output=True,
        text=True,
        check=False,
    )
    rows, case = [], "?"
    for line in done.stdout.splitlines():
        if match := re.match(r"TEST CASE:\s+crash: (.*)", line):
            case = match.group(1)
        elif match := re.search(r"MESSAGE: (.*)", line):
            rows.append((case, match.group(1)))
    found = re.search(r"assertions:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed", done.stdout)
    if not found:
        raise BenchError("the crash tests said nothing:\n" + done.stdout[-2000:])
    section.text(
        f"{count:,} of each kind. After each: no verdict better than the truth, nothing lost that was synced (a kill: that was "
        "written), every event that is left is the one that was written, a salvaged copy proves the same, the ledger goes on and "
        "accuses nobody."
    )
    section.table(["crash", "verdicts"], rows)
    failed = int(found.group(3))
    section.targets([(f"all hold after {count:,} crashes of each kind", f"{int(found.group(1)):,} checks, {failed} failed", not failed)])
    return section, done.returncode == 0 and failed == 0


def sweeps(context):
    """Every bit of small golden files flipped, every cut, swap, doubling and deletion, before both verifiers."""
    section = Section("sweeps", "Every change of small files, before two verifiers")
    tools = context.build / "tests/support"
    rows, good = [], True
    for what in ("session", "ledger", "copies", "encrypted"):
        done = subprocess.run(
            [sys.executable, common.ROOT / "tests/sweep/sweep.py", "--tools", tools, "--exhaustive", what],
            capture_output=True,
            text=True,
            check=False,
        )
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-300:]
        note(f"sweeps: {last}")
        rows.append((what, last.partition(": ")[2] or last))
        good = good and done.returncode == 0
    section.text("sworn and the stand-alone verifier, which shares no code with it, must agree on each case, and each must be found.")
    section.table(["files", "result"], rows)
    section.targets([("every change is detected, and both agree", "yes" if good else "no", good)])
    return section, good
