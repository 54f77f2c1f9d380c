# SPDX-License-Identifier: Apache-2.0
"""What happens when parts of it die, stall or run out of room: nothing that was seen is lost, nobody goes on
unrecorded without an entry, and nobody waits without a word."""
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402
from bypass import client_of, log_in, log_out, still_works  # noqa: E402


def ledger_bytes():
    with open("/var/lib/sworn/ledger/entries", "rb") as f:
        return f.read()


def who(host):
    return json.loads(host.sworn("who", "--json").stdout)["sessions"]


def monitor_of(host, person):
    client, _ = client_of(person)
    return next(each["monitor_pid"] for each in who(host) if each["client_pid"] == client)


def the_monitor_is_killed(host):
    lost = ledger_bytes().count(b"session_lost")
    person = log_in(host)
    person.run("echo seen-before-$((40+2))")
    os.kill(monitor_of(host, person), signal.SIGKILL)
    person.wait()
    lab.wait_until(lambda: ledger_bytes().count(b"session_lost") > lost, 10, "session_lost in the ledger")
    part = [p for p in host.store() if p.endswith(".sworn.part")][-1]
    out = host.dir + "/salvaged.sworn"
    host.sworn("salvage", part, "-o", out, check=False)
    text = host.text(out)
    assert "seen-before-42" in text, text
    still_works(host)


def the_daemon_is_killed_and_sessions_go_on(host):
    before = len(host.settled())
    person = log_in(host)
    person.run("echo before-$((1+1))")
    host.stop_daemon(signal.SIGKILL)
    assert person.run("echo while-away-$((2+2))") == 0
    host.start_daemon()
    lab.wait_until(lambda: "is back" in host.daemon_log(), 10, "the monitor to come back")
    assert person.run("echo after-$((3+3))") == 0
    log_out(person)
    path = host.wait_closed(before + 1)[-1]
    text = host.text(path)
    assert all(word in text for word in ("before-2", "while-away-4", "after-6")), text
    assert host.sworn("verify", path, check=False).returncode == 0


def a_session_that_ends_while_the_daemon_is_away(host):
    before = len(host.settled())
    person = log_in(host)
    person.run("echo alone-$((5+5))")
    host.stop_daemon(signal.SIGKILL)
    log_out(person)
    time.sleep(2.5)  # its monitor gives up the wait
    assert not [p for p in host.closed()[before:]]
    host.start_daemon()
    path = host.wait_closed(before + 1, 25)[-1]
    assert "alone-10" in host.text(path)
    assert b"entered late" in ledger_bytes()


def a_crash_of_the_whole_host(host):
    """Daemon and monitor die, and what is in memory is gone."""
    person = log_in(host)
    person.run("echo before-the-crash-$((4+4))")
    time.sleep(1.3)  # a seal and its sync
    monitor = monitor_of(host, person)
    lost = ledger_bytes().count(b"session_lost")
    host.stop_daemon(signal.SIGKILL)
    os.kill(monitor, signal.SIGKILL)
    person.wait()
    for directory in ("/run/sworn/sessions", "/run/sworn/tails"):
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
    host.start_daemon()
    lab.wait_until(lambda: ledger_bytes().count(b"session_lost") == lost + 1, 10, "session_lost")
    assert b"recovery" in ledger_bytes()
    part = [p for p in host.store() if p.endswith(".part")][-1]
    out = host.dir + "/after-crash.sworn"
    host.sworn("salvage", part, "-o", out, check=False)
    assert "before-the-crash-8" in host.text(out)
    host.stop_daemon()
    host.start_daemon()
    time.sleep(1)
    assert ledger_bytes().count(b"session_lost") == lost + 1, "it is lost once only"


def without_a_daemon_the_policy_decides(host):
    host.stop_daemon()
    try:
        began = time.monotonic()
        got = host.ssh("echo UNRECORDED")
        assert got.returncode == 254 and b"no session" in got.stderr and b"UNRECORDED" not in got.stdout, got
        assert time.monotonic() - began < 4
        got = host.ssh("echo loud", user="glass")
        assert got.stdout == b"loud\n" and b"NOT RECORDED" in got.stderr, got
        assert "UNRECORDED session of uid 2005" in host.log(), host.log()
    finally:
        host.start_daemon()
    still_works(host)


def a_daemon_that_hangs_is_told_within_two_seconds(host):
    host.daemon.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        person = host.terminal()
        person.expect("waiting for swornd", 5)
        assert time.monotonic() - began < 3.5
        person.wait(20)
        assert b"no session" in person.seen, person.seen
    finally:
        host.daemon.send_signal(signal.SIGCONT)
    still_works(host)


def a_full_disk_ends_the_session_on_record(host):
    lab.run("mount", "-t", "tmpfs", "-o", "size=6m,mode=0750", "small", "/var/lib/sworn/sessions")
    try:
        person = log_in(host)
        person.type("for i in $(seq 200); do head -c 300000 /dev/urandom | base64; done\r")
        person.drain(60)
        assert b"can no longer be recorded" in person.seen or b"no longer" in person.seen, person.seen[-600:]
        lab.wait_until(lambda: [p for p in host.store() if p.endswith(".sworn")], 15, "the file to be closed",
                       lambda: str(host.store()))
        path = host.closed()[-1]
        got = host.sworn("verify", path, check=False)
        assert got.returncode == 0, got.stdout
        with open("/var/lib/sworn/sessions/filler", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 65536)
            except OSError:
                pass
        got = host.ssh("echo UNRECORDED")
        assert got.returncode == 254 and b"full" in got.stderr, got
    finally:
        lab.run("umount", "-l", "/var/lib/sworn/sessions")
    still_works(host)


def a_kill_at_any_moment(host):
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    for i in range(6):
        person = host.terminal()
        person.type("for i in $(seq 400); do echo line-$i-$RANDOM; sleep 0.002; done\r")
        end = time.monotonic() + rng.uniform(0.05, 1.0)
        while time.monotonic() < end:
            person.read(0.02)
        lab.wait_until(lambda: [e for e in who(host) if e["in_ledger"]], 10, "the session")
        newest = max(who(host), key=lambda e: e["started"])
        os.kill(newest[rng.choice(["monitor_pid", "client_pid"])], signal.SIGKILL)
        person.drain(20)
        os.waitpid(person.pid, 0)
        seen = [w for w in person.seen.replace(b"\r", b"").split(b"\n") if w.startswith(b"line-")][:-1]
        if not seen:
            continue
        time.sleep(0.5)
        text = ""
        for path in host.store()[-6:]:
            if path.endswith(".tail"):
                continue
            if path.endswith(".part"):
                out = f"{host.dir}/s-{i}-{os.path.basename(path)}"
                host.sworn("salvage", path, "-o", out, check=False)
                if not os.path.exists(out):
                    continue
                path = out
            text += host.text(path)
        missing = [w for w in seen if w.decode() not in text]
        assert not missing, (seed, i, missing[:3], len(missing), len(seen))


if __name__ == "__main__":
    names = {"ledger_bytes", "monitor_of", "client_of", "log_in", "log_out", "who", "still_works"}
    lab.main(sys.argv[1], [v for k, v in list(globals().items()) if callable(v)
                           and getattr(v, "__module__", "") == "__main__" and k not in names],
             config='[break_glass]\ngroups = ["breakglass"]\n[limits]\nreserve = "2M"\n')
