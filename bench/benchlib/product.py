# SPDX-License-Identifier: Apache-2.0
"""Figures of sworn alone: the session file without a terminal around it, and getting around in a long one."""
import random
import time

from . import recorders
from .common import BenchError, note
from .results import Section


def format_costs(context, corpus):
    section = Section("format", "The session file alone: writer, verifier, seal, tail")
    quick = ["--quick"] if context.scale != 1.0 else []
    report = context.json(
        [
            context.tool("format"),
            "measure",
            corpus,
            "--mb",
            context.scaled(64),
            "--directory",
            context.work,
            *quick,
        ]
    )
    bulk, small, seal = report["bulk"], report["small"], report["seal"]
    section.text(
        "One thread, in memory (seals: a file without sync), best of three, listing corpus. Bulk: 4 KiB "
        "events, a seal every MiB; small: 40-byte events "
        "at 1,000/s, a seal every second. MB of event data."
    )
    section.table(
        ["", "write MB/s", "write ns/event", "verify MB/s", "stored / raw", "seals"],
        [
            (
                name,
                f"{r['write_mb_s']:.0f}",
                f"{r['write_ns_per_event']:.0f}",
                f"{r['verify_mb_s']:.0f}",
                f"{r['stored_ratio']:.3f}",
                r["seals"],
            )
            for name, r in (
                ("bulk", bulk),
                ("40 B", small),
                ("bulk, encrypted", report["encrypted_bulk"]),
                ("40 B, encrypted", report["encrypted_small"]),
            )
        ],
    )
    section.table(
        ["", "p50 us", "p99 us"],
        [
            (
                "seal of six small events, key made in advance",
                f"{seal['prepared_p50_us']:.0f}",
                f"{seal['prepared_p99_us']:.0f}",
            ),
            (
                "... key made on the spot",
                f"{seal['unprepared_p50_us']:.0f}",
                f"{seal['unprepared_p99_us']:.0f}",
            ),
        ],
    )
    section.text(
        f"Such a seal adds {seal['stored_bytes']} bytes to the file (chunk, seal and {seal['event_bytes']} "
        "bytes of events). One event on record in the tail: "
        f"{report['tail_commit_40_ns']:.0f} ns (40 B), {report['tail_commit_4096_ns']:.0f} ns (4 KiB); "
        f"encrypted {report['encrypted_tail_40_ns']:.0f} and {report['encrypted_tail_4096_ns']:.0f} ns."
    )
    section.targets(
        [
            ("verify bulk >= 500 MB/s", f"{bulk['verify_mb_s']:.0f}", bulk["verify_mb_s"] >= 500),
            ("verify 40-byte events >= 60 MB/s", f"{small['verify_mb_s']:.0f}", small["verify_mb_s"] >= 60),
            ("bulk <= 0.14 of raw", f"{bulk['stored_ratio']:.3f}", bulk["stored_ratio"] <= 0.14),
            ("40 B at 1,000/s <= 0.25 of raw", f"{small['stored_ratio']:.3f}", small["stored_ratio"] <= 0.25),
        ]
    )
    return section


def ledger_costs(context):
    section = Section("ledger", "The ledger: what an entry costs")
    entries = context.scaled(500, least=20)
    report = context.json([context.tool("ledger"), context.work, "--entries", entries])
    section.text(
        "Appended one by one to a ledger on the disk of this machine: two key slots and the entry, each synced "
        "(three fdatasync), under the lock. A session writes one open, one heartbeat a minute (swornd: one for all "
        "sessions of the host) and one close, none of them in the thread that relays the terminal."
    )
    section.table(
        ["entry", "bytes", "p50 us", "p99 us"],
        [
            (name, f"{report[key]['bytes']:.0f}", f"{report[key]['p50_us']:.0f}", f"{report[key]['p99_us']:.0f}")
            for name, key in (
                ("session_open", "session_open"),
                ("heartbeat of 1 session", "heartbeat_1"),
                ("heartbeat of 100 sessions", "heartbeat_100"),
                ("session_close", "session_close"),
            )
        ],
    )
    section.text(
        f"Made anew: {report['create_us']:.0f} us; opened with {report['entries']} entries: {report['open_us']:.0f} us; "
        f"checkpoint: {report['checkpoint_us']:.0f} us; verified: {report['verify_us_per_entry']:.1f} us an entry."
    )
    return section


# In a file name of every listing of /usr, a few times a round of the corpus.
RARE = "libcrypto[.]so[.]3"


def timed(context, argv):
    begin = time.monotonic()
    context.run(argv, timeout=300)
    return time.monotonic() - begin


