#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bench tool runs on tiny sizes and says what it should; no figure is judged here."""
import json
import os
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))
from benchlib import common, long, measures, recorders, results  # noqa: E402

TOOLS = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])


def run(*argv, timeout=60, status=0, **kw):
    done = subprocess.run(
        [str(a) for a in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
        **kw,
    )
    if done.returncode != status:
        raise AssertionError(f"{argv}: exit {done.returncode}, not {status}: {done.stderr.decode()}")
    return done.stdout


def outer(*argv, **kw):
    return json.loads(run(TOOLS / "bench_outer", *argv, **kw))


class Smoke(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.dir = pathlib.Path(self.tmp.name)
        self.text = self.dir / "text"
        self.text.write_bytes(
            b"".join(b"line %d of the corpus, long enough to be cut\n" % i for i in range(400))
        )
        self.shown = self.text.read_bytes().replace(b"\n", b"\r\n")

    def test_relay_passes_every_byte(self):
        report = outer("--save", self.dir / "shown", "--", TOOLS / "bench_relay", "cat", self.text)
        self.assertEqual((self.dir / "shown").read_bytes(), self.shown)
        self.assertEqual(report["bytes"], len(self.shown))
        self.assertGreater(report["user_s"] + report["system_s"], 0)

    def test_relay_passes_exit_status_and_signal(self):
        self.assertEqual(outer("--", TOOLS / "bench_relay", "sh", "-c", "exit 7")["exit"], 7)
        self.assertEqual(outer("--", TOOLS / "bench_relay", "sh", "-c", "kill -TERM $$")["signal"], 15)

    def test_relay_passes_keys_and_window_size(self):
        (self.dir / "keys").write_bytes(b"echo $((6*7)); stty size\rexit\r")
        outer(
            "--save",
            self.dir / "shown",
            "--type",
            self.dir / "keys",
            "--gap-ms",
            5,
            "--think-ms",
            200,
            "--cols",
            91,
            "--rows",
            33,
            "--timeout",
            20,
            "--",
            TOOLS / "bench_relay",
            "sh",
            "-i",
            timeout=40,
        )
        shown = (self.dir / "shown").read_bytes()
        self.assertIn(b"42\r\n", shown)
        self.assertIn(b"33 91", shown)

    def test_feed_keeps_its_rate(self):
        done = subprocess.run(
            [TOOLS / "bench_feed", self.text, "--bytes", "40", "--rate", "200", "--count", "60", "--report"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=True,
            timeout=60,
        )
        self.assertEqual(done.stdout, self.text.read_bytes()[:2400])
        rate = float(re.search(rb"([\d.]+) per second", done.stderr).group(1))
        self.assertLess(rate, 240)

    def test_outer_kills_the_recorder_and_spares_the_program(self):
        report = outer(
            "--save",
            self.dir / "shown",
            "--kill-ms",
            200,
            "--spare",
            "bench_feed",
            "--",
            TOOLS / "bench_relay",
            TOOLS / "bench_feed",
            self.text,
            "--bytes",
            40,
            "--rate",
            500,
            "--count",
            100000,
            "--linger",
            5,
        )
        self.assertEqual((report["killed"], report["signal"]), (1, 9))
        shown = (self.dir / "shown").read_bytes()
        self.assertGreater(len(shown), 0)
        wanted = self.shown * (len(shown) // len(self.shown) + 1)
        self.assertTrue(wanted.startswith(shown))

    def test_latency_echo_and_line(self):
        for mode in ("echo", "line"):
            wrapped = "\x1f".join(["relay", str(TOOLS / "bench_relay"), str(TOOLS / "bench_child"), mode])
            bare = "\x1f".join(["bare", str(TOOLS / "bench_child"), mode])
            report = json.loads(
                run(
                    TOOLS / "bench_latency",
                    mode,
                    "--keys",
                    20,
                    "--block",
                    5,
                    "--wrapper",
                    wrapped,
                    "--wrapper",
                    bare,
                )
            )
            for name in ("relay", "bare"):
                self.assertEqual(report[name]["keys"], 20)
                self.assertGreater(report[name]["p50_us"], 0)

    def test_idle_counts_only_the_wrapper(self):
        report = json.loads(
            run(
                TOOLS / "bench_idle",
                "--sessions",
                3,
                "--settle",
                0.3,
                "--watch",
                0.3,
                "--spare",
                "bench_child",
                "--",
                TOOLS / "bench_relay",
                TOOLS / "bench_child",
                "idle",
            )
        )
        self.assertEqual(report["processes"], 1)
        self.assertGreater(report["pss_kib"], 0)

    def test_format_measures_and_generates(self):
        report = json.loads(
            run(
                TOOLS / "bench_format",
                "measure",
                self.text,
                "--mb",
                1,
                "--quick",
                "--directory",
                self.dir,
                timeout=120,
            )
        )
        for stream in ("bulk", "small"):
            self.assertGreater(report[stream]["verify_mb_s"], 0)
        made = json.loads(
            run(
                TOOLS / "bench_format",
                "generate",
                self.text,
                self.dir / "long.sworn",
                "--mb",
                1,
                "--hours",
                1,
            )
        )
        self.assertEqual((self.dir / "long.sworn").stat().st_size, made["stored_bytes"])
        dumped = run(TOOLS / "bench_format", "dump", self.dir / "long.sworn")
        self.assertEqual(len(dumped), 1 << 20)
        self.assertTrue(dumped.startswith(self.shown))

    def test_corpora(self):
        corpus = runpy.run_path(str(ROOT / "bench/corpus"))["corpus"]
        path = corpus("listing", self.dir, 100_000)
        self.assertEqual(path.stat().st_size, 100_000)
        self.assertIn(b"total ", path.read_bytes())

    def test_recorders_give_back_what_they_stored(self):
        context = common.Context(BUILD, self.dir / "work")
        # asciinema 2.2 drops what is still in the terminal when the program ends.
        child = ["sh", "-c", f"cat {self.text}; sleep 0.5"]
        for recorder in recorders.ALL:
            if not recorder.keeps or recorder.available(context):
                continue
            with self.subTest(recorder.name):
                directory = self.dir / re.sub(r"\W", "-", recorder.name)
                directory.mkdir()
                context.json(
                    [
                        context.tool("outer"),
                        "--timeout",
                        60,
                        "--",
                        *recorder.command(context, directory, child),
                    ]
                )
                self.assertEqual(
                    measures.lost_bytes(self.shown, recorder.recover(context, directory), self.shown[:100]),
                    (0, len(self.shown)),
                )
                self.assertGreater(recorder.stored(directory), 0)

    def test_run_compares_and_writes_sections(self):
        path = self.dir / "results.md"
        run(
            ROOT / "bench/run",
            "--no-build",
            "--build",
            BUILD,
            "--work",
            self.dir / "work",
            "--scale",
            "0.002",
            "--rounds",
            1,
            "--results",
            path,
            "--only",
            "bare relay",
            "--only",
            "script",
            "throughput",
            "latency",
            "memory",
            "loss",
            "format",
            timeout=120,
        )
        stored = path.read_text()
        for title in (
            "Bulk output",
            "Keystroke latency",
            "Ten idle sessions",
            "kill -9",
            "The session file alone",
        ):
            self.assertIn(title, stored)
        self.assertIn("| script |", stored)
        self.assertIn("not a published figure", stored)

    def test_kills_lose_nothing(self):
        context = common.Context(BUILD, self.dir / "work")
        if recorders.PRODUCT.available(context):
            self.skipTest(f"sworn rec: {recorders.PRODUCT.available(context)}")
        section, held = long.kills(context, self.text, 4, 1)
        self.assertTrue(held, section.render(1.0))

    def test_results_are_replaced_by_section(self):
        path = self.dir / "results.md"
        for text in ("first", "second"):
            for name in ("sizes", "throughput"):
                section = results.Section(name, name.title())
                section.text(f"{text} {name}")
                results.store(path, [section])
        stored = path.read_text()
        self.assertNotIn("first", stored)
        self.assertLess(stored.index("second throughput"), stored.index("second sizes"))


if __name__ == "__main__":
    os.chdir("/")
    unittest.main(argv=[sys.argv[0], "-v"])
