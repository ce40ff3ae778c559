#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two servers that have the same link-local address, each on a link of its own: they are two next hops,
# and real connections go to both, also when they are moved from one to the other.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

lab_speak 6
FIRST=fe80::1%veth101
SECOND=fe80::1%veth102

# config VIA...: the servers are known by nothing but their link-local address.
config()
{
	lab_neigh_config 99
	echo "neigh add $FIRST lladdr $(lab_end_mac 1)"
	echo "neigh add $SECOND lladdr $(lab_end_mac 2) dev veth102"
	printf 'add %s connected\n' fd00:0:1::/64
	(($# == 0)) || echo "add $LAB_VIP_NET $(printf ' via %s' "$@")"
}

apply()
{
	config "$@" | lab_ctl apply -
}

# Which device the flow from that port goes to, by trace.
traced_dev()
{
	lab_ctl -j trace tcp "$(lab_endpoint "$LAB_CLIENT" "$1")" "$(lab_endpoint "$LAB_VIP" 80)" |
		jq -r '.hops[0] | if .address == "fe80::1%" + .dev then .dev else "contradiction" end'
}

# Which server answers a request from that port.
answered_by()
{
	lab_exec ns99 curl -sg -m 5 -o /dev/null -D - --local-port "$1" "$LAB_URL/" |
		tr -d '\r' | awk '$1 == "X-Server:" { print $2 }'
}

# requests FIRST_PORT: "traced answered" of connections from 24 ports, others each time.
requests()
{
	local port

	for ((port = $1; port < $1 + 24; port++)); do
		echo "$(traced_dev "$port") $(answered_by "$port")"
	done | sort | uniq -c | awk '{ print $2, $3 }'
}

sent_to()
{
	lab_ctl -j stats router | jq --arg name "$1" '.servers[] | select(.server == $name) | .packets'
}

# said_without_device WORDS...: refused, because the address alone means nothing.
said_without_device()
{
	local text

	! text=$(lab_ctl "$@" 2>&1) && [[ $text == *"is link-local"*"fe80::1%eth1"* ]]
}

lab_up 2
for i in 1 2; do
	lab_addr_add "ns$i" "veth$i" fe80::1/64
done

for command in "add $LAB_VIP_NET via fe80::1" "del $LAB_VIP_NET via fe80::1" "purge fe80::1" \
	"neigh add fe80::1 lladdr 02:03:04:05:06:01 dev veth101" "neigh del fe80::1"; do
	# shellcheck disable=SC2086 # words
	check "refused without a device: $command" said_without_device $command
done

apply "$FIRST" "$SECOND" >"$LAB_DIR/apply.log"
check_is "the same again changes nothing" "# no change" "$(apply "$FIRST" "$SECOND")"
lab_ctl dump >"$LAB_DIR/dump.conf"
check_is "nor does what dump prints" "# no change" "$(lab_ctl apply "$LAB_DIR/dump.conf")"
lab_ctl clear
lab_ctl apply "$LAB_DIR/dump.conf" >"$LAB_DIR/apply.log"
check_is "after clear, it makes the same state anew" "$(cat "$LAB_DIR/dump.conf")" "$(lab_ctl dump)"
check_is "show has both servers" "$FIRST $SECOND" \
	"$(lab_ctl -j show "$LAB_VIP_NET" | jq -r '[.[0].servers[] | select(.buckets == 2048) | .address] | join(" ")')"

check_is "connections go to both, each to the one that trace says" $'veth101 ns1\nveth102 ns2' "$(requests 41000)"
check "packets are counted for the first" test "$(sent_to "$FIRST")" -gt 0
check "and for the second" test "$(sent_to "$SECOND")" -gt 0

apply "$FIRST" >"$LAB_DIR/apply.log"
check_is "the second is drained by its name" "del $LAB_VIP_NET via $SECOND" "$(cat "$LAB_DIR/apply.log")"
check_is "then all new connections go to the first" "veth101 ns1" "$(requests 41100)"
lab_connection_open 42000 80
lab_get /
lab_wait 5 lab_has_hello
apply "$SECOND" >"$LAB_DIR/apply.log"
history=$(lab_reason history)
check "a connection that is moved to the second transfers 1 MB" lab_download
check "by the first" grep -q '^X-Server: ns1' "$LAB_DIR/answer"
check "which the router sent it on to" test "$(lab_reason history)" -gt "$history"
lab_connection_close

lab_ctl purge "$FIRST"
check_is "after the first is purged, the second serves" "veth102 ns2" "$(requests 41200)"
lab_ctl neigh del "$FIRST"
check_is "neigh del forgets the first only" "$SECOND" \
	"$(lab_ctl -j tables neigh | jq -r '.neigh[].address | select(startswith("fe80"))')"
