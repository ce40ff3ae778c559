#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Echo requests to the VIP are answered, each once, by the one server that trace says.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# The servers whose kernels have seen echo requests, each with its count.
asked()
{
	local i count

	for ((i = 1; i <= $(lab_server_count); i++)); do
		count=$(lab_kernel "ns$i" "$1")
		((count == 0)) || echo "ns$i $count"
	done
}

# run PROTO COUNTER
run()
{
	local owner

	owner=$(lab_ctl -j trace "$1" "$LAB_CLIENT" "$LAB_VIP" | jq -r '.hops[0].address')
	check_is "IPv$LAB_FAMILY: 20 echo requests have 20 answers" "sent 20 answers 20" \
		"$(lab_exec ns99 echoes "$LAB_VIP" 20)"
	check_is "IPv$LAB_FAMILY: by the server that trace says" "ns${owner##*[.:]} 20" "$(asked "$2")"
}

lab_up 4
lab_exec ns99 sysctl -qw net.ipv4.ping_group_range="0 0"
run icmp IcmpInEchos
lab_speak 6
run icmp6 Icmp6InEchos
