# SPDX-License-Identifier: Apache-2.0
"""The player on a recording of more than a day: open, index, seek, search, memory."""
import fcntl
import os
import pty
import random
import select
import shutil
import struct
import subprocess
import termios
import time

from . import recorders
from .common import BenchError, note
from .results import Section


def mixed(context, corpora):
    """Real programs' output of several kinds, in turns of 4 MB."""
    path = context.work / "mixed"
    with open(path, "wb") as out:
        texts = [open(corpus, "rb").read() for corpus in corpora]
        for at in range(0, max(len(text) for text in texts), 4 << 20):
            for text in texts:
                out.write(text[at : at + (4 << 20)])
    return path


def generate(context, corpus, megabytes, hours):
    path = context.work / f"day-{megabytes}.sworn"
    path.unlink(missing_ok=True)
    made = context.json(
        [context.tool("format"), "generate", corpus, path, "--mb", megabytes, "--hours", hours], timeout=900
    )
    return path, made


def first_frame(front, path, environment):
    """Seconds from the start of the process until it has drawn for the first time."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(front, [str(front), "play", str(path), "--no-cache"], environment)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    begin, seen = time.monotonic(), b""
    while b"\x1b]7777;" not in seen:
        if not select.select([fd], [], [], 60)[0]:
            raise BenchError("the player draws nothing")
        seen = (seen + os.read(fd, 65536))[-100_000:]
    took = time.monotonic() - begin
    os.write(fd, b"Q")
    while True:
        try:
            if not os.read(fd, 65536):
                break
        except OSError:
            break
    os.waitpid(pid, 0)
    return took


def timed(argv, environment):
    begin = time.monotonic()
    subprocess.run([str(a) for a in argv], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return time.monotonic() - begin


def screens(context, front, corpus, environment):
    """`sworn screen --at` on 1 GB: without an index, and with one."""
    path, made = generate(context, corpus, context.scaled(1024, 4), 8)
    rng = random.Random(4)
    places = [f"{rng.random() * made['seconds']:.3f}" for _ in range(5)] + [f"{made['seconds'] - 0.01:.3f}"]
    without = max(timed([front, "screen", path, "--at", at, "--no-cache"], environment) for at in places)
    timed([front, "index", path], environment)
    with_index = max(timed([front, "screen", path, "--at", at], environment) for at in places)
    path.unlink()
    return without, with_index


def player(context, corpora):
    section = Section("player", "The player on a recording of a day")
    front = recorders.PRODUCT.front(context)
    if not front.exists():
        raise BenchError(f"{front} is not built: no figures of the player")
    cache = context.work / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    environment = dict(context.environment(), XDG_CACHE_HOME=str(cache), TMPDIR=str(context.work), SWORN_TEST_SYNC="1")
    corpus = mixed(context, corpora)
    without, with_index = screens(context, front, corpus, environment)
    note("player: screens done")
    path, made = generate(context, corpus, context.scaled(5 * 1024, 16), 26)
    note("player: recording of a day made")
    opened = sorted(first_frame(front, path, environment) for _ in range(5))
    report = context.json(
        [context.tool("player"), path, "--seeks", context.scaled(1000, 50), "--probes", context.scaled(300, 20)],
        timeout=900,
    )
    path.unlink()
    shutil.rmtree(cache, ignore_errors=True)
    text, seek, memory = report["text"], report["seek_ms"], report["memory_mb"]
    gigabytes = max(text["text_mb"], 1) / 1000
    section.text(
        f"{report['output_mb']:,.0f} MB of output of real programs (listings, compiler, git log, full-screen programs, "
        f"prose) over 26 h in {report['events']:,} events; {made['stored_bytes'] / 1e6:,.0f} MB stored. "
        f"The text index has {text['text_mb']:,.0f} MB of text in {text['stored_mb']:,.0f} MB; "
        f"{report['keyframes']['count']:,} keyframes take {report['keyframes']['bytes'] / 1e6:.0f} MB. "
        f"Searches run in {report['search_threads']} threads, best of three."
    )
    section.table(
        ["search", "matches", "first, ms", "whole, ms", "ms per GB of text"],
        [
            (
                f"`{r['pattern'].replace('|', chr(92) + '|')}`",
                f"{r['hits']:,}",
                f"{r['first'] * 1e3:.0f}" if r["hits"] else "-",
                f"{r['seconds'] * 1e3:.0f}",
                f"{r['seconds'] * 1e3 / gigabytes:.0f}",
            )
            for r in report["search"]
        ],
    )
    literal = [r for r in report["search"] if not set("[(\\") & set(r["pattern"]) and len(r["pattern"]) > 1]
    regex = [r for r in report["search"] if set("[(\\") & set(r["pattern"])]
    worst = lambda rows, what: max(r[what] for r in rows)  # noqa: E731
    first = worst(literal, "first") * 1e3
    literal_gb = worst(literal, "seconds") * 1e3 / gigabytes
    regex_gb = worst(regex, "seconds") / gigabytes
    recall = report["recall"]
    section.targets(
        [
            ("open to first frame <= 100 ms without an index", f"{opened[2] * 1e3:.0f} ms", opened[2] <= 0.1),
            ("index, keyframes only >= 300 MB/s", f"{report['keyframes']['mb_s']:.0f}", report["keyframes"]["mb_s"] >= 300),
            ("index with text >= 150 MB/s", f"{text['mb_s']:.0f}", text["mb_s"] >= 150),
            ("seek p99 <= 5 ms", f"{seek['p99']:.2f} ms (p50 {seek['p50']:.2f}, most {seek['most']:.2f})", seek["p99"] <= 5),
            ("first matches of a literal <= 100 ms", f"{first:.0f} ms", first <= 100),
            ("literal <= 300 ms per GB of text", f"{literal_gb:.0f} ms", literal_gb <= 300),
            ("regular expression <= 1.5 s per GB of text", f"{regex_gb:.2f} s", regex_gb <= 1.5),
            ("text of random moments found again: all", f"{recall['found']} of {recall['probes']}", recall["found"] == recall["probes"]),
            (
                "anonymous memory <= 300 MB",
                f"{max(memory.values()):.0f} MB (indexing {memory['while_indexing']:.0f}, searching {memory['after_searching']:.0f})",
                max(memory.values()) <= 300,
            ),
            ("`screen --at` in 1 GB <= 4 s without an index", f"{without:.2f} s at worst", without <= 4),
            ("`screen --at` in 1 GB <= 150 ms with one", f"{with_index * 1e3:.0f} ms at worst", with_index <= 0.15),
        ]
    )
    return section


def emulator(context, corpora):
    section = Section("emulator", "The emulator alone")
    tool = context.build / "bench" / "sworn-bench-vt"
    done = context.run([tool, "--world", *corpora])
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    speeds = {(name, size): float(value) for name, size, value, unit, *rest in (row + ["", ""] for row in normal(rows)) if unit == "MB/s"}
    names = sorted({name for name, _ in speeds})
    section.text("Recorded output in pieces of 16 KiB, one thread, processor time, best of three.")
    section.table(
        ["MB/s", "80x24", "200x50"], [(name, f"{speeds[name, '80x24']:.0f}", f"{speeds[name, '200x50']:.0f}") for name in names]
    )
    mean = lambda size: len(names) / sum(1 / speeds[name, size] for name in names)  # noqa: E731
    section.targets(
        [
            ("mixed output at 80x24 >= 300 MB/s", f"{mean('80x24'):.0f} (same share of bytes of each)", mean("80x24") >= 300),
            ("mixed output at 200x50 >= 200 MB/s", f"{mean('200x50'):.0f}", mean("200x50") >= 200),
        ]
    )
    return section


def normal(rows):
    """"80x24" may be printed as "80x24" or "80x" "24"."""
    for row in rows:
        joined = []
        for word in row:
            if joined and joined[-1].endswith("x") and word.isdigit():
                joined[-1] += word
            else:
                joined.append(word)
        yield joined
