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

# The tables of the VIPs: their owners, bucket by bucket.
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
pids=()
for family in 4 6; do
	lab_speak "$family"
	lab_transfers "transfers$family.json" -c 8 -n 1000000
	pids[family]=$LAB_PID
done
killed=0
for ((i = 0; i < ${KILLS:-200}; i++)); do
	lab_speak $((i % 2 ? 6 : 4))
	server=$(lab_server_addr $((RANDOM % 4 + 1)))
	other=${LAB_VIP_NET/0.10./0.30.} other=${other/:10:/:30:}
	edit_killed del "$LAB_VIP_NET" via "$server" || killed=$((killed + 1))
	edit_killed add "$LAB_VIP_NET" via "$server" || killed=$((killed + 1))
	edit_killed add "$other" buckets 256 via "$server" || killed=$((killed + 1))
	edit_killed del "$other" || killed=$((killed + 1))
done
echo "# $killed of $((4 * ${KILLS:-200})) edits killed"
check "many edits were killed" test "$killed" -gt $((${KILLS:-200} / 4))
check "and many were not" test "$killed" -lt $((3 * ${KILLS:-200}))
for family in 4 6; do
	report=$(lab_transfers_end "${pids[family]}" "transfers$family.json")
	echo "# $report"
	check_unbroken "IPv$family: no transfer is broken" "$report"
done
check "the state can be shown" quietly lab_ctl show
check "the next edit succeeds" lab_apply 1 2 3 4
check_is "the table is what it was" "$wanted" "$(owners)"
check "and serves" lab_exec ns99 curl -sgf -o /dev/null "$LAB_URL/"
lab_ctl clear
lab_apply 1 2 3 4
lab_ctl clear
check_is "nothing is left in use after clear" 0 "$(units_in_use)"
