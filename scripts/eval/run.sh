#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The evaluation: how many connections live. Installs what is missing, builds, runs the parts one
# after the other (each is a script that can be run alone), draws the plots, and prints each goal:
# met or not, and by how much. Each part removes what it made, also after ^C.
set -uo pipefail
set -m # each part is a process group, to be ended as a whole

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1

usage()
{
	cat <<'USAGE'
Usage: run.sh [-l] [-o FOLDER] [PART...]    as root; `make eval` calls it
  -l         long: every interval, and more transfers for each figure (hours)
  -o FOLDER  where results go, default BUILD/eval
  PART       of: throughput churn flap long faults code (default: all)
BUILD (environment): folder of the build, default build
USAGE
}

export BUILD=${BUILD:-build}
[[ $BUILD == /* ]] || BUILD=$PWD/$BUILD
export EVAL_OUT=${EVAL_OUT:-$BUILD/eval} EVAL_LONG=${EVAL_LONG:-}
while getopts "lo:h" option; do
	case $option in
	l) EVAL_LONG=1 ;;
	o) EVAL_OUT=$(realpath -m "$OPTARG") ;;
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
shift $((OPTIND - 1))
parts=("$@")
((${#parts[@]} > 0)) || parts=(throughput churn flap long faults code)
for part in "${parts[@]}"; do
	[[ $part =~ ^(throughput|churn|flap|long|faults|code)$ ]] || {
		usage >&2
		exit 2
	}
done
((EUID == 0)) || {
	echo "run.sh: must be run as root: it makes network namespaces and loads XDP programs" >&2
	exit 1
}

child=
trap 'stop' INT TERM HUP

# A part cleans up after itself, so let it end before we do.
stop()
{
	trap '' INT TERM HUP
	set +m # no notice of the job that ends
	[[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null
	while [[ -n $child ]] && kill -0 -- "-$child" 2>/dev/null; do
		sleep 0.1
	done
	echo "interrupted" >&2
	exit 130
}

# In the background, so that a signal is answered at once.
run()
{
	local status=0

	"$@" </dev/null &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

prepare()
{
	run scripts/install-deps.sh all && run scripts/install-deps.sh bench &&
		run make -s -j "$(nproc)" B="$BUILD" all tools
}

# Plots and goals of whatever CSVs there are, of this run or an earlier one.
conclude()
{
	local files=("$here/paper.csv") name

	for name in throughput_totals throughput_transfers churn flap long faults fuzz; do
		[[ ! -s $EVAL_OUT/$name.csv ]] || files+=("$EVAL_OUT/$name.csv")
	done
	if command -v gnuplot >/dev/null; then
		gnuplot -e "out='$EVAL_OUT'; paper='$here/paper.csv'" "$here/plots.gnuplot"
	else
		echo "no plots: gnuplot is not installed"
	fi
	echo
	awk -F, -f "$here/goals.awk" "${files[@]}" | tee "$EVAL_OUT/goals.txt"
	echo "results: $EVAL_OUT"
}

start=$SECONDS
prepare || exit 1
failed=0
mkdir -p "$EVAL_OUT"
for part in "${parts[@]}"; do
	echo
	echo "== $part"
	run "$here/$part.sh" || {
		echo "run.sh: $part could not be finished" >&2
		failed=1
	}
done
conclude
echo "$(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
! grep -q '^NOT MET' "$EVAL_OUT/goals.txt" && ((failed == 0))
