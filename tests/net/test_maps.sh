#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Pinned maps explain themselves: bpftool prints named fields.
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# names MAP FIELD...: the dump of a pinned map starts with an element that has these fields.
names()
{
	local map=$1 field

	shift
	bpftool map dump pinned "$map" 2>/dev/null | head -n 60 >"$LAB_DIR/dump" || true
	for field in "$@"; do
		grep -q "\"$field\": " "$LAB_DIR/dump" || return 1
	done
}

lab_up 2
router=$(lab_pin router)
server=$(lab_pin ns2)/server
lab_exec ns99 curl -s -o /dev/null "$LAB_URL/"
# In fragments, to a port that nobody listens on: server 2 sends them back to its predecessor.
lab_apply 1
lab_apply 2
lab_exec ns99 message send "$LAB_VIP" 9 20000 3000
check "lpm: fields have names" names "$router/lpm" cur_nh_offset cur_nh_count prv_nh_offset prv_nh_count generation
check "lpm6: fields have names" names "$router/lpm6" cur_nh_offset prv_nh_offset generation hash_on
check "cur_nh: fields have names" names "$router/cur_nh" nh
check "prv_nh: fields have names" names "$router/prv_nh" nh
check "neigh: fields have names" names "$router/neigh" dst_mac src_mac port vlan live
check "neigh_id: fields have names" names "$router/neigh_id" key value
check "neigh_mac: fields have names" names "$router/neigh_mac" byte value
check "members: fields have names" names "$router/members" nh weight origin
check "vip: fields have names" names "$router/vip" slot
check "vip6: fields have names" names "$router/vip6" slot addr table
check "fragments: fields have names" names "$router/fragments" src dst id ports
check "ranges: fields have names" names "$router/ranges" hash region items offset refs
check "own_macs: fields have names" names "$router/own_macs" slot
check "a server's own_macs: fields have names" names "$server/own_macs" slot
check "icmp_source: fields have names" names "$router/icmp_source" ipv4 ipv6
check "icmp_work: fields have names" names "$router/icmp_work" due_ns packet
check "alloc: fields have names" names "$router/alloc" used resting
check "counters: fields have names" names "$router/counters" packets bytes
check "nh_counters: fields have names" names "$router/nh_counters" reason packets bytes
check "config: fields have names" names "$router/config" abi_version mark hash_key
check "a server's config: fields have names" names "$server/config" abi_version role
check "a server's vips: fields have names" names "$server/vips" prefixlen addr
check "a server's vips6: fields have names" names "$server/vips6" prefixlen addr
check "a server's fragments: fields have names" names "$server/fragments" src dst id proto
check "a server's counters: fields have names" names "$server/counters" packets bytes
known=" lpm cur_nh prv_nh neigh neigh_id neigh_mac members vip ranges alloc counters nh_counters config vips "
known+="lpm6 vip6 vips6 fragments own_macs icmp_source icmp_work "
for file in "$router"/* "$server"/*; do
	name=${file##*/}
	# The kernel takes no BTF for a devmap.
	[[ $name != tx_ports ]] || continue
	bpftool map show pinned "$file" >/dev/null 2>&1 || continue
	check "${file#"$LAB_DIR/bpf/"} is one of the maps above" test "$known" != "${known/ $name /}"
done
