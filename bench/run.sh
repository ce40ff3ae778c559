#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the benchmarks one after the other: results as CSV and, where gnuplot is installed, as SVG
# plots in BUILD/bench/results, then each target as a line: met or not, and by how much. Times are
# only worth something on a machine that does nothing else; ratios bear a little noise.
set -uo pipefail

usage()
{
	cat <<'USAGE'
Usage: run.sh [-l] [-o FOLDER]    as root; `make bench` calls it
  -l         long: more cases, more turns (about an hour)
  -o FOLDER  where results go, default BUILD/bench/results
BUILD (environment): folder of the build, default build
USAGE
}

BUILD=${BUILD:-build}
long=()
out=
while getopts "lo:h" option; do
	case $option in
	l) long=(-l) ;;
	o) out=$OPTARG ;;
	h)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 2
		;;
	esac
done
here=$(cd "$(dirname "$0")" && pwd)
out=${out:-$BUILD/bench/results}
if ((EUID != 0)); then
	echo "run.sh: loading XDP programs needs root" >&2
	exit 1
fi
mkdir -p "$out" || exit 1
load=$(cut -d ' ' -f 1 /proc/loadavg)
if awk "BEGIN { exit !($load > 0.7) }"; then
	echo "run.sh: this machine is busy (load $load): times will be too long" >&2
fi

failed=0
for name in packet_cost change_cost scale; do
	echo
	echo "== $name"
	"$BUILD/bench/$name" "${long[@]}" -o "$out/$name.csv" || failed=1
done
{
	uname -srm
	sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo
	date -u +%F
	echo "load $load"
} >"$out/machine.txt"

echo
echo "== targets ($(paste -sd, "$out/machine.txt"))"
awk -F, -f "$here/targets.awk" "$out"/packet_cost.csv "$out"/change_cost.csv "$out"/scale.csv |
	tee "$out/targets.txt"

if command -v gnuplot >/dev/null; then
	gnuplot -e "out='$out'" "$here/plots.gnuplot" && echo "plots: $out/*.svg"
else
	echo "no plots: gnuplot is not installed"
fi
exit "$failed"
