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
	# IPv6 as static as IPv4: no router advertisements, no addresses but ours. Replies take other
	# ways than requests: no reverse path filter.
	lab_exec "$1" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
		net.ipv6.conf.default.addr_gen_mode=1
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

# No half-made checksums, no frames larger than the MTU, tags in the frame: XDP sees what a wire
# would carry.
lab_offload_off()
{
	lab_exec "$1" ethtool -K "$2" tx off txvlan off rxvlan off tx-vlan-stag-hw-insert off \
		rx-vlan-stag-hw-parse off >"$LAB_DIR/ethtool.log"
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
	lab_exec wire ip link set dev "$port" mtu "${LAB_MTU:-1500}" up
}

# The link between an end and the router's device NUMBER, with the wire in between.
lab_wire_link()
{
	local name=$1 dev=$2 number=$3

	lab_pair router "veth$number" wire "wire$number"
	lab_pair "$name" "$dev" wire "tail$number"
	lab_exec wire ip link add "br$number" mtu "${LAB_MTU:-1500}" type bridge stp_state 0 mcast_snooping 0
	lab_wire_port "br$number" "wire$number"
	lab_wire_port "br$number" "tail$number"
	lab_exec wire ip link set dev "br$number" up
}

# lab_link NAME DEV NUMBER: connect an end with the router's device veth<NUMBER>.
lab_link()
{
	local name=$1 dev=$2 number=$3 end=${1#ns} family gateway

	if [[ ${LAB_WIRE:-0} == 1 ]]; then
		lab_wire_link "$name" "$dev" "$number"
	else
		lab_pair "$name" "$dev" router "veth$number"
	fi
	lab_port "$name" "$dev" "$(lab_end_mac "$end")"
	lab_port router "veth$number" "$(lab_router_mac "$number")"
	for family in 4 6; do
		gateway=$(lab_gateway "$family" "$end")
		lab_addr_add "$name" "$dev" "$(lab_addr "$family" "$end")/$((family == 4 ? 24 : 64))"
		lab_exec "$name" ip neigh add "$gateway" lladdr "$(lab_router_mac "$number")" dev "$dev"
		lab_exec "$name" ip "-$family" route add default via "$gateway"
		lab_router_route "$number" "$(lab_addr "$family" "$end")" "$(lab_end_mac "$end")" "$gateway"
	done
}

# lab_port NAME DEV MAC: one end of a link, up.
lab_port()
{
	lab_exec "$1" ip link set dev "$2" address "$3" mtu "${LAB_MTU:-1500}"
	lab_offload_off "$1" "$2"
	lab_exec "$1" ip link set dev "$2" up
}

# lab_addr_add NAME DEV ADDR/LEN: an address that can be used at once.
lab_addr_add()
{
	local nodad=

	[[ $3 != *:* ]] || nodad=nodad
	lab_exec "$1" ip addr add "$3" dev "$2" $nodad
}

# The router's end: its kernel knows the address, the route and the MAC at the other end.
lab_router_route()
{
	local dev=veth$1 addr=$2 mac=$3 own=$4 len=32

	[[ $addr != *:* ]] || len=128
	lab_addr_add router "$dev" "$own/$len"
	lab_exec router ip route add "$addr/$len" dev "$dev" src "$own"
	lab_exec router ip neigh add "$addr" lladdr "$mac" dev "$dev"
}

lab_client_up()
{
	lab_netns_add ns99
	lab_link ns99 veth99 100
	lab_stub_attach ns99 veth99
}

# lab_server_up NUMBER OF: one server of OF. The others are reached through the router too.
lab_server_up()
{
	local i=$1 count=$2 family other

	lab_netns_add "ns$i"
	lab_link "ns$i" "veth$i" $((100 + i))
	for family in 4 6; do
		lab_addr_add "ns$i" lo "$(lab_vip "$family")"
		for ((other = 1; other <= count; other++)); do
			((other != i)) || continue
			lab_exec "ns$i" ip neigh add "$(lab_addr "$family" "$other")" \
				lladdr "$(lab_router_mac $((100 + i)))" dev "veth$i"
		done
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
	lab_exec wire sysctl -qw net.bridge.bridge-nf-call-iptables=0 \
		net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null || true
}
