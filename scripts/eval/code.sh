#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The code without packets: fuzzers over text and configuration, and how many lines of lib/ the unit
# tests reach. (The kernel boundary is tested by the other tiers, which are not counted here.)
# Writes fuzz.csv and coverage.csv.
# Environment: scripts/eval/lib.sh; EVAL_SECONDS, how long each fuzzer runs.
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${EVAL_SECONDS:-$(eval_pick 5 300)}
work=$EVAL_OUT/code
mkdir -p "$work"
cd "$LAB_ROOT"

fuzz_build()
{
	clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
		-Iinclude -Ilib/base -Ilib/words -o "$work/fuzz_$1" "tests/fuzz/fuzz_$1.c" lib/base/*.c lib/words/*.c
}

# fuzz NAME [OPTION...]
fuzz()
{
	local name=$1 failures=0 runs

	shift
	if ! fuzz_build "$name" >"$work/$name.log" 2>&1; then
		eval_say "fuzzer of $name: cannot be built here, see $work/$name.log"
		return
	fi
	mkdir -p "$work/corpus.$name"
	"$work/fuzz_$name" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$work/" "$@" \
		"$work/corpus.$name" >"$work/$name.log" 2>&1 || failures=1
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
	eval_row "$name" "$seconds" "${runs:-0}" "$failures"
	eval_say "fuzzer of $name: ${runs:-0} inputs in $seconds s, $failures failures"
	((failures == 0)) || tail -n 20 "$work/$name.log"
}

# Lines of each source of lib/, and those that the unit tests ran.
coverage()
{
	local folder=$work/coverage room

	make -s -j "$(nproc)" B="$folder" CFLAGS="-O0 -g --coverage" unit >"$work/unit.log" 2>&1 || {
		tail -n 20 "$work/unit.log"
		return 1
	}
	for room in lib/*/; do
		gcov -n -o "$folder/asan/${room#lib/}" "$room"*.c 2>/dev/null
	done | awk '
		/^File .lib\/.*\.c.$/ { split($2, part, "\x27"); file = part[2] }
		/^Lines executed:/ && file {
			split($2, part, /[:%]/)
			lines = $NF
			printf "%s,%d,%d,%.1f\n", file, lines, part[2] * lines / 100 + 0.5, part[2]
			file = ""
		}' | sort >>"$EVAL_CSV"
	sed 1d "$EVAL_CSV" | awk -F, '{ printf "            %-20s %5d lines  %5.1f %%\n", $1, $2, $4 }'
	# Files that no unit test calls are the kernel boundary.
	awk -F, 'NR > 1 { lines += $2; hit += $3 } NR > 1 && $3 { pure += $2 }
		END { printf "without the kernel boundary,%d,%d,%.1f\nall,%d,%d,%.1f\n",
			pure, hit, 100 * hit / pure, lines, hit, 100 * hit / lines }' "$EVAL_CSV" >"$work/sums"
	cat "$work/sums" >>"$EVAL_CSV"
	awk -F, '{ printf "            %s: %d lines, %.1f %% reached by unit tests\n", $1, $2, $4 }' "$work/sums"
}

eval_csv fuzz target,seconds,runs,failures
fuzz text
fuzz conf -dict=tests/fuzz/conf.dict
eval_csv coverage file,lines,reached,percent
coverage
