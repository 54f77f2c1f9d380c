#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds the include direction base <- format <- audit <- {recorder, player} <- cli, and each borrowed library
# to the files that own it. tests/layering.sh [ROOT]; exit status 1 where a rule is broken.
set -u
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" || exit 2
bad=0

sources=(--include='*.cpp' --include='*.hpp' --include='*.h' --include='*.c')

# never ROOM 'A|B': no file of ROOM includes a header of A or B.
never() {
  if grep -rnE "${sources[@]}" "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($2)/" "$1"; then
    echo "layering: $1/ must not include $2 (above)" >&2
    bad=1
  fi
}
never base 'format|audit|recorder|player|cli|tests|bench'
never format 'audit|recorder|player|cli|tests|bench'
never audit 'recorder|player|cli|tests|bench'
never recorder 'player|cli|audit/(logs|trail|alert)|tests|bench'
never player 'recorder|cli|tests|bench'
never player/vt 'format|audit|player/[a-z_]+\.hpp'
never cli 'recorder|tests|bench'

# only 'HEADER' 'FILES': HEADER is included by the files that match and by no other.
only() {
  local found
  found=$(grep -rlE "${sources[@]}" "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($1)[>\"]" \
    base format audit recorder player cli | grep -vE "^($2)\$")
  if [[ -n $found ]]; then
    printf '%s\n' "$found"
    echo "layering: <$1> belongs only in $2 (above)" >&2
    bad=1
  fi
}
only 'uv\.h' 'recorder/(event_loop|uv_handle)\.[ch]pp'
only 'n?cursesw?(/.*)?\.h|ncursesw/.*|term\.h' 'player/curses_[a-z]+\.cpp'
only 'zstd.*\.h' 'format/compress\.cpp|audit/logs/decompress\.cpp|player/(keyframes|text_index|[a-z_]*cache[a-z_]*)\.cpp'
only 'openssl/.*' 'format/(sign|digest|sha256_lanes|key_derivation|aead|timestamp)\.cpp'
only 'msgpack(\.hpp|/.*)' 'format/msgpack_map\.cpp'
only 'simdjson\.h' 'audit/logs/.*\.cpp'
only 'curl/.*' 'cli/http_client\.cpp'
only 'archive.*\.h' 'cli/case_archive\.cpp'
only 'CLI/.*' 'recorder/.*\.[ch]pp'
only 'toml\+\+/.*' 'audit/logs/toml_file\.cpp|recorder/host/config\.cpp'
only 'systemd/.*' 'audit/logs/journal_stream\.cpp'

exit "$bad"
