#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 1 000 changes under load, of a VIP of each family: no packet is lost, none goes to a server that has
# no business with it, and the router's counters say the same as the receivers.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

PORT=9000
FLOWS=32
RATE=4000
FIRST_PORTS=([4]=20000 [6]=30000) # the senders' sockets are of both families

# Server lists between which the VIP of each family changes. None of them is in both VIPs.
STATES_4=("1 2" "1 2 3" "3" "2 3")
STATES_6=("4" "4 5" "5" "4 5 6")

config()
{
	lab_base_config
	# shellcheck disable=SC2086 # words
	{
		lab_route "$(lab_vip 4)" ${STATES_4[$1]}
		lab_route "$(lab_vip 6)" ${STATES_6[$1]}
	}
}

# "VIP PORT SERVER" for each flow, in the state that is applied now.
owners()
{
	local family port

	for family in 4 6; do
		lab_speak "$family"
		for ((port = FIRST_PORTS[family]; port < FIRST_PORTS[family] + FLOWS; port++)); do
			echo "$LAB_VIP $port $(lab_owner_number udp "$LAB_CLIENT" "$port" "$PORT")"
		done
	done
}

# Received, by all servers, as "VIP PORT SERVER COUNT".
received()
{
	local i

	for i in 1 2 3 4 5 6; do
		awk -v server="$i" '{ print $1, $2, server, $3 }' "$LAB_DIR/count$i.log"
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

# By both addresses of a server.
nh_packets()
{
	lab_ctl -j stats | jq --arg addr "$(lab_addr 4 "$1")" --arg addr6 "$(lab_addr 6 "$1")" \
		'[.servers[] | select(.server == $addr or .server == $addr6) | .packets] | add // 0'
}

lab_up 6
for ((state = 0; state < 4; state++)); do
	config "$state" >"$LAB_DIR/state$state.conf"
	lab_ctl apply "$LAB_DIR/state$state.conf" >/dev/null
	owners
done | sort -u >"$LAB_DIR/allowed"

counters=()
for i in 1 2 3 4 5 6; do
	lab_spawn "ns$i" "count$i.log" datagram count "$PORT"
	counters+=("$LAB_PID")
	lab_wait 5 is_listening "ns$i"
done
lab_ctl stats --reset >/dev/null

senders=()
for family in 4 6; do
	lab_speak "$family"
	lab_spawn ns99 "send$family.log" datagram send "$LAB_VIP" "$PORT" "${FIRST_PORTS[family]}" "$FLOWS" "$RATE"
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
	check_is "server $i got what the router counted for it" "$(nh_packets "$i")" \
		"$(awk -v server="$i" '$3 == server' "$LAB_DIR/received" | sum)"
done
