# SPDX-License-Identifier: Apache-2.0
"""sudo's I/O plugin under the real sudo: commands of people whose sessions are not recorded."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402

PLUGIN = "/usr/libexec/sworn/sworn_sudo.so"


def wire(host):
    built = host.build + "/recorder/sudo/sworn_sudo.so"
    if shutil.which("sudo") is None or not os.path.exists(built):
        lab.skip("sudo or its plugin is not there")
    shutil.copyfile(built, PLUGIN)
    os.chmod(PLUGIN, 0o644)
    with open("/etc/sudo.conf", "w", encoding="utf-8") as f:
        f.write(f"Plugin sworn_sudo {PLUGIN}\n")
    with open("/etc/sudoers", "w", encoding="utf-8") as f:
        f.write("Defaults env_reset\nroot ALL=(ALL:ALL) ALL\nplain ALL=(ALL:ALL) NOPASSWD: ALL\n"
                "adm1 ALL=(ALL:ALL) NOPASSWD: ALL\n")
    os.chmod("/etc/sudoers", 0o440)


def a_command_of_sudo_is_recorded(host):
    wire(host)
    before = len(host.settled())
    got = host.ssh("sudo sh -c 'echo out; echo err >&2; exit 3'", user="plain")
    assert (got.returncode, got.stdout, got.stderr) == (3, b"out\n", b"err\n"), got
    path = host.wait_closed(before + 1)[-1]
    info = host.info(path)
    assert info["start"]["user"] == "plain" and info["start"]["reason"] == "sudo as root", info
    assert info["mode"] == "host" and info["exit"]["status"] == 3, info
    verdict = json.loads(host.sworn("verify", "--json", path).stdout)
    assert verdict["completeness"]["gaps"] == 1, verdict  # pipes are not recorded, and that is said


def pipes_stay_exact(host):
    before = len(host.settled())
    data = os.urandom(300_000)
    for _ in range(5):
        got = host.ssh("sudo cat", user="plain", input=data)
        assert got.returncode == 0 and got.stdout == data, (got.returncode, len(got.stdout))
    host.wait_closed(before + 5)


def an_interactive_shell(host):
    before = len(host.settled())
    person = host.terminal(user="plain")
    person.expect("$ ")
    for command in ("sudo -i", "sudo -s"):
        person.type(command + "\r")
        person.expect("# ")
        person.run("echo as-$(id -un)-$((40+2))")
        person.type("exit\r")
        person.expect("$ ")
    person.type("exit\r")
    person.wait()
    for path in host.wait_closed(before + 2)[before:]:
        assert "as-root-42" in host.text(path)
        assert host.sworn("verify", path, check=False).returncode == 0, path


def a_signal_ends_it_on_record(host):
    before = len(host.settled())
    got = host.ssh("sudo sh -c 'kill -TERM $$'", user="plain")
    assert got.returncode != 0
    assert host.info(host.wait_closed(before + 1)[-1])["exit"]["signal"] == 15


def inside_a_recorded_session_it_is_covered(host):
    before = len(host.settled())
    person = host.terminal()
    person.expect("$ ")
    assert person.run("sudo sh -c 'echo covered-$((1+1))'") == 0
    assert b"covered-2" in person.seen
    person.type("exit\r")
    person.wait()
    host.wait_closed(before + 1)
    assert len(host.closed()) == before + 1


def what_cannot_be_recorded_does_not_run(host):
    os.rename("/var/lib/sworn/sessions", "/var/lib/sworn/elsewhere")
    try:
        got = host.ssh("sudo echo RAN", user="plain")
        assert b"RAN" not in got.stdout and b"cannot be recorded" in got.stderr, got
        with open("/etc/sudo.conf", "w", encoding="utf-8") as f:
            f.write(f"Plugin sworn_sudo {PLUGIN} on_failure=continue_and_alert\n")
        got = host.ssh("sudo echo RAN", user="plain")
        assert got.stdout == b"RAN\n" and b"NOT RECORDED" in got.stderr, got
        assert "UNRECORDED" in host.log()
    finally:
        os.rename("/var/lib/sworn/elsewhere", "/var/lib/sworn/sessions")


if __name__ == "__main__":
    lab.main(sys.argv[1], [v for k, v in list(globals().items()) if callable(v)
                           and getattr(v, "__module__", "") == "__main__" and k != "wire"])
