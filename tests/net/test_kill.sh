#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 at any moment of an edit: packets notice nothing, the next command finishes or cleans up,
# and nothing is lost of the maps' room. KILLS: how many times (200).
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# edit_killed WORDS...: an edit that is killed after up to 20 ms, at any point of its work. In a
# shell of its own, which tells nobody of the killed process.
edit_killed()
{
	(
		lab_exec router timeout -s KILL "0.0$(printf %02d $((RANDOM % 20)))" ecmperctl "$@"
		exit $?
	) >/dev/null 2>&1
}

# The table of the VIP: its owners, bucket by bucket.
owners()
{
	lab_ctl -j tables cur_nh | jq -c '[.cur_nh[] | .address]'
}

# Allocation units in use, of all arrays. (Freed ones rest until they are needed.)
units_in_use()
{
	bpftool -j map dump pinned "$(lab_pin router)/alloc" |
		jq '[.[].formatted.value | select(.used != 0)] | length'
}

export LAB_RATE=100mbit
lab_up 4
wanted=$(owners)
lab_transfers transfers.json -c 16 -n 1000000
pid=$LAB_PID
killed=0
for ((i = 0; i < ${KILLS:-200}; i++)); do
	server=10.0.0.$((RANDOM % 4 + 1))
	edit_killed del "$LAB_VIP/32" via "$server" || killed=$((killed + 1))
	edit_killed add "$LAB_VIP/32" via "$server" || killed=$((killed + 1))
	edit_killed add 10.0.30.0/32 buckets 256 via "$server" || killed=$((killed + 1))
	edit_killed del 10.0.30.0/32 || killed=$((killed + 1))
done
report=$(lab_transfers_end "$pid" transfers.json)
echo "# $killed of $((4 * ${KILLS:-200})) edits killed: $report"
check "many edits were killed" test "$killed" -gt "${KILLS:-200}"
check "and many were not" test "$killed" -lt $((3 * ${KILLS:-200}))
check_unbroken "no transfer is broken" "$report"
check "the state can be shown" quietly lab_ctl show
check "the next edit succeeds" lab_apply 1 2 3 4
check_is "the table is what it was" "$wanted" "$(owners)"
check "and serves" lab_exec ns99 curl -sf -o /dev/null "http://$LAB_VIP/"
lab_ctl clear
lab_apply 1 2 3 4
lab_ctl clear
check_is "nothing is left in use after clear" 0 "$(units_in_use)"
