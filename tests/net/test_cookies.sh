#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connections that are opened by SYN cookies (tcp_syncookies=2: always): the server has no state
# until the ACK comes, and the table may change before it does. (All namespaces share the kernel's
# cookie secret, so that in the lab any server accepts any server's cookie, unless it has sent none
# for two minutes.)
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# open_across PORT: SYN, table change, ACK and request. Prints the answer.
open_across()
{
	local port=$1 flags seq

	lab_apply 1 2
	read -r flags _ seq _ <<<"$(lab_segment "$port" 80 S seq 1000 wait 2000)"
	[[ $flags == SA ]]
	lab_apply 3 4
	lab_segment "$port" 80 A seq 1001 ack $((seq + 1))
	lab_segment "$port" 80 PA seq 1001 ack $((seq + 1)) data $'GET / HTTP/1.0\r\n\r\n' wait 2000 count 2
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA
lab_up 4
for i in 1 2 3 4; do
	lab_exec "ns$i" sysctl -qw net.ipv4.tcp_syncookies=2
done

for family in 4 6; do
	lab_speak "$family"
	answered=0
	for ((port = 30000; port < 30020; port++)); do
		! grep -q 'HTTP/1.1 200 OK' <<<"$(open_across "$port")" || answered=$((answered + 1))
	done
	check_is "IPv$family: 20 of 20 connections complete when the table changes between SYN and ACK" 20 "$answered"
	check "IPv$family: by their cookies" test "$(lab_servers_reason cookie)" -ge 20
	for i in 1 2 3 4; do
		lab_exec "ns$i" ecmperctl stats --reset
	done
done

lab_speak 4
# No more connections than there are ports: the stale sockets that two accepted cookies leave behind
# must not meet a new connection of the same port.
lab_exec ns99 sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
lab_transfers transfers.json -c 16 -n 4000 -p /
pid=$LAB_PID
changes=0
until lab_is_gone "$pid"; do
	lab_apply 1 2
	lab_apply 3 4
	lab_apply 1 2 3 4
	changes=$((changes + 3))
done
report=$(lab_transfers_end "$pid" transfers.json)
echo "# $changes changes: $report"
check_unbroken "no connection is lost while the table changes all the time" "$report"
check_is "of 4000" 4000 "$(jq .ok <<<"$report")"
