#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs test programs and scripts, each on its own: one line for each file, its output only when
# something failed, and at the end "N passed, N failed". A test reports in TAP: "ok ...",
# "not ok ...", "ok ... # SKIP why" (cmocka does when asked). One that fails without saying which
# test failed counts as one failed test. With CI=true a skipped test is a failed one.
#
# Usage: run-tests.sh FILE...        TEST_TIMEOUT (seconds, default 600) ends one that hangs
set -uo pipefail
set -m # each test is a process group, to be ended as a whole

passed=0 failed=0 skipped=0
output=$(mktemp)
child=
trap 'rm -f "$output"' EXIT
trap 'stop' INT TERM

# The test cleans up after itself, so let it end before we do.
stop()
{
	trap '' INT TERM
	[[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null
	while [[ -n $child ]] && kill -0 -- "-$child" 2>/dev/null; do
		sleep 0.1
	done
	exit 130
}

count_lines()
{
	grep -cE "$1" "$output"
}

# Sets ok, bad and skip for one file that ended with this status.
count_results()
{
	local status=$1 plan

	skip=$(count_lines '^ok .*# SKIP')
	ok=$(($(count_lines '^ok( |$)') - skip))
	bad=$(count_lines '^not ok( |$)')
	plan=$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$output" | awk '{ n += $1 } END { print n + 0 }')
	((plan <= ok + bad + skip)) || bad=$((bad + plan - ok - bad - skip))
	((status == 0 || bad > 0)) || bad=1
	((ok + bad + skip > 0)) || bad=1
	[[ ${CI:-} != true ]] || bad=$((bad + skip))
}

report()
{
	local file=$1 status=$2 seconds=$3 word=ok

	((bad == 0)) || word=FAILED
	printf '%-6s %s: %d passed, %d failed' "$word" "$file" "$ok" "$bad"
	((skip == 0)) || printf ', %d skipped' "$skip"
	printf ' (%d s)\n' "$seconds"
	if ((bad > 0)); then
		sed 's/^/    /' "$output"
		echo "    exit status $status"
	elif ((skip > 0)); then
		grep -E '^ok .*# SKIP' "$output" | sed 's/^/    /'
	fi
}

run()
{
	local file=$1 status=0 start=$SECONDS

	[[ $file == */* ]] || file=./$file
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 30 "${TEST_TIMEOUT:-600}" "$file" \
		>"$output" 2>&1 </dev/null &
	child=$!
	wait "$child" 2>/dev/null || status=$?
	child=
	((status != 124)) || echo "not ok ended after ${TEST_TIMEOUT:-600} s" >>"$output"
	count_results "$status"
	report "$1" "$status" $((SECONDS - start))
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

for file in "$@"; do
	run "$file"
done
((skipped == 0)) || echo "$skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0))
