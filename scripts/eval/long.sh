#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A thousand connections are held while a random one of four servers is removed and restored every
# T seconds: half of them busy, half idle for most of the time. Every byte of every echo is
# compared. Writes long.csv.
# Environment: scripts/eval/lib.sh; EVAL_T, the intervals; EVAL_SECONDS, how long each runs.
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"

connections=1000
busy=500 # pause for 0.1 s between messages, the others for 5 s
read -ra intervals <<<"${EVAL_T:-$(eval_pick 0.2 "1 0.2 0.1")}"
seconds=${EVAL_SECONDS:-$(eval_pick 8 300)}

# one T: a line of the CSV.
one()
{
	local report bounced

	eval_reset_counters
	eval_hold -n "$connections" -b "$busy" -g 100 -q 5000
	eval_churn "$1" "$seconds"
	report=$(eval_hold_end)
	bounced=$(eval_servers_reason bounce)
	eval_row "$1" "$(jq -r '[.connections, .broken, .refused, .reset, .closed, .timeout, .wrong, .messages] | @csv' \
		<<<"$report")" "$EVAL_CHANGES" "$seconds" "$bounced" "$(jq .worst_ms <<<"$report")"
	eval_say "T = $1 s: $(jq -r '"\(.connections) connections, \(.broken) broken, \(.messages) messages compared"' \
		<<<"$report"), $EVAL_CHANGES changes, $bounced packets bounced"
	[[ $(jq .broken <<<"$report") == 0 ]] || eval_save_evidence "long.$1"
}

eval_csv long T,connections,broken,refused,reset,closed,timeout,wrong,messages,changes,seconds,bounced,worst_ms
eval_say "$connections connections, $busy of them busy, 4 servers, $seconds s for each T"
eval_lab 4 LAB_RATE=
eval_echo_up
for interval in "${intervals[@]}"; do
	one "$interval"
done
