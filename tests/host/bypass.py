# SPDX-License-Identifier: Apache-2.0
"""What a recorded user without root tries, by name. Each attempt fails or ends the session, and is on record."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import lab  # noqa: E402

# Run as the user, inside a recorded session; `M` is its monitor, `C` its client, `A` its anchor.
PRELUDE = r"""
M=$(ps -eo pid,user,comm,args | awk '$2=="sworn" && $3=="sworn-monitor"{print $1}')
"""


def inside(host, script, **kw):
    """Runs a script in a recorded session of adm1; gives status and what it wrote."""
    got = host.ssh("bash -s", input=(PRELUDE + script).encode(), **kw)
    return got.returncode, (got.stdout + got.stderr).decode(errors="replace")


def python_inside(host, program, **kw):
    return host.ssh("python3 -", input=program.encode(), **kw)


def client_of(person):
    person.type("echo anchor=$PPID.\r")
    person.expect("anchor=")
    person.expect("anchor=")
    start = person.mark
    person.expect(".")
    anchor = int(person.seen[start:person.mark - 1])
    with open(f"/proc/{anchor}/stat", encoding="utf-8") as f:
        client = int(f.read().rsplit(")", 1)[1].split()[1])
    return client, anchor


def monitor_pids():
    out = subprocess.run(["pgrep", "-u", "sworn", "-x", "sworn-monitor"], stdout=subprocess.PIPE, check=False)
    return [int(p) for p in out.stdout.split()]


def log_in(host, user="adm1"):
    person = host.terminal(user=user)
    person.expect("$ ")
    return person


def log_out(person):
    person.type("exit\r")
    person.wait()


def still_works(host):
    got = host.ssh("echo alive")
    assert got.stdout == b"alive\n", got


# --- the recorder's processes

def kill_the_monitor_with_every_signal(host):
    _, out = inside(host, 'test -n "$M" || echo NOMONITOR; for p in $M; do for s in $(seq 1 64); do '
                          'kill -$s $p 2>/dev/null && echo HIT $s; done; done; echo end')
    assert "end" in out and "HIT" not in out and "NOMONITOR" not in out, out


def kill_the_daemon(host):
    _, out = inside(host, 'for s in 1 2 9 15 19; do kill -$s $(pgrep -x swornd) 2>/dev/null && echo HIT; done; '
                          'pgrep -x swornd >/dev/null && echo there')
    assert "there" in out and "HIT" not in out, out


def trace_the_monitor(host):
    got = python_inside(host, """
import ctypes, subprocess
libc = ctypes.CDLL(None, use_errno=True)
pids = [int(p) for p in subprocess.run(['pgrep','-x','sworn-monitor'],stdout=-1).stdout.split()]
assert pids
for p in pids:
    assert libc.ptrace(16, p, None, None) != 0
    assert libc.ptrace(0x4206, p, None, None) != 0
print('refused')
""")
    assert got.stdout == b"refused\n", got


def read_the_monitors_memory_and_descriptors(host):
    _, out = inside(host, 'for p in $M; do cat /proc/$p/mem /proc/$p/environ 2>&1 | tail -2; ls /proc/$p/fd 2>&1; '
                          'done; for p in $M; do head -c1 /proc/$p/fd/4 2>&1; done')
    assert "ermission denied" in out and out.count("ermission denied") >= 3, out


def kill_the_client_and_go_on(host):
    before = len(host.settled())
    person = log_in(host)
    client, _ = client_of(person)
    person.type(f"echo before-kill; kill -9 {client}; sleep 5; echo NOT-REACHED-$((1+1))\r")
    person.wait()
    path = host.wait_closed(before + 1)[-1]
    text = host.text(path)
    assert "before-kill" in text and "NOT-REACHED-2" not in text, text


def stop_the_client_and_go_on_unseen(host):
    before = len(host.settled())
    person = log_in(host)
    client, _ = client_of(person)
    person.run(f"kill -STOP {client}")
    person.run("echo still-recorded-$((40+2))")
    person.run(f"kill -CONT {client}")
    log_out(person)
    assert "still-recorded-42" in host.text(host.wait_closed(before + 1)[-1])


def kill_the_anchor(host):
    before = len(host.settled())
    person = log_in(host)
    _, anchor = client_of(person)
    # The hangup of the leader ends the first sleep; the terminal is gone before the second one ends.
    person.type(f"kill -9 {anchor}; sleep 2; sleep 2; echo NOT-REACHED-$((1+1))\r")
    person.wait()
    assert "NOT-REACHED-2" not in host.text(host.wait_closed(before + 1)[-1])


def trace_the_client(host):
    person = log_in(host)
    client, anchor = client_of(person)
    for pid in (client, anchor):
        assert person.run(f"python3 -c 'import ctypes; l=ctypes.CDLL(None); "
                          f"import sys; sys.exit(l.ptrace(16,{pid},None,None)!=0)'") == 1
    log_out(person)


def read_the_clients_memory(host):
    person = log_in(host)
    client, anchor = client_of(person)
    assert person.run(f"cat /proc/{client}/mem /proc/{client}/environ /proc/{anchor}/mem 2>/dev/null") != 0
    assert person.run(f"ls /proc/{client}/fd 2>/dev/null") != 0
    log_out(person)


def make_the_client_dump_core(host):
    person = log_in(host)
    client, _ = client_of(person)
    person.type(f"cd /home/adm1; ulimit -c unlimited; kill -SEGV {client}; sleep 3\r")
    person.wait()
    assert not [f for f in os.listdir("/home/adm1") if f.startswith("core")]
    still_works(host)


def start_the_client_under_a_tracer(host):
    got = python_inside(host, """
