# SPDX-License-Identifier: Apache-2.0
"""A real systemd-journald: our entries go in by its native protocol and come back through journalctl and through our
own reader, which knows whose they are."""
import datetime
import json
import os
import subprocess
import sys
import time

from real_host import FIXTURE, SWORN, check, json_lines, need, private_namespace, scratch, start, wait_for

JOURNALD = "/lib/systemd/systemd-journald"
need(JOURNALD, "journalctl")
private_namespace()
folder = scratch()
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
os.makedirs("/run/log/journal")
os.makedirs("/run/systemd/journald.conf.d")
with open("/run/systemd/journald.conf.d/test.conf", "w") as conf:
    conf.write("[Journal]\nAudit=no\nStorage=volatile\nReadKMsg=no\nRateLimitIntervalSec=0\n")
daemon = start(JOURNALD, stderr=subprocess.DEVNULL)
wait_for("journal socket", lambda: os.path.exists("/run/systemd/journal/socket"))

# Out.
session = os.path.join(folder, "s.sworn")
subprocess.run([FIXTURE, "shell", session], check=True)
subprocess.run([SWORN, "tail", "--once", "--journald", session], check=True)
expected = json_lines(subprocess.run([SWORN, "log", "--trail", session], check=True, capture_output=True, text=True).stdout)


def entries():
    text = subprocess.run(["journalctl", "-o", "json", "--no-pager", "SYSLOG_IDENTIFIER=sworn"], capture_output=True, text=True).stdout
    return json_lines(text)


wait_for("entries", lambda: len(entries()) == len(expected))
for got, entry in zip(entries(), expected):
    check(json.loads(got["SWORN_JSON"]) == entry, "the whole entry: %r" % got)
    check(got["SWORN_LINK"] == entry["link"] and got["SWORN_KIND"] == entry["kind"], "fields: %r" % got)
    check(got["PRIORITY"] in "0123456" and got["SYSLOG_FACILITY"] == "10", "priority: %r" % got)

# In: a session that runs now, with a line of its own process and one of another.
recording = os.path.join(folder, "now.sworn")
inside = ("systemd-cat -t inside echo from the session; logger --journald <<E\nMESSAGE=two\nMESSAGE=lines\nPRIORITY=3\nE\nsleep 0.3")
other = start("systemd-cat", "-t", "outside", "sh", "-c", "sleep 0.4; echo from elsewhere")
subprocess.run([SWORN, "rec", "-o", recording, "--streams", "--", "bash", "-c", inside], check=True, stdin=subprocess.DEVNULL)
other.wait()
subprocess.run(["journalctl", "--sync"], check=False, capture_output=True)
time.sleep(0.5)
runs = {"native": ["--journal"], "directory": ["--with", "/run/log/journal/" + os.listdir("/run/log/journal")[0]]}
for form in ("json", "export"):
    name = os.path.join(folder, "journal." + form)
    with open(name, "w") as out:
        subprocess.run(["journalctl", "-o", form, "--no-pager"], check=True, stdout=out)
    runs[form] = ["--with", name]
for name, words in runs.items():
    if name == "directory":
        words = ["--with", os.path.join(words[1], "system.journal")]
    result = subprocess.run([SWORN, "log", "--json", recording] + words, capture_output=True, text=True)
    check(result.returncode == 0, "%s: %s" % (name, result.stderr))
    lines = [line for line in json_lines(result.stdout) if line["schema"] == "sworn.line/1"]
    found = {marker: [l for l in lines if marker in l["text"]] for marker in ("from the session", "from elsewhere", "two")}
    for marker, hits in found.items():
        check(len(hits) == 1, "%s: one line %r, not %d" % (name, marker, len(hits)))
    check(found["from the session"][0]["until"] - found["from the session"][0]["t"] < 0.001, name + ": a moment")
    check(found["two"][0]["severity"] == "error", name + ": severity")
daemon.stop()
print("journald gave back %d entries; read in %d ways" % (len(expected), len(runs)))
