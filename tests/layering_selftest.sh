#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves that tests/layering.sh passes on a clean copy of the tree and fails for every rule when it is broken.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 2
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
cp -r "$here"/../{base,format,audit,recorder,player,cli} "$tree" || exit 2
bad=0

if ! "$here/layering.sh" "$tree"; then
  echo "selftest: the clean copy does not pass" >&2
  bad=1
fi
# breaks FILE INCLUDE: a tree where FILE includes that must be refused.
breaks() {
  mkdir -p "$(dirname "$tree/$1")"
  echo "#include $2" >"$tree/$1"
  if "$here/layering.sh" "$tree" >/dev/null 2>&1; then
    echo "selftest: $1 with #include $2 was not noticed" >&2
    bad=1
  fi
  rm "$tree/$1"
}
for lower_and_upper in base:format base:cli format:audit audit:recorder audit:player recorder:player \
  recorder:cli recorder:audit/logs player:recorder player:cli cli:recorder; do
  breaks "${lower_and_upper%%:*}/zz_selftest.cpp" "\"${lower_and_upper#*:}/x.hpp\""
done
breaks player/vt/zz_selftest.hpp '"format/event.hpp"'
breaks base/zz_selftest.cpp '<uv.h>'
breaks recorder/zz_selftest.cpp '<ncurses.h>'
breaks recorder/zz_selftest.cpp '<uv.h>'
breaks player/zz_selftest.cpp '<curses.h>'
breaks player/zz_selftest.cpp '  <ncursesw/ncurses.h>'
breaks format/zz_selftest.cpp '<zstd.h>'
breaks cli/zz_selftest.cpp '<openssl/evp.h>'
breaks audit/zz_selftest.cpp '<msgpack.hpp>'
breaks recorder/zz_selftest.cpp '<simdjson.h>'
breaks format/zz_selftest.cpp '<CLI/CLI.hpp>'
exit "$bad"