import ctypes, os
libc = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    libc.ptrace(0, 0, None, None)
    os.execv('/usr/bin/sworn-login', ['sworn-login', '-c', 'echo TRACED-SHELL'])
while True:
    _, status = os.waitpid(pid, 0)
    if os.WIFSTOPPED(status):
        libc.ptrace(7, pid, None, None)
        continue
    break
print('status', os.waitstatus_to_exitcode(status))
""")
    assert b"TRACED-SHELL" not in got.stdout and b"status" in got.stdout, got


# --- the next session

def leave_a_stale_lock(host):
    kill_the_client_and_go_on(host)
    before = len(host.settled())
    still_works(host)
    host.wait_closed(before + 1)


def a_crowd_of_sessions_at_once(host):
    before = len(host.settled())
    jobs = [subprocess.Popen(host.ssh_argv(f"echo crowd-{i}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             stdin=subprocess.DEVNULL) for i in range(30)]
    outs = [job.communicate(timeout=60) for job in jobs]
    ran = sum(1 for out, _ in outs if b"crowd-" in out)
    assert ran == 30, outs
    host.wait_closed(before + 30, 60)


def the_quota_of_sessions_is_no_way_around(host):
    # More than the policy allows (40): refused, never unrecorded.
    master = host.dir + "/crowd"
    hold = subprocess.Popen(host.ssh_argv("-M", "-S", master, "-N", user="adm2"), stdin=subprocess.DEVNULL)
    host.wait_master(master)
    jobs = [subprocess.Popen(["ssh", "-F", "/dev/null", "-S", master, "adm2@127.0.0.1", "echo in; sleep 6"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            for _ in range(46)]
    time.sleep(3)
    live = len([p for p in host.store() if p.endswith(".part")])
    outs = [job.communicate(timeout=60) for job in jobs]
    hold.kill()
    hold.wait(10)
    ran = sum(1 for out, _ in outs if out == b"in\n")
    assert ran <= 40, ran
    assert live >= min(ran, 1), (live, ran)


# --- steering it

def environment_variables(host):
    before = len(host.settled())
    got = subprocess.run(host.ssh_argv("echo env-$((1+1)); env"), stdout=subprocess.PIPE, check=False, timeout=30,
                         stdin=subprocess.DEVNULL,
                         env=dict(os.environ, LC_X="1", SWORN_CONFIG="/tmp/x", SWORN_INPUT="none",
                                  TLOG_REC_SESSION_CONF_TEXT="{}", LC_SWORN_SESSION="no"))
    assert b"env-2" in got.stdout
    path = host.wait_closed(before + 1)[-1]
    assert host.sworn("verify", path, check=False).returncode == 0


def preload_a_library_into_the_client(host):
    before = len(host.settled())
    _, out = inside(host, r"""
