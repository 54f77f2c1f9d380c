# SPDX-License-Identifier: Apache-2.0
"""The comparisons with other recorders. Each function measures, prints as it goes, and returns a Section."""
import json
import pathlib
import random
import shutil
import tempfile

from . import common, recorders
from .common import note, spread
from .results import Section


def scratch(context):
    return pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=context.work))


def missing_line(section, missing):
    if missing:
        section.text("Left out: " + "; ".join(f"{name}: {why}" for name, why in missing.items()) + ".")


def versions_line(section, here):
    known = [r.version() for r in here if r.version()]
    if known:
        section.text("Peers: " + "; ".join(known) + ".")


class Tally:
    """Figures of one recorder over the rounds."""

    def __init__(self):
        self.wall, self.cpu, self.rss = [], [], []
        self.shown = self.stored = 0


def one_bulk(context, recorder, child):
    directory = scratch(context)
    try:
        report = context.json(
            [context.tool("outer"), "--timeout", 120, "--", *recorder.command(context, directory, child)]
        )
        if report["exit"] != 0 or report["signal"] != 0:
            raise common.BenchError(f"{recorder.name}: the run ended with {report}")
        report["stored"] = recorder.stored(directory) if recorder.keeps else 0
        return report
    finally:
        shutil.rmtree(directory)


def throughput(context, corpus):
    section = Section("throughput", "Bulk output: wall time and CPU")
    here, missing = recorders.chosen(context)
    child = ["cat", corpus]
    tallies = {r.name: Tally() for r in here}
    rng = random.Random(1)
    for turn in range(context.rounds):
        for recorder in rng.sample(here, len(here)):
            report = one_bulk(context, recorder, child)
            tally = tallies[recorder.name]
            tally.wall.append(report["wall_s"])
            tally.cpu.append(report["user_s"] + report["system_s"])
            tally.rss.append(report["peak_rss_kib"])
            tally.shown, tally.stored = report["bytes"], report["stored"]
            source = report["cpu_source"]
        note(f"throughput: round {turn + 1} of {context.rounds}")
    section.text(
        f"`cat` of the listing corpus ({corpus.stat().st_size / 1e6:.1f} MB, "
        f"{tallies[here[0].name].shown / 1e6:.1f} MB "
        f"on the terminal), {context.rounds} rounds, the recorders taking turns; CPU is user+system of the "
        "whole process "
        f"tree ({source}). Median, in brackets the minimum; ratios of medians to the bare relay, in brackets "
        "of minima."
    )
    base = tallies.get("bare relay")
    rows = []
    for recorder in here:
        t = tallies[recorder.name]
        wall, cpu = spread(t.wall), spread(t.cpu)
        ratios = (
            [f"{a / b:.2f}" for a, b in zip(wall + cpu, spread(base.wall) + spread(base.cpu))]
            if base
            else ["-"] * 4
        )
        rows.append(
            (
                recorder.name,
                f"{wall[0]:.2f} ({wall[1]:.2f})",
                f"{ratios[0]} ({ratios[1]})",
                f"{cpu[0]:.2f} ({cpu[1]:.2f})",
                f"{ratios[2]} ({ratios[3]})",
                f"{t.shown / 1e6 / wall[0]:.0f}",
                f"{t.stored / t.shown:.3f}" if recorder.keeps else "-",
                f"{max(t.rss) / 1024:.1f}",
            )
        )
    section.table(["", "wall s", "x relay", "CPU s", "x relay", "MB/s", "stored / raw", "peak RSS MiB"], rows)
    throughput_targets(section, tallies)
    versions_line(section, here)
    missing_line(section, missing)
    return section


def throughput_targets(section, tallies):
    ours, relay, script = (tallies.get(n) for n in (recorders.PRODUCT.name, "bare relay", "script"))
    if not ours or not relay:
        return
    wall = spread(ours.wall)[0] / spread(relay.wall)[0]
    cpu = spread(ours.cpu)[0] / spread(relay.cpu)[0]
    rows = [
        ("wall <= 1.15 x relay", f"{wall:.2f}", wall <= 1.15),
        ("CPU <= 1.35 x relay", f"{cpu:.2f}", cpu <= 1.35),
    ]
    if script:
        versus = spread(ours.wall)[0] / spread(script.wall)[0]
        rows.insert(1, ("wall not above script", f"{versus:.2f} x script", versus <= 1.0))
    size = ours.stored / ours.shown
    rows.append(("bulk listing stored <= 0.14 of raw", f"{size:.3f}", size <= 0.14))
    section.targets(rows)


