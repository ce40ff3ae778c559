/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to named fields, for both programs. Only this file knows where a header starts.
 * The fields keep network byte order (__be types); pointers stay valid until the packet is resized.
 */
#ifndef ECMPER_PARSE_H
#define ECMPER_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "ecmper_abi.h"

#define IP_MF       0x2000
#define IP_OFFSET   0x1fff

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct packet {
	struct ethhdr *eth;
	struct iphdr *ip;
	void *l4;           /* first byte after the IP header */
	void *end;          /* one past the last readable byte */
	__u32 bytes;        /* of the frame, without padding and trailers */
	__u32 l4_bytes;     /* from l4 to the end of the datagram */
	__be32 ports;       /* source and destination port, 0 where the protocol has none */
	bool is_fragment;   /* first or later: a part of a datagram */
	bool is_later_part; /* a fragment without the layer-4 header */
};

enum parse_result { PARSE_OK, PARSE_NOT_IP, PARSE_NOT_UNICAST, PARSE_BAD_HEADER };

static __always_inline bool has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Read whole: the compiler takes a field of a packed structure apart into bytes. */
static __always_inline __be16 eth_proto(const struct ethhdr *eth)
{
	return *(const __be16 *)((const void *)eth + offsetof(struct ethhdr, h_proto));
}

/* Bytes of the IP header, 0 when it is none of IPv4. Most have no options: one compare tells. */
static __always_inline __u32 ip_header_len(const struct iphdr *ip)
{
	__u8 first = *(const __u8 *)ip;

	if (likely(first == 0x45))
		return sizeof(*ip);
	return first >> 4 == 4 && (first & 15) > 5 ? (first & 15) * 4 : 0;
}

/* Ethernet and IPv4, checked against the frame and against each other (RFC 791; RFC 1812, 5.2.2). */
static __always_inline enum parse_result parse(struct xdp_md *ctx, struct packet *pkt)
{
	void *data = (void *)(long)ctx->data;
	__u32 header_len, total_len;
	__be16 frag_off;

	pkt->end = (void *)(long)ctx->data_end;
	pkt->bytes = pkt->end - data;
	pkt->eth = data;
	pkt->ip = data + sizeof(*pkt->eth);
	if (unlikely((void *)(pkt->ip + 1) > pkt->end))
		return (void *)(pkt->eth + 1) <= pkt->end &&
				       eth_proto(pkt->eth) == bpf_htons(ETH_P_IP)
			       ? PARSE_BAD_HEADER
			       : PARSE_NOT_IP;
	if (eth_proto(pkt->eth) != bpf_htons(ETH_P_IP))
		return PARSE_NOT_IP;
	if (unlikely(pkt->eth->h_dest[0] & 1))
		return PARSE_NOT_UNICAST;

	header_len = ip_header_len(pkt->ip);
	total_len = bpf_ntohs(pkt->ip->tot_len);
	if (unlikely(!header_len || total_len < header_len))
		return PARSE_BAD_HEADER;
	/* Only where fragments of the frame follow is the frame longer than what is readable here. */
	if (unlikely(total_len + sizeof(*pkt->eth) > pkt->bytes) &&
	    total_len + sizeof(*pkt->eth) > bpf_xdp_get_buff_len(ctx))
		return PARSE_BAD_HEADER;
	pkt->bytes = total_len + sizeof(*pkt->eth);
	pkt->l4_bytes = total_len - header_len;
	pkt->l4 = (void *)pkt->ip + header_len;

	frag_off = pkt->ip->frag_off & bpf_htons(IP_MF | IP_OFFSET);
	if (unlikely(frag_off)) {
		pkt->is_fragment = true;
		pkt->is_later_part = frag_off & bpf_htons(IP_OFFSET);
		return PARSE_OK;
	}
	if (likely(has_ports(pkt->ip->protocol))) {
		if (unlikely(total_len < header_len + 4 || pkt->l4 + 4 > pkt->end))
			return PARSE_BAD_HEADER;
		pkt->ports = *(__be32 *)pkt->l4;
	}
	return PARSE_OK;
}

/* The destination as a key of an LPM map: longest match of its 32 bits. */
static __always_inline struct ecmper_lpm_key lpm_key(__be32 daddr)
{
	struct ecmper_lpm_key key = {.prefixlen = 32};

	__builtin_memcpy(key.addr, &daddr, sizeof(daddr));
	return key;
}

/* The TCP header, or NULL where it is not whole in the frame's readable part. */
static __always_inline const struct tcphdr *tcp_header(const struct packet *pkt)
{
	const struct tcphdr *tcp = pkt->l4;

	return pkt->l4_bytes >= sizeof(*tcp) && (const void *)(tcp + 1) <= pkt->end ? tcp : NULL;
}

#endif
