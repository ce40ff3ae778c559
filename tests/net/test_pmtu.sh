#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The path's MTU: an ICMP error about a flow reaches the server that has the flow, also when the flow's
# bucket has another owner by now; and what is too large for the router's own next hop is answered by
# the router program: its kernel forwards nothing, and has no route to the VIPs.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# A client behind the client: ns97, through ns99, whose device towards it takes 1400 bytes.
far_addr()
{
	[[ $1 == 4 ]] && echo "10.0.2.$2" || echo "fd00:0:2::$2"
}

far_up()
{
	local family

	lab_netns_add ns97
	lab_pair ns97 far ns99 near
	lab_port ns97 far 02:03:04:05:08:01
	lab_port ns99 near 02:03:04:05:08:02
	lab_exec ns99 ip link set dev near mtu 1400
	for family in 4 6; do
		lab_addr_add ns97 far "$(far_addr "$family" 97)/$((family == 4 ? 24 : 64))"
		lab_addr_add ns99 near "$(far_addr "$family" 99)/$((family == 4 ? 24 : 64))"
		lab_exec ns97 ip "-$family" route add default via "$(far_addr "$family" 99)"
	done
	forwarding_on ns99
}

forwarding_on()
{
	lab_exec "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# path_mtu NAME ADDR: what the kernel there has learnt; - when nothing.
path_mtu()
{
	lab_exec "$1" ip route get "$2" | grep -o 'mtu [0-9]*' || echo -
}

# Errors that the kernel of a server got.
errors_of()
{
	lab_kernel "$1" "$([[ $LAB_FAMILY == 4 ]] && echo IcmpInDestUnreachs || echo Icmp6InPktTooBigs)"
}

# A connection with server 1, which then is server 2's by the table.
open_and_move()
{
	lab_apply 1
	lab_connection_open "$1" "$2"
	if [[ $2 == 80 ]]; then
		lab_get /
		lab_wait 5 lab_has_hello
	fi
	lab_apply 2
}

# The server that an ICMP packet of the client belongs to by its own addresses.
icmp_owner()
{
	local owner

	owner=$(lab_ctl -j trace "$([[ $LAB_FAMILY == 4 ]] && echo icmp || echo icmp6)" "$LAB_CLIENT" "$LAB_VIP" |
		jq -r '.hops[0].address')
	echo "${owner##*[.:]}"
}

# The error's own addresses lead from server 2 to another server than the flow's: 1 or 3.
small_link_on_the_way()
{
	local name="IPv$LAB_FAMILY, small link behind the client:" far owner other noted

	far=$(far_addr "$LAB_FAMILY" 97)
	LAB_FROM=ns97
	lab_ctl clear
	lab_apply 1 3
	other=$(icmp_owner)
	owner=$((4 - other))
	lab_connection_open "$(lab_choose_port tcp "$far" 80 "4${LAB_FAMILY}100" "$owner")" 80
	lab_get /
	lab_wait 5 lab_has_hello
	lab_apply 2
	noted=$(lab_reason icmp_error)
	check "$name a moved connection transfers 1 MB" lab_download
	check_is "$name its server has learnt the MTU" "mtu 1400" "$(path_mtu "ns$owner" "$far")"
	check_is "$name the bucket's new owner has not" "-" "$(path_mtu ns2 "$far")"
	check "$name its server's kernel got the error" test "$(errors_of "ns$owner")" -gt 0
	check_is "$name the new owner's kernel did not" 0 "$(errors_of ns2)"
	check_is "$name nor any other's" 0 "$(errors_of "ns$other")"
	check "$name the router noted it, on its way there and back" test $(($(lab_reason icmp_error) - noted)) -ge 2
	lab_connection_close
	LAB_FROM=ns99
}

small_link_to_client()
{
	local name="IPv$LAB_FAMILY, router's device to the client too small:"

	open_and_move "4${LAB_FAMILY}001" 80
	before=$(lab_reason too_big)
	check "$name a moved connection transfers 1 MB" lab_download
	check "$name what was too large was counted" test "$(lab_reason too_big)" -gt "$before"
	check_is "$name the connection's server has learnt the MTU" "mtu 1400" "$(path_mtu ns1 "$LAB_CLIENT")"
	lab_connection_close
}

small_link_to_server()
{
	local name="IPv$LAB_FAMILY, router's device to the server too small:"

	lab_apply 1
	lab_sink ns1 9000
	lab_connection_open "4${LAB_FAMILY}002" 9000
	before=$(lab_reason too_big)
	check "$name an upload of 1 MB arrives" lab_upload ns1
	check "$name what was too large was counted" test "$(lab_reason too_big)" -gt "$before"
	check_is "$name the client has learnt the MTU" "mtu 1400" "$(path_mtu ns99 "$LAB_VIP")"
	lab_connection_close
}

# Datagrams that may be cut: nobody but the sender can do it, and it does once it is told.
may_be_cut()
{
	local name="IPv4, router's device to the server too small, a datagram that may be cut:"

	lab_exec ns99 ip route flush cache
	large_ping
	check_is "$name the client has learnt the MTU" "mtu 1400" "$(path_mtu ns99 "$LAB_VIP")"
	check_is "$name it had not arrived" 0 "$(lab_kernel ns1 IpReasmOKs)"
	large_ping
	check_is "$name the next arrives, in parts" 1 "$(lab_kernel ns1 IpReasmOKs)"
}

# The answer is lost: it is too large for the router's device.
large_ping()
{
	lab_exec ns99 ping -q -M dont -s 1450 -c 1 -W 1 "$LAB_VIP" >/dev/null || true
}

LAB_EXTRA="add 10.0.2.0/24 via 10.0.1.99
add fd00:0:2::/64 via fd00:0:1::99"
export LAB_EXTRA
lab_up 3
far_up
for family in 4 6; do
	lab_speak "$family"
	small_link_on_the_way
done

lab_exec router ip link set dev veth100 mtu 1400
for family in 4 6; do
	lab_speak "$family"
	small_link_to_client
done
lab_exec router ip link set dev veth100 mtu 1500
lab_exec router ip link set dev veth101 mtu 1400
lab_exec ns1 ip route flush cache # else it asks the client for small segments
lab_exec ns1 ip -6 route flush cache
for family in 4 6; do
	lab_speak "$family"
	small_link_to_server
done
lab_speak 4
may_be_cut
for counter in IpForwDatagrams Ip6OutForwDatagrams IcmpOutDestUnreachs Icmp6OutPktTooBigs; do
	check_is "the router's kernel had nothing to do with it: $counter" 0 "$(lab_kernel router "$counter")"
done
