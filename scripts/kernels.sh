#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does ecmper work on the kernels that people have? Boots Debian's, see usage().
set -uo pipefail

usage()
{
	cat <<'USAGE'
Usage: kernels.sh [--quick] [--table FILE] [SUITE | KERNEL.deb]...

Fetches the newest cloud kernel of each of Debian's suites (default: bookworm, trixie,
trixie-backports) without installing it, boots it under qemu's software emulation with this build of
ecmper, and runs there: up, replaced and down of both roles; real TCP by IPv4 and IPv6 through a
client, a router and two servers while the tables change; every whole-frame test. Of a kernel that is
too old (bullseye's), the refusal must say so. Ends with a line for each kernel and
"N passed, N failed"; exit status 1 when something failed.

  --quick        a selection of the whole-frame tests: at most two minutes a kernel
  --table FILE   write what was run and its result into FILE, in place of the table there
  -h, --help

A KERNEL.deb whose files are in other packages (linux-binary-*, linux-modules-*) takes them from its
own folder. A kernel that cannot be fetched is skipped; with CI=true it is a failure.

Environment: BUILD, the folder that was built into (default build/); its kernels/ gets the logs.
  BUILD=build/toolchains/SUITE: what toolchains.sh built, with that suite's libraries
  ECMPER_KERNELS, the cache of fetched kernels (default /var/cache/ecmper/kernels, or below
  ~/.cache when not root); ECMPER_MIRROR (default: the one that apt uses);
  KERNEL_TIMEOUT, seconds until a guest is ended (default 1800)
USAGE
}

# The least that ecmper asks for. Older kernels must be refused, with these words.
LEAST=5.18
# What --quick runs of the whole-frame tests.
QUICK="path router_reasons server_sockets"

here=$(dirname "$0")
cd "$here/.." || exit 1
BUILD=${BUILD:-build}
# shellcheck source=scripts/suites.sh
. scripts/suites.sh
# shellcheck source=scripts/kernels/fetch.sh
. scripts/kernels/fetch.sh
# shellcheck source=scripts/kernels/image.sh
. scripts/kernels/image.sh

quick='' table=''
passed=0 failed=0 skipped=0
guest=
summary=() rows=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'trap "" INT TERM; end_guest; exit 130' INT TERM

end_guest()
{
	[[ -z $guest ]] || kill -TERM "$guest" 2>/dev/null
	wait
	guest=
}

# boot IMAGE INITRD CONSOLE RESULT: until the guest switches itself off, or its time is over. What it
# says is shown as it comes. An emulated kernel is slow: no mitigations, no zeroing of memory, no long
# waiting for grace periods.
boot()
{
	local status=0

	: >"$4"
	timeout -k 10 "${KERNEL_TIMEOUT:-1800}" qemu-system-x86_64 -M q35 -cpu max \
		-accel tcg,thread=multi -smp 1 -m 2048 -nodefaults -display none -no-reboot \
		-kernel "$1" -initrd "$2" -serial "file:$3" -serial "file:$4" \
		-append "console=ttyS0 panic=-1 oops=panic nowatchdog quiet mitigations=off init_on_alloc=0 rcupdate.rcu_expedited=1" \
		</dev/null &
	guest=$!
	tail -n +1 -f --pid="$guest" "$4" | sed -u 's/\r$//; s/^/  /' &
	wait "$guest" || status=$?
	guest=
	wait
	return "$status"
}

# What a guest is to run: sets TESTS and WHAT. An old kernel is to refuse.
choose_tests()
{
	local test

	if [[ $(printf '%s\n' "$LEAST" "$KERNEL_RELEASE" | sort -V | head -n 1) != "$LEAST" ]]; then
		TESTS=(tests/kernel/test_too_old.sh)
		WHAT="too old: refused, with the reason"
		return
	fi
	TESTS=(tests/kernel/test_up.sh tests/kernel/test_traffic.sh)
	WHAT="up, replaced, down; TCP by IPv4 and IPv6 under changes"
	if [[ $quick ]]; then
		for test in $QUICK; do
			TESTS+=("build/prog/test_$test")
		done
		WHAT+="; some whole-frame tests"
		return
	fi
	for test in "$BUILD"/prog/test_*; do
		[[ $test == *.d ]] || TESTS+=("build/prog/${test##*/}")
	done
	WHAT+="; all whole-frame tests"
}

