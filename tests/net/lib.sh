# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the network tests share: a lab of their own, removed when they end, and TAP lines. Sourced
# by tests/net/test_*.sh, which run under `set -euo pipefail`: a step that fails ends the test.

LAB_TEST=$(basename "$0" .sh)
export ECMPER_LAB=${ECMPER_LAB:-${LAB_TEST#test_}-$$}
# shellcheck source=scripts/lab-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lab-lib.sh"
PATH=$LAB_BUILD/net:$PATH
((EUID == 0)) || {
	echo "not ok network tests need root"
	exit 1
}
lab_on_exit lab_down

# check SENTENCE COMMAND...: the test passes when the command succeeds.
check()
{
	local sentence=$1

	shift
	if "$@"; then
		echo "ok $sentence"
	else
		echo "not ok $sentence"
		echo "# failed: $*"
	fi
}

# check_is SENTENCE WANTED GOT
check_is()
{
	check "$1" test "$3" = "$2"
	[[ $3 == "$2" ]] || printf '# wanted: %s\n# got:    %s\n' "$2" "$3"
}

# check_fails SENTENCE COMMAND...
check_fails()
{
	check "$1" fails "${@:2}"
}

fails()
{
	! "$@"
}

# For commands whose output would hide the TAP line, or be taken for one.
quietly()
{
	"$@" >/dev/null 2>&1
}

# The router's neighbour entries of the ghost, for LAB_EXTRA.
lab_ghost_config()
{
	printf 'neigh add %s lladdr %s dev veth100\n' "$(lab_addr 4 98)" "$(lab_end_mac 99)" \
		"$(lab_addr 6 98)" "$(lab_end_mac 99)"
}

# lab_segment PORT TO_PORT WORDS...: from the ghost to the VIP, see tests/net/segment.c. Prints
# the answers, if any.
lab_segment()
{
	lab_exec ns99 segment veth99 "$(lab_router_mac 100)" "$(lab_endpoint "$LAB_GHOST" "$1")" \
		"$(lab_endpoint "$LAB_VIP" "$2")" "${@:3}" || true
}

# Wait until the VIP's table has not changed for the flight time: then, and not before, an ACK that
# no server owns is answered.
lab_settle()
{
	lab_wait 5 lab_is_answered
}

lab_is_answered()
{
	[[ $(lab_segment 20000 9 A wait 100) == R* ]]
}

# lab_owner_number PROTO ADDR PORT TO_PORT: the number of the server that a flow to the VIP belongs to.
lab_owner_number()
{
	local owner

	owner=$(lab_owner "$1" "$(lab_endpoint "$2" "$3")" "$(lab_endpoint "$LAB_VIP" "$4")")
	echo "${owner##*[.:]}"
}

# lab_choose_port PROTO ADDR TO_PORT FIRST SERVER: a port from FIRST on whose flows are that server's.
lab_choose_port()
{
	local port

	for ((port = $4; port < $4 + 500; port++)); do
		[[ $(lab_owner_number "$1" "$2" "$port" "$3") != "$5" ]] || break
	done
	echo "$port"
}

# Where connections are made from.
LAB_FROM=ns99

# lab_connection_open PORT TO_PORT: a connection to the VIP, from that port (another one each time). What is written to
# descriptor 9 is sent on it; what comes back is in the run folder's `answer`.
lab_connection_open()
{
	rm -f "$LAB_DIR/request" "$LAB_DIR/answer"
	mkfifo "$LAB_DIR/request"
	lab_exec "$LAB_FROM" nc -N -p "$1" "$LAB_VIP" "$2" <"$LAB_DIR/request" >"$LAB_DIR/answer" 2>"$LAB_DIR/nc.log" &
	LAB_CONNECTION=$!
	lab_record "$LAB_CONNECTION"
	exec 9>"$LAB_DIR/request"
	lab_wait 5 lab_is_established "sport = :$1"
}

lab_connection_close()
{
	exec 9>&-
	lab_kill "$LAB_CONNECTION"
}

# A request on the open connection.
lab_get()
{
	printf 'GET %s HTTP/1.1\r\nHost: lab\r\n\r\n' "$1" >&9
}

# Does the answer on the open connection end with 1m.bin?
lab_has_1m()
{
	tail -c 1048576 "$LAB_DIR/answer" | cmp -s - "$LAB_DIR/1m.bin"
}

lab_has_hello()
{
	grep -q '^Hello from' "$LAB_DIR/answer"
}

# lab_download: ask for 1m.bin on the open connection, and wait until it is there.
lab_download()
{
	lab_get /1m.bin
	lab_wait 20 lab_has_1m
}

# lab_sink NAME PORT: what comes on a connection to that port is in the run folder's NAME.sink.
lab_sink()
{
	lab_spawn "$1" "$1.sink" nc -l "$LAB_VIP" "$2"
	lab_wait 5 lab_listens "$1" "sport = :$2"
}

lab_listens()
{
	[[ -n $(lab_exec "$1" ss -Hltun "$2") ]]
}

lab_sink_has_1m()
{
	cmp -s "$LAB_DIR/1m.bin" "$LAB_DIR/$1.sink"
}

# lab_upload NAME: send 1m.bin on the open connection, and wait until the sink there has it.
lab_upload()
{
	timeout 20 cat "$LAB_DIR/1m.bin" >&9 && lab_wait 20 lab_sink_has_1m "$1"
}

# lab_kernel NAME COUNTER: what nstat says in that namespace.
lab_kernel()
{
	lab_exec "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# The router's count of packets with this reason, or `lab_reason NAME nsX` of a server.
lab_reason()
{
	lab_exec "${2:-router}" ecmperctl -j stats |
		jq --arg name "$1" '[.reasons[] | select(.reason == $name) | .packets] | add // 0'
}

# The sum over all servers.
lab_servers_reason()
{
	local i sum=0

	for ((i = 1; i <= $(lab_server_count); i++)); do
		sum=$((sum + $(lab_reason "$1" "ns$i")))
	done
	echo "$sum"
}

# Generations of all prefixes, to see whether something changed.
lab_generations()
{
	lab_ctl -j show | jq -c '[.[] | [.prefix, .generation]]'
}

# lab_transfers LOG OPTIONS...: the transfer tool in the client's namespace, in the background.
lab_transfers()
{
	local log=$1

	shift
	lab_spawn ns99 "$log" transfer "$@" "$LAB_VIP" 80
}

# lab_transfers_end PID LOG: let it finish, and print its report.
lab_transfers_end()
{
	kill -TERM "$1" 2>/dev/null || true
	lab_wait 90 lab_is_gone "$1"
	cat "$LAB_DIR/$2"
}

# lab_changes VERB NUMBER...: lines for `ecmperctl batch` that take servers out of the VIP (del) or put them in (add).
lab_changes()
{
	local i

	for i in "${@:2}"; do
		echo "$1 $LAB_VIP_NET via $(lab_server_addr "$i")"
	done
}

# lab_narrow RATE TIME: at the wire (LAB_WIRE=1) the frames of each server, bounced ones among them, queue up to
# that long. So they are under way for long, and changes overtake them. (LAB_RATE does not hold bounced ones.)
lab_narrow()
{
	local i

	for ((i = 1; i <= $(lab_server_count); i++)); do
		lab_exec wire tc qdisc replace dev "wire$((100 + i))" root tbf rate "$1" burst 16kb latency "$2"
	done
}

# The servers' numbers in a random order, in LAB_ORDER. No process: this is done often.
lab_shuffle()
{
	local i j

	LAB_ORDER=()
	for ((i = 0; i < $1; i++)); do
		j=$((RANDOM % (i + 1)))
		LAB_ORDER[i]=${LAB_ORDER[j]:-}
		LAB_ORDER[j]=$((i + 1))
	done
}

# lab_flap NUMBER SECONDS: the whole service comes and goes: all servers are drained, then added in
# another order. One command after the other when NUMBER is 1, else so many changes at once and 20 ms
# between. Ends with all servers there. LAB_FLAPS: how many changes were made.
lab_flap()
{
	local end=$((SECONDS + $2)) count verb i

	count=$(lab_server_count)
	LAB_FLAPS=0
	while ((SECONDS < end)); do
		for verb in del add; do
			lab_shuffle "$count"
			for ((i = 0; i < count; i += $1)); do
				if (($1 == 1)); then
					lab_ctl "$verb" "$LAB_VIP_NET" via "$(lab_server_addr "${LAB_ORDER[i]}")" >/dev/null
				else
					lab_ctl batch - <<<"$(lab_changes "$verb" "${LAB_ORDER[@]:i:$1}")" >/dev/null
					sleep 0.02
				fi
			done
			LAB_FLAPS=$((LAB_FLAPS + count))
		done
	done
}

# check_unbroken SENTENCE REPORT: no transfer of the report is broken; else the counters explain.
check_unbroken()
{
	local i

	check_is "$1" 0 "$(jq .broken <<<"$2")"
	[[ $(jq .broken <<<"$2") != 0 ]] || return 0
	lab_ctl stats | sed 's/^/# router: /'
	for ((i = 1; i <= $(lab_server_count); i++)); do
		lab_exec "ns$i" ecmperctl stats | sed "s/^/# server $i: /"
	done
}

# lab_is_established [FILTER]: is there a connection to the VIP?
lab_is_established()
{
	[[ -n $(lab_exec "$LAB_FROM" ss -Htn state established "dst $LAB_VIP_NET ${1:+and $1}") ]]
}
