#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams in fragments: they come whole to their flow's server; parts that come before the first are
# hashed on addresses, and counted.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

PORT=9000

# "SERVER FROM_PORT SIZE" of all datagrams that came, in the order of the ports.
taken()
{
	local i

	for ((i = 1; i <= $(lab_server_count); i++)); do
		sed "s/^/$i /" "$LAB_DIR/take$i.log"
	done | sort -k 2n
}

# Have so many come?
has_taken()
{
	[[ $(taken | wc -l) -ge $1 ]]
}

taken_from()
{
	taken | grep " $1 "
}

listen()
{
	local i

	for ((i = 1; i <= $(lab_server_count); i++)); do
		lab_spawn "ns$i" "take$i.log" message take "$LAB_VIP" "$PORT"
		lab_wait 5 lab_listens "ns$i" "src $LAB_VIP_NET and sport = :$PORT"
	done
}

# by_hand PORT ORDER: 8 000 bytes from the ghost in nine parts. How far the counter rises.
by_hand()
{
	local before parts

	before=$(lab_reason fragment)
	parts=$(lab_exec ns99 fragments veth99 "$(lab_router_mac 100)" "$LAB_GHOST" "$1" "$LAB_VIP" \
		"$PORT" 8000 1000 "$2")
	[[ $parts == 9 ]]
	echo $(($(lab_reason fragment) - before))
}

# Whole datagrams, cut by the client's kernel.
from_kernel()
{
	local name="IPv$LAB_FAMILY, 20 datagrams of 60 000 bytes:" port wanted="" before

	before=$(lab_reason fragment)
	for ((port = 20000; port < 20020; port++)); do
		lab_exec ns99 message send "$LAB_VIP" "$PORT" "$port" 60000
		wanted+="$(lab_owner_number udp "$LAB_CLIENT" "$port" "$PORT") $port 60000"$'\n'
	done
	lab_wait 5 has_taken 20 || true
	check_is "$name each comes whole to its flow's server" "${wanted%$'\n'}" "$(taken)"
	check_is "$name no part is hashed on addresses" "$before" "$(lab_reason fragment)"
}

# The last part first. All but the first part go to one server, whatever the ports.
reversed()
{
	local name="IPv$LAB_FAMILY, parts in reverse order:" tails other there elsewhere

	tails=$(lab_owner_number udp "$LAB_GHOST" 0 0)
	other=$((tails % $(lab_server_count) + 1))
	elsewhere=$(lab_choose_port udp "$LAB_GHOST" "$PORT" 30000 "$other")
	there=$(lab_choose_port udp "$LAB_GHOST" "$PORT" 31000 "$tails")
	check_is "$name all but the first are counted" 8 "$(by_hand "$elsewhere" reverse)"
	check_is "$name each time" 8 "$(by_hand "$there" reverse)"
	check "$name they come where addresses alone lead" lab_wait 5 quietly taken_from "$there"
	check_is "$name the datagram is whole if its ports lead there, too" "$tails $there 8000" "$(taken_from "$there")"
	check_fails "$name and else does not come" taken_from "$elsewhere"
	check_is "IPv$LAB_FAMILY, parts in order: none is counted" 0 "$(by_hand 32000 forward)"
	check "IPv$LAB_FAMILY, parts in order: the datagram comes" lab_wait 5 quietly taken_from 32000
	check_is "IPv$LAB_FAMILY, parts in order: to its flow's server" \
		"$(lab_owner_number udp "$LAB_GHOST" 32000 "$PORT") 32000 8000" "$(taken_from 32000)"
	lab_ctl del "$LAB_VIP_NET" >/dev/null
	lab_ctl add "$LAB_VIP_NET" hash-on src via "$(lab_server_addr 1)" via "$(lab_server_addr 2)" >/dev/null
	check_is "$name none is counted where ports do not matter" 0 "$(by_hand 33000 reverse)"
	check "$name and the datagram comes" lab_wait 5 quietly taken_from 33000
	check_is "$name to the client's server" "$(lab_owner_number udp "$LAB_GHOST" 1 1) 33000 8000" "$(taken_from 33000)"
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA
lab_up 4
for family in 4 6; do
	lab_speak "$family"
	listen
	from_kernel
	reversed
done
