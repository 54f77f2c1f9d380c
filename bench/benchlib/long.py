# SPDX-License-Identifier: Apache-2.0
"""The long counts: hundreds of kills, minutes of fuzzing per target, hours of one session. Each returns a Section and
whether what it promises held."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from . import common, evidence, measures, recorders
from .common import BenchError, note
from .results import Section


def product(context):
    why = recorders.PRODUCT.available(context)
    if why:
        raise BenchError(f"sworn rec: {why}")
    return recorders.PRODUCT


class Kill:
    """One session that ends by SIGKILL, and what is left of it."""

    def __init__(self, context, load, child, kill_ms, keys=None):
        self.load, self.child, self.kill_ms = load, child, kill_ms
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kill-", dir=context.work))
        self.shown_path = self.directory / "shown"
        self.home = self.directory / "home"
        self.home.mkdir()
        typing = ["--type", keys, "--gap-ms", 20, "--think-ms", 120] if keys else []
        self.argv = [
            context.tool("outer"),
            "--save",
            self.shown_path,
            "--timeout",
            60,
            "--kill-ms",
            kill_ms,
            "--spare",
            "bench_feed",
            *typing,
            "--",
            *recorders.PRODUCT.command(context, self.home, child),
        ]

    def run(self, context):
        recorder = recorders.PRODUCT
        self.report = context.json(self.argv, timeout=120)
        self.shown = self.shown_path.read_bytes()
        # Both ways to read what a crash left: straight from file and tail, and from a salvaged copy.
        left = recorder.file(self.home)
        if left is None:
            raise BenchError(f"{self.load}: no recording is left in {self.home}")
        verified = context.run([recorder.front(context), "verify", "--json", left], check=False)
        self.verify_status = verified.returncode
        self.verdict = json.loads(verified.stdout)
        exported = self.directory / "exported"
        context.run([recorder.front(context), "export", "-f", "raw", "-o", exported, left])
        self.exported = exported.read_bytes()
        self.recovered = recorder.recover(context, self.home)

    def missing(self):
        """Bytes that were shown and cannot be got back, whichever way."""
        return max(
            len(self.shown) - measures.common_prefix(self.shown, got)
            for got in (self.exported, self.recovered)
        )

    def misjudged(self):
        """What verify says that it should not; empty where it is right."""
        if self.recorder_closed():
            return "" if self.verify_status == 0 else f"a closed file is judged {self.verdict['verdict']}"
        completeness = self.verdict["completeness"]
        if self.verify_status != 2 or completeness["closed"]:
            return f"judged {self.verdict['verdict']} with exit status {self.verify_status}"
        if completeness["state"] != "crashed":
            return f"the state is given as {completeness['state']}"
        if self.verdict["integrity"]["seals"] == 0:
            return "nothing is sealed"
        return ""

    def recorder_closed(self):
        return recorders.PRODUCT.file(self.home).suffix == ".sworn"

    def clean(self):
        shutil.rmtree(self.directory)


def kills(context, corpus, count, seed):
    """kill -9 of every process of the recorder at random moments under load."""
    section = Section("kills", "kill -9 of the recorder at random moments under load")
    product(context)
    feed = context.tool("feed")
    keys = context.work / "kill-keys"
    keys.write_text("ls -la /etc\rps aux\recho done\rcat /etc/services | head -60\r" * 8)
    loads = {
        "bulk": ([feed, corpus, "--bytes", 65536, "--count", 100000], (1, 900), None),
        "40 B flood": ([feed, corpus, "--bytes", 40, "--count", 100_000_000], (1, 900), None),
        "40 B at 1,000/s": (
            [feed, corpus, "--bytes", 40, "--rate", 1000, "--count", 1_000_000],
            (1, 3000),
            None,
        ),
        "typed shell": (["bash", "--norc", "--noprofile", "-i"], (100, 4000), keys),
    }
    rng = random.Random(seed)
    # kills, bytes shown, missing, recovered beyond what was shown, events of which the last seal knows
    # nothing, the most of those at once
    tally = {load: [0, 0, 0, 0, 0, 0] for load in loads}
    failures = []
    for i in range(count):
        load = list(loads)[i % len(loads)]
        child, window, typed = loads[load]
        one = Kill(context, load, child, rng.randrange(*window), typed)
        one.run(context)
        missing = one.missing()
        row = tally[load]
        row[0] += 1
        row[1] += len(one.shown)
        row[2] += missing
        row[3] += max(0, len(one.recovered) - len(one.shown))
        unsealed = one.verdict["completeness"]["tail_events"] or 0
        row[4] += unsealed
        row[5] = max(row[5], unsealed)
        wrong = one.misjudged()
        if missing or wrong:
            failures.append(
                f"kill {i}, {load}, after {one.kill_ms} ms: {missing} of {len(one.shown)} bytes missing"
                + (f"; verify: {wrong}" if wrong else "")
                + f"; kept in {one.directory}"
            )
            note(failures[-1])
        else:
            one.clean()
        if (i + 1) % 20 == 0:
            note(f"kills: {i + 1} of {count}")
    section.text(
        f"{count} kills (seed {seed}), every process of the recorder at once, the recorded program spared. What the "
        "outer terminal had received is compared byte by byte with what `sworn export -f raw` gives of the file as it "
        "was left and with what the session reader finds in the copy that `sworn salvage` makes; `sworn verify` must "
        "call the file a valid prefix (exit status 2, crashed). Unsealed events are those that only the tail has."
    )
    section.table(
        ["load", "kills", "bytes shown", "missing", "on record but not yet shown", "unsealed events, mean", "most"],
        [
            (load, *(f"{n:,}" for n in row[:4]), f"{row[4] / max(1, row[0]):,.0f}", f"{row[5]:,}")
            for load, row in tally.items()
        ],
    )
    lost = sum(row[2] for row in tally.values())
    section.targets(
        [
            (f"0 bytes missing in {count} kills", f"{lost:,}", lost == 0),
            ("verify judges every one rightly", f"{len(failures)} wrong", not failures),
        ]
    )
    for failure in failures[:10]:
        section.text(failure)
    return section, not failures


def ledger_kills(context, count, seed):
    """kill -9 of recorders that share one ledger, at random moments of their start, life and end."""
    section = Section("ledger-kills", "kill -9 of recorders that share one ledger")
    product(context)
    rng = random.Random(seed)
    home = pathlib.Path(tempfile.mkdtemp(prefix="ledger-", dir=context.work))
    sworn = pathlib.Path(context.build) / "cli/sworn"
    environment = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": "", "XDG_DATA_HOME": ""}

    def record(name, *command):
        return subprocess.Popen([sworn, "rec", "-q", "-o", home / name, "--", *command], env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def check():
        out = subprocess.run([sworn, "ledger", "check", "--json"], env=environment, capture_output=True, check=False)
        return json.loads(out.stdout)

    failures, killed = [], 0
    while killed < count:
        batch = [record(f"{killed + i}.sworn", "sleep", f"{rng.random() * 0.4:.3f}") for i in range(8)]
        for process in batch:
            time.sleep(rng.random() * 0.04)
            if rng.random() < 0.75:
                process.kill()
        for process in batch:
            process.wait()
        killed += len(batch)
        report = check()
        if report["state"] not in ("INTACT", "TORN"):
            failures.append(f"after {killed}: {report['state']}, kept in {home}")
            break
        if killed % 200 == 0:
            note(f"ledger kills: {killed} of {count}")
    for i in range(50):  # each start settles what it finds
        record(f"last-{i}.sworn", "sleep", "1.2" if i == 0 else "0").wait()
        if not list((home / ".local/state/sworn/ledger/open").glob("[0-9a-f]*")):
            break
    report = check()
    sessions = report["sessions"]
    if report["state"] != "INTACT" or report["findings"]:
        failures.append(f"at the end: {report['state']}, {report['findings'][:3]}, kept in {home}")
    section.text(
        f"{killed} recorders (seed {seed}), eight at once in one ledger, three of four killed within the first 0.3 s. "
        f"At the end: {report['entries']:,} entries, {report['state']}; sessions closed {sessions['closed']:,}, "
        f"lost and said so {sessions['lost']:,}, open without an end {sessions['open']:,}."
    )
    held = not failures
    section.targets(
        [
            (f"never forked or broken in {killed} kills", report["state"], held),
            ("every opened session has an end", f"{sessions['open']:,} without", sessions["open"] == 0),
        ]
    )
    for failure in failures:
        section.text(failure)
    if held:
        shutil.rmtree(home)
    return section, held and sessions["open"] == 0


def fuzz(context, minutes, jobs, only=None):
    """Every fuzz target of the tree for some minutes, with the fuzz preset (libFuzzer, ASan, UBSan)."""
    section = Section("fuzz", "Fuzzing")
    subprocess.run(["cmake", "--preset", "fuzz"], cwd=common.ROOT, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        ["cmake", "--build", "--preset", "fuzz", "--target", "fuzz_targets"],
        cwd=common.ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise BenchError("the fuzz targets do not build:\n" + done.stdout[-3000:])
    binaries = sorted(
        p
        for p in (common.ROOT / "build/fuzz/tests/fuzz").glob("fuzz_*")
        if os.access(p, os.X_OK) and p.is_file() and (not only or only in p.name)
    )
    if not binaries:
        raise BenchError("there are no fuzz targets (tests/fuzz/*_fuzz.cpp)")
    rows, waiting, running = [], list(binaries), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            binary = waiting.pop(0)
            name = binary.name.removeprefix("fuzz_")
            place = common.ROOT / "build/fuzz/run" / name
            for sub in ("found", "artifacts"):
                (place / sub).mkdir(parents=True, exist_ok=True)
            with open(place / "long.log", "wb") as log:
                running[name] = (
                    place,
                    subprocess.Popen(
                        [
                            binary,
                            f"-max_total_time={int(minutes * 60)}",
                            "-timeout=20",
                            "-rss_limit_mb=2048",
                            "-print_final_stats=1",
                            f"-artifact_prefix={place}/artifacts/",
                            place / "found",
                            *[c for c in [common.ROOT / "tests/fuzz/corpus" / name] if c.is_dir()],
                        ],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    ),
                )
        for name, (place, process) in list(running.items()):
            if process.poll() is None:
                continue
            del running[name]
            text = (place / "long.log").read_text(errors="replace")
            execs = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
            coverage = re.findall(r"cov: (\d+)", text)
            rows.append(
                (
                    name,
                    f"{int(execs.group(1)):,}" if execs else "?",
                    coverage[-1] if coverage else "?",
                    "clean" if process.returncode == 0 else f"**failed**, see {place}/artifacts",
                )
            )
            note(f"fuzz: {name} {rows[-1][-1]}")
        time.sleep(0.5)
    section.text(f"libFuzzer with ASan and UBSan, {minutes:g} minutes each.")
    section.table(["target", "executions", "coverage (edges)", "result"], sorted(rows))
    return section, all(row[-1] == "clean" for row in rows)


def recorder_pids(pid, spare):
    """The processes below `pid`, itself excluded (it is the terminal driver), but the recorded program."""
    below = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        below.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(
            (int(stat.parent.name), text.partition("(")[2].rpartition(")")[0])
        )
    found, queue = [], [pid]
    while queue:
        for child, comm in below.get(queue.pop(), []):
            queue.append(child)
            if comm != spare:
                found.append(child)
    return found


def footprint(pids):
    pss = descriptors = 0
    for pid in pids:
        try:
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            pss += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
            descriptors += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return pss, descriptors


def soak(context, corpus, minutes):
    """One session under steady load; memory and descriptors must not grow, the file must verify at the "
    "end."""
    section = Section("soak", "One session under steady load")
    recorder = product(context)
    directory = measures.scratch(context)
    rate = 2000
    child = [
        context.tool("feed"),
        corpus,
        "--bytes",
        200,
        "--rate",
        rate,
        "--count",
        int(minutes * 60 * rate),
    ]
    process = context.start(
        [
            context.tool("outer"),
            "--timeout",
            minutes * 60 + 120,
            "--",
            *recorder.command(context, directory, child),
        ]
    )
    samples = []
    begin = time.monotonic()
    while process.poll() is None:
        time.sleep(min(10, minutes * 60 / 20))
        pids = recorder_pids(process.pid, "bench_feed")
        if pids and process.poll() is None:
            samples.append((time.monotonic() - begin, *footprint(pids)))
    out, _ = process.communicate()
    report = json.loads(out)
    if report["exit"] != 0 or len(samples) < 4:
        process.send_signal(signal.SIGTERM) if process.poll() is None else None
        raise BenchError(f"the session ended badly: {report}")
    raw = recorder.recover(context, directory)
    verified = context.run([recorder.front(context), "verify", recorder.file(directory)], check=False)
    quarter = max(1, len(samples) // 4)
    early = max(s[1] for s in samples[: quarter * 2])
    late = max(s[1] for s in samples[-quarter:])
    descriptors = {s[2] for s in samples[1:]}
    section.text(
        f"{minutes:g} minutes of {rate:,} writes a second of 200 bytes: {report['bytes'] / 1e6:,.0f} MB "
        "shown."
    )
    complete = abs(len(raw) - report["bytes"]) < 4096 and len(raw) >= int(minutes * 60 * rate) * 200
    section.table(
        ["", "value"],
        [
            ("PSS in the first half / the last quarter, KiB", f"{early:,} / {late:,}"),
            ("open descriptors", ", ".join(map(str, sorted(descriptors)))),
            (
                "CPU",
                f"{(report['user_s'] + report['system_s']) / report['wall_s'] * 100:.1f} % of a core, "
                "program included",
            ),
            ("stored / raw", f"{recorder.stored(directory) / report['bytes']:.3f}"),
            ("exported bytes", f"{len(raw):,}"),
        ],
    )
    good = [
        ("memory does not grow (late <= early + 512 KiB)", f"{late - early:+,} KiB", late <= early + 512),
        (
            "descriptors do not grow",
            f"{min(descriptors)} to {max(descriptors)}",
            max(descriptors) <= min(descriptors) + 1,
        ),
        ("everything shown is exported", f"{len(raw):,} bytes", complete),
        ("the file verifies", f"exit {verified.returncode}", verified.returncode == 0),
    ]
    section.targets(good)
    shutil.rmtree(directory)
    return section, all(met for _, _, met in good)


def secrets_typed(context, tries, seed):
    """Passwords at the prompts of real programs, with random timing; none may be in a byte that was written."""
    section = Section("secrets", "Passwords typed at the prompts of real programs")
    script = common.ROOT / "tests/session/secrets_session.py"
    done = context.run(
        ["python3", script, context.build, "--tries", tries, "--seed", seed], timeout=3600, check=False
    )
    if done.returncode == 77:
        raise BenchError(done.stdout.decode().strip())
    text = done.stdout.decode().strip() + done.stderr.decode().strip()
    section.text(text.splitlines()[0] if done.returncode == 0 else text[:2000])
    section.targets([("0 secrets in what was written", "0" if done.returncode == 0 else "some", done.returncode == 0)])
    return section, done.returncode == 0


# The named jobs of bench/long: NAME -> (what it takes by default, function of (context, options)). A new one needs
# a line here; it returns (Section, whether what it promises held).
JOBS = {
    "kills": ("200 kills", lambda context, o: kills(context, o.corpus(), o.count or 200, o.seed)),
    "ledger": ("400 killed recorders", lambda context, o: ledger_kills(context, o.count or 400, o.seed)),
    "evidence": ("2 minutes", lambda context, o: evidence.costs(context)),
    "crashes": ("10,000 of each kind", lambda context, o: evidence.crashes(context, o.count or 10_000)),
    "sweeps": ("half an hour", lambda context, o: evidence.sweeps(context)),
    "fuzz": ("10 minutes a target", lambda context, o: fuzz(context, o.minutes or 10, o.jobs, o.only)),
    "secrets": ("200 tries each", lambda context, o: secrets_typed(context, o.count or 200, o.seed)),
    "soak": ("30 minutes", lambda context, o: soak(context, o.corpus(), o.minutes or 30)),
}
