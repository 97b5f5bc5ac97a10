#!/bin/sh
# Packages for the tests, made by rpmbuild: rpms.sh DIR DAEMON
#
# DIR gets, unless they are there: sleeper 2:1.0-1, 2:1.1-1 and 2:1.2-1, whose
# daemon is DAEMON (an ELF executable) with the version after its end; taker
# 1-1, which has one of sleeper's files with other content; sleeper 1.0 once more
# with MD5 digests (old-digests/) and as a source package (source/); all of them
# signed (signed/), with the key that is key.asc; and other.asc, which signed
# nothing.
set -eu

[ $# = 2 ] || { echo 'usage: rpms.sh DIR DAEMON' >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
daemon=$(realpath "$2")
[ ! -e "$dir/done" ] || exit 0
# rpm keeps a database and build folders below HOME.
export HOME="$dir/home"
mkdir -p "$HOME" "$dir/old-digests" "$dir/source" "$dir/signed"

cat > "$dir/sleeper.spec" <<'SPEC'
Name: sleeper
Epoch: 2
Version: %{of}
Release: 1
Summary: A daemon that sleeps
License: Public domain
%description
%{summary}.
%install
mkdir -p %{buildroot}/usr/sbin %{buildroot}/usr/lib64 %{buildroot}/bin \
  %{buildroot}/libo32 %{buildroot}/etc/sleeper.d %{buildroot}/usr/share/sleeper
cp %{daemon} %{buildroot}/usr/sbin/sleeper
printf %{of} >> %{buildroot}/usr/sbin/sleeper
ln %{buildroot}/usr/sbin/sleeper %{buildroot}/usr/sbin/sleeper-too
ln -s sleeper %{buildroot}/usr/sbin/sleeper-link
cp %{library} %{buildroot}/usr/lib64/libsleeper.so.1
printf '#!/bin/sh\necho %{of}\n' > %{buildroot}/bin/sleeper-bin
cp %{buildroot}/bin/sleeper-bin %{buildroot}/libo32/sleeper-o32
printf '#!/bin/sh\n: hook\n' > %{buildroot}/etc/sleeper.d/hook
printf '#!/bin/sh\n: same\n' > %{buildroot}/usr/share/sleeper/same
echo text > %{buildroot}/usr/share/sleeper/text
%if "%{of}" != "1.0"
%post -p <lua>
-- Lets a test hold an upgrade between its steps.
while posix.stat("/hold") do posix.sleep(1) end
%endif
%files
%attr(755,root,root) /usr/sbin/sleeper
%attr(755,root,root) /usr/sbin/sleeper-too
/usr/sbin/sleeper-link
%ghost %attr(755,root,root) /usr/sbin/sleeper-ghost
%attr(644,root,root) /usr/lib64/libsleeper.so.1
%attr(755,root,root) /bin/sleeper-bin
%attr(755,root,root) /libo32/sleeper-o32
%config(noreplace) %attr(755,root,root) /etc/sleeper.d/hook
%attr(755,root,root) /usr/share/sleeper/same
%attr(644,root,root) /usr/share/sleeper/text
SPEC
cat > "$dir/taker.spec" <<'SPEC'
Name: taker
Version: 1
Release: 1
Summary: Takes a file of another package
License: Public domain
%description
%{summary}.
%install
mkdir -p %{buildroot}/usr/share/sleeper
printf '#!/bin/sh\n: taken\n' > %{buildroot}/usr/share/sleeper/same
%files
%attr(755,root,root) /usr/share/sleeper/same
SPEC

# A shared object that is on each machine that can build.
library=$(ldd "$(command -v rpmbuild)" | sed -n 's/.*librpmbuild[^>]*> \([^ ]*\).*/\1/p')

# build SPEC VERSION OUT [DEFINE]
build() {
  rpmbuild --quiet -bb --define "_topdir $HOME/build" --define "of $2" \
    --define "daemon $daemon" --define "library $library" \
    --define "_rpmdir $3" --define '_build_name_fmt %%{NAME}-%%{VERSION}.rpm' \
    --define '__os_install_post %{nil}' --define 'debug_package %{nil}' \
    --define '_build_id_links none' --define "_dbpath $HOME/none" \
    --define "${4:-_nothing 1}" "$dir/$1.spec" > "$dir/build.log" 2>&1 ||
    { cat "$dir/build.log" >&2; exit 1; }
}

for version in 1.0 1.1 1.2; do
  build sleeper "$version" "$dir"
done
build taker 1 "$dir"
build sleeper 1.0 "$dir/old-digests" '_binary_filedigest_algorithm 1'
rpmbuild --quiet -bs --define "_topdir $HOME/build" --define 'of 1.0' \
  --define "_srcrpmdir $dir/source" "$dir/sleeper.spec" > "$dir/build.log" 2>&1

# gpg-agent's socket has a path of at most 107 bytes.
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill gpg-agent; rm -rf "$GNUPGHOME"' EXIT
for who in key other; do
  gpg --batch --quiet --passphrase '' --quick-generate-key \
    "$who@example.org" rsa2048 sign never
  gpg --batch --quiet --armor --export "$who@example.org" > "$dir/$who.asc"
done 2> "$dir/build.log"
cp "$dir"/*.rpm "$dir/signed"
rpmsign --addsign --define '__gpg /usr/bin/gpg' \
  --define '_gpg_name key@example.org' "$dir"/signed/*.rpm > "$dir/build.log" 2>&1
touch "$dir/done"
