/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to a packet's headers, each with its checksum kept right incrementally (RFC 1624,
 * equation 3). The order of the calls does not matter.
 */
#ifndef ECMPER_REWRITE_H
#define ECMPER_REWRITE_H

#include "parse.h"

/* The header checksum after one 16-bit word changed. All in network order, as the sum allows (RFC 1071). */
static __always_inline __u16 checksum_update(__u16 check, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~check + (__u32)(__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static __always_inline void decrement_ttl(struct iphdr *ip)
{
	/* TTL is the upper byte of its word: the sum gains 0x0100 with an end-around carry. */
	__u32 sum = ip->check + (__u32)bpf_htons(0x0100);

	ip->check = sum + (sum >= 0xffff);
	ip->ttl--;
}

static __always_inline void set_tos(struct iphdr *ip, __u8 tos)
{
	__be16 *word = (__be16 *)ip;
	__be16 from = *word;

	ip->tos = tos;
	ip->check = checksum_update(ip->check, from, *word);
}

/* Destination and source MAC, twelve bytes one after the other, as three words: byte-wise copies cost. */
static __always_inline void set_macs(struct ethhdr *eth, const struct ecmper_link *link)
{
	__u32 *to = (__u32 *)eth;
	const __u32 *from = (const __u32 *)link;

	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	struct ecmper_link link;

	__builtin_memcpy(link.dst_mac, eth->h_source, ETH_ALEN);
	__builtin_memcpy(link.src_mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, link.dst_mac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, link.src_mac, ETH_ALEN);
}

#endif
