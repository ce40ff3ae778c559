#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Churn far beyond the paper: one of four servers, chosen at random, is deleted and added again
# every 200 ms under 48 parallel transfers of 1 MB. None breaks. CHURN_SECONDS: how long (15).
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

export LAB_RATE=100mbit
lab_up 4
lab_transfers transfers.json -c 48 -n 1000000
pid=$LAB_PID
changes=0
end=$((SECONDS + ${CHURN_SECONDS:-15}))
while ((SECONDS < end)); do
	server=10.0.0.$((RANDOM % 4 + 1))
	lab_ctl del "$LAB_VIP/32" via "$server" >/dev/null
	sleep 0.1
	lab_ctl add "$LAB_VIP/32" via "$server" >/dev/null
	sleep 0.09
	changes=$((changes + 2))
done
report=$(lab_transfers_end "$pid" transfers.json)
echo "# $changes changes, $(lab_servers_reason bounce) packets bounced: $report"
check_is "no transfer is broken" 0 "$(jq .broken <<<"$report")"
check "there were transfers all the time" test "$(jq .transfers <<<"$report")" -ge $((20 * ${CHURN_SECONDS:-15}))
check "connections were bounced" test "$(lab_servers_reason bounce)" -gt 0
