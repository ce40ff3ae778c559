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

static __always_inline __u8 get_ttl(const struct packet *pkt, const bool is_ipv6)
{
	return is_ipv6 ? pkt->ip6->hop_limit : pkt->ip->ttl;
}

static __always_inline void decrement_ttl(const struct packet *pkt, const bool is_ipv6)
{
	__u32 sum;

	if (is_ipv6) {
		pkt->ip6->hop_limit--;
		return;
	}
	/* TTL is the upper byte of its word: the sum gains 0x0100 with an end-around carry. */
	sum = pkt->ip->check + (__u32)bpf_htons(0x0100);
	pkt->ip->check = sum + (sum >= 0xffff);
	pkt->ip->ttl--;
}

/* IPv6's traffic class lies across the first two bytes, behind the version. */
#define IP6_CLASS 0x0ff0

static __always_inline __u8 get_tos(const struct packet *pkt, const bool is_ipv6)
{
	return is_ipv6 ? (bpf_ntohs(*(__be16 *)pkt->ip6) & IP6_CLASS) >> 4 : pkt->ip->tos;
}

static __always_inline void set_tos(const struct packet *pkt, __u8 tos, const bool is_ipv6)
{
	__be16 *word = is_ipv6 ? (__be16 *)pkt->ip6 : (__be16 *)pkt->ip;
	__be16 from = *word;

	if (is_ipv6) {
		*word = (from & bpf_htons((__u16)~IP6_CLASS)) | bpf_htons(tos << 4);
		return;
	}
	pkt->ip->tos = tos;
	pkt->ip->check = checksum_update(pkt->ip->check, from, *word);
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

/*
 * MACs, and the tag that the link wants, in place of the tags that the packet came with. The
 * priority bits of the outer tag stay. Resizes the packet: its pointers end here. False: there is
 * no room in front.
 */
static __always_inline bool set_link_with_tag(struct xdp_md *ctx, const struct packet *pkt,
					      const struct ecmper_link *link)
{
	int gone = (int)sizeof(struct vlan_tag) * ((int)pkt->vlan_tags - !!link->vlan);
	struct vlan_tag *tag;
	struct ethhdr *eth;

	if (gone && bpf_xdp_adjust_head(ctx, gone))
		return false;
	eth = (void *)(long)ctx->data;
	tag = (void *)(eth + 1);
	if ((void *)(tag + 1) > (void *)(long)ctx->data_end)
		return false;
	set_macs(eth, link);
	eth->h_proto = link->vlan ? bpf_htons(ETH_P_8021Q) : pkt->l3_proto;
	if (link->vlan) {
		tag->tci = bpf_htons(link->vlan) | (pkt->vlan_tci & bpf_htons((__u16)~VLAN_ID));
		tag->proto = pkt->l3_proto;
	}
	return true;
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
