# SPDX-License-Identifier: Apache-2.0
"""What the kernel's record of executions costs, and whether it is whole: loads whose every execution is known in advance."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from .common import BenchError, note
from .recorders import PRODUCT
from .results import Section

COUNT = 20_000
BUILD_FILES = 60


class Recorder:
    def __init__(self, context, directory):
        self.context, self.directory, self.number = context, directory, 0
        self.program = context.build / "recorder" / "sworn-recorder"

    def command(self, argv, *options):
        self.number += 1
        path = self.directory / f"{self.number}.sworn"
        return path, [self.program, "rec", "-q", "-o", path, *options, "--", *argv]

    def run(self, argv, *options):
        path, command = self.command(argv, *options)
        return path, self.context.run(command, timeout=300).stdout.decode()

    def events(self, path):
        front = PRODUCT.front(self.context)
        lines = self.context.run([front, "export", "--format", "jsonl", path]).stdout.splitlines()
        return [json.loads(line) for line in lines[1:]]


class Record:
    """What one recording says about executions."""

    def __init__(self, events):
        fields = [(e["kind"], e["fields"]) for e in events if "fields" in e]
        self.execs = [f for kind, f in fields if kind == "exec" and not f.get("error")]
        self.exits = [f for kind, f in fields if kind == "exec_exit"]
        self.gaps = [(i, e) for i, e in enumerate(events) if e["kind"] == "gap"]
        self.events = len(events)
        layers = [f for kind, f in fields if kind == "capture" and f.get("layer") == "ebpf"]
        if not layers:
            raise BenchError("the recording has no record of the kernel: not root, or no BPF")
        self.counters = layers[-1]

    def lost_by_gaps(self):
        return sum(e["lost_events"] for _, e in self.gaps)


def one_load(context, recorder, loops, count):
    """0 lost, 0 wrong: every (loop, number) exactly once, each with an exit status of 0."""
    path, _ = recorder.run([context.tool("exec_load"), count, loops, "/bin/true"], "--capture=exec")
    record = Record(recorder.events(path))
    wanted = {("/bin/true", str(k), str(i)) for k in range(loops) for i in range(count)}
    seen = [tuple(e["argv"]) for e in record.execs if e["argv"][0] == "/bin/true"]
    ended = {(e["pid"], e["start_us"]) for e in record.exits if e.get("status", -1) == 0}
    whole = [e for e in record.execs if e["argv"][0] == "/bin/true" and (e["pid"], e["start_us"]) in ended]
    wrong = len(seen) - len(wanted & set(seen)) + len(seen) - len(whole)
    path_size = path.stat().st_size
    path.unlink()
    return len(wanted), len(wanted - set(seen)) + record.counters["lost"], wrong, path_size


def build_load(context, recorder, directory):
    """A build with make -j2: of every file the driver, the compiler and the assembler, with its names."""
    place = directory / "project"
    place.mkdir()
    names = [f"f{i}" for i in range(context.scaled(BUILD_FILES, 4))]
    for name in names:
        (place / f"{name}.c").write_text(f"int {name}(void) {{ return {len(name)}; }}\n")
    objects = " ".join(f"{n}.o" for n in names)
    (place / "Makefile").write_text(
        f"all: {objects}\n\tar rc all.a {objects}\n%.o: %.c\n\tgcc -O1 -c $< -o $@\n"
    )
    path, _ = recorder.run(["make", "-j2", "-C", place], "--capture=exec")
    record = Record(recorder.events(path))
    missing = wrong = 0
    for name in names:
        driver = [e for e in record.execs if e["argv"] == ["gcc", "-O1", "-c", f"{name}.c", "-o", f"{name}.o"]]
        compiler = [e for e in record.execs if e["argv"][0].endswith("cc1") and f"{name}.c" in e["argv"]]
        assembler = [e for e in record.execs if e["argv"][0] == "as" and f"{name}.o" in e["argv"]]
        for found in (driver, compiler, assembler):
            missing += not found
            wrong += max(0, len(found) - 1)
        if driver and compiler and compiler[0]["parent_pid"] != driver[0]["pid"]:
            wrong += 1
    ended = {(e["pid"], e["start_us"]) for e in record.exits}
    wrong += sum((e["pid"], e["start_us"]) not in ended for e in record.execs)
    return len(record.execs), missing + record.counters["lost"], wrong, path.stat().st_size


def small_ring(context, recorder, count):
    path, _ = recorder.run(
        [context.tool("exec_load"), count, 1, "/bin/true"], "--capture=exec", "--capture-ring=4096"
    )
    record = Record(recorder.events(path))
    c = record.counters
    made = 3 * count + 2 + 2  # fork, exec, exit of each; one fork and exit of the loop, exec and exit of the tool
    seen = c["forks"] + c["execs"] + c["exits"]
    first = record.gaps[0][0] / record.events if record.gaps else 1.0
    return made, seen, c["lost"], record.lost_by_gaps(), len(record.gaps), first


def timings(context, recorder, count, rounds):
    """Microseconds of one fork, exec and exit; rounds take turns."""
    load = [context.tool("exec_load"), count, 1, "/bin/true"]
    kinds = {"bare": [], "bystander": [], "shell": [], "exec": [], "full": []}
    path, idle = recorder.command(["sleep", "1000"], "--capture=exec")
    for turn in range(rounds):
        for kind, figures in kinds.items():
            if kind == "bare":
                figures.append(float(context.run(load).stdout))
            elif kind == "bystander":
                other = context.start(idle)
                time.sleep(0.7)
                try:
                    figures.append(float(context.run(load).stdout))
                finally:
                    other.terminate()
                    other.communicate(timeout=20)
                    for part in (path, pathlib.Path(str(path) + ".part")):
                        part.unlink(missing_ok=True)
            else:
                figures.append(float(recorder.run(load, f"--capture={kind}")[1]))
        note(f"exec: round {turn + 1} of {rounds}")
    return kinds


def executions(context):
    section = Section("exec", "The kernel's record of executions")
    if os.geteuid() != 0:
        raise BenchError("not root: no figures of the kernel's record")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="exec-", dir=context.work))
    try:
        recorder = Recorder(context, directory)
        count = context.scaled(COUNT, 50)
        loads = {
            f"{count:,} x /bin/true": one_load(context, recorder, 1, count),
            f"four loops at a time of {count // 4:,}": one_load(context, recorder, 4, count // 4),
            "make -j2": build_load(context, recorder, directory),
        }
        note("exec: loads done")
        made, seen, lost, by_gaps, gaps, first = small_ring(context, recorder, count)
        quick = context.scaled(5_000, 50)
        kinds = timings(context, recorder, quick, context.rounds)
    finally:
        shutil.rmtree(directory)
    section.text(
        "Every execution of these loads is known in advance (its words, its parent, its end); what the recording says is "
        "compared with that one by one. Default ring of 8 MiB."
    )
    section.table(
        ["load", "executions", "lost", "wrong", "stored bytes each"],
        [(name, f"{n:,}", lost_, wrong, f"{size / n:.0f}") for name, (n, lost_, wrong, size) in loads.items()],
    )
    section.text(
        f"Ring of 4 KiB on purpose, {count:,} x /bin/true: {made:,} records made, {seen:,} came through, {lost:,} lost; the "
        f"gaps in the recording add up to {by_gaps:,} in {gaps:,} places, the first behind {first:.0%} of the events."
    )
    base = min(kinds["bare"])
    rows = []
    names = {
        "bare": "nothing recorded",
        "bystander": "another session is recorded",
        "shell": "recorded, command lines only",
        "exec": "recorded with the kernel's record",
        "full": "... and opened files at the end of system calls",
    }
    for kind, figures in kinds.items():
        ordered = sorted(figures)
        rows.append(
            (names[kind], f"{ordered[0]:.1f}", f"{ordered[len(ordered) // 2]:.1f}", f"{ordered[0] - base:+.1f} us",
             f"{(ordered[0] / base - 1) * 100:+.1f} %")
        )
    section.text(f"Microseconds of one fork, exec and exit of /bin/true, {quick:,} a round, {context.rounds} rounds that take turns.")
    section.table(["", "min", "median", "min - bare", ""], rows)
    over = (min(kinds["exec"]) / min(kinds["shell"]) - 1) * 100
    aside = min(kinds["bystander"]) - base
    section.targets(
        [
            ("0 lost at the default ring", sum(x[1] for x in loads.values()), all(x[1] == 0 for x in loads.values())),
            ("0 wrong", sum(x[2] for x in loads.values()), all(x[2] == 0 for x in loads.values())),
            (
                "small ring: every lost record counted, in its place",
                f"{made - seen:,} missing, {by_gaps:,} in gaps",
                made - seen == by_gaps == lost and lost > 0 and gaps > 1 and first < 0.5,
            ),
            ("recorded execution <= 2 % (minimum of rounds)", f"{over:+.2f} %", over <= 2),
            ("bystanders <= 1 us (minimum of rounds)", f"{aside:+.2f} us", aside <= 1),
        ]
    )
    return section
