#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A packet that a change overtakes, made by hand: server 1 owns a connection; 4, then 3 take its
# bucket; all are drained. Server 3 sends a packet back, the second server that tried; before the
# router has it, 1 is added again. The chain ends with 4, which must not answer for the connection.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# The bucket's chain becomes 3, 4, 1, without a current owner.
drain_all()
{
	lab_apply 4
	lab_apply 3
	lab_ctl del "$LAB_VIP_NET" via "$(lab_server_addr 3)" >/dev/null
}

# 1 is there again, and then comes the frame that server 3 has sent. RSTs are captured.
overtake()
{
	lab_ctl add "$LAB_VIP_NET" via "$(lab_server_addr 1)" >/dev/null
	lab_capture_start "tcp[tcpflags] & tcp-rst != 0 or ip6[53] & 4 != 0"
	lab_exec ns3 segment veth3 "$(lab_router_mac 103)" "$(lab_endpoint "$LAB_CLIENT" "$port")" \
		"$(lab_endpoint "$LAB_VIP" 80)" A seq 1 ack 1 tos 0x2c
}

has_server_4()
{
	[[ $(lab_reason "$1" ns4) == "$2" ]]
}

answers()
{
	lab_capture_stop
	lab_frames | awk '$3 == "in" && $6 ~ /R/' | wc -l
}

export LAB_WIRE=1 LAB_ACTIVE=1 # nobody else is in the history
lab_up 4
port=21000
for family in 4 6; do
	lab_speak "$family"
	LAB_FLIGHT_TIME=60s lab_router_prog 4
	lab_apply 1
	lab_connection_open "$port" 80
	drain_all
	raced=$(lab_reason raced ns4) quiet=$(lab_reason quiet)
	overtake
	check "IPv$family: the last of the chain drops the packet" lab_wait 5 has_server_4 raced $((raced + 1))
	check_is "IPv$family: which the router sent as QUIET" $((quiet + 1)) "$(lab_reason quiet)"
	check_is "IPv$family: no RST is sent" 0 "$(answers)"
	lab_get /
	check "IPv$family: the connection lives" lab_wait 5 lab_has_hello
	lab_connection_close

	# The same when the prefix counts as settled at once: that is what QUIET is for.
	LAB_FLIGHT_TIME=0 lab_router_prog 4
	lab_apply 1
	drain_all
	last=$(lab_reason last ns4)
	overtake
	check "IPv$family, without a flight time: the last of the chain takes the packet" lab_wait 5 has_server_4 last $((last + 1))
	check_is "IPv$family, without a flight time: and answers by an RST" 1 "$(answers)"
	port=$((port + 1))
done
