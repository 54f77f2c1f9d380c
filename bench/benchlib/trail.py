# SPDX-License-Identifier: Apache-2.0
"""What ran: reading other programs' logs, the cost of the shell hooks, the delay of alerts."""
import json
import os
import pty
import select
import subprocess
import time

from . import recorders
from .common import BenchError, note
from .results import Section


def front(context):
    program = recorders.PRODUCT.front(context)
    if not program.exists():
        raise BenchError(f"{program} is not built")
    return program


def short_session(context, name, seconds=3):
    """A recording of a few commands; gives its path and its wall clock range in microseconds."""
    path = context.work / f"{name}.sworn"
    path.unlink(missing_ok=True)
    begin = time.time()
    context.run([front(context), "rec", "-q", "-o", path, "--", "sleep", str(seconds)], timeout=60)
    return path, int(begin * 1e6), int(time.time() * 1e6)


def merge(context, session, words):
    """Wall time and peak memory of sworn log with these logs, as a process of its own."""
    with open(os.devnull, "w") as null:
        begin = time.monotonic()
        process = subprocess.Popen([str(front(context)), "log", "--json", str(session)] + [str(w) for w in words], stdout=null,
                                   stderr=subprocess.PIPE)
        _, error = process.stderr.read(), None
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"sworn log failed: {error}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def logs(context):
    section = Section("logs", "Reading logs beside a session")
    rows = []
    speeds = {}
    for kind in ("syslog", "json", "audit", "journal"):
        report = context.json([context.tool("log_speed"), "parse", kind, "--mb", context.scaled(64)])
        speeds[kind] = report
        rows.append((kind, f"{report['inside_mb_s']:.0f}", f"{report['outside_mb_s']:.0f}", f"{report['lines']:,}"))
    section.text(
        "One core, from memory, best of five: a line becomes an entry with its moment, its severity and whose it is. "
        "Inside: every line is of the session's time; outside: none is, as for most of a large log."
    )
    section.table(["", "inside MB/s", "outside MB/s", "lines"], rows)
    session, begin, end = short_session(context, "logs-session")
    megabytes = context.scaled(1024, 8)
    files = []
    for kind in ("syslog", "json"):
        path = context.work / f"logs-{kind}.log"
        path.unlink(missing_ok=True)
        # Most of a log lies before the session; a tenth of it inside is more than ever happens.
        context.run(
            [context.tool("log_speed"), "generate", kind, path, "--mb", megabytes // 2, "--from", begin - 9 * (end - begin) - 70_000_000,
             "--to", end], timeout=300)
        files.append(path)
    words = [w for path in files for w in ("--with", path)] + ["--zone", "UTC"]
    seconds, peak = min(merge(context, session, words) for _ in range(3))
    for path in files:
        path.unlink()
    note("logs: merged")
    section.text(f"`sworn log --json FILE --with syslog --with json`, {megabytes} MB in two files, page cache warm:")
    section.table(["", "seconds", "peak MB"], [("merge", f"{seconds:.1f}", f"{peak:.0f}")])
    section.targets(
        [
            ("syslog >= 200 MB/s per core", f"{speeds['syslog']['outside_mb_s']:.0f}", speeds["syslog"]["outside_mb_s"] >= 200),
            ("JSON lines >= 200 MB/s per core", f"{speeds['json']['outside_mb_s']:.0f}", speeds["json"]["outside_mb_s"] >= 200),
            ("1 GB merged in < 10 s", f"{seconds:.1f}", seconds < 10),
            ("... in <= 200 MB", f"{peak:.0f}", peak <= 200),
        ]
    )
    return section


def hooks(context):
    section = Section("hooks", "What the shell hooks cost")
    rounds = context.scaled(1000, 50)
    rows = []
    costs = {}
    for shell in ("bash", "zsh"):
        if shell == "zsh" and not os.path.exists("/usr/bin/zsh"):
            continue
        report = context.json([context.tool("hook_cost"), rounds, shell])
        costs[shell] = report["cost_p50_us"]
        rows.append((shell, *(f"{report[k]:.0f}" for k in ("plain_p50_us", "hooked_p50_us", "cost_p50_us", "cost_min_us"))))
    section.text(f"From Enter to the next prompt of an empty command, {rounds} times each, hooked and plain shells taking turns; microseconds.")
    section.table(["", "plain p50", "hooked p50", "cost p50", "cost min"], rows)
    targets = [("bash <= 1,500 us a command line", f"{costs['bash']:.0f}", costs["bash"] <= 1500)]
    if "zsh" in costs:
        targets.append(("zsh <= 200 us a command line", f"{costs['zsh']:.0f}", costs["zsh"] <= 200))
    section.targets(targets)
    return section


def alerts(context):
    """Types commands that fire a rule; the recording holds when each was begun and when its alert was on record."""
    section = Section("alerts", "Delay of alerts")
    count = context.scaled(200, 10)
    path = context.work / "alerts.sworn"
    path.unlink(missing_ok=True)
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(str(front(context)), ["sworn", "rec", "-q", "--alerts", "default", "-o", str(path), "--", "bash", "--norc"],
                  {**os.environ, "TERM": "dumb"})
    seen = b""

    def wait(text):
        nonlocal seen
        end = time.monotonic() + 30
        while text not in seen:
            if time.monotonic() > end:
                raise BenchError(f"no {text!r} from the session")
            if select.select([fd], [], [], 0.1)[0]:
                seen += os.read(fd, 65536)
        seen = seen[seen.index(text) + len(text):]

    os.write(fd, b"PS1='@@> '\r")
    wait(b"\n@@> ")
    for i in range(count):
        os.write(fd,
                 f"false && auditctl -e 0 {i}; printf 'ok-%s\\n' n{i}\r".encode())
        wait(f"ok-n{i}".encode())
        time.sleep(0.06)  # not more than the recorder takes in a second
    time.sleep(0.5)
    os.write(fd, b"exit\r")
    os.waitpid(pid, 0)
    exported = subprocess.run([str(front(context)), "export", str(path), "--format", "jsonl"], capture_output=True, text=True, check=True)
    events = [json.loads(line) for line in exported.stdout.splitlines()]
    begun = {event["event"]: event["elapsed"] for event in events if event.get("kind") == "command_begin"}
    delays = sorted(
        event["elapsed"] - begun[event["fields"]["event"]]
        for event in events
        if event.get("kind") == "alert" and event["fields"].get("event") in begun
    )
    if len(delays) < count * 0.99:
        raise BenchError(f"{len(delays)} alerts of {count}")
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    section.text(f"{count} command lines that fire a rule of the default set, typed into a live session; from the line's beginning to the alert "
                 "on record in the same session file.")
    section.table(["", "p50 ms", "p99 ms"], [("alert", f"{p50 * 1e3:.0f}", f"{p99 * 1e3:.0f}")])
    section.targets([("p99 < 1 s from Enter", f"{p99:.3f} s", p99 < 1)])
    return section
