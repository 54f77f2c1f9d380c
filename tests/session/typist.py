# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: types, waits for what the screen says, and reads the recording afterwards."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def skip(why):
    print("SKIPPED: " + why)
    sys.exit(77)


class Place:
    """A fresh home directory and the programs of a build tree."""

    def __init__(self, build):
        self.build = build
        self.path = tempfile.mkdtemp(prefix="sworn-session-")
        os.chmod(self.path, 0o755)

    def sworn(self, *words):
        done = subprocess.run([self.build + "/cli/sworn", *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"sworn {words[0]} failed: {done.stderr}")
        return done.stdout

    def json_lines(self, *words):
        return [json.loads(line) for line in self.sworn(*words).splitlines()]

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def needs_kernel(build):
    helper = build + "/audit/bpf/sworn-bpf"
    if not os.path.exists(helper):
        skip("this build has no sworn-bpf")
    if os.geteuid() != 0:
        skip("not root")
    if subprocess.run([helper, "--check"], capture_output=True).returncode != 0:
        skip("the kernel does not load the programs of sworn-bpf")


class Typist:
    """One terminal. `patience` is the deadline of each wait."""

    def __init__(self, argv, env, patience=20, size=(50, 200), cwd="/"):
        self.patience = patience
        self.screen = b""
        self.seen = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        import fcntl, struct, termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.status = None

    def pump(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.screen += data
        return bool(data)

    def type(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        while data:
            ready_r, ready_w, _ = select.select([self.fd], [self.fd], [], self.patience)
            if ready_r:
                self.pump(0)
            if ready_w:
                data = data[os.write(self.fd, data[:512]):]

    def wait(self, pattern):
        """Until the pattern stands behind what was waited for before; says what was there if not."""
        regex = re.compile(pattern if isinstance(pattern, bytes) else pattern.encode())
        deadline = time.monotonic() + self.patience
        while True:
            found = regex.search(self.screen, self.seen)
            if found:
                self.seen = found.end()
                return
            if time.monotonic() > deadline or not self.pump(0.2) and not regex.search(self.screen, self.seen):
                raise SystemExit(f"waited in vain for {pattern!r}; the terminal showed:\n"
                                 + self.screen[max(0, self.seen - 300):].decode(errors="replace")[-3000:])

    def end(self):
        deadline = time.monotonic() + self.patience
        while self.pump(0.2) and time.monotonic() < deadline:
            pass
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        raise SystemExit("the session does not end")
