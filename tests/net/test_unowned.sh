#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets that no server owns: marks made by clients, and ports that nobody listens on. Frames are
# counted at the wire.
# shellcheck disable=SC2016 # dollars in awk's conditions
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

next_port=

# How many captured frames match this awk condition: $2 device, $3 direction, $5 ToS, $6 flags.
frames()
{
	lab_frames | awk "$1" | wc -l
}

hops()
{
	lab_ctl -j trace tcp "$(lab_endpoint "$LAB_GHOST" "$next_port")" "$(lab_endpoint "$LAB_VIP" "$1")" |
		jq '.hops | length'
}

# A flow to port 81 whose chain is this long.
find_chain()
{
	until [[ $(hops 81) == "$1" ]]; do
		next_port=$((next_port + 1))
		((next_port < 31000))
	done
}

marked()
{
	local cleared answer history

	history=$(lab_reason history)
	lab_capture_start "host $LAB_GHOST and tcp"
	cleared=$(lab_reason mark_cleared)
	answer=$(lab_segment "$next_port" 80 S tos 0x1d wait 2000)
	lab_capture_stop
	check "IPv$LAB_FAMILY: a marked SYN of a client is answered" grep -q '^SA ' <<<"$answer"
	check_is "IPv$LAB_FAMILY: its mark was counted as cleared" $((cleared + 1)) "$(lab_reason mark_cleared)"
	check_is "IPv$LAB_FAMILY: no server saw a mark" 0 "$(frames '$3 == "out" && $5 !~ /^0x[01]$/')"
	check_is "IPv$LAB_FAMILY: one server saw the packet, with its ECN bits" 1 "$(frames '$3 == "out" && $6 == "S" && $5 == "0x1"')"
	check_is "IPv$LAB_FAMILY: no packet was sent by history" "$history" "$(lab_reason history)"
}

# unlistened OWNERS: an ACK to a port that nobody listens on, in a bucket with that many owners.
unlistened()
{
	local name="IPv$LAB_FAMILY, an ACK to a port that nobody listens on, $1 owners:" answers handed bounced

	find_chain "$1"
	lab_capture_start "host $LAB_GHOST and tcp"
	bounced=$(lab_servers_reason bounce)
	answers=$(lab_segment "$next_port" 81 A seq 7 ack 9 wait 500 count 10)
	lab_capture_stop
	handed=$(frames '$3 == "out" && $6 == "."')
	check_is "$name one answer" 1 "$(wc -l <<<"$answers")"
	check_is "$name which is an RST" R "${answers%% *}"
	check_is "$name seen by so many servers" "$1" \
		"$(lab_frames | awk '$3 == "out" && $6 == "." { print $2 }' | sort -u | wc -l)"
	check "$name handed to servers at most once more than that" test "$handed" -le $(($1 + 1))
	check_is "$name bounced each time but the last" $((handed - 1)) \
		$(($(lab_servers_reason bounce) - bounced))
	check_is "$name checksums are right" 0 "$(frames '$NF == "bad"')"
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA LAB_WIRE=1
lab_up 4
for family in 4 6; do
	lab_speak "$family"
	lab_ctl del "$LAB_VIP_NET" >/dev/null # and its history
	lab_apply 1 2 3 4
	next_port=30000
	marked
	unlistened 1
	lab_apply 1
	lab_apply 1 2
	lab_apply 1 2 3
	lab_apply 1 2 3 4
	lab_settle
	unlistened 2
	unlistened 3
	unlistened 4
	check "IPv$LAB_FAMILY: a SYN to such a port is refused at once" grep -q '^RA ' <<<"$(lab_segment "$next_port" 81 S wait 2000)"
done
