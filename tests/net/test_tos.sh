#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The documents' wire format: in tos mode, each frame of a bounced request is what the original
# router and server program would have sent. Captured at the wire.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

PORT=

# A port of the ghost whose bucket server 2 takes from server 1.
choose_port()
{
	lab_apply 1 2
	PORT=$(lab_choose_port tcp "$LAB_GHOST" 80 30000 2)
	lab_ctl clear
	lab_apply 1
}

# "DEVICE DIRECTION TTL TOS" of each frame with the request, in order.
request_frames()
{
	lab_frames | awk -v vip="$LAB_VIP.80" '$6 == "P." && $9 == vip { print $2, $3, $4, $5 }'
}

run()
{
	local name="IPv$LAB_FAMILY:" flags seq answers

	choose_port
	read -r flags _ seq _ <<<"$(lab_segment "$PORT" 80 S seq 1000 wait 2000)"
	check_is "$name server 1 accepts a connection" SA "$flags"
	lab_segment "$PORT" 80 A seq 1001 ack $((seq + 1))
	lab_ctl add "$LAB_VIP_NET" via "$(lab_server_addr 2)" >/dev/null
	lab_capture_start "host $LAB_GHOST and tcp"
	answers=$(lab_segment "$PORT" 80 PA seq 1001 ack $((seq + 1)) data $'GET / HTTP/1.0\r\n\r\n' wait 2000 count 2)
	check "$name the request is answered by the connection's server" grep -q 'HTTP/1.1 200 OK' <<<"$answers"
	check_fails "$name and by no RST" grep -q '^R' <<<"$answers"
	lab_capture_stop
	check_is "$name the frames are the documents', but that a bounce costs no TTL" "\
veth100 in 64 0x0
veth102 out 63 0x0
veth102 in 63 0x1
veth101 out 62 0x1" "$(request_frames)"
	check_is "$name all IP and TCP checksums are right" "" "$(lab_frames | awk '$NF == "bad"')"
	check "$name depth is 1" test \
		"$(lab_ctl -j show | jq --arg net "$LAB_VIP_NET" '[.[] | select(.prefix == $net) | .depth][0]')" = 1
	check_fails "$name a depth of 2 is refused" lab_ctl add "$LAB_VIP_NET" depth 2 via "$(lab_server_addr 1)" 2>/dev/null
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA LAB_MARK=tos LAB_WIRE=1
lab_up 2
for family in 4 6; do
	lab_speak "$family"
	run
done
