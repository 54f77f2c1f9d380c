# SPDX-License-Identifier: Apache-2.0
"""Real programs on a terminal, driven by keys and resizes, recorded for the differential with tmux.

A recording is a file of events: "size COLS ROWS", "out N" with N bytes behind it, "check NAME" where the screens are
to be compared: always while the program waits, so that no sequence is half written.
"""
import errno
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import second_batch

QUIET = 0.25   # so long without output means: it waits
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]P_^Xk][^\x07]*)?$|[\xc0-\xff][\x80-\xbf]*$")
PATIENCE = 8.0  # and so long we wait for that


class Recording:
    """One program on a pty of its own, its output kept."""

    def __init__(self, argv, cols, rows, home, environment=None):
        self.events = [b"size %d %d\n" % (cols, rows)]
        env = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": str(home), "PATH": os.environ["PATH"],
               "SHELL": "/bin/bash", "PS1": "$ ", "LESSHISTFILE": "-", "COLUMNS": str(cols), "LINES": str(rows)}
        if environment:
            env.update(environment)
        env = {key: value for key, value in env.items() if value is not None}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self._child(argv, home, env, cols, rows)
        self.set_size(cols, rows)
        self.settle()

    @staticmethod
    def _child(argv, home, env, cols, rows):
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            os.chdir(home)
            os.execvpe(argv[0], argv, env)
        except OSError:
            pass
        os._exit(127)

    def set_size(self, cols, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def settle(self, quiet=QUIET):
        """Keeps output until there is none for a while."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], quiet)
            if not ready:
                if self.unfinished():
                    continue
                return
            try:
                data = os.read(self.fd, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return
            if not data:
                return
            self.events.append(b"out %d\n" % len(data) + data + b"\n")

    def unfinished(self):
        """The last output ends inside a sequence or a character: more will come."""
        match = UNFINISHED.search(self.events[-1][:-1][-200:]) if self.events[-1].startswith(b"out ") else None
        if match is None:
            return False
        tail = match.group()
        whole = {0xC0: 2, 0xE0: 3, 0xF0: 4}
        return tail[0] == 0x1B or len(tail) < max(size for lead, size in whole.items() if tail[0] >= lead)

    def keys(self, data, quiet=QUIET):
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.fd, view):]
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return
        self.settle(quiet)

    def resize(self, cols, rows):
        self.events.append(b"size %d %d\n" % (cols, rows))
        self.set_size(cols, rows)
        self.settle()

    def check(self, name):
        self.events.append(b"check %s\n" % name.encode())

    def finish(self):
        try:
            os.kill(self.pid, signal.SIGHUP)
            os.close(self.fd)
        except OSError:
            pass
        for _ in range(50):
            if os.waitpid(self.pid, os.WNOHANG)[0] != 0:
                break
            time.sleep(0.02)
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        return b"".join(self.events)


def steps(recording, script):
    """script: bytes are keys, (cols, rows) a resize, a string a check."""
    for step in script:
        if isinstance(step, bytes):
            recording.keys(step)
        elif isinstance(step, tuple):
            recording.resize(*step)
        else:
            recording.check(step)


C_SOURCE = """#include <stdio.h>
struct pair { int first; char *second; };
int broken_function_with_a_rather_long_name(struct pair *one, unsigned two, const char *three) {
  int i; if (one->first = two) { printf("%d %s\\n", three, i); } return one->third + undeclared_identifier_here;
}
int another(int value) { return broken_function_with_a_rather_long_name(value, "text", 3.5, NULL); }
"""
TEXT = "".join(f"Line {i}: the quick brown fox jumps over the lazy dog {i * 7919 % 1000}.\n" for i in range(1, 301))
WORLD = ("漢字かな交じり文と한국어 텍스트\nGreek: αβγδε  Cyrillic: привет мир\ne\u0301a\u0308o\u0302 combining\n"
         "emoji 😀 🚀 box ┌─┐│└┘ ▒▓█ €\n" + "長い行" * 40 + "\n")


def prepare(home):
    """The files that the programs look at."""
    home = pathlib.Path(home)
    (home / "broken.c").write_text(C_SOURCE)
    (home / "text.txt").write_text(TEXT)
    (home / "world.txt").write_text(WORLD)
    (home / "tree").mkdir()
    for name in ("alpha", "beta", "gamma", "delta"):
        (home / "tree" / name).mkdir()
        for number in range(6):
            (home / "tree" / name / f"file-{number}.txt").write_text(TEXT[: number * 97 + 10])
    second_batch.prepare(home)
    if shutil.which("git"):
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_AUTHOR_NAME": "A U Thor", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "C O",
               "GIT_COMMITTER_EMAIL": "c@example.org"}
        repo = home / "repo"

        def git(*args):
            subprocess.run(["git", "-C", str(repo), *args], env=env, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], env=env, check=True)
        for number in range(12):
            (repo / "file.txt").write_text(TEXT[: 200 + number * 50])
            git("add", ".")
            git("commit", "-q", "-m", f"Change number {number} of the file, with a subject that is long enough to wrap")
            if number == 6:
                git("branch", "side")
        git("checkout", "-q", "side")
        (repo / "other.txt").write_text(WORLD)
        git("add", ".")
        git("commit", "-q", "-m", "On the side")
        git("checkout", "-q", "main")
        git("merge", "-q", "-m", "Merge the side", "side")


ESC = b"\x1b"
UP, DOWN, RIGHT, LEFT = b"\x1bOA", b"\x1bOB", b"\x1bOC", b"\x1bOD"
BASH = ["bash", "--norc", "--noprofile", "-i"]
SMALL = 60, 20

# name: (programs needed, command, (cols, rows), script)
SESSIONS = {
    "vim": (["vim"], ["vim", "-u", "NONE", "-N", "-i", "NONE", "text.txt"], (80, 24), [
        "start", b":set number hlsearch ruler\r", b"/fox\r", "search", b"ihello\r\n\tworld" + ESC, b"5dd", b"p", "edited",
        b":vsplit\r", b":split\r", "split", (100, 30), "wider", b"\x06", (70, 18), "narrower", b"Vjjj", "visual", ESC,
        b"50Gzt", b"\x05\x05\x19", "scrolled", b":only\r", b"G", b"gg", b"10J", "joined", b":q!\r", "left"]),
    "vim-colours": (["vim"], ["vim", "-N", "-i", "NONE", "-u", "NONE", "-c", "syntax on", "-c", "set t_Co=256 cursorline list",
                              "broken.c"], (80, 24), [
        "start", b"jjllcwnew" + ESC, b"O\t// \xe6\xbc\xa2\xe5\xad\x97" + ESC, "edited", b":help\r", "help", (90, 40), "resized",
        b":qa!\r", "left"]),
    "less": (["less"], ["less", "text.txt"], (80, 24), [
        "start", b" ", b"  ", "pages", b"b", b"k", b"k", "back", b"/lazy\r", "found", b"G", "end", (100, 35), "taller", (60, 15),
        "smaller", b"g", b"-N\r", "numbers", b"q", "left"]),
    "less-world": (["less"], ["less", "-R", "world.txt"], (50, 10), ["start", b"j", b"j", b"j", b"j", "down", b"kk", "up", b"q"]),
    "man": (["man", "less"], ["man", "less"], (80, 24), [
        "start", b" ", b" ", "page", b"/file\r", "found", (100, 30), "resized", b"b", "back", b"q", "left"]),
    "htop": (["htop"], ["htop", "-d", "5"], (90, 24), [
        "start", DOWN + DOWN, "down", b"t", "tree", (120, 40), "larger", (60, 14), "smaller", b"\x1b[12~", "setup", ESC, b"q", "left"]),
    "top": (["top"], ["top", "-d", "1"], (80, 24), ["start", b"1", "processors", b"z", "colours", (100, 30), "larger", b"q", "left"]),
    "tmux": (["tmux"], ["tmux", "-L", "inner@PID@", "-f", "/dev/null", "new", "bash --norc --noprofile"], (80, 24), [
        "start", b"ls -la --color\r", "listing", b"\x02%", "split", b"\x02\"", "again", b"seq 50\r", "numbers", (100, 30), "larger",
        b"\x02w", "chooser", b"q", b"\x02[", b"\x1b[5~", "copy mode", b"q", b"\x02&y", "gone"]),
    "gcc": (["gcc"], ["bash", "-c", "gcc -Wall -Wextra -fdiagnostics-color=always -c broken.c; echo done; sleep 60"], SMALL, ["errors"]),
    "gcc-80": (["gcc"], ["bash", "-c", "gcc -Wall -Wextra -fdiagnostics-color=always -c broken.c; echo done; sleep 60"], (80, 24), ["errors"]),
    "git-log": (["git", "less"], ["git", "-C", "repo", "log", "--color", "--graph", "-p"], (80, 24), [
        "start", b" ", b" ", "page", b"G", "end", (100, 30), "larger", b"q", "left"]),
    "nano": (["nano"], ["nano", "-I", "text.txt"], (80, 24), [
        "start", b"typed text\r\tmore", "typed", b"\x0b\x0b", "cut", b"\x17fox\r", "found", (100, 30), "larger", (50, 12), "smaller",
        b"\x07", "help", b"\x18", b"\x18", "save?", b"n", "left"]),
    "dialog": (["dialog"], ["dialog", "--menu", "Choose one", "15", "50", "5", "1", "One", "2", "Two", "3", "漢字", "4", "Four"], (80, 24), [
        "start", DOWN, DOWN, "down", (100, 30), "larger", b"\r", "left"]),
    "dialog-check": (["dialog"], ["dialog", "--title", "Options", "--checklist", "text with \\Zb\\Z1colour", "18", "60", "8", "a", "first", "on", "b",
                                  "second", "off", "c", "third", "off"], (80, 24), ["start", b" ", DOWN, b" ", "checked", b"\t", "button", ESC + ESC, "left"]),
    "python": (["python3"], ["python3", "-q", "-I"], (80, 24), [
        "start", b"for i in range(30): print(i, '\\t', 'x' * i)\r\r", "loop", b"help(len)\r", "help", b"q", b"print('\\033[1;31mred\\033[0m')\r", "red",
        b"x = 'a long line that goes on and on and on and on and on until it is too long for the row'\x01\x06\x06\x05!", "long line", b"\r", b"1/0\r", "error",
        b"exit()\r", "left"]),
    "bash": (["bash"], BASH, (80, 24), [
        "start", b"echo hello\r", b"seq 40\r", "scrolled", (80, 40), "taller", (80, 15), "shorter", (80, 30), "taller again",
        b"echo a very long command line that has to wrap around the edge of the terminal because it is so long" + b"\x01" + b"\x1bf" * 4, "wrapped",
        b"\x05\x17\x17", "erased", b"\x15", b"\x12hel", "history", b"\x07", b"printf '\\033[44mblue\\033[K\\n'\r", "blue", b"clear\r", "clear", b"exit\r", "left"]),
    "listing": (["ls"], ["bash", "-c", "ls -lR --color=always /etc/apt /usr/include 2>/dev/null | head -3000; sleep 60"], (80, 24), ["done"]),
    "grep": (["grep"], ["bash", "-c", "grep --color=always -n fox text.txt | head -50; grep --color=always -rn the tree | head -60; sleep 60"], (50, 20), ["done"]),
    "mc": (["mc"], ["mc", "-u", "-x", "tree", "repo"], (80, 24), [
        "start", DOWN, DOWN, b"\r", "entered", b"\x1b[13~", "view", b"\x1b[21~", b"\x1b[20~", "menu", (100, 35), "larger", b"\x1b[21~\x1b[21~", "quit?", b"\r", "left"]),
    "tig": (["tig", "git"], ["bash", "-c", "cd repo && exec tig"], (90, 24), [
        "start", b"jj", b"\r", "diff", b"jjjj", (120, 40), "larger", b"q", "log", b"Q", "left"]),
    "ncdu": (["ncdu"], ["ncdu", "--color", "dark", "tree"], (80, 24), ["start", b"j", b"\r", "inside", b"i", "info", (60, 14), "smaller", b"q", b"q", "left"]),
    "watch": (["watch"], ["watch", "-c", "-n", "1", "ls --color=always -l tree"], (80, 24), ["start", (100, 12), "resized", b"\x03", "left"]),
    "world": (["cat"], ["bash", "-c", "cat world.txt; printf '\\033[3;5Hab\\033[4;3H漢\\033[4;4Hx'; sleep 60"], (50, 15), ["done"]),
    "edits": (["bash"], ["bash", "-c", r"""
      for i in $(seq 1 30); do printf "row %d \033[3%dmcolour\033[m\n" $i $((i % 8)); done
      printf '\033[5;15r\033[10;1H\033[3L\033[42m\033[2M\033[m\033[15;1H\n\n\033[5;1H\033M\033M\033[r'
      printf '\033[3;5H\033[4P\033[3;8H\033[5@\033[4;10H\033[8X\033[6;1H\033[1J\033[20;40H\033[0J'
      printf '\033[1;1H\033[3S\033[2T\033[18;1H\033[7minverse\033[K\033[m\033[19;1H\033[4;9munder\033[1K'
      printf '\033[2;1H\033(0lqqqk\033(B\033[3;1H\033[4h\033[3;4Hins\033[4l\033[?7l\033[4;75Hno wrap here\033[?7h'
      printf '\0337\033[22;70Hwrap around the edge of the screen\0338X\033[12;3H\033[10b'; sleep 60"""], (80, 24), ["done"]),
}


SESSIONS.update(second_batch.SESSIONS)


def missing(name):
    return [program for program in SESSIONS[name][0] if shutil.which(program) is None]


def record(name, home):
    """Bytes of the recording."""
    _, argv, (cols, rows), script = SESSIONS[name]
    argv = [part.replace("@PID@", str(os.getpid())) for part in argv]
    recording = Recording(argv, cols, rows, home, {"COLUMNS": None, "LINES": None})
    steps(recording, script)
    data = recording.finish()
    if "tmux" in SESSIONS[name][0]:
        subprocess.run(["tmux", "-L", f"inner{os.getpid()}", "kill-server"], check=False, stderr=subprocess.DEVNULL)
    if "screen" in SESSIONS[name][0]:
        subprocess.run(["screen", "-S", f"vt{os.getpid()}", "-X", "quit"], check=False, stdout=subprocess.DEVNULL)
    return data
