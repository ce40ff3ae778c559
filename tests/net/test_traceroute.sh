#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# traceroute to a VIP shows the router once, as the address of its device, then the VIP; also when packets
# are bounced. The router's kernel forwards nothing and has no route to the VIP.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# trace WORDS...: the addresses on the way, in one line.
trace()
{
	lab_exec ns99 traceroute "-$LAB_FAMILY" -n -w 2 -q 1 -m 4 "$@" "$LAB_VIP" |
		awk 'NR > 1 { way = way (NR > 2 ? " " : "") $2 } END { print way }'
}

run()
{
	local router
	router=$([[ $LAB_FAMILY == 4 ]] && echo 10.0.1.100 || echo fd00:0:1::100)

	check_is "IPv$LAB_FAMILY, $1: TCP" "$router $LAB_VIP" "$(trace -T -p 80)"
	check_is "IPv$LAB_FAMILY, $1: UDP" "$router $LAB_VIP" "$(trace)"
	check_is "IPv$LAB_FAMILY, $1: ICMP" "$router $LAB_VIP" "$(trace -I)"
}

lab_up 2
for family in 4 6; do
	lab_speak "$family"
	lab_apply 1
	run "one server"
	lab_apply 2 # server 2 sends datagrams that no socket takes back once
	run "after a change"
done
check "the router answered" test "$(lab_reason ttl)" -ge 12
for counter in IcmpOutTimeExcds Icmp6OutTimeExcds; do
	check_is "its kernel did not: $counter" 0 "$(lab_kernel router "$counter")"
done

# Another source, and as many as it may.
lab_exec router ecmper-loader router up --dev veth100 --icmp-source 192.0.2.1 --icmp-source 2001:db8::1 \
	--icmp-rate 1 >/dev/null
lab_speak 4
check_is "--icmp-source, IPv4" "192.0.2.1 $LAB_VIP" "$(trace -I)"
lab_speak 6
check_is "--icmp-source, IPv6" "2001:db8::1 $LAB_VIP" "$(trace -I)"
answered=$(lab_reason ttl)
lab_exec ns99 ping -6 -q -t 1 -f -c 500 "$LAB_VIP" >/dev/null || true
check "a flood is answered no more often than --icmp-rate allows" test \
	$(($(lab_reason ttl) - answered)) -le $((50 * $(nproc) + 30))
check "the rest is counted" test "$(lab_reason icmp_limit)" -gt 0
check_fails "an --icmp-source that is no address is refused" \
	quietly lab_exec router ecmper-loader router up --dev veth100 --icmp-source here
