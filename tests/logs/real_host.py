# SPDX-License-Identifier: Apache-2.0
"""What the tests with real log daemons share: a mount namespace with private /run and /etc, programs that are
stopped at the end, a person at a terminal, and skipping with a reason."""
import atexit
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
SWORN = os.path.join(BUILD, "cli", "sworn")
FIXTURE = os.path.join(BUILD, "tests", "support", "make_fixture")


def skip(reason):
    print("SKIPPED: " + reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program) and not os.access(program, os.X_OK):
            skip(program + " is not installed")


def private_namespace():
    """Runs the script again in a mount namespace of its own."""
    if os.environ.get("SWORN_TEST_NAMESPACE") == "1":
        return
    if os.geteuid() != 0:
        skip("needs root, for a mount namespace and daemons")
    os.environ["SWORN_TEST_NAMESPACE"] = "1"
    probe = subprocess.run(["unshare", "-m", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                           capture_output=True)
    if probe.returncode != 0:
        skip("no mount namespace: " + probe.stderr.decode().strip())
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def scratch():
    path = tempfile.mkdtemp(prefix="sworn-logs-")
    os.chmod(path, 0o755)
    atexit.register(shutil.rmtree, path, True)
    return path


def start(*argv, **more):
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **more)

    def stop():
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    atexit.register(stop)
    process.stop = stop
    return process


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    sys.exit("FAILED: no " + what + " after " + str(seconds) + " s")


def check(condition, what):
    if not condition:
        sys.exit("FAILED: " + what)


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


class Person:
    """At a terminal: types a line, waits for what it prints."""

    def __init__(self, prepare, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                prepare()
                os.execv(argv[0], argv)
            except BaseException as error:  # the child must not go on as the test
                os.write(2, str(error).encode())
            os._exit(127)
        self.seen = b""

    def wait(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.seen:
            if time.monotonic() > end:
                sys.exit("FAILED: no %r on the screen: %r" % (text, self.seen[-2000:]))
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    got = os.read(self.fd, 65536)
                except OSError:
                    got = b""
                if not got and text not in self.seen:
                    sys.exit("FAILED: the session ended: %r" % self.seen[-2000:])
                self.seen += got
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def type(self, line):
        os.write(self.fd, line.encode() + b"\r")

    def finish(self):
        self.type("exit")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0] == self.pid:
                return
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:
                    pass
        os.kill(self.pid, signal.SIGKILL)
        sys.exit("FAILED: the session does not end")