def latency(context):
    here, missing = recorders.chosen(context)
    here = [r for r in here if r.name != "bare command"] + [r for r in here if r.name == "bare command"]
    section = Section("latency", "Keystroke latency")
    keys = context.scaled(2000, 40)
    figures = {}
    for mode in ("echo", "line"):
        directory = scratch(context)
        argv = [context.tool("latency"), mode, "--keys", keys]
        # Enters: not faster than a key that is held down. sworn seals for each and, in a paste, makes the
        # next one wait until 20 ms after the last.
        argv += ["--block", min(50, keys)] if mode == "echo" else ["--block", 1, "--apart-us", 25_000]
        for i, recorder in enumerate(here):
            own = directory / str(i)
            own.mkdir()
            argv += [
                "--wrapper",
                "\x1f".join(
                    [recorder.name, *map(str, recorder.command(context, own, [context.tool("child"), mode]))]
                ),
            ]
        figures[mode] = context.json(argv, timeout=900)
        shutil.rmtree(directory)
        note(f"latency: {mode} done")
    section.text(
        f"{keys} keystrokes per recorder, all alive at once, from the write of the key to the read of the first "
        "byte of the answer. Echo: a raw-mode child writes each byte back; turns of 50 keys in random order. "
        "Enter: the key is a carriage return, the child answers a line; turns of one, at least 25 ms apart (a "
        "paste is another matter: sworn seals before every Enter, at most every 20 ms). Microseconds."
    )
    rows = []
    for recorder in sorted(here, key=lambda r: recorders.ALL.index(r)):
        e, l = figures["echo"][recorder.name], figures["line"][recorder.name]
        rows.append(
            [recorder.name]
            + [
                f"{x:.0f}"
                for x in (r[p] for r in (e, l) for p in ("p10_us", "p50_us", "p90_us", "p99_us"))
            ]
        )
    section.table(["", "echo p10", "p50", "p90", "p99", "Enter p10", "p50", "p90", "p99"], rows)
    latency_targets(section, figures)
    missing_line(section, missing)
    return section


def latency_targets(section, figures):
    name = recorders.PRODUCT.name
    if name not in figures["echo"] or "bare relay" not in figures["echo"]:
        return
    e, eb = figures["echo"][name], figures["echo"]["bare relay"]
    l, lb = figures["line"][name], figures["line"]["bare relay"]
    section.targets(
        [
            (
                "echo p50 <= relay + 5 us",
                f"+{e['p50_us'] - eb['p50_us']:.1f} us",
                e["p50_us"] <= eb["p50_us"] + 5,
            ),
            (
                "echo p99 <= 1.2 x relay",
                f"{e['p99_us'] / eb['p99_us']:.2f}",
                e["p99_us"] <= 1.2 * eb["p99_us"],
            ),
            (
                "Enter p50 <= relay + 100 us",
                f"+{l['p50_us'] - lb['p50_us']:.1f} us",
                l["p50_us"] <= lb["p50_us"] + 100,
            ),
        ]
    )


def start(context):
    """What a session costs that does nothing: from exec to the end of the terminal."""
    here, missing = recorders.chosen(context)
    section = Section("start", "A session that does nothing: `true`")
    rng = random.Random(3)
    tallies = {r.name: Tally() for r in here}
    for _ in range(context.scaled(30, 2)):
        for recorder in rng.sample(here, len(here)):
            report = one_bulk(context, recorder, ["true"])
            tallies[recorder.name].wall.append(report["wall_s"] * 1e3)
            tallies[recorder.name].cpu.append((report["user_s"] + report["system_s"]) * 1e3)
    section.text(
        f"{context.scaled(30, 2)} sessions each, the recorders taking turns; from the start of the recorder to the "
        "end of its terminal, milliseconds. Median, in brackets the minimum."
    )
    rows = []
    for recorder in here:
        t = tallies[recorder.name]
        rows.append([recorder.name] + [f"{a:.1f} ({b:.1f})" for a, b in (spread(t.wall), spread(t.cpu))])
    section.table(["", "wall ms", "CPU ms"], rows)
    missing_line(section, missing)
    return section