cd /tmp && mkdir -p p.$$ && cd p.$$
printf 'BAD\n' > libbad.so
LD_PRELOAD=$PWD/libbad.so LD_LIBRARY_PATH=$PWD LD_AUDIT=$PWD/libbad.so GCONV_PATH=$PWD sworn-login -c 'echo inner-$((2+2))' 2>&1
rm -rf /tmp/p.$$
""")
    assert "inner-4" in out, out
    host.wait_closed(before + 1)


def another_shell_by_the_SHELL_variable(host):
    got = host.ssh("SHELL=/tmp/evil sworn-login -c 'echo $SHELL'")
    assert got.stdout == b"/bin/bash\n", got


def descriptors_closed_at_the_start(host):
    before = len(host.settled())
    inside(host, "sworn-login -c 'echo closed-fds' <&- >&- 2>&-")
    host.wait_closed(before + 2)  # the session itself and the one inside


def no_descriptors_left(host):
    for limit in (3, 4, 6, 8):
        _, out = inside(host, f"bash -c 'ulimit -n {limit}; exec sworn-login -c \"echo RAN-UNRECORDED\"' 2>&1")
        assert "RAN-UNRECORDED" not in out or "session" in out, (limit, out)
    still_works(host)


def limits_on_files_memory_and_processes(host):
    before = len(host.settled())
    _, out = inside(host, "bash -c 'ulimit -f 0; exec sworn-login -c \"echo big-$((3+3))\"'")
    assert "big-6" in out, out  # the monitor has limits of its own
    host.wait_closed(before + 2)
    _, out = inside(host, "bash -c 'ulimit -v 4096; exec sworn-login -c \"echo small\"' 2>&1; echo after")
    assert "after" in out, out


def niceness_and_idle_io(host):
    before = len(host.settled())
    _, out = inside(host, "nice -n 19 sworn-login -c 'echo nice-$((4+4))'")
    assert "nice-8" in out, out
    host.wait_closed(before + 2)


def a_user_namespace_where_i_am_root(host):
    before = len(host.settled())
    _, out = inside(host, "unshare -Ur sworn-login -c 'echo ns-$((5+5))' 2>&1")
    assert "ns-10" in out or "not permitted" in out or "no session" in out, out
    assert "NOT RECORDED" not in out, out
    host.wait_closed(before + 1)


def arguments_of_the_client(host):
    for words in ("--rec --nosuch", "--rec --reason", "-c", "--config /tmp/x -c id"):
        _, out = inside(host, f"sworn-login {words} </dev/null 2>&1; echo status $?")
        assert "status" in out, out
    still_works(host)


def original_command_set_by_the_user(host):
    before = len(host.settled())
    _, out = inside(host, "SSH_ORIGINAL_COMMAND='echo spoofed-$((6+6))' sworn-login")
    assert "spoofed-12" in out, out
    host.wait_closed(before + 2)


# --- the socket

def take_the_place_of_the_socket(host):
    _, out = inside(host, "rm -f /run/sworn/swornd.sock 2>&1; mv /run/sworn/swornd.sock /tmp/x 2>&1; "
                          "ln -s /tmp/x /run/sworn/y 2>&1; ls /run/sworn/sessions 2>&1")
    assert out.count("ermission denied") >= 4, out


def send_garbage_to_the_socket(host):
    got = python_inside(host, """
import socket, os
for data in (b'', b'x', os.urandom(60000), b'SW\\x01\\x00' + b'\\xff'*100, b'SW\\x01\\x0b', b'SW\\x02\\x00'):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect('/run/sworn/swornd.sock')
    s.settimeout(5)
    try:
        s.send(data)
        while s.recv(65536): pass
    except OSError: pass
print('sent')
""")
    assert got.stdout == b"sent\n", got
    still_works(host)


def silent_connections(host):
    holder = subprocess.Popen(host.ssh_argv("python3 -", user="adm2"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    holder.stdin.write(b"""
import socket, time, sys
hold = []
end = time.time() + 5
n = 0
while time.time() < end:
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect('/run/sworn/swornd.sock'); hold.append(s); n += 1
    except OSError: pass
    if n == 300: print('full', flush=True)
    hold = hold[-500:]
print(n)
""")
    holder.stdin.close()
    holder.stdout.readline()
    for user in ("adm1", "adm2"):
        began = time.monotonic()
        got = host.ssh("echo in", user=user)
        assert got.stdout == b"in\n" and time.monotonic() - began < 4, (user, got, time.monotonic() - began)
    holder.wait(30)


def pretend_to_be_the_client(host):
    got = python_inside(host, """