# judge CONSOLE RESULT STATUS: sets ok, bad and why from what the guest said.
judge()
{
	local totals

	totals=$(tr -d '\r' <"$2" | grep -E '^[0-9]+ passed, [0-9]+ failed$' | tail -n 1)
	read -r ok _ bad _ <<<"${totals:-0 passed, 0 failed}"
	why=
	if grep -aqE 'Kernel panic|Oops|BUG: |general protection fault' "$1"; then
		why="the kernel crashed"
	elif (($3 == 124 || $3 == 137)); then
		why="ended after ${KERNEL_TIMEOUT:-1800} s"
	elif [[ -z $totals ]]; then
		why="the guest ended early"
	fi
	[[ -z $why ]] || bad=$((bad + 1))
}

# run_kernel SUITE DEB...: one line for the summary, one for the table.
run_kernel()
{
	local suite=$1 status=0 start=$SECONDS folder=$work/$1 logs=$BUILD/kernels line version

	shift
	if ! kernel_unpack "$folder/kernel" "$@"; then
		failed=$((failed + 1))
		summary+=("FAILED $suite: cannot be unpacked")
		return
	fi
	version=${1##*/}
	version=${version#*_}
	echo "== Linux $KERNEL_RELEASE (${version%_*}), $suite"
	choose_tests
	mkdir -p "$logs"
	make_image "$folder/root" "$folder/kernel" "${TESTS[@]}" &&
		boot "$KERNEL_IMAGE" "$folder/root.cpio" "$logs/$suite.console" "$logs/$suite.log" || status=$?
	judge "$logs/$suite.console" "$logs/$suite.log" "$status"
	rm -rf "$folder"
	line="Linux $KERNEL_RELEASE, $suite: $ok passed, $bad failed"
	if [[ $why ]]; then
		line+=": $why (status $status)"
		echo "  $why; the end of $logs/$suite.console:"
		tail -n 30 "$logs/$suite.console" | sed 's/\r$//; s/^/    /'
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	if ((bad > 0)); then
		summary+=("FAILED $line")
	else
		summary+=("ok     $line ($((SECONDS - start)) s)")
	fi
	rows+=("| $KERNEL_RELEASE | Debian $suite, ${version%_*} | $WHAT | $ok passed, $bad failed${why:+: $why} |")
}

run_suite()
{
	if kernel_fetch "$1"; then
		run_kernel "$1" "${KERNEL_DEBS[@]}"
		return
	fi
	skipped=$((skipped + 1))
	if [[ ${CI:-} == true ]]; then
		failed=$((failed + 1))
		summary+=("FAILED $1: its kernel cannot be fetched")
	else
		summary+=("skip   $1: its kernel cannot be fetched")
	fi
}

# run_file KERNEL.deb: with the packages of the same kernel beside it.
run_file()
{
	local name=${1##*/} debs=("$1") part

	if [[ ! -r $1 ]]; then
		echo "kernels: cannot read $1" >&2
		exit 1
	fi
	for part in binary modules; do
		part=${1%/*}/${name/linux-image-/linux-$part-}
		[[ $part == "$1" || ! -e $part ]] || debs+=("$part")
	done
	run_kernel "${name%%_*}" "${debs[@]}"
}

suites=()
while (($# > 0)); do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--quick) quick=yes ;;
	--table)
		if (($# < 2)); then
			echo "kernels: --table: which file?" >&2
			exit 2
		fi
		table=$2
		shift
		;;
	-*)
		echo "kernels: $1: no such option" >&2
		usage >&2
		exit 2
		;;
	*) suites+=("$1") ;;
	esac
	shift
done
((${#suites[@]} > 0)) || suites=(bookworm trixie trixie-backports)
for need in qemu-system-x86_64 busybox cpio xz ar curl depmod; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$need" >/dev/null; then
		echo "kernels: $need is missing: scripts/install-deps.sh test installs it" >&2
		exit 1
	fi
done
if [[ ! -x $BUILD/ecmper-loader || ! -x $BUILD/prog/test_path || ! -x $BUILD/net/held ]]; then
	echo "kernels: $BUILD is not complete: make B=$BUILD all prog-tests tools" >&2
	exit 1
fi
for suite in "${suites[@]}"; do
	case $suite in
	*.deb) run_file "$suite" ;;
	*) run_suite "$suite" ;;
	esac
done
printf '%s\n' "${summary[@]}"
if [[ $table ]]; then
	write_table "$table" "| Linux | from | what was run | result |" "|---|---|---|---|" "${rows[@]}"
fi
((skipped == 0)) || echo "$skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0))
