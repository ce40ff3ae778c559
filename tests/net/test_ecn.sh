#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The ECN bits stay as they are: on packets that are forwarded, bounced and delivered. Frames are
# seen at the wire; what servers' kernels get is what they count.
# shellcheck disable=SC2016 # dollars in awk's conditions
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

FLOWS=3
NAMES=("not ECT" "ECT(1)" "ECT(0)" CE)
before=() wanted=()
COUNTERS=(InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts)

# What all servers' kernels have counted of packets with these ECN bits.
delivered()
{
	local i sum=0 counter=${COUNTERS[$1]}

	[[ $LAB_FAMILY == 4 ]] && counter=IpExt$counter || counter=Ip6$counter
	for ((i = 1; i <= $(lab_server_count); i++)); do
		sum=$((sum + $(lab_kernel "ns$i" "$counter")))
	done
	echo "$sum"
}

has_delivered()
{
	[[ $(delivered "$1") -ge $2 ]]
}

# Send opening packets of several flows, and a packet of nobody, which is bounced until the chain
# ends, with each of the bits. `wanted`: "DEVICE ECN" of the opening ones, as trace says.
send_all()
{
	local ecn port

	for ecn in 0 1 2 3; do
		before[ecn]=$(delivered "$ecn") wanted[ecn]=""
		for ((port = 30000 + 100 * ecn; port < 30000 + 100 * ecn + FLOWS; port++)); do
			wanted[ecn]+="veth$((100 + $(lab_owner_number tcp "$LAB_GHOST" "$port" 80))) 0x$ecn"$'\n'
			lab_segment "$port" 80 S tos "$ecn"
		done
		lab_segment $((31000 + ecn)) 81 A seq 7 ack 9 tos "$ecn" wait 2000 >/dev/null
	done
}

# The captured frames of the ghost's flows from these ports (a pattern).
frames_from()
{
	lab_frames | awk -v source="^${LAB_GHOST}[.]$1\$" '$8 ~ source'
}

judge()
{
	local ecn=$1 name="IPv$LAB_FAMILY, ${NAMES[$1]}:" frames

	frames=$(frames_from "30$ecn..")
	check_is "$name each opening packet comes to the server that trace says" "${wanted[ecn]%$'\n'}" \
		"$(awk '$3 == "out" { print $2, $5 }' <<<"$frames")"
	frames=$(frames_from "3100$ecn")
	check "$name one that is bounced is marked" grep -Eq ' 0x[0-9a-f][0-9a-f] \. ' <<<"$frames"
	check_is "$name and each of its frames has the bits" "$ecn" \
		"$(awk '{ print (index("0123456789abcdef", substr($5, length($5))) - 1) % 4 }' <<<"$frames" | sort -u)"
	check "$name and so has what servers' kernels get" \
		lab_wait 5 has_delivered "$ecn" $((before[ecn] + FLOWS + 1))
}

# A connection whose packets are ECT(0) by agreement of the kernels.
negotiated()
{
	local name="IPv$LAB_FAMILY, a connection with ECN:" before

	lab_apply 1
	lab_sink ns1 9000
	lab_connection_open "4${LAB_FAMILY}000" 9000
	lab_apply 2
	before=$(delivered 2)
	check "$name an upload arrives after a move" lab_upload ns1
	check "$name with ECT(0)" has_delivered 2 $((before + 100))
	lab_connection_close
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA LAB_WIRE=1
lab_up 3
for netns in ns99 ns1 ns2 ns3; do
	lab_exec "$netns" sysctl -qw net.ipv4.tcp_ecn=1
done
lab_apply 1
lab_apply 1 2
for family in 4 6; do
	lab_speak "$family"
	lab_settle
	lab_capture_start "host $LAB_GHOST and tcp"
	send_all
	lab_capture_stop
	for ecn in 0 1 2 3; do
		judge "$ecn"
	done
done
for family in 4 6; do
	lab_speak "$family"
	negotiated
done
