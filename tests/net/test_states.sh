#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whole states with IPv6, VLANs and hash-on: what is the same changes nothing, and what dump prints is
# the same.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

state()
{
	lab_base_config
	cat <<-STATE
		neigh add 10.0.0.50 lladdr 02:03:04:05:06:50 dev veth101 vlan 4094
		neigh add fd00::50 lladdr 02:03:04:05:06:50 dev veth101 vlan 1
		add 10.0.10.0/32 hash-on src via 10.0.0.1 via 10.0.0.50 weight 3
		add fd00:0:10::/128 hash-on src-dst depth 7 buckets 1024 via fd00::1 via fd00::2 weight 0
		add fd00:0:20::/48 hash modulo via fd00::2 via fd00::50
		add fd00:0:30::/128 via 10.0.0.1 via fd00::2
		add 10.0.30.0/32 via fd00::1 via fd00::50
		add ::/0 via fd00:0:1::99
	STATE
}

apply()
{
	lab_ctl apply "$1"
}

# What is in pinned maps (in those that are not too large to be printed).
content()
{
	local map

	for map in lpm lpm6 neigh_id neigh_mac; do
		bpftool -j map dump pinned "$(lab_pin router)/$map" | jq -cS 'sort'
	done | md5sum
}

lab_up 2
lab_ctl clear
state >"$LAB_DIR/state.conf"
apply "$LAB_DIR/state.conf" >/dev/null
generations=$(lab_generations) content=$(content)
check_is "the same file applied again reports no change" "# no change" "$(apply "$LAB_DIR/state.conf")"
check_is "and changes no generation" "$generations" "$(lab_generations)"
check_is "nor any map" "$content" "$(content)"

lab_ctl dump >"$LAB_DIR/dump.conf"
check "dump has the VLANs" grep -q '^neigh add fd00::50 .* vlan 1$' "$LAB_DIR/dump.conf"
check "and hash-on" grep -q '^add fd00:0:10::/128 .*hash-on src-dst' "$LAB_DIR/dump.conf"
check_is "what dump prints changes nothing" "# no change" "$(apply "$LAB_DIR/dump.conf")"
check_is "and no generation" "$generations" "$(lab_generations)"
lab_ctl clear
apply "$LAB_DIR/dump.conf" >/dev/null
check_is "after clear, it makes the same state anew" "$(cat "$LAB_DIR/dump.conf")" "$(lab_ctl dump)"
check "which forwards" lab_exec ns1 curl -sgf -m 5 -o /dev/null --interface fd00::1 "http://[fd00::2]/"

# said WORDS...: the first line of what ecmperctl says to them.
said()
{
	lab_ctl "$@" 2>&1 | head -1
}

check_is "a number with a sign is a wrong number, not an option" \
	"ecmperctl: expected a number from 0 to 10000, not '-1'" \
	"$(said add 10.0.10.0/32 via 10.0.0.1 weight -1 || true)"
check_is "options may stand between and behind words" "$(lab_ctl -j show 10.0.10.0/32)" \
	"$(lab_ctl show 10.0.10.0/32 -j)"
check_is "and words behind --" "$(lab_ctl show 10.0.10.0/32)" "$(lab_ctl show -- 10.0.10.0/32)"
check_is "a group is no prefix to spread" "ecmperctl: '224.0.0.1' is multicast: the kernel's to forward, nothing to be spread" \
	"$(said add 224.0.0.1 via 10.0.0.1 || true)"

generations=$(lab_generations)
check_fails "another hash-on is refused where connections would be lost" \
	lab_ctl add fd00:0:10::/128 hash-on 5tuple 2>/dev/null
sed 's/hash-on src-dst/hash-on 5tuple/' "$LAB_DIR/dump.conf" >"$LAB_DIR/other.conf"
check_fails "also by apply" lab_ctl apply "$LAB_DIR/other.conf" 2>/dev/null
check_is "and changes nothing" "$generations" "$(lab_generations)"
check_is "of what dump prints" "$(cat "$LAB_DIR/dump.conf")" "$(lab_ctl dump)"
