#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A random one of four servers is removed and restored every T seconds, under load: which transfers
# break, and how many packets are bounced? Plain ECMP against ECMP-ER, modulo and Maglev tables,
# one previous owner (as in the paper) and four. Writes churn.csv.
# Usage: churn.sh [NAME...], of the names in `cases` below.
# Environment: scripts/eval/lib.sh; EVAL_T, the intervals; EVAL_SECONDS, how long each runs.
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"

rate=50 # Mbit/s of each server
parallel=120
read -ra intervals <<<"${EVAL_T:-$(eval_pick "3 1 0.2" "10 5 4 3 2 1 0.5 0.2 0.1")}"
seconds=${EVAL_SECONDS:-$(eval_pick 4 60)}

# name, server program, hash, depth
cases="ecmp_modulo 0 modulo 0
ecmp_maglev 0 maglev 0
er1_modulo 1 modulo 1
er1_maglev 1 maglev 1
er4_modulo 1 modulo 4
er4_maglev 1 maglev 4"

# The prefix anew, without history.
fresh_prefix()
{
	local i vias=()

	for i in 1 2 3 4; do
		vias+=(via "$(lab_server_addr "$i")")
	done
	lab_ctl del "$LAB_VIP/32" >/dev/null
	lab_ctl add "$LAB_VIP/32" hash "$1" depth "$2" "${vias[@]}" >/dev/null
	eval_reset_counters
}

# At least three rounds of an interval.
duration()
{
	awk -v t="$1" -v seconds="$seconds" 'BEGIN { least = 3 * t; printf "%d", (seconds > least ? seconds : least) }'
}

# one CASE HASH DEPTH T: a line of the CSV.
one()
{
	local name=$1 hash=$2 depth=$3 interval=$4 pid report transfers broken packets clients bounced

	fresh_prefix "$hash" "$depth"
	lab_transfers transfers.json -c "$parallel" -n 100000000 -p /256k.bin -o "$LAB_DIR/transfers.broken"
	pid=$LAB_PID
	eval_churn "$interval" "$(duration "$interval")"
	# What the counters say of the time of the churn, not of the rest that is finished afterwards.
	read -r packets clients < <(eval_router_packets)
	bounced=$(eval_servers_reason bounce)
	report=$(lab_transfers_end "$pid" transfers.json)
	transfers=$(jq .transfers <<<"$report") broken=$(jq .broken <<<"$report")
	eval_row "$name" "$hash" "$depth" "$interval" "$transfers" "$broken" \
		"$(eval_percent "$broken" "$transfers")" \
		"$(jq -r '[.refused, .reset, .short, .timeout, .wrong] | @csv' <<<"$report")" \
		"$EVAL_CHANGES" "$packets" "$clients" "$bounced" "$(eval_percent "$bounced" "$packets")" \
		"$(eval_percent "$bounced" "$clients")" "$(jq -r '[.p50_ms, .p99_ms] | @csv' <<<"$report")"
	eval_say "$(printf '%-12s T = %4s s: %5d transfers, %4d broken, %5s %% of all packets bounced (%s %% of clients'"'"')' \
		"$name" "$interval" "$transfers" "$broken" "$(eval_percent "$bounced" "$packets" 1)" \
		"$(eval_percent "$bounced" "$clients" 1)")"
	[[ $name != er4* || $broken == 0 ]] || eval_save_evidence "churn.$name.$interval"
}

eval_csv churn "case,hash,depth,T,transfers,broken,broken_percent,refused,reset,short,timeout,wrong,changes,\
router_packets,client_packets,bounced,bounced_percent,bounced_percent_of_clients,p50_ms,p99_ms"
eval_say "4 servers of $rate Mbit/s, $parallel transfers of 256 KiB at a time, at least $seconds s for each T"
while read -r name program hash depth; do
	(($# == 0)) || [[ " $* " == *" $name "* ]] || continue
	eval_lab 4 LAB_RATE=${rate}mbit LAB_SERVER_PROG="$program"
	for interval in "${intervals[@]}"; do
		one "$name" "$hash" "$depth" "$interval"
	done
done <<<"$cases"