# What an administrator types; the typist of bench_outer adds the pauses of a person.
TYPED = r"""uname -a
ls -la /etc | head -30
df -h
ps aux | sort -rnk 4 | head -12
grep -rn listen /etc/ssh 2>/dev/null | head
cd /usr/share/doc; ls | wc -l
for i in 1 2 3; do date; sleep 1; done
cat /etc/passwd | cut -d: -f1,7 | tail -20
find /usr/lib -name '*.so' 2>/dev/null | head -25
history | tail -3
exit
""".replace(
    "\n", "\r"
)


def paced(context, here, argv_of, extra=()):
    """Runs the same slow workload under all recorders at once; {name: (shown, stored)}."""
    running = {}
    for recorder in here:
        directory = scratch(context)
        argv = [
            context.tool("outer"),
            "--timeout",
            300,
            *extra,
            "--",
            *recorder.command(context, directory, argv_of),
        ]
        running[recorder.name] = (recorder, directory, context.start(argv))
    figures = {}
    for name, (recorder, directory, process) in running.items():
        out, err = process.communicate(timeout=400)
        if process.returncode != 0:
            raise common.BenchError(f"{name}: {err.decode(errors='replace')[-300:]}")
        figures[name] = (json.loads(out)["bytes"], recorder.stored(directory))
        shutil.rmtree(directory)
    return figures


def sizes(context, corpora):
    here, missing = recorders.chosen(context, need_recording=True)
    section = Section("sizes", "Bytes on disk, all files included, as a share of what the terminal showed")
    columns = {}
    for name, path in corpora.items():
        columns[f"bulk {name}"] = {
            r.name: (rep["bytes"], rep["stored"])
            for r in here
            for rep in [one_bulk(context, r, ["cat", path])]
        }
        note(f"sizes: {name} done")
    listing, prose = corpora["listing"], corpora["prose"]
    feed = context.tool("feed")
    fast, slow = context.scaled(20_000, 200), context.scaled(1_200, 20)
    columns["40 B, 1,000/s"] = paced(
        context, here, [feed, listing, "--bytes", 40, "--rate", 1000, "--count", fast]
    )
    columns["40 B prose, 1,000/s"] = paced(
        context, here, [feed, prose, "--bytes", 40, "--rate", 1000, "--count", fast]
    )
    note("sizes: 1,000 writes a second done")
    columns["40 B, 20/s"] = paced(
        context, here, [feed, listing, "--bytes", 40, "--rate", 20, "--count", slow]
    )
    note("sizes: 20 writes a second done")
    keys = context.work / "keys"
    keys.write_text(TYPED if context.scale == 1.0 else "exit\r")
    columns["typed shell"] = paced(context, here, ["bash", "--norc", "--noprofile", "-i"], ("--type", keys))
    note("sizes: typed shell done")
    names = list(columns)
    rows = [("raw bytes shown", *(f"{columns[c][here[0].name][0]:,}" for c in names))]
    rows += [(r.name, *(f"{columns[c][r.name][1] / columns[c][r.name][0]:.3f}" for c in names)) for r in here]
    section.table(["", *names], rows)
    section.text(
        f"40-byte writes are slices of the corpus, written at absolute deadlines: {fast:,} at 1,000/s, "
        f"{slow:,} at 20/s. "
        "The typed shell is a bash session of eleven command lines typed at the pace of a person, input "
        "recorded where the recorder does so by default."
    )
    ours = recorders.PRODUCT.name
    if any(r.name == ours for r in here):

        def share(column):
            return columns[column][ours][1] / columns[column][ours][0]

        section.targets(
            [
                ("bulk listing <= 0.14", f"{share('bulk listing'):.3f}", share("bulk listing") <= 0.14),
                ("40 B at 1,000/s <= 0.25", f"{share('40 B, 1,000/s'):.3f}", share("40 B, 1,000/s") <= 0.25),
            ]
        )
    missing_line(section, missing)
    return section


