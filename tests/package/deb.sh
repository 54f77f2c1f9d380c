#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/package/deb.sh BUILD: makes the package from a whole build and takes it through its life in a root of its
# own (an overlay over this one: its libraries are there, and nothing that happens in it stays).
# shellcheck disable=SC2016,SC2317 # words for the shell inside; functions that check() calls
set -u -o pipefail
build=$(realpath "$1")

skip() { echo "SKIPPED: $1"; exit 77; }
((EUID == 0)) || skip "needs root (dpkg in a root of its own)"
for tool in dpkg-deb dpkg-shlibdeps cpack unshare file; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done
for program in cli/sworn recorder/sworn-recorder recorder/host/swornd recorder/host/sworn-monitor \
  recorder/host/sworn-host recorder/client/sworn-login docs/swornd.8 docs/sworn.bash; do
  [[ -e $build/$program ]] || skip "$program is not built: the package is made of a whole build"
done

if [[ ${SWORN_PACKAGE_LAB-} != 1 ]]; then
  SWORN_PACKAGE_LAB=1 exec unshare -m --propagation private -p -f --kill-child --mount-proc "$0" "$build"
fi

work=/run/sworn-package
mkdir -p $work
mount -t tmpfs -o size=1g tmpfs $work
mkdir $work/{up,work,root,deb}
mount -t overlay -o lowerdir=/,upperdir=$work/up,workdir=$work/work overlay $work/root ||
  skip "no overlay file system here"
for place in proc dev; do mount --rbind /$place $work/root/$place; done
mount -t tmpfs tmpfs $work/root/run
mount -t tmpfs tmpfs $work/root/tmp

bad=0
check() {  # check WHAT COMMAND...
  local what=$1
  shift
  if "$@" >$work/out 2>&1; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    sed 's/^/          /' $work/out | tail -20
    bad=1
  fi
}
inside() { chroot $work/root "$@"; }
no() { ! "$@"; }

cpack --config "$build/CPackConfig.cmake" -B $work/deb >$work/cpack 2>&1 || { tail -20 $work/cpack; exit 1; }
deb=$(ls $work/deb/*.deb)
cp "$deb" $work/root/tmp/sworn.deb
# The next version, with nothing else changed.
dpkg-deb -R "$deb" $work/next && sed -i 's/^Version: .*/Version: 99.0/' $work/next/DEBIAN/control &&
  dpkg-deb -b --root-owner-group $work/next $work/root/tmp/next.deb >/dev/null

check "the package installs" inside dpkg -i /tmp/sworn.deb
check "programs are there" inside sh -c 'sworn --version && swornd --version'
check "the client is root's, 0711 and static" inside sh -c \
  '[ "$(stat -c %u:%a /usr/bin/sworn-login)" = 0:711 ] && ! ldd /usr/bin/sworn-login | grep -q "=>"'
check "nothing is setuid or setgid" inside sh -c \
  '! dpkg -L sworn | xargs -d "\n" stat -c "%a %F %n" | grep -E "^[2467][0-7]{3} regular"'
check "account and group are there" inside sh -c 'getent passwd sworn && getent group sworn-audit'
check "the default policy is understood" inside sworn config check
check "units, snippets, pages and completion are there" inside sh -c \
  'for f in lib/systemd/system/swornd.service lib/systemd/system/swornd.socket share/sworn/snippets/sshd.conf \
     share/man/man8/swornd.8 share/man/man5/sworn.conf.5 share/bash-completion/completions/sworn; do
     ls /usr/$f* >/dev/null || exit 1; done'
check "file(1) knows a recording" inside sh -c \
  'HOME=/tmp sworn rec -q -o /tmp/x.sworn -- true && file -m /usr/share/sworn/magic /tmp/x.sworn | grep -q "sworn session"'
if command -v systemd-analyze >/dev/null; then
  check "systemd understands the units" inside systemd-analyze verify /usr/lib/systemd/system/swornd.service
fi

# Something worth keeping.
mkdir -p $work/root/var/lib/sworn/{sessions,ledger}
echo evidence >$work/root/var/lib/sworn/sessions/kept.sworn
echo key >$work/root/var/lib/sworn/ledger/key.0
echo '[session]' >$work/root/etc/sworn/sworn.conf
kept() { inside sh -c 'grep -q evidence /var/lib/sworn/sessions/kept.sworn && grep -q key /var/lib/sworn/ledger/key.0'; }

check "the package is upgraded" inside dpkg -i /tmp/next.deb
check "an upgrade keeps recordings, ledger and keys" kept
check "an upgrade keeps the policy" inside grep -qx '\[session\]' /etc/sworn/sworn.conf
inside useradd -M -s /usr/bin/sworn-login someone
check "it is not removed under somebody's feet" no inside dpkg -r sworn
inside usermod -s /bin/sh someone
check "then it is removed" inside dpkg -r sworn
check "a removal keeps recordings, ledger and keys" kept
check "a purge keeps them too" sh -c "chroot $work/root dpkg -P sworn && grep -q evidence $work/root/var/lib/sworn/sessions/kept.sworn"
check "a purge removes the policy" test ! -e $work/root/etc/sworn/sworn.conf
exit $bad
