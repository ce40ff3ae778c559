#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Five servers are added one after the other under load, and removed again; each is limited to the
# same rate. Is the whole as fast as its parts? Writes throughput.csv, a line a second: what each
# server sent, in Mbit/s, and throughput_totals.csv, a line for each number of servers.
# Environment: scripts/eval/lib.sh; EVAL_STAGE, seconds from one change to the next.
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"

rate=25 # Mbit/s of each server
# Few connections leave servers idle by chance: of P, spread over S servers at random, one finds
# nothing to do for (S - 1) / (P + S - 1) of the time. Short ones spread soon over a new server.
parallel=500
stage=${EVAL_STAGE:-$(eval_pick 6 30)}
settle=$((stage / 2)) # seconds of a stage that are not counted: the new server has to fill
time=0

# One line of the CSV for each report of ecmperctl, as they come. What the router receives on
# veth10N is what server N sends.
rows()
{
	jq --unbuffered -r '[.ports[] | {key: .dev, value: (.rx_bps / 1e6)}] | from_entries
		| [.veth101, .veth102, .veth103, .veth104, .veth105] | @csv'
}

# stage SERVERS CHANGE: a stage of the run; waits as long as it takes to report.
stage()
{
	local row total=0 counted=0 second=0

	while read -r row; do
		time=$((time + 1)) second=$((second + 1))
		eval_row "$time" "$1" "$row"
		((second > settle)) || continue
		counted=$((counted + 1))
		total=$(awk -F, -v sum="$total" '{ print sum + $1 + $2 + $3 + $4 + $5 }' <<<"$row")
	done < <(lab_ctl -j stats -i 1 -c "$stage" | rows)
	total=$(awk -v sum="$total" -v n="$counted" 'BEGIN { printf "%.2f", sum / n }')
	eval_say "$1 servers, $2: $total Mbit/s"
	[[ $2 == removing ]] || echo "$1,$total" >>"$EVAL_OUT/throughput_totals.csv"
}

eval_csv throughput time,servers,server1,server2,server3,server4,server5
echo servers,mbit >"$EVAL_OUT/throughput_totals.csv"
eval_say "5 servers of $rate Mbit/s, $parallel transfers of 32 KiB at a time, a change every $stage s"
eval_lab 5 LAB_RATE=${rate}mbit LAB_ACTIVE=1
lab_transfers transfers.json -c "$parallel" -n 100000000 -p /32k.bin -o "$LAB_DIR/transfers.broken"
pid=$LAB_PID
for ((servers = 1; servers <= 5; servers++)); do
	((servers == 1)) || lab_ctl add "$LAB_VIP/32" via "$(lab_server_addr "$servers")" >/dev/null
	stage "$servers" adding
done
for ((servers = 4; servers >= 1; servers--)); do
	lab_ctl del "$LAB_VIP/32" via "$(lab_server_addr $((servers + 1)))" >/dev/null
	stage "$servers" removing
done
report=$(lab_transfers_end "$pid" transfers.json)
jq -r '"transfers,broken", "\(.transfers),\(.broken)"' <<<"$report" >"$EVAL_OUT/throughput_transfers.csv"
eval_say "$(jq -r '"\(.transfers) transfers, \(.broken) broken"' <<<"$report")"
[[ $(jq .broken <<<"$report") == 0 ]] || eval_save_evidence throughput.broken
