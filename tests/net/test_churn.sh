#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Churn far beyond the paper: one of four servers, chosen at random, is deleted and added again
# every 200 ms under 48 parallel transfers of 1 MB; then as fast as changes can be made, under 16.
# None breaks. CHURN_SECONDS: how long each (15).
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${CHURN_SECONDS:-15}

# churn PARALLEL PAUSE: a change after each pause. The report goes to `report`.
churn()
{
	local end server pid

	lab_transfers transfers.json -c "$1" -n 1000000
	pid=$LAB_PID
	changes=0
	end=$((SECONDS + seconds))
	while ((SECONDS < end)); do
		server=10.0.0.$((RANDOM % 4 + 1))
		lab_ctl del "$LAB_VIP/32" via "$server" >/dev/null
		sleep "$2"
		lab_ctl add "$LAB_VIP/32" via "$server" >/dev/null
		sleep "$2"
		changes=$((changes + 2))
	done
	report=$(lab_transfers_end "$pid" transfers.json)
	echo "# $changes changes: $report"
}

export LAB_RATE=100mbit
lab_up 4
churn 48 0.09
check_unbroken "no transfer is broken when servers come and go every 200 ms" "$report"
check "there were transfers all the time" test "$(jq .transfers <<<"$report")" -ge $((20 * seconds))
check "connections were bounced" test "$(lab_servers_reason bounce)" -gt 0
churn 16 0
check_unbroken "nor when they come and go all the time" "$report"
