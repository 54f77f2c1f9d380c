# SPDX-License-Identifier: Apache-2.0
"""The ways in: interactive, commands, copies; each recorded, each byte-exact, with its status."""
import hashlib
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402


def an_interactive_login_is_recorded_and_verifies(host):
    before = len(host.settled())
    with_notice = host.terminal()
    with_notice.expect("$ ")
    assert with_notice.run("echo hello-$((40+2))") == 0
    assert b"hello-42" in with_notice.seen
    with_notice.type("tty; id -un; echo shell=$SHELL; exit 7\r")
    assert with_notice.wait() == 7, with_notice.status
    path = host.wait_closed(before + 1)[-1]
    verdict = host.sworn("verify", path, check=False)
    assert verdict.returncode == 0, verdict.stdout
    text = host.text(path)
    assert "hello-42" in text and "shell=/bin/bash" in text and "adm1" in text, text


def a_command_over_ssh_is_exact(host):
    before = len(host.settled())
    got = host.ssh("echo out; echo err >&2; exit 3")
    assert (got.returncode, got.stdout, got.stderr) == (3, b"out\n", b"err\n"), got
    host.wait_closed(before + 1)
    got = host.ssh("kill -TERM $$")
    assert got.returncode == 255, got  # ssh's word for "by a signal"; and the session says which
    got = host.ssh("cat", input=b"\x00\xff\r\n" * 1000)
    assert got.stdout == b"\x00\xff\r\n" * 1000, len(got.stdout)
    host.wait_closed(before + 3)


def copies_arrive_whole(host):
    before = len(host.settled())
    data = os.urandom(3_000_000)
    source = host.dir + "/data"
    with open(source, "wb") as f:
        f.write(data)
    want = hashlib.sha256(data).hexdigest()
    target = "adm1@127.0.0.1:"
    jobs = [host.ssh_argv("-O", source, target + "by-scp", tool="scp"),
            host.ssh_argv(source, target + "by-sftp", tool="scp")]
    for job in jobs:
        lab.run(*job)
    shell = " ".join(host.ssh_argv(user="adm1")[:-1])
    lab.run("rsync", "-e", shell, source, target + "by-rsync")
    for name in ("by-scp", "by-sftp", "by-rsync"):
        with open("/home/adm1/" + name, "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == want, name
    back = host.dir + "/back"
    lab.run(*host.ssh_argv("-O", target + "by-scp", back, tool="scp"))
    with open(back, "rb") as f:
        assert hashlib.sha256(f.read()).hexdigest() == want
    host.wait_closed(before + 4)
    for path in host.closed():
        assert host.sworn("verify", path, check=False).returncode == 0, path


def python_over_standard_input_like_ansible(host):
    before = len(host.settled())
    program = b"import sys,json\nprint(json.dumps({'ok': True, 'argv': sys.argv}))\nsys.exit(4)\n"
    got = host.ssh("/bin/sh -c 'python3 - a b && sleep 0'", input=program)
    assert got.returncode == 4 and b'"ok": true' in got.stdout, got
    host.wait_closed(before + 1)


def many_sessions_over_one_connection(host):
    before = len(host.settled())
    control = host.dir + "/control"
    master = subprocess.Popen(host.ssh_argv("-M", "-S", control, "-N"), stdin=subprocess.DEVNULL)
    host.wait_master(control)
    jobs = [subprocess.Popen(["ssh", "-F", "/dev/null", "-S", control, "adm1@127.0.0.1", f"echo n{i}"],
                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) for i in range(8)]
    for i, job in enumerate(jobs):
        out, _ = job.communicate(timeout=20)
        assert out == f"n{i}\n".encode(), out
    master.terminate()
    master.wait(10)
    host.wait_closed(before + 8)


def a_dropped_connection_ends_the_session_on_record(host):
    before = len(host.settled())
    person = host.terminal()
    person.expect("$ ")
    person.run("echo before-the-drop")
    person.kill()
    path = host.wait_closed(before + 1)[-1]
    assert "before-the-drop" in host.text(path)
    assert host.sworn("verify", path, check=False).returncode == 0


def what_was_typed_ahead_survives(host):
    person = host.terminal()
    person.type("echo ahead-$((1+1))\r")
    person.expect("ahead-2")
    person.type("exit\r")
    assert person.wait() == 0


def the_users_own_terminal_is_taken(host):
    person = host.terminal()
    person.expect("$ ")
    person.run("outer=$SSH_TTY; echo; (echo x > $outer) 2>&1 | tail -1")
    assert b"ermission denied" in person.seen, person.seen
    person.type("exit\r")
    person.wait()


def force_command_with_another_login_shell(host):
    # `plain` has bash as login shell; sshd forces the client.
    before = len(host.settled())
    got = host.ssh("echo forced; exit 5", user="plain")
    assert (got.returncode, got.stdout) == (5, b"forced\n"), got
    host.wait_closed(before + 1)


def resize_reaches_the_shell(host):
    import fcntl
    import struct
    import termios
    person = host.terminal()
    person.expect("$ ")
    fcntl.ioctl(person.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    time.sleep(0.3)
    person.type("stty size\r")
    person.expect("50 132")
    person.type("exit\r")
    person.wait()


if __name__ == "__main__":
    lab.main(sys.argv[1], [v for k, v in list(globals().items()) if callable(v) and v.__module__ == "__main__"
                           and k != "main"],
             extra_sshd="Match User plain\n  ForceCommand /usr/bin/sworn-login\n")
