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

# A host that only hand-made segments come from: no kernel answers for it.
LAB_GHOST=10.0.1.98

# The router's neighbour entry of the ghost, for LAB_EXTRA.
lab_ghost_config()
{
	echo "neigh add $LAB_GHOST lladdr $(lab_end_mac 99) dev veth100"
}

# lab_segment PORT TO_PORT WORDS...: from the ghost to the VIP, see tests/net/segment.c. Prints
# the answers, if any.
lab_segment()
{
	lab_exec ns99 segment veth99 "$(lab_router_mac 100)" "$LAB_GHOST:$1" "$LAB_VIP:$2" "${@:3}" || true
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

lab_is_established()
{
	[[ -n $(lab_exec ns99 ss -Htn state established "dst $LAB_VIP") ]]
}
