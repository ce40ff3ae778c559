// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the router answers by itself: ICMP errors as RFC 792, 1191 and 4443 have them, see harness.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "harness.h"

#define QUOTE       128
#define ICMP_HEADER 8

static void build_answer4(struct frame *frame, const uint8_t *quoted, uint32_t length, int mtu)
{
	uint8_t *icmp = frame->data + frame->l3 + IP_LENGTH;
	struct iphdr *ip = frame_ip(frame);

	*ip = (struct iphdr){.version = 4,
			     .ihl = 5,
			     .tos = 0xc0,
			     .tot_len = htons(IP_LENGTH + ICMP_HEADER + length),
			     .frag_off = htons(DONT_FRAGMENT),
			     .ttl = 64,
			     .protocol = IPPROTO_ICMP,
			     .saddr = inet_addr(OUR_ADDR)};
	memcpy(&ip->daddr, quoted + offsetof(struct iphdr, saddr), sizeof(ip->daddr));
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = mtu ? 3 : 11;
	icmp[1] = mtu ? 4 : 0;
	icmp[6] = mtu >> 8;
	icmp[7] = mtu;
	memcpy(icmp + ICMP_HEADER, quoted, length);
	frame_set_check(frame);
}

static void build_answer6(struct frame *frame, const uint8_t *quoted, uint32_t length, int mtu)
{
	uint8_t *icmp = frame->data + frame->l3 + IP6_LENGTH;
	struct ipv6hdr *ip6 = frame_ip6(frame);

	*(__be32 *)ip6 = htonl(6U << 28 | 0xc0 << 20);
	ip6->payload_len = htons(ICMP_HEADER + length);
	ip6->nexthdr = IPPROTO_ICMPV6;
	ip6->hop_limit = 64;
	assert_int_equal(inet_pton(AF_INET6, OUR_ADDR6, &ip6->saddr), 1);
	memcpy(&ip6->daddr, quoted + offsetof(struct ipv6hdr, saddr), sizeof(ip6->daddr));
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = mtu ? 2 : 3;
	icmp[6] = mtu >> 8;
	icmp[7] = mtu;
	memcpy(icmp + ICMP_HEADER, quoted, length);
}

struct want want_answer(const struct frame *in, uint32_t reason, int mtu)
{
	struct want want = {.verdict = XDP_TX, .reasons = BIT(reason)};
	uint32_t length = in->counted - in->l3;
	uint8_t quoted[QUOTE];

	frame_copy(&want.frame, in);
	length = length < QUOTE ? length : QUOTE;
	memcpy(quoted, in->data + in->l3, length);
	frame_swap_macs(&want.frame);
	if (frame_is_ipv6(in))
		build_answer6(&want.frame, quoted, length, mtu);
	else
		build_answer4(&want.frame, quoted, length, mtu);
	want.frame.l4 = in->l3 + (frame_is_ipv6(in) ? IP6_LENGTH : IP_LENGTH);
	want.frame.length = want.frame.l4 + ICMP_HEADER + length;
	frame_set_icmp_check(&want.frame);
	return want;
}