def memory(context):
    here, missing = recorders.chosen(context)
    here = [r for r in here if r.name != "bare command"]
    section = Section("memory", "Ten idle sessions: memory and wake-ups, per session")
    rows, ours = [], None
    for recorder in here:
        directory = scratch(context)
        for i in range(10):
            (directory / str(i)).mkdir()
            command = [
                str(word).replace(f"{directory}/{i}", f"{directory}/{{n}}")
                for word in recorder.command(context, directory / str(i), [context.tool("child"), "idle"])
            ]
        settle, watch = (8, 8) if context.scale == 1.0 else (1, 1)
        report = context.json(
            [
                context.tool("idle"),
                "--sessions",
                10,
                "--spare",
                "bench_child",
                "--settle",
                settle,
                "--watch",
                watch,
                "--",
                *command,
            ]
        )
        shutil.rmtree(directory)
        rows.append(
            (
                recorder.name,
                f"{report['processes']:.0f}",
                f"{report['pss_kib'] / 1024:.2f}",
                f"{report['rss_kib'] / 1024:.2f}",
                f"{report['wakeups_per_s']:.2f}",
            )
        )
        ours = report if recorder is recorders.PRODUCT else ours
        note(f"memory: {recorder.name} done")
    section.text(
        "PSS and RSS of all processes of a session but the recorded program; wake-ups are voluntary context "
        "switches."
    )
    section.table(["", "processes", "PSS MiB", "RSS MiB", "wake-ups/s"], rows)
    if ours:
        section.targets(
            [
                (
                    "PSS <= 4 MiB per idle session",
                    f"{ours['pss_kib'] / 1024:.2f} MiB",
                    ours["pss_kib"] <= 4096,
                ),
                (
                    "idle wakes up for the heartbeat only",
                    f"{ours['wakeups_per_s']:.2f}/s",
                    ours["wakeups_per_s"] <= 0.1,
                ),
            ]
        )
    missing_line(section, missing)
    return section


def common_prefix(a, b):
    """Length of the common prefix, without a loop over bytes."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def lost_bytes(shown, recovered, mark):
    """How many bytes behind `mark` the terminal showed and the recording lacks; (lost, shown)."""
    begin = shown.find(mark)
    if begin < 0:
        raise common.BenchError("the terminal never showed the beginning of the corpus")
    shown = shown[begin:]
    at = recovered.find(mark)
    same = common_prefix(shown, recovered[at:]) if at >= 0 else 0
    return len(shown) - same, len(shown)


def kill_once(context, recorder, child, kill_ms):
    """Runs, kills all of the recorder with SIGKILL, and compares; (lost, shown)."""
    directory = scratch(context)
    saved = directory.with_suffix(".shown")
    try:
        context.json(
            [
                context.tool("outer"),
                "--save",
                saved,
                "--timeout",
                60,
                "--kill-ms",
                kill_ms,
                "--spare",
                "bench_feed",
                "--",
                *recorder.command(context, directory, child),
            ]
        )
        with open(child[1], "rb") as source:
            mark = source.read(256).replace(b"\n", b"\r\n")[:200]
        return lost_bytes(saved.read_bytes(), recorder.recover(context, directory), mark)
    finally:
        shutil.rmtree(directory)
        saved.unlink(missing_ok=True)


def loss(context, corpus):
    here, missing = recorders.chosen(context, need_recording=True)
    section = Section(
        "loss",
        "kill -9 of the recorder at a random moment: bytes that were on the screen and are not in the "
        "recording",
    )
    rng = random.Random(42)
    feed = context.tool("feed")
    idle = [feed, corpus, "--bytes", 2048, "--count", 1, "--linger", 30]
    loads = {
        "bulk": ([feed, corpus, "--bytes", 65536, "--count", 100000], (50, 700)),
        "40 B, 1,000/s": ([feed, corpus, "--bytes", 40, "--rate", 1000, "--count", 100000], (400, 4000)),
        "idle for 3 s after 2 KB": (idle, (3000, 3001)),
    }
    rows = []
    for recorder in here:
        row = [recorder.name]
        for load, (child, window) in loads.items():
            lost = shown = worst = 0
            for _ in range(context.rounds if child is not idle else 1):
                one, seen = kill_once(context, recorder, child, rng.randrange(*window))
                lost, shown, worst = lost + one, shown + seen, max(worst, one)
            row.append(f"{lost:,} of {shown:,}" + (f" (worst {worst:,})" if worst and worst != lost else ""))
        rows.append(row)
        note(f"loss: {recorder.name} done")
    section.text(
        f"{context.rounds} kills of every process of the recorder per load; what the outer terminal received "
        "is compared byte by byte with what can be read back "
        "from disk (sworn: `sworn salvage`, then the session reader; the others: their own format, as far as "
        "it goes)."
    )
    section.table(["", *loads], rows)
    if recorders.PRODUCT in here:
        ours = next(row for row in rows if row[0] == recorders.PRODUCT.name)
        section.targets(
            [("0 bytes lost", "; ".join(ours[1:]), all(cell.startswith("0 of ") for cell in ours[1:]))]
        )
    missing_line(section, missing)
    return section
