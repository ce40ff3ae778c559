#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A whole service that flaps: four servers are drained and added again in another order, over and
# over, under 48 parallel transfers. Changes overtake packets that servers send back, so that "the
# last of the chain" is not the last; no connection is reset. Over IPv4 and over IPv6.
# FLAP_SECONDS: how long each (5). LAB_FLIGHT_TIME=0 shows what happens without QUIET.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${FLAP_SECONDS:-5}

# flap one|two: the report goes to `report`.
flap()
{
	local pid

	lab_transfers transfers.json -c 48 -n 1000000
	pid=$LAB_PID
	lab_flap "$1" "$seconds"
	report=$(lab_transfers_end "$pid" transfers.json)
	echo "# $LAB_FLAPS changes, $(lab_servers_reason raced) packets raced so far: $report"
}

export LAB_RATE=100mbit
lab_up 4
for family in 4 6; do
	lab_speak "$family"
	raced=$(lab_servers_reason raced)
	flap one
	check_unbroken "IPv$family: no transfer is broken when all servers are drained and added by commands" "$report"
	check "IPv$family: transfers were made meanwhile" test "$(jq .transfers <<<"$report")" -ge 48
	flap two
	check_unbroken "IPv$family: nor two at a time, 20 ms apart" "$report"
	check "IPv$family: packets were overtaken, and dropped" test "$(lab_servers_reason raced)" -gt "$raced"
done
