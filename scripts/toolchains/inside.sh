#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of toolchains.sh, run by it in a root (enter.sh):
#   packages   those that the build needs, as new as the mirror's
#   versions   of what builds, "NAME VERSION" a line
#   test       builds into /build, every warning an error, and runs unit and whole-frame tests
set -uo pipefail

cd /ecmper || exit 1

# An update that was interrupted is ended first.
update()
{
	export DEBIAN_FRONTEND=noninteractive
	dpkg --configure -a &&
		apt-get update -qq -o APT::Update::Error-Mode=any &&
		apt-get install -y -qq --fix-broken &&
		apt-get upgrade -y -qq --with-new-pkgs
}

packages()
{
	# The lists of a mirror that stands still expire. What is made here goes nowhere else.
	echo 'Acquire::Check-Valid-Until "false";' >/etc/apt/apt.conf.d/ecmper
	update || echo "toolchains: not brought up to date: what was fetched before is used"
	scripts/install-deps.sh unit || return
	apt-get clean
}

versions()
{
	local library

	echo "clang $(clang --version | grep -oEm 1 '[0-9]+\.[0-9.]+')"
	echo "gcc $(gcc -dumpfullversion)"
	for library in libbpf cmocka; do
		echo "$library $(pkg-config --modversion "$library")"
	done
	echo "bpftool $(bpftool version | grep -oEm 1 '[0-9]+\.[0-9.]+')"
}

# What other packages made does not stay, as make knows nothing of the system's headers; nor what an
# interrupted make left half written.
build()
{
	local list=/build/packages

	dpkg-query -W >/tmp/packages
	cmp -s /tmp/packages "$list" || rm -rf /build/*
	rm -f "$list"
	make -s -j"$(nproc)" B=/build WERROR=1 all tests && cp /tmp/packages "$list"
}

run_tests()
{
	local tests

	if ! build; then
		echo "does not build"
		echo "0 passed, 1 failed"
		return 1
	fi
	mapfile -t tests < <(find /build/unit /build/prog -name 'test_*' -type f -executable | sort)
	scripts/run-tests.sh "${tests[@]}"
}

case $1 in
packages) packages ;;
versions) versions ;;
test) run_tests ;;
esac
