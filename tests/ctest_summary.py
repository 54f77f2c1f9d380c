#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts a ctest JUnit file: ctest_summary.py FILE BUILD [SECOND].

SECOND is the report of a second run of what failed, one test at a time: what passes there counts as passed and is
named in an "again BUILD NAME" line, so that a test that does not bear company stays in sight.
Prints one line "PASSED FAILED SKIPPED", then "skip BUILD NAME: REASON" and "fail BUILD NAME" lines. A test that
ctest did not run for another reason than its own skip (missing program, failed fixture), or that skipped
after a failed check, counts as failed.
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def skip_reason(output):
    for line in output.splitlines():
        if re.search(r"skip", line, re.IGNORECASE):
            return re.sub(r"^.*?SKIPPED:\s*", "", line).strip()
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def known_failures():
    """NAME: REASON lines of tests/known-failures: tests that fail and are being worked on, counted as skipped."""
    known = {}
    with open(os.path.join(os.path.dirname(__file__), "known-failures"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.strip().partition(" => ")
                known[name] = reason
    return known


def passed_in(path):
    if not path or not os.path.exists(path):
        return set()
    cases = ElementTree.parse(path).getroot().iter("testcase")
    return {case.get("name") for case in cases if case.get("status") == "run"}


def main(path, build, second=None):
    known = known_failures()
    passed_alone = passed_in(second)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    details = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        skipped = case.find("skipped")
        own_skip = skipped is not None and skipped.get("message", "").startswith("SKIP_")
        if status == "run":
            counts["passed"] += 1
        elif own_skip and "Status: FAILURE!" not in output:
            counts["skipped"] += 1
            details.append(f"skip {build} {name}: {skip_reason(output)[:200]}")
        elif name in passed_alone:
            counts["passed"] += 1
            details.append(f"again {build} {name}: failed beside others, passed alone")
        elif name in known:
            counts["skipped"] += 1
            details.append(f"skip {build} {name}: KNOWN FAILURE, {known[name]}")
        else:
            counts["failed"] += 1
            details.append(f"fail {build} {name}")
    print(counts["passed"], counts["failed"], counts["skipped"])
    print("\n".join(details))


main(*sys.argv[1:])
