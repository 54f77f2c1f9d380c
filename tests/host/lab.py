# SPDX-License-Identifier: Apache-2.0
"""A host in a box: the real swornd, sworn-login and sshd on a private view of this machine.

Everything runs in a mount namespace of its own: /etc, /var/lib/sworn, /run/sworn, /home and the installed
programs are copies that vanish with it. Needs root; whoever imports this without being root is told so.
"""
import base64
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
import fcntl
import struct

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SKIP = 77


def skip(why):
    print("SKIPPED: " + why)
    sys.exit(SKIP)


def enter_namespace():
    """Starts this program again in a mount namespace of its own."""
    if os.environ.get("SWORN_LAB") == "1":
        return
    if os.geteuid() != 0:
        skip("needs root (accounts, a daemon, sshd)")
    for tool in ("unshare", "sshd", "ssh", "ssh-keygen"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            skip(f"{tool} is not installed")
    # The programs' places are the machine's: one lab at a time.
    lock = os.open("/run/sworn-lab.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)
    probe = subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False)
    if probe.returncode != 0:
        skip("no mount namespaces here")
    os.environ["SWORN_LAB"] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "-p", "-f", "--kill-child", "--mount-proc",
                         sys.executable] + sys.argv)


def run(*argv, check=True, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.STDOUT)
    got = subprocess.run(argv, check=False, **kw)
    if check and got.returncode != 0:
        raise AssertionError(f"{argv}: status {got.returncode}: {got.stdout}")
    return got


