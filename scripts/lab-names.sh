# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of lab-lib.sh: names and addresses of the lab. Every end has a number, 1 to N for servers and
# 99 for the client, and an address of each family with this number as its last digits.
# shellcheck disable=SC2034 # variables for the caller

# lab_speak 4|6: the family that LAB_VIP and the variables here are of, and lab_server_addr.
# LAB_GHOST is beside the client; only hand-made packets come from it, no kernel answers for it.
lab_speak()
{
	LAB_FAMILY=$1
	LAB_VIP_NET=$(lab_vip "$1")
	LAB_VIP=${LAB_VIP_NET%/*}
	LAB_URL=http://$LAB_VIP
	[[ $1 == 4 ]] || LAB_URL=http://[$LAB_VIP]
	LAB_CLIENT=$(lab_addr "$1" 99)
	LAB_GHOST=$(lab_addr "$1" 98)
}

# The VIP of a family, as a prefix.
lab_vip()
{
	[[ $1 == 4 ]] && echo 10.0.10.0/32 || echo fd00:0:10::/128
}

# lab_addr FAMILY NUMBER: an end's address. Numbers above 90 are on the client's link.
lab_addr()
{
	local number=$2 net=0

	((number <= 90)) || net=1
	if [[ $1 == 4 ]]; then
		echo "10.0.$net.$number"
	else
		((net)) && echo "fd00:0:1::$number" || echo "fd00::$number"
	fi
}

# lab_gateway FAMILY NUMBER: the router's address on the link of that end.
lab_gateway()
{
	local addr

	addr=$(lab_addr "$@")
	echo "${addr%"$2"}100"
}

lab_server_addr()
{
	lab_addr "$LAB_FAMILY" "$1"
}

# 4 or 6, of an address or prefix.
lab_family_of()
{
	[[ $1 == *:* ]] && echo 6 || echo 4
}

# lab_endpoint ADDR PORT: both in one word.
lab_endpoint()
{
	[[ $1 == *:* ]] && echo "[$1]:$2" || echo "$1:$2"
}

# The path of a namespace: ns1.., ns99 (or client), router, wire.
lab_netns()
{
	local name=$1

	[[ $name != client ]] || name=ns99
	echo "/run/netns/$LAB-$name"
}

# The documents' MACs: the number of the namespace, read as two hexadecimal digits.
lab_end_mac()
{
	printf '02:03:04:05:06:%02d' "$1"
}

# The router's MAC on veth1XX.
lab_router_mac()
{
	printf '02:03:04:05:07:%02d' $(($1 - 100))
}

# The pin folder of ecmper in a namespace. Those without an instance see the router's.
lab_pin()
{
	case $1 in
	ns99 | client | router | wire) echo "$LAB_DIR/bpf/router" ;;
	*) echo "$LAB_DIR/bpf/$1" ;;
	esac
}

lab_server_count()
{
	cat "$LAB_DIR/servers"
}

lab_speak "${LAB_FAMILY:-4}"
