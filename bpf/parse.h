/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to named fields, for both programs. Only this file and icmp.h know where a header
 * starts. Fields keep network byte order (__be types); pointers stay valid until the packet is
 * resized. The two families are parsed by two functions, and what follows is compiled once for
 * each, so that the plain IPv4 path pays nothing for the other.
 */
#ifndef ECMPER_PARSE_H
#define ECMPER_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "ecmper_abi.h"
#include "flow_hash.h"
#include "lookup.h"
#include "shared_maps.h"

#define IP_DF            0x4000
#define IP_MF            0x2000
#define IP_OFFSET        0x1fff
#define IP6_MF           0x0001
#define IP6_OFFSET       0xfff8
#define MAX_VLAN_TAGS    2
#define MAX_EXT_HEADERS  8
#define MAX_L4_OFFSET    2048
#define VLAN_ID          0x0fff

#define NEXTHDR_HOP      0
#define NEXTHDR_ROUTING  43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH     51
#define NEXTHDR_DEST     60
#define NEXTHDR_MOBILITY 135

#ifndef likely /* newer libbpf has them */
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

struct vlan_tag {
	__be16 tci;
	__be16 proto; /* of what follows */
};

struct ip6_fragment {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

struct packet {
	struct ethhdr *eth;
	union {
		struct iphdr *ip;
		struct ipv6hdr *ip6;
	};
	void *l4;           /* first byte after the IP header and its extensions */
	void *end;          /* one past the last readable byte */
	__u32 bytes;        /* of the frame, without padding and trailers */
	__u32 ip_bytes;     /* of these, from the IP header on */
	__u32 l4_bytes;     /* of these, from l4 on */
	__u32 vlan_tags;    /* 0 to MAX_VLAN_TAGS */
	__be16 vlan_tci;    /* of the outer one */
	__be16 l3_proto;    /* as behind the last tag */
	__be32 ports;       /* source and destination port, 0 where the protocol has none */
	__u32 fragment_id;  /* of a fragment, as it stands in the header */
	__u8 proto;         /* layer 4 */
	bool is_fragment;   /* first or later: a part of a datagram */
	bool is_later_part; /* a fragment without the layer-4 header */
};

enum parse_result { PARSE_OK, PARSE_NOT_IP, PARSE_NOT_UNICAST, PARSE_NOT_MINE, PARSE_BAD_HEADER };

static __always_inline bool has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Read whole: the compiler takes a field of a packed structure apart into bytes. */
static __always_inline __be16 eth_proto(const struct ethhdr *eth)
{
	return *(const __be16 *)((const void *)eth + offsetof(struct ethhdr, h_proto));
}

/*
 * A 16-bit field in host order. Before Linux 6.18 or so the verifier knows nothing of the result of a
 * byte swap; the mask, which the compiler would leave out, tells it.
 */
static __always_inline __u32 read_be16(__be16 field)
{
	__u32 value = bpf_ntohs(field);

	asm volatile("%0 &= 0xffff" : "+r"(value));
	return value;
}

/* For a packet whose length no header says: all of the frame counts. Returns `result`. */
static __always_inline enum parse_result reject(struct xdp_md *ctx, struct packet *pkt,
						enum parse_result result)
{
	pkt->bytes = bpf_xdp_get_buff_len(ctx);
	return result;
}

/* Is the frame addressed to this host? Switches flood, and a NIC that is listened at takes everything. */
static __always_inline bool is_mine(const struct ethhdr *eth)
{
	__u64 mine = ecmper_own_mac_slot(*(const __u32 *)(const void *)eth,
					 *(const __u16 *)((const void *)eth + 4));
	__u32 line_index = ecmper_own_mac_line(mine);
	const struct ecmper_own_mac_line *line = map_lookup(ECMPER_MAP_OWN_MACS, &line_index);

	if (!line)
		return false;
	if (likely(*(const volatile __u64 *)&line->slot[0] == mine))
		return true;
#pragma unroll
	for (int i = 1; i < ECMPER_OWN_MAC_SLOTS; i++)
		if (*(const volatile __u64 *)&line->slot[i] == mine)
			return true;
	return false;
}

/* Is it for this host at all, by its destination MAC? */
static __always_inline enum parse_result check_address(struct xdp_md *ctx, struct packet *pkt)
{
	if (unlikely(pkt->eth->h_dest[0] & 1))
		return reject(ctx, pkt, PARSE_NOT_UNICAST);
	if (unlikely(!is_mine(pkt->eth)))
		return reject(ctx, pkt, PARSE_NOT_MINE);
	return PARSE_OK;
}

/* The tags in front of the IP header, if any (IEEE 802.1Q, 802.1ad). Moves *l3 behind them. */
static __always_inline enum parse_result parse_tags(struct xdp_md *ctx, struct packet *pkt,
						    void **l3)
{
#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = *l3;

		if (pkt->l3_proto != bpf_htons(ETH_P_8021Q) &&
		    pkt->l3_proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > pkt->end)
			return reject(ctx, pkt, PARSE_NOT_IP);
		if (!i)
			pkt->vlan_tci = tag->tci;
		pkt->vlan_tags++;
		pkt->l3_proto = tag->proto;
		*l3 = tag + 1;
	}
	return PARSE_OK;
}

