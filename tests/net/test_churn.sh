#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Churn far beyond the paper: one of four servers, chosen at random, is deleted and added again
# every 200 ms under 48 parallel transfers of 1 MB; then as fast as changes can be made, under 16.
# None breaks.
# Over IPv4 and over IPv6. CHURN_SECONDS: how long each (8).
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${CHURN_SECONDS:-8}

# churn PARALLEL PAUSE: a change after each pause. The report goes to `report`.
churn()
{
	local end server pid

	lab_transfers transfers.json -c "$1" -n 1000000
	pid=$LAB_PID
	changes=0
	end=$((SECONDS + seconds))
	while ((SECONDS < end)); do
		server=$(lab_server_addr $((RANDOM % 4 + 1)))
		lab_ctl del "$LAB_VIP_NET" via "$server" >/dev/null
		sleep "$2"
		lab_ctl add "$LAB_VIP_NET" via "$server" >/dev/null
		sleep "$2"
		changes=$((changes + 2))
	done
	report=$(lab_transfers_end "$pid" transfers.json)
	echo "# $changes changes: $report"
}

export LAB_RATE=100mbit
lab_up 4
for family in 4 6; do
	lab_speak "$family"
	churn 48 0.09
	check_unbroken "IPv$family: no transfer is broken when servers come and go every 200 ms" "$report"
	check "IPv$family: there were transfers all the time" test "$(jq .transfers <<<"$report")" -ge $((20 * seconds))
	check "IPv$family: connections were bounced" test "$(lab_servers_reason bounce)" -gt 0
	churn 16 0
	check_unbroken "IPv$family: nor when they come and go all the time" "$report"
	for i in 1 2 3 4; do
		lab_exec "ns$i" ecmperctl stats --reset
	done
done
