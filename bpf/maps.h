/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of the router program, and the one-line lookups into them. Sizes are the defaults of
 * ecmper-loader; it sets the real ones before loading. Map names come from ecmper_abi.h.
 */
#ifndef ECMPER_MAPS_H
#define ECMPER_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "ecmper_abi.h"
#include "lookup.h"
#include "shared_maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct ecmper_lpm_key);
	__type(value, struct ecmper_prefix);
} ECMPER_MAP_LPM SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct ecmper_lpm6_key);
	__type(value, struct ecmper_prefix);
} ECMPER_MAP_LPM6 SEC(".maps");

#define ECMPER_MMAPABLE_ARRAY(name, value_type)                                                    \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_VIP, struct ecmper_vip_line);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_VIP6, struct ecmper_vip6_line);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_CUR_NH, struct ecmper_nh_line);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_PRV_NH, struct ecmper_nh_line);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_MEMBERS, struct ecmper_member);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_ALLOC, struct ecmper_alloc);
ECMPER_MMAPABLE_ARRAY(ECMPER_MAP_NEIGH, struct ecmper_neigh);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct ecmper_range_key);
	__type(value, struct ecmper_range);
} ECMPER_MAP_RANGES SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ecmper_hop);
	__type(value, __u32);
} ECMPER_MAP_NEIGH_ID SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ecmper_mac);
	__type(value, __u32);
} ECMPER_MAP_NEIGH_MAC SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ECMPER_MAP_TX_PORTS SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ECMPER_ICMP_SOURCES_MAX);
	__type(key, __u32);
	__type(value, struct ecmper_icmp_source);
} ECMPER_MAP_ICMP_SOURCE SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ecmper_icmp_work);
} ECMPER_MAP_ICMP_WORK SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ROUTER_REASONS);
	__type(key, __u32);
	__type(value, struct ecmper_counter);
} ECMPER_MAP_COUNTERS SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ecmper_nh_reasons);
} ECMPER_MAP_NH_COUNTERS SEC(".maps");

/*
 * The id in one slot of cur_nh or prv_nh, 0 beyond its end. A macro, because the map must be a
 * constant at the lookup.
 */
#define nh_at(map, slot)                                                                           \
	({                                                                                         \
		__u32 line_index = (slot) / ECMPER_LINE_SLOTS;                                     \
		const struct ecmper_nh_line *line = map_lookup(map, &line_index);                  \
		line ? line->nh[(slot) % ECMPER_LINE_SLOTS] : 0;                                   \
	})

#endif
