# SPDX-License-Identifier: Apache-2.0
"""What the people who run a host use: config, who, status, doctor, retention, access rules, reload."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402
from bypass import log_in, log_out  # noqa: E402

CONFIG = """
[record]
exclude_users = ["plain"]
[session]
notice = "This session is recorded."
retention = "short"
[retention]
short = 30
[hold]
users = ["adm2"]
"""


def config_check_names_file_line_and_reason(host):
    assert host.sworn("config", "check").returncode == 0
    path = host.dir + "/bad.conf"
    with open(path, "w", encoding="utf-8") as f:
        f.write("[session]\nsnyc = \"interval\"\n")
    got = host.sworn("config", "check", path, check=False)
    assert got.returncode == 1 and f"{path}:2:".encode() in got.stdout and b"snyc" in got.stdout, got
    os.chmod(path, 0o666)
    got = host.sworn("config", "check", "--json", path, check=False)
    assert "others than root may write it" in json.loads(got.stdout)["findings"][0]["reason"], got
    shown = host.sworn("config", "show").stdout.decode()
    assert "retention.short=30" in shown and "session.on_failure=terminate" in shown, shown


def a_policy_with_mistakes_changes_nothing(host):
    host.write_config(CONFIG + "\n[nosuch]\n")
    host.daemon.send_signal(signal.SIGHUP)
    lab.wait_until(lambda: "old policy stays in force" in host.daemon_log(), 10, "the refusal")
    before = len(host.settled())
    assert host.ssh("echo in").stdout == b"in\n"
    host.wait_closed(before + 1)
    host.write_config(CONFIG)
    host.daemon.send_signal(signal.SIGHUP)
    lab.wait_until(lambda: "the policy was read again" in host.daemon_log(), 10, "the reload")


def the_policy_is_in_the_header_and_changes_with_it(host):
    host.ssh("true")
    first = host.info(host.wait_closed(len(host.closed()))[-1])
    host.write_config(CONFIG.replace('retention = "short"', 'retention = "short"\ninput = "all"'))
    host.daemon.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    before = len(host.settled())
    host.ssh("true")
    second = host.info(host.wait_closed(before + 1)[-1])
    assert first["mode"] == second["mode"] == "host", first
    assert first["start"]["input_policy"] == "commands" and second["start"]["input_policy"] == "all"
    host.write_config(CONFIG)
    host.daemon.send_signal(signal.SIGHUP)


def an_excluded_user_is_not_recorded(host):
    before = len(host.store())
    got = host.ssh("sworn-login -c 'echo free'; sworn status; echo $?", user="plain")
    assert b"free" in got.stdout and got.stdout.endswith(b"1\n"), got
    assert len(host.store()) == before


def who_and_status_tell_each_what_is_his(host):
    person = log_in(host)
    assert b"This session is recorded." in person.seen
    everybody = json.loads(host.sworn("who", "--json").stdout)["sessions"]
    assert [e["user"] for e in everybody] == ["adm1"] and everybody[0]["terminal_taken"], everybody
    assert everybody[0]["in_ledger"] and everybody[0]["file"].startswith("/var/lib/sworn/sessions/")
    person.type("sworn status; echo status=$?.\r")
    person.expect("recorded     by session")
    person.expect("which no other process can use")
    person.expect("policy       mode=host")
    person.expect("status=0.")
    own = json.loads(host.ssh("sworn who --json").stdout)["sessions"]
    assert own and all(e["user"] == "adm1" and "file" not in e for e in own), own
    others = json.loads(host.ssh("sworn who --json", user="adm2").stdout)["sessions"]
    assert all(e["user"] == "adm2" for e in others), others
    readers = json.loads(host.ssh("sworn who --json", user="auditor").stdout)["sessions"]
    assert any(e["user"] == "adm1" and "file" in e for e in readers), readers
    log_out(person)


def a_su_inside_is_covered(host):
    before = len(host.settled())
    person = host.terminal(argv=["su", "-", "adm1"])
    person.expect("$ ")
    person.type("sworn-login -c 'echo inner-$((1+1)); sworn status | head -1'\r")
    person.expect("inner-2")
    person.expect("recorded     by session")
    person.type("exit\r")
    person.wait()
    host.wait_closed(before + 1)
    assert len(host.closed()) == before + 1, host.closed()
    assert "is covered by session" in host.daemon_log()


def rec_is_recorded_by_the_host_or_by_oneself(host):
    before = len(host.settled())
    got = host.ssh("sworn rec --reason disk --ticket T-1 -- sh -c 'echo by-host; exit 6' </dev/null", user="adm2")
    assert (got.returncode, got.stdout) == (6, b"by-host\n"), got
    paths = host.wait_closed(before + 2)[before:]
    assert any(host.info(p)["start"]["ticket"] == "T-1" for p in paths), paths
    got = host.ssh("sworn rec -q -- sh -c 'echo own' </dev/null && ls ~/.local/share/sworn/sessions/*.sworn",
                   user="plain")
    assert got.stdout.startswith(b"own\n/home/plain/"), got


def a_profile_hook_records_interactive_shells(host):
    host.write_config(CONFIG.replace('"plain"', '"nobody-at-all"'))
    host.daemon.send_signal(signal.SIGHUP)
    hook = os.path.join(lab.TOP, "packaging/host/snippets/profile.sh")
    with open("/etc/profile.d/zz-sworn.sh", "w", encoding="utf-8") as f, open(hook, encoding="utf-8") as source:
        f.write(source.read())
    before = len(host.settled())
    person = host.terminal(user="plain")
    person.expect("$ ")
    person.run("echo hooked-$((20+2)); shopt -q login_shell && echo is-login")
    assert b"is-login" in person.seen
    log_out(person)
    path = host.wait_closed(before + 1)[-1]
    assert "hooked-22" in host.text(path)
    host.write_config(CONFIG)
    host.daemon.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    person = host.terminal(user="plain")
    person.expect("$ ")
    log_out(person)
    os.unlink("/etc/profile.d/zz-sworn.sh")
    assert len(host.closed()) == before + 1


def auditors_read_and_nobody_else(host):
    path = host.closed()[0]
    assert host.ssh(f"sworn verify {path} >/dev/null", user="auditor").returncode == 0
    assert host.ssh(f"sworn info {path}", user="adm2").returncode == 1
    assert host.ssh(f"rm -f {path}; test -e {path}", user="auditor").returncode == 0


def doctor_finds_the_holes(host):
    got = host.sworn("doctor", "--json", check=False)
    report = json.loads(got.stdout)
    assert got.returncode == (2 if report["holes"] else 0), got
    texts = {f["text"] for f in report["findings"] if f["level"] == "hole"}
    os.chmod("/usr/bin/sworn-login", 0o755)
    with open("/etc/shells", "a", encoding="utf-8") as f:
        f.write("/usr/bin/sworn-login\n")
    report = json.loads(host.sworn("doctor", "--json", check=False).stdout)
    new = {f["text"] for f in report["findings"] if f["level"] == "hole"} - texts
    os.chmod("/usr/bin/sworn-login", 0o711)
    assert any("mode 0711" in t for t in new) and any("chsh" in t for t in new), new


def retention_removes_what_is_over_and_not_on_hold(host):
    for user in ("adm1", "adm2"):
        before = len(host.settled())
        host.ssh("echo old", user=user)
        host.wait_closed(before + 1)
    dry = json.loads(host.sworn("retention", "run", "--dry-run", "--json").stdout)["sessions"]
    assert {s["fate"] for s in dry} == {"keep", "held"}, dry
    host.write_config(CONFIG.replace("short = 30", "short = 0"))
    kept = json.loads(host.sworn("retention", "run", "--json").stdout)["sessions"]
    assert all(not s["removed"] for s in kept)
    # A host whose clock stands 31 days ahead.
    if subprocess.run(["which", "faketime"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
        return
    host.write_config(CONFIG)
    run = subprocess.run(["faketime", "+31days", "/usr/bin/sworn", "retention", "run", "--json"],
                         stdout=subprocess.PIPE, check=True)
    gone = json.loads(run.stdout)["sessions"]
    assert all(s["removed"] == (s["user"] != "adm2") for s in gone), gone
    with open("/var/lib/sworn/ledger/entries", "rb") as f:
        assert f.read().count(b"retention_delete") == sum(s["removed"] for s in gone)


if __name__ == "__main__":
    names = {"log_in", "log_out"}
    lab.main(sys.argv[1], [v for k, v in list(globals().items()) if callable(v)
                           and getattr(v, "__module__", "") == "__main__" and k not in names], config=CONFIG)
