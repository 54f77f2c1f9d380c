# SPDX-License-Identifier: Apache-2.0
"""bench/results.md: one section a measurement, replaced as a whole by the run that measures again. Nobody edits a
figure by hand: what stands there came out of a tool, with its date, machine and commit."""
import datetime
import pathlib
import re

from . import common

HEAD = """# Measured figures

Written by `bench/run` and `bench/long`; never by hand. Each section says when, on what machine and at which commit
it was measured, and shows targets beside the figures, also where they are missed. Absolute times of a shared virtual
machine drift: the ratios, taken in one run with the recorders taking turns, are what counts.
"""


class Section:
    def __init__(self, name, title):
        self.name = name
        self.title = title
        self.parts = []
        self.load = common.load()
        self.commit = common.commit()  # of what is measured; the tree may have moved on by the end

    def text(self, line):
        self.parts.append(line)

    def table(self, header, rows):
        lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self.parts.append("\n".join(lines))

    def targets(self, rows):
        """rows of (what, measured, comparison text, met?)."""
        self.table(
            ["target", "measured", "verdict"],
            [(what, measured, "met" if met else "**missed**") for what, measured, met in rows],
        )

    def render(self, scale):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        stamp = f"{now}, commit {self.commit}; {common.machine()}; load {self.load:.1f} before, "
        stamp += f"{common.load():.1f} behind."
        if scale != 1.0:
            stamp += f" **Shrunk workload ({scale:g}): not a published figure.**"
        return "\n\n".join([f"## {self.title}", stamp, *self.parts])


def store(path, sections, scale=1.0):
    """Puts the sections into the file, replacing those of the same name, in a stable order."""
    path = pathlib.Path(path)
    text = path.read_text() if path.exists() else ""
    kept = dict(re.findall(r"<!-- section (\S+) -->\n(.*?)\n<!-- end -->", text, re.S))
    for section in sections:
        kept[section.name] = section.render(scale)
    body = "\n\n".join(
        f"<!-- section {name} -->\n{kept[name]}\n<!-- end -->" for name in sorted(kept, key=order)
    )
    part = path.with_suffix(".part")
    part.write_text(f"{HEAD}\n{body}\n")
    part.rename(path)


ORDER = [
    "throughput", "latency", "start", "sizes", "memory", "loss", "format", "exec", "playback", "logs", "hooks", "alerts", "kills", "fuzz",
    "soak",
]


def order(name):
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