import socket, array
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect('/run/sworn/swornd.sock')
hello = b'SW\\x01\\x00' + b'\\x00' + b'\\0'*8
s.sendmsg([hello], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0,1,2]))])
print(s.recv(65536))
""")
    assert b"not the client" in got.stdout, got
    assert "not the client of this host" in host.daemon_log()


def exec_the_client_after_hello(host):
    got = python_inside(host, """
import socket, array, os, time, struct
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect('/run/sworn/swornd.sock')
os.set_inheritable(s.fileno(), True)
accomplice = os.fork()
if accomplice == 0:
    time.sleep(0.5)   # our parent executes the client by now
    hello = b'SW\\x01\\x00' + b'\\x00' + b'\\0'*8
    s.sendmsg([hello], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0,1,2]))])
    got = s.recv(65536)
    if got[3] == 2:
        answer = b'SW\\x01\\x01' + got[4:36]
        s.sendmsg([answer], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('3i', os.getpid(), os.getuid(), os.getgid()))])
        got = s.recv(65536)
    os.write(1, b'GOT ' + repr(got[:4]).encode() + repr(got).encode() + b'\\n')
    os._exit(0)
os.execv('/usr/bin/sworn-login', ['sworn-login', '-c', 'sleep 2'])
""")
    assert b"GOT b'SW\\x01\\x03'" in got.stdout and b"another process" in got.stdout, got
    assert "another process answered" in host.daemon_log()


def pretend_to_be_a_monitor(host):
    got = python_inside(host, """
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect('/run/sworn/swornd.sock')
s.send(b'SW\\x01\\x0f' + b'\\0'*48)
print(s.recv(65536))
""")
    assert got.stdout == b"b''\n", got


# --- the files

def read_recordings_tails_and_the_ledger(host):
    _, out = inside(host, "ls /var/lib/sworn/sessions /var/lib/sworn/ledger /run/sworn/tails /run/sworn/sessions 2>&1; "
                          "cat /var/lib/sworn/ledger/entries 2>&1")
    assert out.count("ermission denied") == 5, out


def change_recordings_and_the_ledger(host):
    path = host.closed()[0]
    _, out = inside(host, f"rm -f {path} 2>&1; echo x >> {path}; chmod 777 {path} 2>&1; touch /var/lib/sworn/sessions/x 2>&1;"
                          f"mv /var/lib/sworn /tmp/ 2>&1")
    assert out.count("ermission denied") >= 5, out
    assert host.sworn("verify", path, check=False).returncode == 0


def change_the_policy(host):
    _, out = inside(host, "echo > /etc/sworn/sworn.conf; rm -f /etc/sworn/sworn.conf 2>&1; "
                          "echo x > /var/lib/sworn/client; mv -n /etc/sworn/sworn.conf /home/adm1/ 2>&1")
    assert out.count("ermission denied") >= 3, out
    assert os.path.getsize("/etc/sworn/sworn.conf") > 0


def a_guess_at_a_files_name(host):
    path = host.closed()[0]
    _, out = inside(host, f"cat {path} 2>&1")
    assert "ermission denied" in out, out


# --- the outer terminal

HOLDER = """
import glob, os, time
held = {}
end = time.time() + 6
while time.time() < end:
    for path in glob.glob('/dev/pts/[0-9]*'):
        try:
            if os.stat(path).st_uid == os.getuid():
                fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                held.setdefault(path, []).append(fd)
        except OSError: pass
    for path, fds in held.items():
        for fd in fds[-3:]:
            try: os.write(fd, b'[OUT' + b'SIDE]')
            except OSError: pass
        del fds[:-20]
