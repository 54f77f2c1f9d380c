#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The player inside tmux, which knows nothing of our emulator, shows the golden screens as well.

    tmux_screens.py SWORN MAKE_FIXTURE

Exit status: 0 all equal, 1 not, 77 tmux is missing."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
PATIENCE = 60.0
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}
# Keys from the start of the recording to the screen of that name.
SCREENS = {"command": ["]", "]", "]"], "help": ["G", "F1"]}


def golden_rows(name):
    text = (GOLDEN / name).read_text()
    return [line[1:] for line in text.splitlines() if line.startswith("|")]


class Tmux:
    """A server of its own each time: a socket that a server just left cannot be used again at once."""

    made = 0

    def __init__(self, size, command, directory):
        Tmux.made += 1
        self.name = f"sworn-player-{os.getpid()}-{Tmux.made}"
        config = directory / "tmux.conf"
        config.write_text("set -g status off\nset -s escape-time 0\nset -g default-terminal tmux-256color\n")
        self.environment = {
            key: value for key, value in os.environ.items() if key not in ("TMUX", "COLORTERM", "NO_COLOR", "XDG_DATA_HOME")
        }
        self.environment.update(LC_ALL="C.UTF-8", TZ="UTC", HOME=str(directory), TERM="xterm-256color")
        self.run("-f", str(config), "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), command)

    def run(self, *arguments):
        done = subprocess.run(
            ["tmux", "-u", "-L", self.name, *arguments], check=True, stdout=subprocess.PIPE, timeout=60, env=self.environment
        )
        return done.stdout.decode()

    def rows(self):
        return [row.rstrip() for row in self.run("capture-pane", "-p").split("\n")]

    def wait(self, done):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            rows = self.rows()
            if done(rows):
                return rows
            time.sleep(0.05)  # between two looks, never instead of one
        return self.rows()

    def close(self):
        subprocess.run(
            ["tmux", "-L", self.name, "kill-server"], check=False, stderr=subprocess.DEVNULL, env=self.environment
        )


def compare(program, recording, name, directory):
    screen, size = name.rsplit("-", 1)
    wanted = golden_rows(name)
    tmux = Tmux(SIZES[size], f"{program} play --no-cache {recording}", directory)
    try:
        tmux.wait(lambda rows: "SEALED" in rows[0])
        for key in SCREENS[screen]:
            tmux.run("send-keys", key)
        found = tmux.wait(lambda rows: rows[: len(wanted)] == wanted)[: len(wanted)]
    finally:
        tmux.close()
    for number, (a, b) in enumerate(zip(found, wanted)):
        if a != b:
            print(f"{name}, row {number}\n  tmux   {a!r}\n  wanted {b!r}")
    return found == wanted


def main():
    if shutil.which("tmux") is None:
        print("SKIPPED: tmux is not installed")
        return 77
    program, make_fixture = sys.argv[1:3]
    with tempfile.TemporaryDirectory(prefix="sworn-player-") as temporary:
        directory = pathlib.Path(temporary)
        recording = directory / "web1.sworn"
        subprocess.run([make_fixture, "incident", str(recording)], check=True)
        names = [f"{screen}-{size}" for screen in SCREENS for size in SIZES]
        equal = [compare(program, recording, name, directory) for name in names]
    print(f"{sum(equal)} of {len(names)} screens are the same in tmux")
    return 0 if all(equal) else 1


sys.exit(main())