/* Ethernet and tags. *l3: what stands behind. */
static __always_inline enum parse_result parse_ethernet(struct xdp_md *ctx, struct packet *pkt,
							void **l3)
{
	void *data = (void *)(long)ctx->data;

	pkt->end = (void *)(long)ctx->data_end;
	pkt->bytes = pkt->end - data;
	pkt->eth = data;
	if (unlikely((void *)(pkt->eth + 1) > pkt->end))
		return reject(ctx, pkt, PARSE_NOT_IP);
	pkt->l3_proto = eth_proto(pkt->eth);
	*l3 = pkt->eth + 1;
	if (likely(pkt->l3_proto == bpf_htons(ETH_P_IP)))
		return PARSE_OK;
	return parse_tags(ctx, pkt, l3);
}

/* Are there as many bytes as the IP header says? What is more is padding, and not counted. */
static __always_inline bool is_whole(struct xdp_md *ctx, struct packet *pkt, const void *l3)
{
	__u32 frame = l3 - (void *)pkt->eth + pkt->ip_bytes;

	/* Only where fragments of the frame follow is the frame longer than what is readable here. */
	if (unlikely(frame > pkt->bytes) && frame > bpf_xdp_get_buff_len(ctx))
		return false;
	pkt->bytes = frame;
	return true;
}

static __always_inline enum parse_result parse_ports(struct packet *pkt)
{
	if (likely(has_ports(pkt->proto))) {
		if (unlikely(pkt->l4_bytes < 4 || pkt->l4 + 4 > pkt->end))
			return PARSE_BAD_HEADER;
		pkt->ports = *(__be32 *)pkt->l4;
	}
	return PARSE_OK;
}

/* Bytes of the IP header, 0 when it is none of IPv4. Most have no options: one compare tells. */
static __always_inline __u32 ip_header_len(const struct iphdr *ip)
{
	__u8 first = *(const __u8 *)ip;

	if (likely(first == 0x45))
		return sizeof(*ip);
	return first >> 4 == 4 && (first & 15) > 5 ? (first & 15) * 4 : 0;
}

