#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A whole service that flaps: four servers are drained and added again in another order, over and
# over, while what they send queues, so that changes overtake packets on their way back. Which
# transfers break? Three times by single commands, three times two changes at once; and, to compare, once
# each without a flight time, when an overtaken packet is answered. Writes flap.csv.
# Usage: flap.sh [NUMBER...], of changes at once, default 1 2.
# Environment: scripts/eval/lib.sh; EVAL_SECONDS, how long each runs.
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"

rate=100 # Mbit/s of each server
parallel=48
seconds=${EVAL_SECONDS:-$(eval_pick 5 60)}

# one FLIGHT_TIME NUMBER RUN: so many changes at once. A line of the CSV.
one()
{
	local flight=$1 at_once=$2 run=$3 pid report transfers broken raced bounced

	LAB_FLIGHT_TIME=$flight lab_router_prog 4 >"$EVAL_OUT/lab.log"
	eval_reset_counters
	lab_transfers transfers.json -c "$parallel" -n 100000000 -p /256k.bin -o "$LAB_DIR/transfers.broken"
	pid=$LAB_PID
	lab_flap "$at_once" "$seconds"
	report=$(lab_transfers_end "$pid" transfers.json)
	transfers=$(jq .transfers <<<"$report") broken=$(jq .broken <<<"$report")
	raced=$(eval_servers_reason raced) bounced=$(eval_servers_reason bounce)
	eval_row "$flight" "$at_once" "$run" "$seconds" "$LAB_FLAPS" "$transfers" "$broken" \
		"$(jq -r '[.refused, .reset, .short, .timeout, .wrong] | @csv' <<<"$report")" \
		"$bounced" "$raced" "$(jq -r '[.p50_ms, .p99_ms] | @csv' <<<"$report")"
	eval_say "flight time $flight, $at_once at once, run $run: $LAB_FLAPS changes, $transfers transfers, $(jq .reset <<<"$report") reset," \
		"$broken broken in all, $bounced packets bounced, $raced raced"
	[[ $flight == 0 || $broken == 0 ]] || eval_save_evidence "flap.$at_once.$run"
}

eval_csv flap "flight_time,at_once,run,seconds,changes,transfers,broken,refused,reset,short,timeout,wrong,bounced,raced,p50_ms,p99_ms"
eval_say "4 servers of $rate Mbit/s, $parallel transfers of 256 KiB at a time, $seconds s each"
eval_lab 4 LAB_WIRE=1
lab_narrow "${rate}mbit" 30ms
(($# > 0)) || set -- 1 2
for at_once in "$@"; do
	for run in 1 2 3; do
		one 1s "$at_once" "$run"
	done
	one 0 "$at_once" 1
done
