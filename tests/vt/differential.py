#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator against tmux: real programs are recorded, the same bytes and resizes go to a tmux pane and to
dump_screen, and at each check every cell must agree in text, colours and attributes, and the cursor in its place.

    differential.py --dump PROGRAM [--keep DIR] [NAME ...]

Programs that are not installed are skipped, aloud. Exit status: 0 all agree, 1 not, 77 tmux is missing.
"""
import argparse
import concurrent.futures
import ctypes
import json
import locale
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import record  # noqa: E402

locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
LIBC = ctypes.CDLL(None)
BOLD, DIM, ITALIC, UNDERLINE, BLINK, INVERSE, CONCEAL, STRIKE, OVERLINE = 1, 2, 4, 8, 64, 128, 256, 512, 1024
UNDERLINES = 7 << 3
SHOWN = 0x7FF  # the bits that both know
ON_BLANKS = INVERSE | UNDERLINES | STRIKE | OVERLINE  # what can be seen of a blank cell
SWITCH_ON = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 7: INVERSE, 8: CONCEAL, 9: STRIKE, 53: OVERLINE}
SWITCH_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINES, 25: BLINK, 27: INVERSE, 28: CONCEAL, 29: STRIKE, 55: OVERLINE}
UNSEEN = None  # capture-pane leaves out blanks at the end of a row, and with them the colour that was erased there
PATIENCE = 180  # seconds for one answer; a busy machine may take its time
AT_ONCE = 6  # sessions: each of them mostly waits
GRAPHICS = dict(zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"))

# What tmux does and the terminals in front of admins (VTE, xterm) do not: (session, check) -> reason.
REFLOW = "tmux joins wrapped lines anew when the width changes; xterm does not, and a recording cannot tell what the terminal did"
KNOWN = {
    ("zsh", "narrower"): REFLOW,
    ("zsh", "scrolled"): REFLOW,
    ("zsh", "larger"): REFLOW,
    ("jed", "left"): "the same: a cursor that stands behind the end of its row is put to the beginning of it",
}


class Pen:
    """Follows the SGR sequences that capture-pane prints."""

    def __init__(self):
        self.fg = self.bg = ""
        self.bits = 0

    @staticmethod
    def colour(parameters):
        if parameters[1] == 5:
            return str(parameters[2]), 3
        return "#%02x%02x%02x" % tuple(parameters[2:5]), 5

    def apply(self, text):
        parts = text.split(";") if text else ["0"]
        numbers = [int(part.split(":")[0] or 0) for part in parts]
        at = 0
        while at < len(parts):
            code = numbers[at]
            if parts[at] == "5:3":  # as capture-pane of tmux 3.3 writes 53
                self.bits |= OVERLINE
            elif code == 0:
                self.__init__()
            elif code == 4:
                style = int(parts[at].split(":")[1]) if ":" in parts[at] else 1
                self.bits = self.bits & ~UNDERLINES | style << 3
            elif code in SWITCH_ON:
                self.bits |= SWITCH_ON[code]
            elif code in SWITCH_OFF:
                self.bits &= ~SWITCH_OFF[code]
            elif code in (38, 48):
                value, used = self.colour(numbers[at:])
                self.fg, self.bg = (value, self.bg) if code == 38 else (self.fg, value)
                at += used - 1
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fg = str(code - 30 if code < 40 else code - 82)
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.bg = str(code - 40 if code < 50 else code - 92)
            elif code == 39:
                self.fg = ""
            elif code == 49:
                self.bg = ""
            else:
                raise ValueError(f"capture-pane printed SGR {text}")
            at += 1


def parse_capture(text, cols, rows):
    """capture-pane -p -e -N: a list of rows of cells [text, fg, bg, bits]; the second half of a wide one is ""."""
    pen, graphics, screen = Pen(), False, []
    for line in (text.split("\n") + [""] * rows)[:rows]:
        cells = []
        for sequence, char in re.findall(r"\x1b\[([0-9;:]*)m|(.)", line, re.DOTALL):
            if not char:
                pen.apply(sequence)
                continue
            if char in "\x0e\x0f":
                graphics = char == "\x0e"
                continue
            width = LIBC.wcwidth(ord(char))
            if width == 0 and cells:
                last = -2 if cells[-1][0] == "" and len(cells) > 1 else -1
                cells[last][0] += char
                continue
            cells.append([GRAPHICS.get(char, char) if graphics else char, pen.fg, pen.bg, pen.bits])
            if width == 2:
                cells.append(["", pen.fg, pen.bg, pen.bits])
        cells += [[UNSEEN, "", "", 0] for _ in range(cols - len(cells))]
        screen.append(cells[:cols])
    return screen


class Tmux:
    """One server of its own, one pane that shows what it is sent."""

    def __init__(self, directory, cols, rows):
        self.size = cols, rows
        self.name = f"sworn-vt-{os.getpid()}-{id(self) % 100000}"
        path = directory / "pane.sock"
        path.unlink(missing_ok=True)
        config = directory / "tmux.conf"
        config.write_text("set -g status off\nset -g history-limit 5000\nset -s escape-time 0\n")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(PATIENCE)
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        environment.pop("TMUX", None)
        self.environment = environment
        self.run("-f", str(config), "new-session", "-d", "-x", str(cols), "-y", str(rows),
                 f"exec {sys.executable} {HERE / 'tmux_pane.py'} {path}")
        self.pane, _ = listener.accept()
        self.pane.settimeout(PATIENCE)
        listener.close()

    def run(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-L", self.name, *arguments], check=True, stdout=subprocess.PIPE, timeout=PATIENCE,
                              env=self.environment)
        return done.stdout.decode()

    def feed(self, data):
        self.pane.sendall(struct.pack("!I", len(data)) + data)
        if self.pane.recv(1) != b".":
            raise RuntimeError("the tmux pane is gone")

    def resize(self, cols, rows):
        self.size = cols, rows
        self.run("resize-window", "-x", str(cols), "-y", str(rows))
        self.feed(b"")

    def screen(self):
        state = self.run("display-message", "-p", "#{pane_width} #{pane_height} #{cursor_y} #{cursor_x} #{cursor_flag} #{alternate_on}")
        cols, rows, row, col, visible, alternate = (int(word) for word in state.split())
        cells = parse_capture(self.run("capture-pane", "-p", "-e", "-N"), cols, rows)
        return {"cols": cols, "rows": rows, "cursor": [row, col], "visible": bool(visible), "alternate": bool(alternate), "cells": cells}

    def close(self):
        self.pane.close()
        subprocess.run(["tmux", "-L", self.name, "kill-server"], check=False, stderr=subprocess.DEVNULL, env=self.environment)


def events_of(recording):
    at = 0
    while at < len(recording):
        end = recording.index(b"\n", at)
        word, _, rest = recording[at:end].partition(b" ")
        at = end + 1
        if word == b"out":
            yield "out", recording[at:at + int(rest)]
            at += int(rest) + 1
        elif word == b"size":
            yield "size", tuple(int(number) for number in rest.split())
        else:
            yield "check", rest.decode()


def tmux_screens(recording, directory, probe=None):
    """The screen at each check. With `probe`, only the one of that number, after its last column has been written on:
    then capture-pane shows what is between the text and the edge. (tmux is of no use for more after that.)"""
    tmux, screens, number, output = None, [], 0, b""
    try:
        for kind, value in events_of(recording):
            if kind == "out":  # the pane asks for an answer behind what it is sent: not inside a sequence
                output += value
                continue
            if tmux is not None and output:
                tmux.feed(output)
                output = b""
            if kind == "size":
                if tmux is None:
                    tmux = Tmux(directory, *value)
                else:
                    tmux.resize(*value)
            else:
                number += 1
                if probe is None:
                    screens.append(dict(tmux.screen(), check=value))
                elif probe == number - 1:
                    cols, rows = tmux.size
                    marks = "".join(f"\x1b[{row + 1};{cols}HX" for row in range(rows))
                    tmux.feed(b"\x1b[?6l\x1b[4l\x1b[r\x1b[m\x0f\x1b(B" + marks.encode())
                    return [dict(tmux.screen(), check=value)]
    finally:
        if tmux is not None:
            tmux.close()
    return screens


def same(ours, theirs):
    if theirs[0] is UNSEEN:
        return ours[0] == " " or ours[0] == "\u00a0"
    return comparable(ours) == comparable(theirs)


def comparable(cell):
    text, fg, bg, bits = cell
    bits &= SHOWN
    if text in (" ", "\u00a0"):
        return " ", "", bg, bits & ON_BLANKS
    return text, fg, bg, bits


def differences(ours, theirs):
    found = []
    for key in ("cols", "rows", "alternate", "visible"):
        if ours[key] != theirs[key]:
            found.append(f"{key}: {ours[key]}, in tmux {theirs[key]}")
    if ours["cursor"] != theirs["cursor"]:
        found.append(f"cursor: {ours['cursor']}, in tmux {theirs['cursor']}")
    for row, (mine, other) in enumerate(zip(ours["cells"], theirs["cells"])):
        columns = [col for col, (a, b) in enumerate(zip(mine, other)) if not same(a, b)]
        if columns:
            col = columns[0]
            found.append(f"row {row}, {len(columns)} cells from column {col}: {mine[col]}, in tmux {other[col]}\n"
                         f"        ours {''.join(cell[0] for cell in mine).rstrip()!r}\n"
                         f"        tmux {''.join(cell[0] or '' for cell in other).rstrip()!r}")
    return found


def cut_probed(screen):
    """Without the two columns that the probe may have written on."""
    return dict(screen, cells=[row[:-2] for row in screen["cells"]])


def our_screens(dump, path, *options):
    done = subprocess.run([dump, *options, str(path)], check=True, stdout=subprocess.PIPE, timeout=PATIENCE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_session(name, arguments, directory):
    home = directory / f"home-{name}"
    home.mkdir()
    record.prepare(home)
    recording = record.record(name, home)
    path = (arguments.keep or directory) / f"{name}.rec"
    path.write_bytes(recording)
    return compare(name, path, recording, arguments, directory)


def compare(name, path, recording, arguments, directory):
    """Count of screens, list of complaints."""
    ours = our_screens(arguments.dump, path)
    theirs = tmux_screens(recording, directory)
    complaints = []
    if our_screens(arguments.dump, path, "--pieces", "37") != ours:
        complaints.append(f"{name}: through snapshots the screens are different")
    if len(ours) != len(theirs) or not ours:
        complaints.append(f"{name}: {len(ours)} screens, in tmux {len(theirs)}")
    cells = 0
    for mine, other in zip(ours, theirs):
        found = differences(mine, other)
        cells += mine["cols"] * mine["rows"]
        if found and (name, mine["check"]) in KNOWN:
            print(f"{name}, {mine['check']}: known: {KNOWN[name, mine['check']]}")
        elif found:
            complaints.append(f"{name}, {mine['check']}:\n    " + "\n    ".join(found[:6]))
    for probe in sorted({len(ours) // 2, len(ours) - 1}):
        for other in tmux_screens(recording, directory, probe):
            found = [text for text in differences(cut_probed(ours[probe]), cut_probed(other)) if text.startswith("row")]
            if found and (name, other["check"]) not in KNOWN:
                complaints.append(f"{name}, {other['check']}, erased cells:\n    " + "\n    ".join(found[:6]))
    print(f"{name:14} {len(ours):3} screens {cells:8} cells {'ok' if not complaints else 'DIFFERENT'}", flush=True)
    return len(ours), cells, complaints


def run_one(name, arguments, temporary):
    """In a process of its own, so that slow programs do not wait for each other."""
    directory = temporary / pathlib.Path(name).name
    directory.mkdir()
    if not arguments.replay:
        return run_session(name, arguments, directory)
    path = pathlib.Path(name)
    return compare(path.stem, path, path.read_bytes(), arguments, directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--replay", action="store_true", help="the names are recordings that were kept")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if shutil.which("tmux") is None:
        print("SKIPPED: tmux is not installed")
        return 77
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    screens, cells, complaints, skipped = 0, 0, [], []
    with tempfile.TemporaryDirectory(prefix="sworn-vt-") as temporary, \
            concurrent.futures.ProcessPoolExecutor(AT_ONCE) as pool:
        running = []
        for name in arguments.names or list(record.SESSIONS):
            if not arguments.replay and record.missing(name):
                skipped.append(name)
                print(f"{name:14} SKIPPED: not installed: {' '.join(record.missing(name))}")
                continue
            running.append(pool.submit(run_one, name, arguments, pathlib.Path(temporary)))
        for done in concurrent.futures.as_completed(running):
            result = done.result()
            screens, cells = screens + result[0], cells + result[1]
            complaints += result[2]
    print("\n".join(complaints))
    print(f"{screens} screens, {cells} cells, {len(complaints)} differences, {len(skipped)} sessions skipped")
    return 1 if complaints or screens == 0 else 0


sys.exit(main())