/* IPv4, checked against the frame and against itself (RFC 791; RFC 1812, 5.2.2). */
static __always_inline enum parse_result parse_ipv4(struct xdp_md *ctx, struct packet *pkt,
						    void *l3)
{
	struct iphdr *ip = l3;
	enum parse_result result;
	__u32 header_len;
	__be16 frag_off;

	pkt->ip = ip;
	if (unlikely((void *)(ip + 1) > pkt->end))
		return reject(ctx, pkt, PARSE_BAD_HEADER);
	result = check_address(ctx, pkt);
	if (unlikely(result))
		return result;

	header_len = ip_header_len(ip);
	pkt->ip_bytes = read_be16(ip->tot_len);
	if (unlikely(!header_len || pkt->ip_bytes < header_len || !is_whole(ctx, pkt, l3)))
		return reject(ctx, pkt, PARSE_BAD_HEADER);
	pkt->l4 = l3 + header_len;
	pkt->l4_bytes = pkt->ip_bytes - header_len;
	pkt->proto = ip->protocol;

	frag_off = ip->frag_off & bpf_htons(IP_MF | IP_OFFSET);
	if (unlikely(frag_off)) {
		pkt->is_fragment = true;
		pkt->is_later_part = frag_off & bpf_htons(IP_OFFSET);
		pkt->fragment_id = ip->id;
		if (pkt->is_later_part)
			return PARSE_OK;
	}
	return parse_ports(pkt);
}

/* A walk over IPv6 extension headers: where it stands, and what it saw. */
struct extensions {
	__u32 offset; /* in the frame, of the header that `nexthdr` names */
	__u32 left;   /* bytes from there on, by the IP header */
	__u32 nexthdr;
	__u32 is_fragment, is_later_part, fragment_id;
};

static __always_inline bool is_extension(__u32 nexthdr)
{
	return nexthdr == NEXTHDR_HOP || nexthdr == NEXTHDR_ROUTING || nexthdr == NEXTHDR_DEST ||
	       nexthdr == NEXTHDR_MOBILITY || nexthdr == NEXTHDR_AUTH ||
	       nexthdr == NEXTHDR_FRAGMENT;
}

/*
 * Walk to the layer-4 header, at most MAX_EXT_HEADERS headers (RFC 8200, 4). -1 when a header is
 * cut off or there are more. A global function, so that the verifier looks at the loop once and
 * not anew for every path that leads here.
 */
__noinline int walk_extensions(struct xdp_md *ctx, struct extensions *walk)
{
	if (!walk)
		return -1;
	for (int i = 0; i < MAX_EXT_HEADERS; i++) {
		struct ip6_fragment header;
		__u32 size;

		if (!is_extension(walk->nexthdr) || walk->is_later_part)
			return 0;
		if (walk->left < sizeof(header) ||
		    bpf_xdp_load_bytes(ctx, walk->offset, &header, sizeof(header)))
			return -1;
		/* The length stands where a fragment header has a zero. */
		size = (header.reserved + 1) * 8;
		if (walk->nexthdr == NEXTHDR_AUTH)
			size = (header.reserved + 2) * 4;
		if (walk->nexthdr == NEXTHDR_FRAGMENT) {
			size = sizeof(header);
			walk->fragment_id = header.id;
			walk->is_later_part = !!(header.offset & bpf_htons(IP6_OFFSET));
			/* An atomic fragment is a whole datagram (RFC 6946). */
			walk->is_fragment = !!(header.offset & bpf_htons(IP6_OFFSET | IP6_MF));
		}
		if (size > walk->left)
			return -1;
		walk->nexthdr = header.nexthdr;
		walk->offset += size;
		walk->left -= size;
	}
	return is_extension(walk->nexthdr) && !walk->is_later_part ? -1 : 0;
}

static __always_inline enum parse_result parse_extensions(struct xdp_md *ctx, struct packet *pkt,
							  struct extensions *walk)
{
	if (walk_extensions(ctx, walk) || walk->offset > MAX_L4_OFFSET)
		return PARSE_BAD_HEADER;
	pkt->proto = walk->nexthdr;
	pkt->is_fragment = walk->is_fragment;
	pkt->is_later_part = walk->is_later_part;
	pkt->fragment_id = walk->fragment_id;
	pkt->l4 = (void *)(long)ctx->data + walk->offset;
	pkt->l4_bytes = walk->left;
	return PARSE_OK;
}

