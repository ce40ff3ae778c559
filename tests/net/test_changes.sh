#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 1 000 changes under load: no packet is lost, none goes to a server that has no business with it,
# and the router's counters say the same as the receivers.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

PORT=9000
FLOWS=64
RATE=4000
VIPS=(10.0.10.0 10.0.20.0)
FIRST_PORTS=(20000 30000)

# Server lists between which each VIP changes. None of them is in both VIPs.
STATES_0=("1 2" "1 2 3" "3" "2 3")
STATES_1=("4" "4 5" "5" "4 5 6")

config()
{
	local i

	lab_base_config
	# shellcheck disable=SC2086 # words
	{
		lab_route "${VIPS[0]}/32" ${STATES_0[$1]}
		lab_route "${VIPS[1]}/32" ${STATES_1[$1]}
	}
}

# "VIP PORT SERVER" for each flow, in the state that is applied now.
owners()
{
	local v port

	for v in 0 1; do
		for ((port = FIRST_PORTS[v]; port < FIRST_PORTS[v] + FLOWS; port++)); do
			echo "${VIPS[v]} $port $(lab_owner udp "10.0.1.99:$port" "${VIPS[v]}:$PORT")"
		done
	done
}

# Received, by all servers, as "VIP PORT SERVER COUNT".
received()
{
	local i

	for i in 1 2 3 4 5 6; do
		awk -v server="10.0.0.$i" '{ print $1, $2, server, $3 }' "$LAB_DIR/count$i.log"
	done
}

is_listening()
{
	[[ -n $(lab_exec "$1" ss -Hlun "sport = :$PORT") ]]
}

sum()
{
	awk '{ sum += $NF } END { print sum + 0 }'
}

nh_packets()
{
	lab_ctl -j stats | jq --arg addr "$1" '[.servers[] | select(.server == $addr) | .packets] | add // 0'
}

lab_up 6
for ((state = 0; state < 4; state++)); do
	config "$state" >"$LAB_DIR/state$state.conf"
	lab_ctl apply "$LAB_DIR/state$state.conf" >/dev/null
	owners
done | sort -u >"$LAB_DIR/allowed"

counters=()
for i in 1 2 3 4 5 6; do
	lab_exec "ns$i" ip addr add "${VIPS[1]}/32" dev lo
	lab_spawn "ns$i" "count$i.log" datagram count "$PORT"
	counters+=("$LAB_PID")
	lab_wait 5 is_listening "ns$i"
done
lab_ctl stats --reset >/dev/null

senders=()
for v in 0 1; do
	lab_spawn ns99 "send$v.log" datagram send "${VIPS[v]}" "$PORT" "${FIRST_PORTS[v]}" "$FLOWS" "$RATE"
	senders+=("$LAB_PID")
done
for ((change = 0; change < 1000; change++)); do
	lab_ctl apply "$LAB_DIR/state$((change % 4)).conf" >/dev/null
done
check_is "a thousand changes were made" 1000 "$change"
for pid in "${senders[@]}"; do
	kill -TERM "$pid"
	wait "$pid"
done
sleep 0.2 # what is on the way arrives
for pid in "${counters[@]}"; do
	kill -TERM "$pid"
	wait "$pid"
done

sent=$(cat "$LAB_DIR"/send?.log | sum)
received >"$LAB_DIR/received"
echo "# $sent packets sent"
check "there was load" test "$sent" -ge 10000
check_is "every packet arrived" "$sent" "$(sum <"$LAB_DIR/received")"
check_is "none where no state of the table sends it" "" \
	"$(cut -d' ' -f1-3 "$LAB_DIR/received" | sort -u | comm -23 - "$LAB_DIR/allowed")"
check_is "the router counted them" "$sent" "$(lab_reason forward)"
check_is "and dropped none" 0 "$(($(lab_reason no_server) + $(lab_reason no_device) + $(lab_reason no_neigh)))"
for i in 1 2 3 4 5 6; do
	check_is "server $i got what the router counted for it" "$(nh_packets "10.0.0.$i")" \
		"$(grep " 10.0.0.$i " "$LAB_DIR/received" | sum)"
done
