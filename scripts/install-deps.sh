#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the packages that ecmper needs and this machine lacks, with apt (Debian 12, Ubuntu
# 24.04) or dnf (Fedora). Quick when nothing is missing. Starts no service.
set -euo pipefail

usage()
{
	cat <<'USAGE'
Usage: install-deps.sh [build|unit|test|all|bench]    what it takes to build, to build and to run `make unit prog`,
                                                    to run tests and demos, to build and to do that (default),
                                                    or to build and to draw the benchmarks' plots
USAGE
}

DEB_BUILD="clang llvm gcc libc6-dev make pkg-config libbpf-dev libelf-dev zlib1g-dev libmnl-dev libjansson-dev"
DEB_UNIT="libcmocka-dev iproute2"
DEB_TEST="$DEB_UNIT nginx-light apache2-utils netcat-openbsd tcpdump ethtool jq shellcheck
	mandoc bsdextrautils util-linux procps curl systemd strace git udev iputils-ping binutils
	build-essential dpkg-dev debhelper traceroute qemu-system-x86 busybox-static cpio kmod xz-utils zstd debootstrap"
# The one version that `make check-format` takes, which not every suite has.
DEB_STYLE=clang-format-14
RPM_BUILD="clang llvm gcc glibc-devel make pkgconf-pkg-config bpftool libbpf-devel elfutils-libelf-devel
	zlib-devel libmnl-devel jansson-devel"
RPM_UNIT="libcmocka-devel libasan libubsan iproute"
RPM_TEST="$RPM_UNIT nginx-core httpd-tools netcat tcpdump ethtool iproute-tc jq ShellCheck mandoc
	util-linux procps-ng curl systemd strace git-core diffutils systemd-udev iputils traceroute binutils
	qemu-system-x86-core busybox cpio kmod xz zstd debootstrap"

POLICY=/usr/sbin/policy-rc.d

# bpftool's package: its own on Debian, part of the kernel's tools on Ubuntu.
deb_bpftool()
{
	if grep -q '^ID=ubuntu' /etc/os-release; then
		echo "linux-tools-common linux-tools-generic"
	else
		echo "bpftool"
	fi
}

# deb_missing PACKAGE...: those that are not installed.
deb_missing()
{
	local package

	for package in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
			echo "$package"
	done
}

# deb_known PACKAGE...: those that apt's lists have.
deb_known()
{
	local package

	for package in "$@"; do
		# Not grep -q: it would end before apt-cache, which then fails.
		! apt-cache policy "$package" 2>/dev/null | grep '^  Candidate: [^(]' >/dev/null || echo "$package"
	done
}

rpm_missing()
{
	local package

	for package in "$@"; do
		rpm -q --quiet --whatprovides "$package" || echo "$package"
	done
}

# No service is started while this file says so; one that is there already is left alone.
hold_services()
{
	[[ ! -e $POLICY ]] || return 0
	trap 'rm -f "$POLICY"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$POLICY"
	chmod +x "$POLICY"
}

deb_install()
{
	hold_services
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

rpm_install()
{
	dnf install -y -q --setopt=install_weak_deps=False "$@"
}

# Ubuntu's /usr/sbin/bpftool runs the one made for the running kernel, and fails when there is
# none. Any version does for us.
link_bpftool()
{
	local real

	! bpftool version >/dev/null 2>&1 || return 0
	real=$(find /usr/lib/linux-tools*/ -name bpftool 2>/dev/null | sort -V | tail -n 1)
	[[ -n $real ]] || {
		echo "install-deps: bpftool does not run, and /usr/lib/linux-tools has none" >&2
		return 1
	}
	ln -sf "$real" /usr/local/sbin/bpftool
}

install_missing()
{
	local how=$1

	shift
	(($# > 0)) || return 0
	if ((EUID != 0)); then
		echo "install-deps: missing: $*. Run as root to install them." >&2
		return 1
	fi
	echo "installing: $*"
	"$how" "$@"
}

what=${1:-all}
case $what in
build | unit | test | all | bench) ;;
help | -h | --help)
	usage
	exit 0
	;;
*)
	usage >&2
	exit 2
	;;
esac

PATH=$PATH:/usr/sbin:/sbin
wanted=
has_build='' has_tests=''
[[ $what == test ]] || has_build=yes
[[ $what != test && $what != all ]] || has_tests=yes
# shellcheck disable=SC2046,SC2086 # lists of words
if command -v apt-get >/dev/null; then
	[[ ! $has_build ]] || wanted+=" $DEB_BUILD $(deb_bpftool)"
	[[ ! $has_tests ]] || wanted+=" $DEB_TEST $(deb_bpftool)"
	[[ $what != unit ]] || wanted+=" $DEB_UNIT"
	[[ $what != bench ]] || wanted+=" gnuplot-nox xdp-tools libclang-rt-dev"
	install_missing deb_install $(deb_missing $wanted)
	[[ ! $has_tests ]] || install_missing deb_install $(deb_missing $(deb_known $DEB_STYLE))
	link_bpftool
elif command -v dnf >/dev/null; then
	[[ ! $has_build ]] || wanted+=" $RPM_BUILD"
	[[ ! $has_tests ]] || wanted+=" $RPM_TEST bpftool"
	[[ $what != unit ]] || wanted+=" $RPM_UNIT"
	[[ $what != bench ]] || wanted+=" gnuplot-minimal xdp-tools compiler-rt"
	install_missing rpm_install $(rpm_missing $wanted)
else
	echo "install-deps: neither apt-get nor dnf here. What Debian calls it: $DEB_BUILD bpftool $DEB_TEST" >&2
	exit 1
fi