/* IPv6 with its extension headers (RFC 8200). */
static __always_inline enum parse_result parse_ipv6(struct xdp_md *ctx, struct packet *pkt,
						    void *l3)
{
	struct ipv6hdr *ip6 = l3;
	enum parse_result result;

	pkt->ip6 = ip6;
	if (unlikely((void *)(ip6 + 1) > pkt->end))
		return reject(ctx, pkt, PARSE_BAD_HEADER);
	result = check_address(ctx, pkt);
	if (unlikely(result))
		return result;
	pkt->l4_bytes = read_be16(ip6->payload_len);
	pkt->ip_bytes = sizeof(*ip6) + pkt->l4_bytes;
	if (unlikely(ip6->version != 6 || !is_whole(ctx, pkt, l3)))
		return reject(ctx, pkt, PARSE_BAD_HEADER);
	pkt->proto = ip6->nexthdr;
	pkt->l4 = ip6 + 1;
	if (unlikely(is_extension(pkt->proto))) {
		struct extensions walk = {
			.offset = pkt->l4 - (void *)pkt->eth,
			.left = pkt->l4_bytes,
			.nexthdr = pkt->proto,
		};

		if (parse_extensions(ctx, pkt, &walk))
			return PARSE_BAD_HEADER;
		if (pkt->is_later_part)
			return PARSE_OK;
	}
	return parse_ports(pkt);
}

/* The destination as a key of an LPM map: longest match of its 32 bits. */
static __always_inline struct ecmper_lpm_key lpm_key(__be32 daddr)
{
	struct ecmper_lpm_key key = {.prefixlen = 32};

	__builtin_memcpy(key.addr, &daddr, sizeof(daddr));
	return key;
}

static __always_inline struct ecmper_lpm6_key lpm6_key(const struct ipv6hdr *ip6)
{
	struct ecmper_lpm6_key key = {.prefixlen = 128};

	__builtin_memcpy(key.addr, &ip6->daddr, sizeof(key.addr));
	return key;
}

static __always_inline struct ecmper_addr addr_from_ipv4(__be32 addr)
{
	return (struct ecmper_addr){.word = {0, 0, bpf_htonl(0xffff), addr}};
}

static __always_inline struct ecmper_addr addr_from_ipv6(const struct in6_addr *addr)
{
	struct ecmper_addr result;

	__builtin_memcpy(&result, addr, sizeof(result));
	return result;
}

static __always_inline bool is_same_addr(const struct ecmper_addr *a, const struct ecmper_addr *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

/* A flow as its packets towards us have it. IPv4 addresses are in word[3] of either. */
struct flow {
	struct ecmper_addr src, dst;
	__be32 ports; /* 0 where the protocol has none */
	__u8 proto;
	bool is_quoted; /* of an ICMP error */
};

/* The packet's own flow. */
static __always_inline struct flow packet_flow(const struct packet *pkt, const bool is_ipv6)
{
	struct flow flow = {.ports = pkt->ports, .proto = pkt->proto};

	flow.src = is_ipv6 ? addr_from_ipv6(&pkt->ip6->saddr) : addr_from_ipv4(pkt->ip->saddr);
	flow.dst = is_ipv6 ? addr_from_ipv6(&pkt->ip6->daddr) : addr_from_ipv4(pkt->ip->daddr);
	return flow;
}

/* The datagram that a fragment is a part of. */
static __always_inline struct ecmper_fragment_key fragment_key(const struct packet *pkt,
							       const bool is_ipv6)
{
	struct flow flow = packet_flow(pkt, is_ipv6);

	return (struct ecmper_fragment_key){.src = flow.src,
					    .dst = flow.dst,
					    .id = pkt->fragment_id,
					    .proto = is_ipv6 ? 0 : pkt->proto};
}

/* The TCP header, or NULL where it is not whole in the frame's readable part. */
static __always_inline const struct tcphdr *tcp_header(const struct packet *pkt)
{
	const struct tcphdr *tcp = pkt->l4;

	return pkt->l4_bytes >= sizeof(*tcp) && (const void *)(tcp + 1) <= pkt->end ? tcp : NULL;
}

#endif
