#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A client uses its port again while a server still remembers the last connection from it
# (TIME_WAIT): packets of the new connection, which is another server's, are not that server's.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

PORT=30000

# segment FLAGS WORDS...: of the connection from PORT, whose next numbers are in `next` and `ack`.
segment()
{
	lab_segment "$PORT" 80 "$1" seq "$next" ack "$ack" "${@:2}"
}

# Open a connection with this first sequence number.
open()
{
	local flags seq

	next=$1 ack=0
	read -r flags _ seq _ <<<"$(segment S wait 2000)"
	[[ $flags == SA ]]
	next=$((next + 1)) ack=$((seq + 1))
	segment A
}

# Ask, take the answer, close. The server closed first: it is the one that remembers.
finish_connection()
{
	local flags seq len

	while read -r flags _ seq _ _ _ _ _ _ _ len _; do
		[[ $flags != *F* ]] || ack=$((seq + len + 1))
	done < <(segment PA data $'GET / HTTP/1.0\r\n\r\n' wait 500 count 10)
	next=$((next + 18))
	segment FA wait 500
}

has_time_wait()
{
	[[ -n $(lab_exec ns2 ss "-$LAB_FAMILY" -Htan state time-wait "dport = :$PORT") ]]
}

run()
{
	local name="IPv$LAB_FAMILY:" answers

	lab_apply 2
	open 1000
	finish_connection >/dev/null
	check "$name server 2 remembers a closed connection" has_time_wait

	lab_apply 1
	open 50000000
	lab_apply 2
	check "$name and still does when the next one is server 1's" has_time_wait
	answers=$(segment PA data $'GET / HTTP/1.0\r\n\r\n' wait 1000 count 2)
	check "$name a request reaches server 1 past it" grep -q 'HTTP/1.1 200 OK' <<<"$answers"
	check_fails "$name and is not answered by server 2" grep -q '^R' <<<"$answers"
}

LAB_EXTRA=$(lab_ghost_config)
export LAB_EXTRA
lab_up 2
for family in 4 6; do
	lab_speak "$family"
	run
done
