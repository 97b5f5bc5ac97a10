#!/bin/sh
# Install what building and testing need and this machine lacks: Debian and
# Ubuntu, through apt. Needs no network, and no root, when all is there.
set -eu

packages="
gcc clang make pkg-config git
clang-format clang-tidy cppcheck shellcheck smitools libclang-rt-dev
collectd-core collectd-dev
libsnmp-dev snmp snmpd snmptrapd prometheus-snmp-exporter
libssl-dev libpq-dev libconfuse-dev libevent-dev libarchive-dev libjansson-dev
librpm-dev rpm rpm2cpio dnf dnf-plugins-core createrepo-c
libcmocka-dev
postgresql-15 postgresql-client-15 postgresql-15-pgtap
libtap-parser-sourcehandler-pgtap-perl
apt-utils gpg gpg-agent gpgv
logrotate rsyslog rsyslog-openssl rsyslog-gnutls openssl
python3 python3-pytest python3-pytest-xdist jq man-db
openssh-client openssh-server nftables graphviz
bindfs fuse3 iproute2 util-linux debootstrap
"

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
    status=none
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "deps: no apt-get here; install by hand:$missing" >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
  sudo=sudo
fi
echo "deps: installing$missing"

# Daemons are wanted as programs only: keep their packages from starting them,
# now and, as far as they were not there before, at the next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$sudo rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod 755 "$policy"
fi
started_at_boot() {
  find /etc/systemd/system -path '*.wants/*' \
    \( -name '*.service' -o -name '*.socket' -o -name '*.timer' \) -exec basename {} \; 2>/dev/null
}
before=$(started_at_boot)
$sudo apt-get update
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends $missing
for unit in $(command -v systemctl >/dev/null && started_at_boot); do
  printf '%s\n' "$before" | grep -qxF "$unit" ||
    $sudo systemctl --no-reload disable "$unit"
done
