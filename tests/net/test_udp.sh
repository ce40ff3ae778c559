#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# UDP: a socket that is connected to its client has a connection, which survives a move; one that is
# not takes what comes. What nobody takes is answered by one server.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# listen NAME PORT [FROM_ADDR FROM_PORT]: what comes is in NAME.log.
listen()
{
	lab_spawn "$1" "$1.log" message take "$LAB_VIP" "${@:2}"
	lab_wait 5 has_socket "$1" "$2"
}

has_socket()
{
	[[ -n $(lab_exec "$1" ss -Huan "src $LAB_VIP_NET and sport = :$2") ]]
}

# send TO_PORT FROM_PORT SIZE
send()
{
	lab_exec ns99 message send "$LAB_VIP" "$@"
}

# came NAME FROM_PORT SIZE: does it come there, whole?
came()
{
	lab_wait 5 grep -qx "$2 $3" "$LAB_DIR/$1.log"
}

unreachables()
{
	lab_kernel ns99 "$([[ $LAB_FAMILY == 4 ]] && echo IcmpInDestUnreachs || echo Icmp6InDestUnreachs)"
}

unreachable_came()
{
	[[ $(unreachables) != "$1" ]]
}

connected()
{
	local name="IPv$LAB_FAMILY, connected socket:" owned bounced

	lab_apply 1
	listen ns1 9000 "$LAB_CLIENT" 20000
	send 9000 20000 100
	check "$name a datagram comes" came ns1 20000 100
	lab_apply 2
	bounced=$(lab_reason bounce ns2) owned=$(lab_reason owned ns1)
	send 9000 20000 101
	check "$name also after the flow's bucket has moved" came ns1 20000 101
	check_is "$name by the new server, which sent it back" 1 $(($(lab_reason bounce ns2) - bounced))
	check_is "$name to that of the socket" 1 $(($(lab_reason owned ns1) - owned))
	send 9000 20000 60000
	check "$name so does one of 60 000 bytes, in fragments" came ns1 20000 60000
	lab_kill "$LAB_PID"
}

unconnected()
{
	local name="IPv$LAB_FAMILY, unconnected sockets:"

	lab_apply 1
	listen ns1 9001
	listen ns2 9001
	send 9001 20001 100
	check "$name a datagram comes" came ns1 20001 100
	lab_apply 2
	send 9001 20001 101
	check "$name after a move, the new server takes it" came ns2 20001 101
	check_fails "$name and the old one does not" grep -q ' 101$' "$LAB_DIR/ns1.log"
}

unlistened()
{
	local name="IPv$LAB_FAMILY, no socket:" before handed

	before=$(unreachables) handed=$(lab_servers_reason last)
	send 9002 20002 100
	check "$name the client is told" lab_wait 5 unreachable_came "$before"
	check_is "$name once" $((before + 1)) "$(unreachables)"
	check_is "$name by the last server of the chain" 1 $(($(lab_servers_reason last) - handed))
}

lab_up 2
for family in 4 6; do
	lab_speak "$family"
	connected
	unconnected
	unlistened
done
