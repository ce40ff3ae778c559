/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors that the router makes itself, out of the frame that they are about: Time Exceeded,
 * Fragmentation Needed, Packet Too Big (RFC 792, 1191, 4443). They go back to the MAC that the frame
 * came from, with its VLAN tags, and so need no route and no forwarding of the kernel's.
 * The functions are global ones and get numbers only, so that the verifier looks at them once.
 */
#ifndef ECMPER_ANSWER_H
#define ECMPER_ANSWER_H

#include "parse.h"
#include "maps.h"
#include "icmp.h"
#include "rewrite.h"

#define ICMP_TTL         64
#define ICMP_TOS         0xc0 /* internetwork control (RFC 1812, 4.3.2.5) */
#define FRAG_NEEDED_CODE 4
#define ICMP_REDIRECT    5
#define ICMP6_INFO       128 /* types from here on are no errors */

const volatile __u64 icmp_interval_ns = 1000000000ull / ECMPER_ICMP_RATE_DEFAULT;

/* A packet that cannot go on. Offsets are from the start of the frame. */
struct refused {
	__u32 reason; /* ROUTER_ttl or ROUTER_too_big */
	__u32 mtu;
	__u32 l3, ip_bytes;
	__u32 l4, l4_bytes;
	__u32 is_icmp;
};

/* The largest IPv4 header and more than the eight bytes behind it that RFC 792 wants; of IPv6, a TCP
 * header with all options. One size: what is not there is 0, which a checksum does not notice. */
struct icmp4_packet {
	struct iphdr ip;
	struct icmp_header icmp;
	__u8 quote[ECMPER_ICMP_QUOTE];
};

struct icmp6_packet {
	struct ipv6hdr ip6;
	struct icmp_header icmp;
	__u8 quote[ECMPER_ICMP_QUOTE];
};

/* Can it be one host's address (RFC 1122, 3.2.1.3)? */
static __always_inline bool is_host4(__be32 addr)
{
	__u32 first = bpf_ntohl(addr) >> 24;

	return first && first != 127 && first < 224;
}

static __always_inline bool is_host6(const struct in6_addr *addr)
{
	const __be32 *word = (const __be32 *)addr;
	bool is_short =
		!word[0] && !word[1] && !word[2]; /* the unspecified, the loopback address */

	return bpf_ntohl(word[0]) >> 24 != 0xff && !(is_short && bpf_ntohl(word[3]) <= 1);
}

/* No error is about an error (RFC 1812, 4.3.2.7; RFC 4443, 2.4 e). */
static __always_inline bool is_error(struct xdp_md *ctx, const struct refused *refused,
				     const bool is_ipv6)
{
	__u8 type = 0;

	if (!refused->is_icmp)
		return false;
	if (refused->l4_bytes < sizeof(struct icmp_header) ||
	    bpf_xdp_load_bytes(ctx, refused->l4, &type, sizeof(type)))
		return true;
	return is_ipv6 ? type < ICMP6_INFO : is_icmp_error(type, false) || type == ICMP_REDIRECT;
}

/*
 * A token bucket, kept as the time at which it has its next token. One of each kind: a flood of packets
 * whose TTL is over must not stop path MTU discovery.
 */
static __always_inline bool take_token(struct ecmper_icmp_work *work, __u32 reason)
{
	__u64 now = bpf_ktime_get_ns(), last = now + ECMPER_ICMP_BURST * icmp_interval_ns;
	__u64 *due_ns = &work->due_ns[reason == ROUTER_too_big];

	if (*due_ns > last) /* left by a lower rate */
		*due_ns = last;
	if (*due_ns > last - icmp_interval_ns)
		return false;
	if (*due_ns < now)
		*due_ns = now;
	*due_ns += icmp_interval_ns;
	return true;
}