"""


def the_outer_terminal_opened_before_during_and_after(host):
    """Another process of the user opens every terminal of his, all the time, and writes on it."""
    before = len(host.settled())
    holder = subprocess.Popen(host.ssh_argv("python3 -"), stdin=subprocess.PIPE)
    holder.stdin.write(HOLDER.encode())
    holder.stdin.close()
    time.sleep(1)
    person = log_in(host)
    person.run("echo mark-$((1+1))")
    time.sleep(1)
    log_out(person)
    holder.wait(30)
    # What was written on the inner terminal is recorded; nothing may be seen that is not.
    paths = host.wait_closed(before + 2)
    texts = "".join(host.text(p) for p in paths[before:])
    start = person.seen.find(b"mark-2")
    assert start > 0
    shown = person.seen[start:].count(b"[OUTSIDE]")
    assert texts.count("[OUTSIDE]") >= shown, (shown, texts.count("[OUTSIDE]"))


def keystrokes_read_from_the_outer_terminal(host):
    person = log_in(host)
    assert person.run("timeout 1 head -c1 <$SSH_TTY 2>/dev/null") != 0
    log_out(person)


def the_inner_terminal_from_another_session_is_recorded(host):
    before = len(host.settled())
    person = log_in(host)
    person.type("echo my-tty=$(tty).\r")
    person.expect("my-tty=/")
    start = person.mark - 1
    person.expect(".")
    tty = person.seen[start:person.mark - 1].decode()
    host.ssh(f"echo from-another-session > {tty}")
    person.expect("from-another-session")
    log_out(person)
    host.wait_closed(before + 2)
    lab.wait_until(lambda: any("from-another-session" in t and "my-tty=" in t
                               for t in map(host.text, host.closed()[before:])), 10, "it to be on record")


# --- start-up files and accounts

def bashrc_runs_on_record(host):
    with open("/home/adm1/.bash_profile", "w", encoding="utf-8") as f:
        f.write("echo from-my-profile\n")
    before = len(host.settled())
    person = log_in(host)
    log_out(person)
    os.unlink("/home/adm1/.bash_profile")
    assert "from-my-profile" in host.text(host.wait_closed(before + 1)[-1])


def an_rc_file_of_ssh(host):
    with open("/home/adm1/.ssh/rc", "w", encoding="utf-8") as f:
        f.write("touch /home/adm1/rc-ran\n")
    still_works(host)
    os.unlink("/home/adm1/.ssh/rc")
    assert not os.path.exists("/home/adm1/rc-ran")


def an_environment_file_of_ssh(host):
    with open("/home/adm1/.ssh/environment", "w", encoding="utf-8") as f:
        f.write("FROM_FILE=yes\n")
    got = host.ssh("echo [$FROM_FILE]")
    os.unlink("/home/adm1/.ssh/environment")
    assert got.stdout == b"[]\n", got


def change_the_login_shell(host):
    _, out = inside(host, "chsh -s /bin/bash </dev/null 2>&1; echo status $?; getent passwd adm1")
    assert "status 0" not in out and out.rstrip().endswith("/usr/bin/sworn-login"), out


# --- leaving something behind

def a_process_that_outlives_the_session_has_no_terminal(host):
    before = len(host.settled())
    person = log_in(host)
    person.run("(trap '' HUP; setsid nohup sh -c 'sleep 2; echo LATE > /dev/tty; tty; sleep 1' >/home/adm1/late 2>&1 &)")
    log_out(person)
    host.wait_closed(before + 1)
    time.sleep(3)
    with open("/home/adm1/late", encoding="utf-8") as f:
        text = f.read()
    assert "not a tty" in text, text


def output_in_the_last_moment_is_recorded(host):
    before = len(host.settled())
    person = log_in(host)
    person.type("(sleep 0.05; echo last-words) & exit\r")
    person.wait()
    path = host.wait_closed(before + 1)[-1]
    shown = b"last-words\r\n" in person.seen.split(b"exit", 1)[-1].replace(b"echo last-words", b"")
    assert not shown or host.text(path).count("last-words") >= 2


def become_another_program_and_go_on(host):
    before = len(host.settled())
    person = log_in(host)
    person.type("exec env -i /bin/sh\r")
    time.sleep(0.3)
    person.type("echo other-$((7+7))\r")
    person.expect("other-14")
    log_out(person)
    assert "other-14" in host.text(host.wait_closed(before + 1)[-1])


def all_tests():
    skip = {"inside", "python_inside", "client_of", "monitor_pids", "log_in", "log_out", "still_works", "all_tests"}
    return [v for k, v in list(globals().items())
            if callable(v) and getattr(v, "__module__", "") == "__main__" and k not in skip]


if __name__ == "__main__":
    lab.main(sys.argv[1], all_tests(), config='[limits]\nsessions_per_user = 40\n', extra_sshd="AcceptEnv *\n")
