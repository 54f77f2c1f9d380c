# SPDX-License-Identifier: Apache-2.0
"""What root of the host does to the evidence, by name: he can do it, and each attempt leaves the trace that the threat
model says it leaves."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402
from bypass import log_in, still_works  # noqa: E402

LEDGER = "/var/lib/sworn/ledger"


def a_session(host, text="echo evidence"):
    before = set(host.closed())
    host.ssh(text)
    lab.wait_until(lambda: set(host.closed()) - before, 10, "the recording")
    path = (set(host.closed()) - before).pop()
    lab.wait_until(lambda: b"session_close" in entries(host, path), 10, "its entry")
    return path


def entries(host, path):
    return host.sworn("ledger", "ls", "--host", "--json", "--session", host.info(path)["file_id"][:12]).stdout


def check(host):
    return host.sworn("ledger", "check", "--host", "--sessions", "/var/lib/sworn/sessions", check=False)


def verdict(host, path, *args):
    return host.sworn("verify", "--ledger", LEDGER, *args, path, check=False)


def the_ledger_holds_every_session(host):
    path = a_session(host)
    assert check(host).returncode == 0, check(host).stdout
    got = verdict(host, path, "--require", "ledger")
    assert got.returncode == 0, got.stdout


def remove_a_recording(host):
    path = a_session(host)
    os.rename(path, "/var/lib/sworn/gone")
    got = check(host)
    assert got.returncode != 0 and b"MISSING" in got.stdout, got.stdout
    os.rename("/var/lib/sworn/gone", path)
    assert check(host).returncode == 0


def change_a_byte_of_a_recording(host):
    path = a_session(host)
    os.chmod(path, 0o640)
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 1]))
    assert verdict(host, path).returncode == 3
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(byte)
    assert verdict(host, path).returncode == 0


def cut_the_end_of_a_recording(host):
    path = a_session(host)
    with open(path, "rb") as f:
        whole = f.read()
    with open(path, "wb") as f:
        f.write(whole[:len(whole) * 2 // 3])
    assert verdict(host, path).returncode == 3, verdict(host, path).stdout
    with open(path, "wb") as f:
        f.write(whole)


def exchange_two_recordings(host):
    one, other = a_session(host, "echo one"), a_session(host, "echo other")
    os.rename(one, "/var/lib/sworn/swap")
    os.rename(other, one)
    os.rename("/var/lib/sworn/swap", other)
    got = [verdict(host, p) for p in (one, other)]
    # The files are whole; the ledger knows each by its id, whatever its name.
    assert all(g.returncode == 0 for g in got), got
    os.rename(one, "/var/lib/sworn/swap")
    os.rename(other, one)
    os.rename("/var/lib/sworn/swap", other)


def kill_the_monitor_of_a_session(host):
    person = log_in(host)
    live = json.loads(host.sworn("who", "--json").stdout)["sessions"]
    os.kill(live[0]["monitor_pid"], signal.SIGKILL)
    person.wait()
    lab.wait_until(lambda: b"session_lost" in host.sworn("ledger", "ls", "--host", "--kind", "session_lost").stdout, 10,
                   "session_lost")
    still_works(host)


def stop_the_daemon_and_log_in(host):
    host.stop_daemon()
    got = host.ssh("echo UNRECORDED")
    assert got.returncode == 254, got
    got = subprocess.run(["/usr/bin/sworn-login", "-c", "echo root-goes-on"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    assert got.stdout == b"root-goes-on\n" and b"NOT RECORDED" in got.stderr, got
    assert "UNRECORDED session of uid 0" in host.log()
    host.start_daemon()
    still_works(host)


def take_somebodys_shell_back(host):
    subprocess.run(["usermod", "-s", "/bin/bash", "adm2"], check=True, stdout=subprocess.DEVNULL)
    got = host.sworn("doctor", check=False)
    assert b"adm2" in got.stdout, got.stdout
    subprocess.run(["usermod", "-s", "/usr/bin/sworn-login", "adm2"], check=True, stdout=subprocess.DEVNULL)


def exclude_somebody_from_the_policy(host):
    host.write_config('[record]\nexclude_users = ["adm2"]\n')
    host.daemon.send_signal(signal.SIGHUP)
    lab.wait_until(lambda: "policy was read again" in host.daemon_log(), 10, "the reload")
    before = len(host.store())
    assert host.ssh("echo free", user="adm2").stdout == b"free\n"
    assert len(host.store()) == before
    assert b"exclude_users=adm2" in host.sworn("config", "show").stdout
    host.write_config("")
    host.daemon.send_signal(signal.SIGHUP)


def roll_the_ledger_back(host):
    a_session(host)
    copy = host.dir + "/ledger-copy"
    subprocess.run(["cp", "-a", LEDGER, copy], check=True)
    path = a_session(host, "echo after-the-copy")
    host.stop_daemon()
    subprocess.run(["rm", "-rf", LEDGER], check=True)
    subprocess.run(["cp", "-a", copy, LEDGER], check=True)
    got = verdict(host, path, "--require", "ledger")
    assert got.returncode in (3, 4), got.stdout  # the session's own header names a larger ledger
    host.start_daemon()


def begin_a_new_ledger(host):
    path = a_session(host)
    host.stop_daemon()
    os.rename(LEDGER, "/var/lib/sworn/old-ledger")
    host.start_daemon()
    got = verdict(host, path, "--require", "ledger")
    assert got.returncode in (3, 4), got.stdout  # another genesis
    host.stop_daemon()
    subprocess.run(["rm", "-rf", LEDGER], check=True)
    os.rename("/var/lib/sworn/old-ledger", LEDGER)
    host.start_daemon()


def damage_the_ledger(host):
    path = LEDGER + "/entries"
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.seek(size // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 1]))
    assert check(host).returncode == 3, check(host).stdout
    with open(path, "r+b") as f:
        f.seek(size // 2)
        f.write(byte)
    assert check(host).returncode != 3


if __name__ == "__main__":
    names = {"a_session", "entries", "check", "verdict", "log_in", "still_works"}
    lab.main(sys.argv[1], [v for k, v in list(globals().items()) if callable(v)
                           and getattr(v, "__module__", "") == "__main__" and k not in names])
