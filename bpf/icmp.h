/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors: the flow that they are about. An error quotes a packet that this side sent, so its
 * addresses and ports are those of the flow turned round. Eight bytes of the quoted packet's
 * payload are there at least (RFC 792), of which the ports are four.
 */
#ifndef ECMPER_ICMP_H
#define ECMPER_ICMP_H

#include "parse.h"

/* Both families begin alike. (linux/icmp.h wants a libc.) */
struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
};

enum icmp4_error { DEST_UNREACH = 3, SOURCE_QUENCH = 4, TIME_EXCEEDED = 11, PARAMETER = 12 };
enum icmp6_error { /* RFC 4443: 1 to 4 are in use */
		   DEST_UNREACH6 = 1,
		   PACKET_TOO_BIG6 = 2,
		   TIME_EXCEEDED6 = 3,
		   PARAMETER6 = 4
};
enum icmp6_link { LISTENER_QUERY6 = 130, REDIRECT6 = 137, LISTENER_REPORT6_V2 = 143 };

static __always_inline bool is_icmp_error(__u8 type, const bool is_ipv6)
{
	if (is_ipv6)
		return type >= DEST_UNREACH6 && type <= PARAMETER6;
	return type == DEST_UNREACH || type == SOURCE_QUENCH || type == TIME_EXCEEDED ||
	       type == PARAMETER;
}

/* Is it what a link's hosts and routers tell each other: neighbours, routers, redirects, listeners of
 * multicast (RFC 4861, 2710, 3810)? */
static __always_inline bool is_discovery(const struct packet *pkt)
{
	const struct icmp_header *icmp = pkt->l4;

	if (likely(pkt->proto != IPPROTO_ICMPV6) || pkt->is_later_part ||
	    pkt->l4_bytes < sizeof(*icmp) || (void *)(icmp + 1) > pkt->end)
		return false;
	return (icmp->type >= LISTENER_QUERY6 && icmp->type <= REDIRECT6) ||
	       icmp->type == LISTENER_REPORT6_V2;
}

/* Source and destination port change places. */
static __always_inline __be32 turn_ports(__be32 ports)
{
	return ports << 16 | ports >> 16;
}

/* `left`: bytes of the quoted packet from l4 on. */
static __always_inline bool read_quoted_ports(struct flow *flow, const void *l4, __u32 left,
					      const void *end)
{
	flow->ports = 0;
	if (!has_ports(flow->proto))
		return true;
	if (left < 4 || l4 + 4 > end)
		return false;
	flow->ports = turn_ports(*(const __be32 *)l4);
	return true;
}

static __always_inline bool read_quoted4(const struct packet *pkt, struct flow *flow)
{
	const struct iphdr *quoted = pkt->l4 + sizeof(struct icmp_header);
	__u32 left = pkt->l4_bytes - sizeof(struct icmp_header), header_len;

	if ((void *)(quoted + 1) > pkt->end)
		return false;
	header_len = ip_header_len(quoted);
	if (!header_len || left < header_len || quoted->frag_off & bpf_htons(IP_OFFSET) ||
	    quoted->saddr != pkt->ip->daddr)
		return false;
	flow->src = addr_from_ipv4(quoted->daddr);
	flow->dst = addr_from_ipv4(quoted->saddr);
	flow->proto = quoted->protocol;
	return read_quoted_ports(flow, (void *)quoted + header_len, left - header_len, pkt->end);
}

static __always_inline bool read_quoted6(struct xdp_md *ctx, const struct packet *pkt,
					 struct flow *flow)
{
	const struct ipv6hdr *quoted = pkt->l4 + sizeof(struct icmp_header);
	const void *l4 = quoted + 1;
	struct extensions walk = {
		.offset = l4 - (void *)pkt->eth,
		.left = pkt->l4_bytes - sizeof(struct icmp_header) - sizeof(*quoted),
	};
	struct ecmper_addr to = addr_from_ipv6(&pkt->ip6->daddr);

	if (l4 > pkt->end || pkt->l4_bytes < sizeof(struct icmp_header) + sizeof(*quoted) ||
	    quoted->version != 6)
		return false;
	flow->src = addr_from_ipv6(&quoted->daddr);
	flow->dst = addr_from_ipv6(&quoted->saddr);
	if (!is_same_addr(&flow->dst, &to))
		return false;
	walk.nexthdr = quoted->nexthdr;
	if (is_extension(walk.nexthdr)) {
		if (walk_extensions(ctx, &walk) || walk.is_later_part ||
		    walk.offset > MAX_L4_OFFSET)
			return false;
		l4 = (void *)(long)ctx->data + walk.offset;
	}
	flow->proto = walk.nexthdr;
	return read_quoted_ports(flow, l4, walk.left, pkt->end);
}

/* Is the packet an ICMP error about a flow that comes to its destination? *flow: which, if so; else it
 * may be half of one. */
static __always_inline bool read_quoted_flow(struct xdp_md *ctx, const struct packet *pkt,
					     struct flow *flow, const bool is_ipv6)
{
	const struct icmp_header *icmp = pkt->l4;

	if (pkt->proto != (is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) || pkt->is_fragment ||
	    pkt->l4_bytes < sizeof(*icmp) || (void *)(icmp + 1) > pkt->end ||
	    !is_icmp_error(icmp->type, is_ipv6))
		return false;
	flow->is_quoted = true;
	return is_ipv6 ? read_quoted6(ctx, pkt, flow) : read_quoted4(pkt, flow);
}

#endif