class Lab:
    ACCOUNTS = [("sworn", 987, "/nonexistent", "/usr/sbin/nologin"),
                ("adm1", 2001, "/home/adm1", "/usr/bin/sworn-login"),
                ("adm2", 2002, "/home/adm2", "/usr/bin/sworn-login"),
                ("plain", 2003, "/home/plain", "/bin/bash"),
                ("auditor", 2004, "/home/auditor", "/bin/bash"),
                ("glass", 2005, "/home/glass", "/usr/bin/sworn-login")]

    def __init__(self, build, config=""):
        self.build = build
        self.children = []
        self.created = []
        self.daemon = None
        self.sshd = None
        self.port = None
        self.dir = f"/run/sworn-lab-{os.getpid()}"
        self._mounts()
        self._programs()
        self._accounts()
        self.write_config(config)

    # --- building it
    def _mounts(self):
        def tmpfs(path, options="mode=0755"):
            os.makedirs(path, exist_ok=True)
            run("mount", "-t", "tmpfs", "-o", options, "lab", path)

        tmpfs("/run/sworn-lab")
        self.dir = "/run/sworn-lab"
        os.makedirs(self.dir + "/etc")
        run("cp", "-a", "/etc/.", self.dir + "/etc")
        run("mount", "--bind", self.dir + "/etc", "/etc")
        for path in ("/run/sworn", "/var/lib/sworn", "/home"):
            tmpfs(path)
        tmpfs("/run/sshd")
        run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5", "devpts", "/dev/pts")
        run("mount", "--bind", "/dev/pts/ptmx", "/dev/ptmx")
        self._dev_log()

    def _dev_log(self):
        """A system log: what arrives on /dev/log, one line each."""
        self.log_path = self.dir + "/log"
        pid = os.fork()
        if pid == 0:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind("/run/sworn-lab/devlog")
            os.chmod("/run/sworn-lab/devlog", 0o666)
            with open(self.log_path, "ab", buffering=0) as out:
                while True:
                    out.write(s.recv(65536).rstrip(b"\0\n") + b"\n")
        self.children.append(pid)
        wait_until(lambda: os.path.exists("/run/sworn-lab/devlog"), 5, "/dev/log")
        if not os.path.exists("/dev/log"):
            with open("/dev/log", "w"):
                self.created.append("/dev/log")
        run("mount", "--bind", "/run/sworn-lab/devlog", "/dev/log")

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def _programs(self):
        def put(source, target, mode):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target):
                with open(target, "w"):
                    pass
                self.created.append(target)
            copy = self.dir + "/bin-" + os.path.basename(target)
            shutil.copyfile(source, copy)
            os.chmod(copy, mode)
            run("mount", "--bind", copy, target)

        b = self.build
        # Private directories, so that nothing of the machine is touched.
        for path in ("/usr/libexec/sworn",):
            existed = os.path.isdir(path)
            os.makedirs(path, exist_ok=True)
            run("mount", "-t", "tmpfs", "-o", "mode=0755", "lab", path)
            if not existed:
                self.created_dirs = [path]
        put(b + "/recorder/host/sworn-monitor", "/usr/libexec/sworn/sworn-monitor", 0o755)
        put(b + "/recorder/sworn-recorder", "/usr/libexec/sworn/sworn-recorder", 0o755)
        put(b + "/recorder/host/sworn-host", "/usr/libexec/sworn/sworn-host", 0o755)
        if os.path.exists(b + "/audit/bpf/sworn-bpf"):
            put(b + "/audit/bpf/sworn-bpf", "/usr/libexec/sworn/sworn-bpf", 0o755)
        put(b + "/recorder/client/sworn-login", "/usr/bin/sworn-login", 0o711)
        put(b + "/recorder/host/swornd", "/usr/sbin/swornd", 0o755)
        put(b + "/cli/sworn", "/usr/bin/sworn", 0o755)

    def _accounts(self):
        run("groupadd", "-g", "986", "sworn-audit", check=False)
        run("groupadd", "-g", "985", "breakglass", check=False)
        for name, uid, home, shell in self.ACCOUNTS:
            run("useradd", "-M", "-u", str(uid), "-d", home, "-s", shell, "-U", name, check=False)
            run("usermod", "-p", "*", name)  # no password, but not locked: sshd asks
            if home.startswith("/home"):
                os.makedirs(home, mode=0o700, exist_ok=True)
                os.chown(home, uid, uid)
        run("usermod", "-aG", "sworn-audit", "auditor")
        run("usermod", "-aG", "breakglass", "glass")

    def write_config(self, text):
        os.makedirs("/etc/sworn", mode=0o755, exist_ok=True)
        with open("/etc/sworn/sworn.conf", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod("/etc/sworn/sworn.conf", 0o644)

    # --- daemons
    def start_daemon(self, wait=True):
        out = open(self.dir + "/swornd.log", "ab")
        starts = self.daemon_log_bytes().count(b"ready")
        self.daemon = subprocess.Popen(["/usr/sbin/swornd", "--stderr"], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out)
        if wait:
            wait_until(lambda: self.daemon_log_bytes().count(b"ready") > starts or self.daemon.poll() is not None, 10,
                       "swornd to start")
            if self.daemon.poll() is not None:
                raise AssertionError("swornd did not start: " + self.daemon_log())
        return self.daemon

    def daemon_log_bytes(self):
        with open(self.dir + "/swornd.log", "rb") as f:
            return f.read()

    def daemon_log(self):
        return self.daemon_log_bytes().decode(errors="replace")

    def stop_daemon(self, sig=signal.SIGTERM):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(sig)
            self.daemon.wait(10)
        self.daemon = None

    def start_sshd(self, extra=""):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        self.port = s.getsockname()[1]
        s.close()
        d = self.dir + "/ssh"
        os.makedirs(d, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", d + "/host")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", d + "/key")
        for name, uid, home, _ in self.ACCOUNTS:
            if home.startswith("/home"):
                os.makedirs(home + "/.ssh", mode=0o700, exist_ok=True)
                shutil.copy(d + "/key.pub", home + "/.ssh/authorized_keys")
                run("chown", "-R", f"{uid}:{uid}", home + "/.ssh")
        with open(d + "/config", "w", encoding="utf-8") as f:
            f.write(f"""Port {self.port}
ListenAddress 127.0.0.1
HostKey {d}/host
PidFile none
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
PermitUserRC no
PermitUserEnvironment no
MaxStartups 500
MaxSessions 100
Subsystem sftp /usr/lib/openssh/sftp-server
PrintMotd no
LogLevel VERBOSE
{extra}
""")
        out = open(self.dir + "/sshd.log", "ab")
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", d + "/config"],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self._listens, 10, "sshd to listen")

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def ssh_argv(self, *args, user="adm1", tool="ssh"):
        port = "-P" if tool in ("scp", "sftp") else "-p"
        return [tool, "-F", "/dev/null", port, str(self.port), "-i", self.dir + "/ssh/key",
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "BatchMode=yes"] + ([f"{user}@127.0.0.1"] if tool == "ssh" else []) + list(args)

    def ssh(self, *args, user="adm1", **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        kw.setdefault("timeout", 30)
        if "input" not in kw:
            kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.ssh_argv(*args, user=user), check=False, **kw)

    def terminal(self, *args, user="adm1", argv=None, options=("-tt",)):
        if argv is None:
            argv = self.ssh_argv(user=user)
            argv = argv[:1] + list(options) + argv[1:] + list(args)
        return Terminal(argv)

    def wait_master(self, control):
        """Until the master connection answers: its socket is there before it listens."""
        check = ["ssh", "-F", "/dev/null", "-S", control, "-O", "check", "127.0.0.1"]
        wait_until(lambda: run(*check, check=False).returncode == 0, 10, "the master connection")

    # --- what is on record
    def store(self):
        """Oldest change first."""
        def changed(path):
            try:
                return os.lstat(path).st_mtime_ns
            except FileNotFoundError:  # a file that was just closed has another name now
                return 0

        paths = [os.path.join("/var/lib/sworn/sessions", n) for n in os.listdir("/var/lib/sworn/sessions")]
        return sorted(paths, key=lambda p: (changed(p), p))

    def closed(self):
        return [p for p in self.store() if p.endswith(".sworn")]

    def settled(self, seconds=3):
        """The closed ones, when those of before have had time to close: where a case begins to count."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and any(".part" in p for p in self.store()):
            time.sleep(0.02)
        return self.closed()

    def sworn(self, *args, **kw):
        return run("/usr/bin/sworn", *args, **kw)

    def info(self, path):
        return json.loads(self.sworn("info", "--json", path).stdout)

    def text(self, path):
        return self.sworn("export", "--format", "text", path).stdout.decode(errors="replace")

    def wait_closed(self, count, seconds=15):
        wait_until(lambda: len(self.closed()) >= count, seconds, f"{count} closed recordings",
                   lambda: f"{self.store()}\n{self.daemon_log()[-3000:]}")
        return self.closed()

    def close(self):
        self.stop_daemon()
        if self.sshd:
            self.sshd.terminate()
            self.sshd.wait(10)
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for path in self.created:
            run("umount", "-l", path, check=False)
            if path.startswith(("/usr/bin", "/usr/sbin", "/dev")):
                try:
                    os.unlink(path)
                except OSError as e:
                    print(f"{path} stays behind: {e}")
        for path in getattr(self, "created_dirs", []):
            run("umount", "-l", path, check=False)
            try:
                os.rmdir(path)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is not None:
            print("--- swornd said:\n" + (self.daemon_log() if os.path.exists(self.dir + "/swornd.log") else ""))
            print("--- system log:\n" + self.log())
            if os.path.exists(self.dir + "/sshd.log"):
                with open(self.dir + "/sshd.log", encoding="utf-8", errors="replace") as f:
                    print("--- sshd said:\n" + f.read()[-2000:])
        self.close()


def wait_until(condition, seconds, what, detail=lambda: ""):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for {what} {detail()}")


class Terminal:
    """A person at a terminal: types, waits for what appears."""

    def __init__(self, argv, size=(24, 80)):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp(argv[0], argv)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[0], size[1], 0, 0))
        self.seen = b""
        self.mark = 0
        self.status = None

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return None
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return b""
        self.seen += data
        return data

    def expect(self, text, seconds=15):
        want = text.encode() if isinstance(text, str) else text
        end = time.monotonic() + seconds
        while want not in self.seen[self.mark:]:
            left = end - time.monotonic()
            got = self.read(left) if left > 0 else None
            if got is None or got == b"":
                raise AssertionError(f"waited for {want!r}, saw {self.seen[self.mark:]!r}")
        self.mark = self.seen.index(want, self.mark) + len(want)

    def run(self, command, marker="done"):
        """A command at a prompt; waits until it has run and gives its status."""
        self.type(f"{command}; printf '{marker}:%s:\\n' $?\r")
        end = time.monotonic() + 15
        while True:
            found = re.search(marker.encode() + rb":(\d+):", self.seen[self.mark:])
            if found:
                self.mark += found.end()
                return int(found.group(1))
            got = self.read(max(0.0, end - time.monotonic()))
            if got is None or got == b"":
                raise AssertionError(f"{command!r} did not end, saw {self.seen[self.mark:]!r}")

    def drain(self, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.read(max(0.0, end - time.monotonic()))
            if got == b"":
                return
        raise AssertionError(f"the terminal did not end; saw {self.seen[-500:]!r}")

    def wait(self, seconds=15):
        self.drain(seconds)
        _, status = os.waitpid(self.pid, 0)
        self.status = status
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def kill(self, sig=signal.SIGKILL):
        os.kill(self.pid, sig)


def main(build_arg, tests, config="", extra_sshd="", ssh=True):
    """Runs the named tests of a file in one lab; each says what it is."""
    enter_namespace()
    only = sys.argv[2:]
    failed = []
    with Lab(os.path.abspath(build_arg), config) as lab:
        lab.start_daemon()
        if ssh:
            lab.start_sshd(extra_sshd)
        for test in tests:
            name = test.__name__.replace("_", " ")
            if only and not any(o in test.__name__ for o in only):
                continue
            began = time.monotonic()
            try:
                test(lab)
                print(f"ok      {name}  ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception as e:  # every one is told, and the others still run
                failed.append(name)
                print(f"FAILED  {name}: {type(e).__name__}: {e}", flush=True)
        if failed:
            raise SystemExit(f"{len(failed)} failed: " + "; ".join(failed))