/* The checksum of a sum of 16-bit words (RFC 1071). */
static __always_inline __u16 checksum_of(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* As much of the packet as is quoted into `quote`. Bytes; 0 when that is less than its header. */
static __always_inline __u32 quote(struct xdp_md *ctx, const struct refused *refused, void *to,
				   __u32 header_len)
{
	__u32 length = refused->ip_bytes;

	if (length > ECMPER_ICMP_QUOTE)
		length = ECMPER_ICMP_QUOTE;
	if (length < header_len || bpf_xdp_load_bytes(ctx, refused->l3, to, length))
		return 0;
	return length;
}

/* The frame from its IP header on becomes this packet, and goes back to where it came from. It grows in
 * front: behind, not every driver has room, and none where the frame came in pieces. */
static __always_inline bool send_back(struct xdp_md *ctx, struct ecmper_icmp_work *work, __u32 l3,
				      __u32 length)
{
	int more = (int)(l3 + length) - (int)bpf_xdp_get_buff_len(ctx);

	if (l3 < sizeof(struct ethhdr) || l3 > sizeof(work->front) ||
	    bpf_xdp_load_bytes(ctx, 0, work->front, l3))
		return false;
	swap_macs((struct ethhdr *)work->front);
	if (more > 0 && bpf_xdp_adjust_head(ctx, -more))
		return false;
	if (more < 0 && bpf_xdp_adjust_tail(ctx, more))
		return false;
	return !bpf_xdp_store_bytes(ctx, 0, work->front, l3) &&
	       !bpf_xdp_store_bytes(ctx, l3, work->packet, length);
}

static __always_inline struct ecmper_icmp_work *get_icmp_work(void)
{
	__u32 zero = 0;

	return map_lookup(ECMPER_MAP_ICMP_WORK, &zero);
}

static __always_inline const struct ecmper_icmp_source *get_icmp_source(const struct xdp_md *ctx)
{
	__u32 ifindex = ctx->ingress_ifindex;
	const struct ecmper_icmp_source *source = map_lookup(ECMPER_MAP_ICMP_SOURCE, &ifindex);

	if (source)
		return source;
	ifindex = 0; /* a NIC of a bond: that of any device */
	return map_lookup(ECMPER_MAP_ICMP_SOURCE, &ifindex);
}

/* Answer the sender. The reason that counts: the packet's, or why there is no answer. */
__noinline int answer4(struct xdp_md *ctx, const struct refused *refused)
{
	const struct ecmper_icmp_source *source = get_icmp_source(ctx);
	struct ecmper_icmp_work *work = get_icmp_work();
	struct icmp4_packet *error;
	const struct iphdr *about;
	__u32 length;

	if (!refused || !work)
		return ROUTER_icmp_never;
	error = (void *)work->packet;
	__builtin_memset(error, 0, sizeof(*error));
	length = quote(ctx, refused, error->quote, sizeof(*about));
	about = (void *)error->quote;
	if (!length || about->frag_off & bpf_htons(IP_OFFSET) || !is_host4(about->saddr) ||
	    !is_host4(about->daddr) || is_error(ctx, refused, false))
		return ROUTER_icmp_never;
	if (!source || !source->ipv4)
		return ROUTER_icmp_no_source;
	if (!take_token(work, refused->reason))
		return ROUTER_icmp_limit;
	error->icmp.type = TIME_EXCEEDED;
	if (refused->reason == ROUTER_too_big) {
		error->icmp.type = DEST_UNREACH;
		error->icmp.code = FRAG_NEEDED_CODE;
		error->icmp.rest = bpf_htonl(refused->mtu);
	}
	error->icmp.checksum = checksum_of(bpf_csum_diff(
		NULL, 0, (__be32 *)&error->icmp, sizeof(error->icmp) + sizeof(error->quote), 0));
	*(__u8 *)&error->ip = 4 << 4 | sizeof(error->ip) / 4;
	error->ip.tos = ICMP_TOS;
	error->ip.tot_len = bpf_htons(offsetof(struct icmp4_packet, quote) + length);
	error->ip.frag_off = bpf_htons(IP_DF);
	error->ip.ttl = ICMP_TTL;
	error->ip.protocol = IPPROTO_ICMP;
	error->ip.saddr = source->ipv4;
	error->ip.daddr = about->saddr;
	error->ip.check =
		checksum_of(bpf_csum_diff(NULL, 0, (__be32 *)&error->ip, sizeof(error->ip), 0));
	length += offsetof(struct icmp4_packet, quote);
	return send_back(ctx, work, refused->l3, length) ? refused->reason : ROUTER_no_headroom;
}

__noinline int answer6(struct xdp_md *ctx, const struct refused *refused)
{
	const struct ecmper_icmp_source *source = get_icmp_source(ctx);
	struct ecmper_icmp_work *work = get_icmp_work();
	struct icmp6_packet *error;
	const struct ipv6hdr *about;
	__u32 length;
	__u64 sum;

	if (!refused || !work)
		return ROUTER_icmp_never;
	error = (void *)work->packet;
	__builtin_memset(error, 0, sizeof(*error));
	length = quote(ctx, refused, error->quote, sizeof(*about));
	about = (void *)error->quote;
	if (!length || !is_host6(&about->saddr) || !is_host6(&about->daddr) ||
	    is_error(ctx, refused, true))
		return ROUTER_icmp_never;
	if (!source || !(source->ipv6.word[0] | source->ipv6.word[1] | source->ipv6.word[2] |
			 source->ipv6.word[3]))
		return ROUTER_icmp_no_source;
	if (!take_token(work, refused->reason))
		return ROUTER_icmp_limit;
	error->icmp.type = TIME_EXCEEDED6;
	if (refused->reason == ROUTER_too_big) {
		error->icmp.type = PACKET_TOO_BIG6;
		error->icmp.rest = bpf_htonl(refused->mtu);
	}
	*(__be16 *)&error->ip6 = bpf_htons(6 << 12 | ICMP_TOS << 4);
	error->ip6.payload_len = bpf_htons(sizeof(error->icmp) + length);
	error->ip6.nexthdr = IPPROTO_ICMPV6;
	error->ip6.hop_limit = ICMP_TTL;
	__builtin_memcpy(&error->ip6.saddr, &source->ipv6, sizeof(error->ip6.saddr));
	error->ip6.daddr = about->saddr;
	/* The pseudo header (RFC 8200, 8.1): addresses, length, protocol. */
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error->ip6.saddr,
			    sizeof(*error) - offsetof(struct icmp6_packet, ip6.saddr), 0);
	sum += error->ip6.payload_len + (__u64)bpf_htons(IPPROTO_ICMPV6);
	error->icmp.checksum = checksum_of(sum);
	length += offsetof(struct icmp6_packet, quote);
	return send_back(ctx, work, refused->l3, length) ? refused->reason : ROUTER_no_headroom;
}

/* The packet's pointers end here. */
static __always_inline int answer(struct xdp_md *ctx, const struct packet *pkt, __u32 reason,
				  __u32 mtu, const bool is_ipv6)
{
	struct refused refused = {
		.reason = reason,
		.mtu = mtu,
		.l3 = (void *)pkt->ip - (void *)pkt->eth,
		.ip_bytes = pkt->ip_bytes,
		.l4 = pkt->l4 - (void *)pkt->eth,
		.l4_bytes = pkt->l4_bytes,
		.is_icmp = pkt->proto == (is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP),
	};

	if (pkt->is_later_part)
		return ROUTER_icmp_never;
	/* Never 0, which the verifier does not know, and would go on with. */
	return (is_ipv6 ? answer6(ctx, &refused) : answer4(ctx, &refused)) ?: ROUTER_icmp_never;
}

#endif
