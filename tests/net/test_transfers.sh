#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Demo 2 in short: transfers of 1 MB while servers 2, 3 and 4 are added and removed. Plain servers
# break some of them, the server program none.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# run 0|1: the broken transfers without or with the server program, and how many there were.
run()
{
	local pid change

	lab_down
	LAB_SERVER_PROG=$1 lab_up 4 >/dev/null
	lab_transfers transfers.json -c 12 -n 1000000
	pid=$LAB_PID
	for change in "add 2" "add 3" "add 4" "del 4" "del 3" "del 2"; do
		sleep 1
		lab_ctl "${change% *}" "$LAB_VIP_NET" via "10.0.0.${change#* }" >/dev/null
	done
	sleep 1
	lab_transfers_end "$pid" transfers.json
}

# By the history, from the beginning where the bucket changed meanwhile, or to where the chain ends.
are_all_sent_on()
{
	local sent=$(($(lab_reason history) + $(lab_reason restarted) + $(lab_reason chain_end)))

	[[ $(lab_servers_reason bounce) == "$sent" ]]
}

export LAB_RATE=100mbit LAB_ACTIVE=1
report=$(run 0)
echo "# plain ECMP: $report"
check "plain ECMP breaks transfers" test "$(jq .broken <<<"$report")" -gt 0
report=$(run 1)
echo "# ECMP-ER: $report"
check_unbroken "ECMP-ER breaks none" "$report"
check "of at least 60 transfers" test "$(jq .transfers <<<"$report")" -ge 60
check "servers bounced packets" test "$(lab_servers_reason bounce)" -gt 0
check "and the router sent each of them on" lab_wait 5 are_all_sent_on