def playback(context, corpus):
    section = Section("playback", "A long recording: verify and seek, as whole processes")
    front = recorders.PRODUCT.front(context)
    if not front.exists():
        raise BenchError(f"{front} is not built: no playback figures")
    megabytes, hours = context.scaled(1024, 4), 8
    path = context.work / f"long-{megabytes}.sworn"
    path.unlink(missing_ok=True)
    made = context.json(
        [context.tool("format"), "generate", corpus, path, "--mb", megabytes, "--hours", hours]
    )
    note("playback: recording made")
    verify = min(timed(context, [front, "verify", path]) for _ in range(3))
    info = min(timed(context, [front, "info", path]) for _ in range(3))
    rng = random.Random(9)
    seeks = sorted(
        timed(context, [front, "screen", path, "--at", f"{rng.random() * made['seconds']:.3f}"])
        for _ in range(20 if context.scale == 1.0 else 3)
    )
    raw_seek = context.json([context.tool("format"), "seek", path, "--count", 200])
    path.unlink()
    raw = made["raw_bytes"] / 1e6
    section.text(
        f"{raw:,.0f} MB of output over {hours} h in {made['events']:,} events and {made['seals']:,} seals; "
        f"{made['stored_bytes'] / 1e6:.0f} MB stored. "
        "The screen is asked for at random times, each by a fresh process without a cache."
    )
    section.table(
        ["", "seconds"],
        [
            ("`sworn verify`", f"{verify:.2f} ({raw / verify:,.0f} MB/s of raw)"),
            ("`sworn info`", f"{info:.3f}"),
            *(
                (f"raw seek by time, {what}, median / p99 / worst", " / ".join(f"{ms[k] / 1e3:.4f}" for k in ms))
                for what, ms in (
                    ("file opened anew", raw_seek["anew_ms"]),
                    ("reader open", raw_seek["open_ms"]),
                )
            ),
            ("`sworn screen --at`, median", f"{seeks[len(seeks) // 2]:.3f}"),
            ("`sworn screen --at`, worst", f"{seeks[-1]:.3f}"),
        ],
    )
    section.targets(
        [
            ("verify >= 500 MB/s of raw", f"{raw / verify:,.0f}", raw / verify >= 500),
            (
                "raw seek by time <= 20 ms (p99, file opened anew)",
                f"{raw_seek['anew_ms']['p99']:.1f} ms",
                raw_seek["anew_ms"]["p99"] <= 20,
            ),
        ]
    )
    return section


def redaction(context, corpus):
    """A text that stands in one place of a long recording is removed, everything is looked at for it."""
    section = Section("redaction", "Redaction of a long recording, as a whole process")
    front = recorders.PRODUCT.front(context)
    if not front.exists():
        raise BenchError(f"{front} is not built: no redaction figures")
    megabytes = context.scaled(1024, 4)
    work = context.work
    path, out, key = work / f"redact-{megabytes}.sworn", work / "redacted.sworn", work / "redactor.key"
    for each in (path, out, key):
        each.unlink(missing_ok=True)
    key.write_text("SWORN-REDACTOR-KEY-1 " + "01" * 32 + "\n")
    key.chmod(0o600)
    tool = context.tool("format")
    made = context.json(
        [tool, "generate", corpus, path, "--mb", megabytes, "--hours", 8, "--redactor", key]
    )
    note("redaction: recording made")
    raw = made["raw_bytes"] / 1e6
    # Words of the listing that stand where ls put them: one that is rare, and one event in the middle.
    base = [front, "redact", path, "-o", out, "--reason", "bench", "--key", key]
    rows = []
    for name, what in (
        ("one event by its number", ["--event", str(made["events"] // 2)]),
        ("a text, in all that was written, typed or run", ["--match", RARE, "--scope", "output,input,commands,logs"]),
        ("the same, and on the screen as it was rendered", ["--match", RARE]),
    ):
        spent = timed(context, [*base, *what])
        rows.append((name, spent))
        verified = timed(context, [front, "verify", "-q", out])
        out.unlink()
    path.unlink()
    section.text(f"{raw:,.0f} MB of output in {made['events']:,} events, {made['stored_bytes'] / 1e6:.0f} MB stored.")
    section.table(["removed", "seconds"], [(name, f"{spent:.1f}") for name, spent in rows])
    section.text(f"Verifying the last copy took {verified:.1f} s.")
    section.targets([(f"{name}: < 15 s", f"{spent:.1f}", spent < 15) for name, spent in rows])
    return section
