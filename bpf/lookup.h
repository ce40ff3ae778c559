/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Map lookup for the packet path. The verifier turns an array lookup into plain loads only where
 * it sees one constant map at the call; the compiler likes to join the ends of two branches into
 * one call for either map, which costs 11 ns a packet or is refused. Naming the map in an empty
 * asm statement behind the call makes no two lookups alike.
 */
#ifndef ECMPER_LOOKUP_H
#define ECMPER_LOOKUP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "ecmper_abi.h"

#define map_lookup(map, key)                                                                       \
	({                                                                                         \
		void *found = bpf_map_lookup_elem(&(map), key);                                    \
		asm volatile("/* " ECMPER_STR(map) " */" : "+r"(found));                           \
		found;                                                                             \
	})

#endif
