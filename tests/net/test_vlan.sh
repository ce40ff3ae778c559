#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# VLAN tags, which are in the frames: every frame of a packet that comes with none, one or two, and
# leaves and is bounced with or without, byte by byte; and connections over VLANs.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

MARKER=65636d706572 # "ecmper": the data of the packets made here
ECN=2

# --- packets in hexadecimal digits -----------------------------------------------------------

hex_mac()
{
	echo "${1//:/}"
}

hex_addr()
{
	local parts i

	if [[ $1 != *:* ]]; then
		# shellcheck disable=SC2046,SC2086 # words
		printf '%02x%02x%02x%02x' ${1//./ }
		return
	fi
	# All addresses of the lab: up to three groups, zeros, at most one group.
	IFS=: read -ra parts <<<"${1%%::*}"
	for ((i = 0; i < 7; i++)); do
		printf '%04x' "0x${parts[i]:-0}"
	done
	printf '%04x' "0x0${1##*::}"
}

# The checksum of 16-bit words (RFC 1071).
hex_checksum()
{
	local words=$1 sum=0

	while [[ -n $words ]]; do
		sum=$((sum + 16#${words:0:4}))
		words=${words:4}
	done
	while ((sum > 65535)); do
		sum=$(((sum & 65535) + (sum >> 16)))
	done
	printf '%04x' $((~sum & 65535))
}

# packet TTL TOS SRC DST: an ACK of a connection that no server has. Its checksum is none: that
# is the kernel's business, which so drops it in the end.
packet()
{
	local tcp=9c400051000000070000000950100100dead0000$MARKER head tail

	if [[ $3 == *:* ]]; then
		printf '6%02x00000%04x06%02x%s%s%s' "$2" $((${#tcp} / 2)) "$1" "$(hex_addr "$3")" \
			"$(hex_addr "$4")" "$tcp"
	else
		printf -v head '45%02x%04x00010000%02x06' "$2" $((20 + ${#tcp} / 2)) "$1"
		tail=$(hex_addr "$3")$(hex_addr "$4")
		echo "$head$(hex_checksum "${head}0000$tail")$tail$tcp"
	fi
}

# frame TO_MAC FROM_MAC TAGS PACKET
frame()
{
	local type=0800

	[[ $4 == 4* ]] || type=86dd
	echo "$(hex_mac "$1")$(hex_mac "$2")$3$type$4"
}

# tag VLAN PRIORITY_BITS: nothing when VLAN is 0.
tag()
{
	(($1 == 0)) || printf '8100%04x' $(($1 | $2))
}

# --- one packet on its way -------------------------------------------------------------------

# config CLIENT SERVER1 SERVER2: the VLANs of these neighbours, 0 for none.
config()
{
	local client=$1 vlans=("${@:1}") i family

	for i in 0 1 2; do
		for family in 4 6; do
			echo "neigh add $(lab_addr "$family" $((i ? i : 99))) lladdr $(lab_end_mac $((i ? i : 99)))" \
				"dev veth$((100 + i))" "$( ((vlans[i] == 0)) || echo "vlan ${vlans[i]}")"
		done
	done
	lab_config "${SERVERS[@]}" | grep -v '^neigh'
}

apply()
{
	config "$@" | lab_ctl apply - >"$LAB_DIR/apply.log"
}

# Frames with our data, since the capture began.
captured()
{
	grep "$MARKER" "$LAB_DIR/take.log" || true
}

has_captured()
{
	[[ $(captured | wc -l) -ge $1 ]]
}

is_ready()
{
	grep -qsx ready "$LAB_DIR/take.log"
}

take()
{
	lab_spawn wire take.log frame take
	lab_wait 5 is_ready
}

# As `config`, and what stands between the MACs and the type of the client's frame, and the outer tag's
# priority bits. Server 2 owns the bucket and has no connection; server 1 is the one before, and the last.
one_packet()
{
	local client=$1 one=$2 two=$3 tags=$4 bits=$5 wanted
	local name="IPv$LAB_FAMILY, in by ${4:-no tag}, VLAN $3, back, VLAN $2:"

	apply "$client" "$one" "$two"
	take
	lab_exec ns99 frame send veth99 "$(frame "$(lab_router_mac 100)" "$(lab_end_mac 99)" "$tags" \
		"$(packet 64 "$ECN" "$LAB_GHOST" "$LAB_VIP")")"
	lab_wait 5 has_captured 4 || true
	lab_kill "$LAB_PID"
	((two)) || bits=0 # it has lost them by then
	wanted="tail100 $(frame "$(lab_router_mac 100)" "$(lab_end_mac 99)" "$tags" \
		"$(packet 64 "$ECN" "$LAB_GHOST" "$LAB_VIP")")
wire102 $(frame "$(lab_end_mac 2)" "$(lab_router_mac 102)" "$(tag "$two" "$bits")" \
		"$(packet 63 "$ECN" "$LAB_GHOST" "$LAB_VIP")")
tail102 $(frame "$(lab_router_mac 102)" "$(lab_end_mac 2)" "$(tag "$two" "$bits")" \
		"$(packet 63 $((0x1c | ECN)) "$LAB_GHOST" "$LAB_VIP")")
wire101 $(frame "$(lab_end_mac 1)" "$(lab_router_mac 101)" "$(tag "$one" "$bits")" \
		"$(packet 63 $((0x0c | ECN)) "$LAB_GHOST" "$LAB_VIP")")"
	check_is "$name the frames are as they must be" "$wanted" "$(captured)"
}

# The way back to the client: CLIENT's VLAN, the tags that the server sends, their priority bits.
answer()
{
	local name="IPv$LAB_FAMILY, a server's frame with ${2:-no tag}, to the client's VLAN $1:" sent wanted

	apply "$1" 11 12
	take
	sent=$(frame "$(lab_router_mac 101)" "$(lab_end_mac 1)" "$2" "$(packet 64 "$ECN" "$LAB_VIP" "$LAB_CLIENT")")
	lab_exec ns1 frame send veth1 "$sent"
	lab_wait 5 has_captured 2 || true
	lab_kill "$LAB_PID"
	wanted="tail101 $sent
wire100 $(frame "$(lab_end_mac 99)" "$(lab_router_mac 100)" "$(tag "$1" "$3")" \
		"$(packet 63 "$ECN" "$LAB_VIP" "$LAB_CLIENT")")"
	check_is "$name the frames are as they must be" "$wanted" "$(captured)"
}

# --- connections -----------------------------------------------------------------------------

# tags_up NAME DEV TPID:VLAN...: what its host sends gets these tags, what it receives loses all.
tags_up()
{
	local push=$LAB_DIR/bpf/push-$1 pop=$LAB_DIR/bpf/pop-$1

	tags "$push" "$pop" "${@:3}"
	lab_exec "$1" tc qdisc add dev "$2" clsact
	lab_exec "$1" tc filter add dev "$2" egress bpf direct-action object-pinned "$push"
	lab_exec "$1" tc filter add dev "$2" ingress bpf direct-action object-pinned "$pop"
}

connections()
{
	local name="IPv$LAB_FAMILY over VLANs:" pid report server end=$((SECONDS + 4))

	SERVERS=(1)
	apply 99 11 12
	lab_sink ns1 9000
	lab_connection_open "4${LAB_FAMILY}000" 9000
	SERVERS=(2)
	apply 99 11 12
	check "$name a moved connection's upload of 1 MB arrives" lab_upload ns1
	lab_connection_close
	check "$name by bouncing" test "$(lab_reason bounce ns2)" -gt 0

	SERVERS=(1 2)
	apply 99 11 12
	lab_transfers transfers.json -c 8 -n 1000000
	pid=$LAB_PID
	while ((SECONDS < end)); do
		server=$(lab_server_addr $((RANDOM % 2 + 1)))
		lab_ctl del "$LAB_VIP_NET" via "$server" >/dev/null
		sleep 0.1
		lab_ctl add "$LAB_VIP_NET" via "$server" >/dev/null
	done
	report=$(lab_transfers_end "$pid" transfers.json)
	echo "# $report"
	check_unbroken "$name no transfer is broken when servers come and go" "$report"
	check "$name of at least 20" test "$(jq .transfers <<<"$report")" -ge 20
}

export LAB_WIRE=1 LAB_FLIGHT_TIME=0 # the chain's end is LAST at once, not QUIET for a while
lab_up 2
SERVERS=(1)
apply 0 0 0
SERVERS=(2)
for family in 4 6; do
	lab_speak "$family"
	one_packet 0 11 12 "" 0
	one_packet 0 11 12 8100b00a $((0xb000))
	one_packet 0 11 12 88a8700a81002014 $((0x7000))
	one_packet 0 11 0 88a8700a81002014 $((0x7000))
	one_packet 0 0 12 8100b00a81002014 $((0xb000))
	one_packet 0 0 0 88a8700a88a82014 $((0x7000))
	answer 0 8100a00b $((0xa000))
	answer 99 8100a00b $((0xa000))
	answer 99 88a8c00a8100a00b $((0xc000))
	answer 99 "" 0
done

LAB_FLIGHT_TIME=1s lab_router_prog 2
# The client's frames have two tags, a service provider's and its own: 1 500 bytes and both are more
# than veth takes.
lab_exec ns99 ip link set dev veth99 mtu 1496
tags_up ns99 veth99 8100:20 88a8:10
tags_up ns1 veth1 8100:11
tags_up ns2 veth2 8100:12
for family in 4 6; do
	lab_speak "$family"
	connections
done
