#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_table.py docs/threat-model.md BUILD CTEST: every row of the table names tests, and every named test exists; or it
says why there can be none."""
import json
import re
import subprocess
import sys

ROWS = 25


def main():
    page, build, ctest = sys.argv[1:]
    listing = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    known = {test["name"] for test in json.loads(listing.stdout)["tests"]}
    # A room whose tests are not built here is looked at elsewhere.
    absent = tuple(f"unit/{name[5:].partition('_NOT_BUILT')[0]}:" for name in known if "_NOT_BUILT" in name)
    rows, wrong = {}, []
    with open(page, encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.split("|")]
            number = cells[1] if len(cells) > 2 else ""
            named = re.findall(r"`((?:unit|cli|sweep|threat|fuzz)/[^`]+)`", line)
            wrong += [f"no test is named {name}" for name in named if name not in known and not name.startswith(absent)]
            if number.isdigit():
                rows[int(number)] = named
                if not named and "not testable" not in line:
                    wrong.append(f"row {number} names no test and gives no reason")
    wrong += [f"row {number} is missing" for number in range(1, ROWS + 1) if number not in rows]
    for text in wrong:
        print(text)
    print(f"{len(rows)} rows, {sum(map(len, rows.values()))} tests named, {len(known)} tests in the tree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
