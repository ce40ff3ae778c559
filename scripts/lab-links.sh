# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of lab-lib.sh: namespaces, addresses, links between the router and its neighbours, and the
# wire in the middle of them.

lab_netns_add()
{
	local path

	path=$(lab_netns "$1")
	ip netns add "${path##*/}"
	lab_exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=0
	lab_exec "$1" ip link set lo up
}

# A passing XDP program on a device, so that veth delivers what the peer's XDP sends.
lab_stub_attach()
{
	lab_exec "$1" ip link set dev "$2" xdpdrv pinned "$LAB_DIR/bpf/stub"
}

lab_stub_detach()
{
	lab_exec "$1" ip link set dev "$2" xdpdrv off
}

# No half-made checksums and no frames larger than the MTU: XDP sees what a wire would carry.
lab_offload_off()
{
	lab_exec "$1" ethtool -K "$2" tx off >"$LAB_DIR/ethtool.log"
}

# lab_pair NAME DEV NAME DEV: a veth pair, made in its two namespaces.
lab_pair()
{
	local from to

	from=$(lab_netns "$1") to=$(lab_netns "$3")
	ip link add name "$2" netns "${from##*/}" type veth peer name "$4" netns "${to##*/}"
}

# One port of the wire: every frame as it is, one by one.
lab_wire_port()
{
	local bridge=$1 port=$2

	lab_exec wire ip link set dev "$port" master "$bridge"
	lab_exec wire bridge link set dev "$port" learning off
	lab_stub_attach wire "$port"
	lab_offload_off wire "$port"
	lab_exec wire ethtool -K "$port" gro off
	lab_exec wire ip link set dev "$port" up
}

# The link between an end and the router's device NUMBER, with the wire in between.
lab_wire_link()
{
	local name=$1 dev=$2 number=$3

	lab_pair router "veth$number" wire "wire$number"
	lab_pair "$name" "$dev" wire "tail$number"
	lab_exec wire ip link add "br$number" type bridge stp_state 0 mcast_snooping 0
	lab_wire_port "br$number" "wire$number"
	lab_wire_port "br$number" "tail$number"
	lab_exec wire ip link set dev "br$number" up
}

# lab_link NAME DEV ADDR NUMBER GATEWAY: connect an end with the router's device veth<NUMBER>.
lab_link()
{
	local name=$1 dev=$2 addr=$3 number=$4 gateway=$5

	if [[ ${LAB_WIRE:-0} == 1 ]]; then
		lab_wire_link "$name" "$dev" "$number"
	else
		lab_pair "$name" "$dev" router "veth$number"
	fi
	lab_exec "$name" ip link set dev "$dev" address "$(lab_end_mac "${name#ns}")"
	lab_offload_off "$name" "$dev"
	lab_exec "$name" ip addr add "$addr/24" dev "$dev"
	lab_exec "$name" ip link set dev "$dev" up
	lab_exec "$name" ip neigh add "$gateway" lladdr "$(lab_router_mac "$number")" dev "$dev"
	lab_exec "$name" ip route add default via "$gateway"
	lab_router_port "$number" "$addr" "$(lab_end_mac "${name#ns}")" "$gateway"
}

# The router's end: its kernel knows the address, the route and the MAC at the other end.
lab_router_port()
{
	local dev=veth$1 addr=$2 mac=$3 own=$4

	lab_exec router ip link set dev "$dev" address "$(lab_router_mac "$1")"
	lab_offload_off router "$dev"
	lab_exec router ip addr add "$own/32" dev "$dev"
	lab_exec router ip link set dev "$dev" up
	lab_exec router ip route add "$addr/32" dev "$dev" src "$own"
	lab_exec router ip neigh add "$addr" lladdr "$mac" dev "$dev"
}

lab_client_up()
{
	lab_netns_add ns99
	lab_link ns99 veth99 10.0.1.99 100 10.0.1.100
	lab_stub_attach ns99 veth99
}

# lab_server_up NUMBER OF: one server of OF. The others are reached through the router too.
lab_server_up()
{
	local i=$1 count=$2 other

	lab_netns_add "ns$i"
	lab_link "ns$i" "veth$i" "$(lab_server_addr "$i")" $((100 + i)) 10.0.0.100
	lab_exec "ns$i" ip addr add "$LAB_VIP/32" dev lo
	for ((other = 1; other <= count; other++)); do
		((other != i)) || continue
		lab_exec "ns$i" ip neigh add "$(lab_server_addr "$other")" \
			lladdr "$(lab_router_mac $((100 + i)))" dev "veth$i"
	done
	[[ -z ${LAB_RATE:-} ]] ||
		lab_exec "ns$i" tc qdisc add dev "veth$i" root tbf rate "$LAB_RATE" burst 64kb latency 100ms
	lab_nginx_up "$i"
}

lab_wire_up()
{
	[[ ${LAB_WIRE:-0} == 1 ]] || return 0
	lab_netns_add wire
	# Bridged frames must not pass through the IP stack.
	lab_exec wire sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
}
