/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that the router and the server program each have one of, alike. Sizes are set by the
 * loader.
 */
#ifndef ECMPER_SHARED_MAPS_H
#define ECMPER_SHARED_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "ecmper_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ecmper_config);
} ECMPER_MAP_CONFIG SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ECMPER_OWN_MAC_LINES);
	__type(key, __u32);
	__type(value, struct ecmper_own_mac_line);
} ECMPER_MAP_OWN_MACS SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct ecmper_fragment_key);
	__type(value, struct ecmper_fragment);
} ECMPER_MAP_FRAGMENTS SEC(".maps");

#endif
