#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lab itself: it serves, two of them do not meet, and none leaves a trace, however it ends.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

lab_sh=$LAB_ROOT/scripts/lab.sh
other=$LAB-other

finish()
{
	lab_down
	ECMPER_LAB=$other "$lab_sh" down
}
lab_on_exit finish

# Is there nothing of the lab of this name?
is_traceless()
{
	local name=$1

	! compgen -G "/run/netns/$name-*" && [[ ! -e /run/ecmper-$name ]] &&
		! grep -q "/run/ecmper-$name/" /proc/mounts &&
		! pgrep -f "/run/ecmper-$name/"
}

# Program ids of a lab, and whether all are gone from the kernel.
program_ids()
{
	local ns

	for ns in router ns99 $(seq -f 'ns%g' "$(lab_server_count)"); do
		lab_exec "$ns" ip -j -d link show | jq '.[] | .xdp.prog.id // empty'
	done
}

programs_are_gone()
{
	local id

	for id in "$@"; do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}

is_native()
{
	[[ -z $(lab_exec "$1" ip -j link show | jq -r '.[] | select(.xdp != null and .xdp.mode != 1) | .ifname') ]]
}

servers_seen()
{
	for ((i = 0; i < 40; i++)); do
		lab_exec ns99 curl -sg "$LAB_URL/"
	done | sort -u | wc -l
}

lab_up 3
check_is "40 connections reach each of three servers" 3 "$(servers_seen)"
check "the router's programs run in native mode" is_native router
check "a server's program runs in native mode" is_native ns1
check "a server is reached at its own address" lab_exec ns99 curl -sf -o /dev/null http://10.0.0.2/
check "at that of IPv6, too" lab_exec ns99 curl -sgf -o /dev/null "http://[fd00::2]/"
check "servers reach each other through the router" lab_exec ns1 curl -sf -o /dev/null http://10.0.0.3/
check "also over IPv6" lab_exec ns1 curl -sgf -o /dev/null "http://[fd00::3]/"
check_is "lab.sh exec runs in the namespace" "10.0.0.2" \
	"$("$lab_sh" exec ns2 ip -j -4 addr show dev veth2 | jq -r '.[0].addr_info[0].local')"
check "lab.sh exec names the instance" "$lab_sh" exec ns2 ecmperctl stats
check_is "lab.sh enter opens a shell there" "veth3" \
	"$("$lab_sh" enter ns3 2>/dev/null <<<'ls /sys/class/net >/dev/null; ip -j link | jq -r ".[1].ifname"' | tail -n 1)"
check_fails "a second up of the same lab is refused" "$lab_sh" up 3
check "and the lab still serves" lab_exec ns99 curl -sf -o /dev/null "$LAB_URL/"

ECMPER_LAB=$other "$lab_sh" up 2 >/dev/null
check "a second lab serves" env ECMPER_LAB="$other" "$lab_sh" exec client curl -sf -o /dev/null "$LAB_URL/"
check "besides the first" lab_exec ns99 curl -sf -o /dev/null "$LAB_URL/"
ECMPER_LAB=$other "$lab_sh" down
check "taken down, the second has left nothing" is_traceless "$other"
check "and the first still serves" lab_exec ns99 curl -sf -o /dev/null "$LAB_URL/"

mapfile -t ids < <(program_ids)
check "programs were found" test "${#ids[@]}" -ge 7
"$lab_sh" down
check "taken down, the first has left nothing" is_traceless "$LAB"
check "and no program in the kernel" lab_wait 10 programs_are_gone "${ids[@]}"
check "down does nothing when nothing is up" "$lab_sh" down

check_fails "an up that cannot be finished fails" env LAB_RATE=nonsense "$lab_sh" up 2 2>/dev/null
check "and leaves nothing" is_traceless "$LAB"
"$lab_sh" up 4 >/dev/null 2>&1 &
lab_wait 5 test -e "/run/netns/$LAB-ns2"
kill -TERM $!
wait $! || true
check "an up that is interrupted leaves nothing" is_traceless "$LAB"
