#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What becomes of the router's devices is told: a server whose device is down, gone, or another than the
# tables think is not up. And what dump prints then is still the whole state.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# What is said of server 1 by show, trace (of a flow that it has) and tables, then the same as JSON.
told()
{
	local flow=("tcp" "$LAB_CLIENT:$PORT" "$LAB_VIP:80")

	{
		lab_ctl show "$LAB_VIP_NET" | sed -n 's/^  10\.0\.0\.1 .*%  *[0-9]*  //p'
		lab_ctl trace "${flow[@]}" | sed -n 's/^ .*10\.0\.0\.1 .*  //p'
		lab_ctl tables neigh | sed -n 's/.* 10\.0\.0\.1 .*  static\(, \)\?//p' | sed 's/^$/up/'
		lab_ctl -j show "$LAB_VIP_NET" | jq -r '.[0].servers[] | select(.address == "10.0.0.1").state'
		lab_ctl -j trace "${flow[@]}" | jq -r '.hops[0].state'
		lab_ctl -j tables neigh | jq -r '.neigh[] | select(.address == "10.0.0.1").state' |
			sed 's/^static$/up/; s/^static, //'
	} | uniq -c | sed 's/^ *//'
}

# told_everywhere SENTENCE WORDS
told_everywhere()
{
	check_is "$1" "6 $2" "$(told)"
}

# The state of the other server.
other()
{
	lab_ctl -j show "$LAB_VIP_NET" | jq -r '.[0].servers[] | select(.address == "10.0.0.2").state'
}

lab_up 2
PORT=$(lab_choose_port tcp "$LAB_CLIENT" 80 40000 1)
told_everywhere "all is well" up

lab_exec ns1 ip link set veth1 down
told_everywhere "no carrier" "device down"
check_is "no carrier: the other server is up" up "$(other)"
lab_exec ns1 ip link set veth1 up
told_everywhere "carrier again" up
lab_exec router ip link set veth101 down
told_everywhere "set down" "device down"
lab_exec router ip link set veth101 up

lab_exec router ip link set veth101 mtu 1400
told_everywhere "another MTU" "mtu 1400, table 1500"
lab_ctl neigh add 10.0.0.1 lladdr "$(lab_end_mac 1)" dev veth101
told_everywhere "another MTU, neigh add again" up
lab_exec router ip link set veth101 address 02:03:04:05:07:99
told_everywhere "another MAC" "mac changed"
lab_exec router ip link set veth101 mtu 1500 address "$(lab_router_mac 101)"
lab_ctl neigh add 10.0.0.1 lladdr "$(lab_end_mac 1)" dev veth101
told_everywhere "as it was" up

lab_ctl dump >"$LAB_DIR/dump.conf"
lab_ctl add "$LAB_VIP_NET" via 10.0.0.1 weight 0
lab_exec router ip link del veth101
check_is "drained and gone" "drained, device gone" \
	"$(lab_ctl -j show "$LAB_VIP_NET" | jq -r '.[0].servers[] | select(.address == "10.0.0.1").state')"
lab_ctl add "$LAB_VIP_NET" via 10.0.0.1 weight 1
told_everywhere "deleted" "device gone"
check_is "dump still has it all" "$(cat "$LAB_DIR/dump.conf")" "$(lab_ctl dump)"
check_is "and apply takes that" "# no change" "$(lab_ctl apply "$LAB_DIR/dump.conf")"
check_is "neigh add by hand does not" \
	"ecmperctl: veth101: no such device in this network namespace; \`ip link\` lists them" \
	"$(lab_ctl neigh add 10.0.0.1 lladdr "$(lab_end_mac 1)" dev veth101 2>&1 || true)"
lab_pair ns1 veth1 router veth101
lab_port ns1 veth1 "$(lab_end_mac 1)"
lab_port router veth101 "$(lab_router_mac 101)"
told_everywhere "made again, not by the tables' number" "device gone"
lab_ctl apply "$LAB_DIR/dump.conf" >"$LAB_DIR/apply.log"
told_everywhere "made again, and applied" up

check_fails "neigh add by lo is refused" lab_ctl neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev lo 2>/dev/null
lab_ctl neigh del 10.0.0.1
check_fails "dump has no neighbour that was deleted, though a table needs it" \
	grep -q '^neigh add 10.0.0.1 ' <(lab_ctl dump)
lab_ctl dump >"$LAB_DIR/dump.conf"
check_is "applied again, that changes nothing" "# no change" "$(lab_ctl apply "$LAB_DIR/dump.conf")"
check_is "and does not add it again" dynamic \
	"$(lab_ctl -j tables neigh | jq -r '.neigh[] | select(.address == "10.0.0.1").state')"
