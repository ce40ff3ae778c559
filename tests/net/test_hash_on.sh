#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What chooses a flow's server: hash-on 5tuple, src and src-dst.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

CLIENTS=12

client_addr()
{
	lab_addr "$LAB_FAMILY" $((100 + $1))
}

clients_config()
{
	local i

	for ((i = 1; i <= CLIENTS; i++)); do
		echo "neigh add $(client_addr "$i") lladdr $(lab_end_mac 99) dev veth100"
	done
}

# The servers that a client's connections meet, in a line.
servers_of()
{
	local i

	for ((i = 0; i < $2; i++)); do
		lab_exec ns99 curl -sg --interface "$1" "$LAB_URL/"
	done | sort -u | tr '\n' ' '
}

# A server each, for all clients.
servers_of_all()
{
	local i

	for ((i = 1; i <= CLIENTS; i++)); do
		servers_of "$(client_addr "$i")" 1
		echo
	done | sort -u | wc -l
}

hash_on()
{
	lab_ctl del "$LAB_VIP_NET" >/dev/null
	lab_route "$LAB_VIP_NET hash-on $1" 1 2 3 4 | lab_ctl batch - >/dev/null
}

client_up()
{
	lab_addr_add ns99 veth99 "$(client_addr "$1")/$([[ $LAB_FAMILY == 4 ]] && echo 24 || echo 64)"
}

run()
{
	local name="IPv$LAB_FAMILY, hash-on src:" first owner

	for ((i = 1; i <= CLIENTS; i++)); do
		client_up "$i"
	done
	first=$(client_addr 1)
	check "IPv$LAB_FAMILY, hash-on 5tuple: 20 connections of one client meet several servers" \
		test "$(servers_of "$first" 20 | wc -w)" -gt 3
	hash_on src
	owner=$(lab_owner_number tcp "$first" 1 80)
	check_is "$name 20 connections of one client meet the one that trace says" \
		"Hello from ns$owner " "$(servers_of "$first" 20)"
	check "$name several clients meet several servers" test "$(servers_of_all)" -gt 1
	check_is "$name the client's UDP goes there, too" "$owner" "$(lab_owner_number udp "$first" 5 7)"
	hash_on src-dst
	check_is "IPv$LAB_FAMILY, hash-on src-dst: 20 connections of one client meet the one that trace says" \
		"Hello from ns$(lab_owner_number tcp "$first" 1 80) " "$(servers_of "$first" 20)"
	check "IPv$LAB_FAMILY, hash-on src-dst: several clients meet several servers" test "$(servers_of_all)" -gt 1
}

LAB_EXTRA="$(clients_config)
$(lab_speak 6 && clients_config)"
export LAB_EXTRA
lab_up 4
for family in 4 6; do
	lab_speak "$family"
	run
done
