# SPDX-License-Identifier: Apache-2.0
"""Where things are, and how a tool is run: the environment that every figure is taken in."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """The run cannot give a figure; the text says why and what to do."""


class Context:
    """Paths and knobs of one run."""

    def __init__(self, build, work, rounds=5, scale=1.0, only=None):
        self.build = pathlib.Path(build)
        self.work = pathlib.Path(work)
        self.rounds = rounds
        self.scale = scale  # < 1 shrinks every workload: for the smoke test, never for published figures
        self.only = only
        self.work.mkdir(parents=True, exist_ok=True)

    def tool(self, name):
        return self.build / "bench" / f"bench_{name}"

    def scaled(self, amount, least=1):
        return max(least, int(amount * self.scale))

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SWORN_", "LC_"))}
        env.update(
            SHELL="/bin/sh", LC_ALL="C.UTF-8", TERM="xterm-256color", ASCIINEMA_CONFIG_HOME=str(self.work)
        )
        return env

    def run(self, argv, timeout=600, check=True):
        argv = [str(a) for a in argv]
        done = subprocess.run(
            argv,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise BenchError(
                f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}"
            )
        return done

    def json(self, argv, timeout=600):
        return json.loads(self.run(argv, timeout).stdout)

    def start(self, argv):
        return subprocess.Popen(
            [str(a) for a in argv],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def build_tools(build):
    """The bench tools and the product, as users run them."""
    build = pathlib.Path(build)
    if not (build / "CMakeCache.txt").exists():
        subprocess.run(
            ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    known = subprocess.run(
        ["cmake", "--build", build, "--target", "help"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    targets = ["bench"] + [t for t in ("sworn", "sworn-recorder") if f"{t}:" in known]
    done = subprocess.run(
        ["cmake", "--build", build, "--target", *targets],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError("the build failed:\n" + done.stdout[-4000:])


def machine():
    """One line that tells the reader what the figures were taken on."""
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) >> 20
    name = os.uname()
    release = "unknown system"
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            release = line.split("=", 1)[1].strip('"')
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, Linux {name.release}, {release}"


def commit():
    def git(*args):
        return subprocess.run(
            ["git", "-C", ROOT, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        ).stdout.strip()

    changed = [
        line for line in git("status", "--porcelain").splitlines() if not line.endswith("bench/results.md")
    ]
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + (" with local changes" if changed else "")


def load():
    return os.getloadavg()[0]


def spread(values):
    """(median, minimum) of a list of figures."""
    return (statistics.median(values), min(values)) if values else (float("nan"), float("nan"))


def note(text):
    print(text, file=sys.stderr, flush=True)
