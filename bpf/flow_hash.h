/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keyed flow hash, shared by the router program and by user space (`ecmperctl trace`), so
 * that both find the same bucket; and where things stand in the exact-match maps. Pure arithmetic,
 * no kernel interface.
 *
 * The sum of products (k[2i] + w[2i]) * (k[2i+1] + w[2i+1]) over 32-bit words with 64-bit random
 * keys is after Lemire and Kaser ("Strongly universal string hashing is fast", 2014), whose family
 * has a proof: without the key, two flows meet by chance only, whatever the sender chooses. The
 * proof is about their sum of products; folding and one more keyed multiplication come behind it
 * here, to break the linear steps that the sums of neighbouring ports would take through the
 * table, and no proof is claimed for the whole (test_router_spread.c looks at it). The products do
 * not depend on each other, so they overlap in the CPU.
 */
#ifndef ECMPER_FLOW_HASH_H
#define ECMPER_FLOW_HASH_H

#include "ecmper_abi.h"

/* Hash of one IPv4 flow. Addresses and ports as they stand in the packet; `ports` is the first
 * four bytes of TCP or UDP, 0 where there are none. */
static inline __attribute__((always_inline)) __u32
ecmper_flow_hash4(const volatile struct ecmper_hash_key *key, __be32 saddr, __be32 daddr,
		  __be32 ports, __u8 proto)
{
	__u64 sum = (key->word[0] + saddr) * (key->word[1] + daddr) +
		    (key->word[2] + ports) * (key->word[3] + proto);

	sum ^= sum >> 32;
	return (sum * (key->word[4] | 1)) >> 32;
}

/* The same for IPv6: ten words, five products. */
static inline __attribute__((always_inline)) __u32
ecmper_flow_hash6(const volatile struct ecmper_hash_key *key, const struct ecmper_addr *src,
		  const struct ecmper_addr *dst, __be32 ports, __u8 proto)
{
	__u64 sum = (key->word[0] + src->word[0]) * (key->word[1] + src->word[1]) +
		    (key->word[2] + src->word[2]) * (key->word[3] + src->word[3]) +
		    (key->word[5] + dst->word[0]) * (key->word[6] + dst->word[1]) +
		    (key->word[7] + dst->word[2]) * (key->word[8] + dst->word[3]) +
		    (key->word[9] + ports) * (key->word[10] + proto);

	sum ^= sum >> 32;
	return (sum * (key->word[4] | 1)) >> 32;
}

/*
 * Where a host prefix would like to stand in `vip`, as a slot counted from the first line on: when
 * that is taken, it is another slot of the same line. By the upper bits of a product, because only
 * they depend on every bit of the address; neighbouring addresses get different lines.
 * `shift`: ecmper_vip_shift() of the number of lines, which is a power of two.
 */
static inline __attribute__((always_inline)) __u32 ecmper_vip_home4(__be32 addr, __u32 shift)
{
	return addr * 0x9e3779b1u >> shift;
}

static inline __attribute__((always_inline)) __u32 ecmper_vip_shift(__u32 lines)
{
	return 32 - __builtin_ctz(lines * ECMPER_VIP_SLOTS);
}

/* The same in `vip6`. `lines`: of that map. */
static inline __attribute__((always_inline)) __u32 ecmper_vip_home6(const struct ecmper_addr *addr,
								    __u32 lines)
{
	__u64 upper = (__u64)addr->word[1] << 32 | addr->word[0];
	__u64 lower = (__u64)addr->word[3] << 32 | addr->word[2];
	__u64 mixed = (upper ^ lower * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;

	return (mixed >> 32) * (lines * ECMPER_VIP6_SLOTS) >> 32;
}

/* A slot of own_macs: the first four and the last two bytes of a MAC as they stand in the frame, and a bit
 * that no empty slot has, because there is a MAC of zeros, too. */
static inline __attribute__((always_inline)) __u64 ecmper_own_mac_slot(__u32 first, __u16 last)
{
	return 1ull << 48 | (__u64)last << 32 | first;
}

/* Its line, of 256: by a byte of the two, the last one where the low byte stands first. */
static inline __attribute__((always_inline)) __u32 ecmper_own_mac_line(__u64 slot)
{
	return (slot >> 40) & 0xff;
}

#endif
