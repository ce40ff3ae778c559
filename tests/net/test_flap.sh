#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A whole service that flaps: four servers are drained and added again in another order, over and
# over, under 48 parallel transfers of 1 MB. What servers send queues, so that changes overtake
# many packets on their way back, and "the last of the chain" is not the last. No connection is reset.
# Over IPv4 and over IPv6.
# FLAP_SECONDS: how long each (3). LAB_FLIGHT_TIME=0 shows what happens without QUIET.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${FLAP_SECONDS:-3}

# flap NUMBER SENTENCE: so many changes at once
flap()
{
	local name="IPv$LAB_FAMILY: $2:" pid report raced

	raced=$(lab_servers_reason raced)
	lab_transfers transfers.json -c 48 -n 1000000
	pid=$LAB_PID
	lab_flap "$1" "$seconds"
	report=$(lab_transfers_end "$pid" transfers.json)
	raced=$(($(lab_servers_reason raced) - raced))
	echo "# $LAB_FLAPS changes, $raced packets raced: $report"
	check_unbroken "$name no transfer is broken" "$report"
	check "$name new ones were made all the time" test "$(jq .transfers <<<"$report")" -gt 48
	check "$name packets were overtaken, and dropped" test "$raced" -gt 0
}

export LAB_WIRE=1
lab_up 4
lab_narrow 100mbit 30ms
for family in 4 6; do
	lab_speak "$family"
	flap 1 "all servers drained and added by single commands"
	flap 2 "two at a time, 20 ms apart"
done
