// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building frames from what a test says about them, layer by layer, see frame.h. Knows the wire
 * formats by itself: shares no code with the programs under test.
 */
#include <arpa/inet.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "frame.h"

#define IP_OPTION_NOP 1

static uint32_t build_tcp(void *at, const struct headers *headers)
{
	struct tcphdr *tcp = at;

	*tcp = (struct tcphdr){.source = htons(headers->sport),
			       .dest = htons(headers->dport),
			       .seq = htonl(headers->seq),
			       .ack_seq = headers->flags & ACK ? htonl(headers->ack) : 0,
			       .doff = sizeof(*tcp) / 4,
			       .window = htons(8192)};
	((uint8_t *)tcp)[13] = headers->flags;
	return sizeof(*tcp);
}

static uint32_t build_udp(void *at, const struct headers *headers)
{
	struct udphdr *udp = at;

	*udp = (struct udphdr){.source = htons(headers->sport),
			       .dest = htons(headers->dport),
			       .len = htons(sizeof(*udp) + headers->payload)};
	return sizeof(*udp);
}

/* An echo request, or an error with the packet that it is about. */
static uint32_t build_icmp(uint8_t *at, const struct headers *headers)
{
	static const uint8_t rest[] = {0x12, 0x34, 0, 1};
	struct frame *quoted;
	uint32_t bytes;

	memset(at, 0, 8);
	at[0] = headers->icmp_type;
	at[1] = headers->icmp_code;
	memcpy(at + 4, rest, sizeof(rest));
	if (!headers->quote)
		return 8;
	quoted = malloc(sizeof(*quoted));
	assert_non_null(quoted);
	frame_build(quoted, headers->quote);
	bytes = headers->quote_bytes == AS_COMPUTED ? quoted->l4 + 8 - quoted->l3
						    : headers->quote_bytes;
	assert_true(quoted->l3 + bytes <= quoted->length);
	memcpy(at + 8, quoted->data + quoted->l3, bytes);
	free(quoted);
	return 8 + bytes;
}

static uint32_t build_layer4(void *at, const struct headers *headers, bool is_later_part)
{
	if (is_later_part) { /* the middle of something */
		memset(at, 0xee, 20);
		return 20;
	}
	switch (headers->proto) {
	case IPPROTO_TCP: return build_tcp(at, headers);
	case IPPROTO_UDP: return build_udp(at, headers);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return build_icmp(at, headers);
	default: return 0;
	}
}

/* Returns the size of Ethernet header and tags. */
static uint32_t build_ethernet(struct frame *frame, const struct headers *headers)
{
	uint8_t *at = frame->data + offsetof(struct ethhdr, h_proto);

	frame_set_macs(frame, headers->to, headers->from);
	for (unsigned int i = 0; i < 4 && headers->tags[i].type; i++, at += 4) {
		const __be16 tag[] = {htons(headers->tags[i].type), htons(headers->tags[i].tci)};

		memcpy(at, tag, sizeof(tag));
	}
	*(__be16 *)at = htons(headers->ethertype);
	return at + 2 - frame->data;
}

static void build_ipv4(struct frame *frame, const struct headers *headers, uint32_t length)
{
	struct iphdr *ip = frame_ip(frame);

	*ip = (struct iphdr){.version = headers->version,
			     .ihl = headers->ihl,
			     .tos = headers->tos,
			     .tot_len = htons(headers->total_length == AS_COMPUTED
						      ? length
						      : (uint32_t)headers->total_length),
			     .id = htons(headers->id),
			     .frag_off = htons(headers->fragment),
			     .ttl = headers->ttl,
			     .protocol = headers->proto,
			     .saddr = inet_addr(headers->src),
			     .daddr = inet_addr(headers->dst)};
	frame_set_check(frame);
	if (headers->check != AS_COMPUTED)
		ip->check = htons(headers->check);
}

static void build_ipv6(struct frame *frame, const struct headers *headers, uint32_t length)
{
	struct ipv6hdr *ip6 = frame_ip6(frame);

	*(__be32 *)ip6 =
		htonl((uint32_t)headers->version << 28 | headers->tos << 20 | headers->flow);
	ip6->payload_len =
		htons(headers->total_length == AS_COMPUTED ? length - sizeof(*ip6)
							   : (uint32_t)headers->total_length);
	ip6->nexthdr = headers->ext_count ? headers->ext[0].kind : headers->proto;
	ip6->hop_limit = headers->ttl;
	assert_int_equal(inet_pton(AF_INET6, headers->src, &ip6->saddr), 1);
	assert_int_equal(inet_pton(AF_INET6, headers->dst, &ip6->daddr), 1);
}

/* One extension header; what it carries is of no interest. Returns its size. */
static uint32_t build_ext(uint8_t *at, const struct ext *ext, uint8_t next)
{
	uint32_t size = ext->size ?: ext->kind == EXT_AUTH ? 16 : 8;
	__be16 offset = htons((ext->fragment & IS_FRAGMENT & ~MORE_FRAGMENTS) << 3 |
			      !!(ext->fragment & MORE_FRAGMENTS));
	__be32 id = htonl(ext->id);

	memset(at, 0, size);
	at[0] = next;
	if (ext->kind == EXT_FRAGMENT) {
		memcpy(at + 2, &offset, sizeof(offset));
		memcpy(at + 4, &id, sizeof(id));
	} else {
		at[1] = ext->kind == EXT_AUTH ? size / 4 - 2 : size / 8 - 1;
	}
	if (ext->has_units)
		at[1] = ext->units;
	return size;
}

/* Sets l4. */
static void build_extensions(struct frame *frame, const struct headers *headers)
{
	frame->l4 = frame->l3 + IP6_LENGTH;
	for (unsigned int i = 0; i < headers->ext_count; i++) {
		const struct ext *ext = &headers->ext[i];

		frame->l4 += build_ext(frame->data + frame->l4, ext,
				       i + 1U < headers->ext_count ? ext[1].kind : headers->proto);
		if (ext->kind == EXT_FRAGMENT && ext->fragment & IS_FRAGMENT & ~MORE_FRAGMENTS)
			frame->is_later_part = true;
	}
}

static void build_options(struct frame *frame, const struct headers *headers)
{
	uint32_t options = headers->ihl > 5 ? (headers->ihl - 5) * 4 : 0;

	frame->l4 = frame->l3 + IP_LENGTH + options;
	memset(frame->data + frame->l3 + IP_LENGTH, IP_OPTION_NOP, options);
	frame->is_later_part = headers->fragment & IS_FRAGMENT & ~MORE_FRAGMENTS;
}

void frame_build(struct frame *frame, const struct headers *headers)
{
	uint8_t *at;
	uint32_t length4;

	frame->l3 = build_ethernet(frame, headers);
	frame->proto = headers->proto;
	frame->is_later_part = false;
	if (headers->is_ipv6)
		build_extensions(frame, headers);
	else
		build_options(frame, headers);
	at = frame->data + frame->l4;
	length4 = build_layer4(at, headers, frame->is_later_part);
	for (uint32_t i = 0; i < headers->payload; i++)
		at[length4 + i] = i;
	length4 += headers->payload;
	frame->length = frame->counted = frame->l4 + length4;
	if (headers->is_ipv6)
		build_ipv6(frame, headers, frame->length - frame->l3);
	else
		build_ipv4(frame, headers, frame->length - frame->l3);
	if (headers->proto == IPPROTO_TCP)
		frame_set_tcp_check(frame);
	memset(frame->data + frame->length, 0x5a, headers->padding);
	frame->length += headers->padding;
	if (headers->cut)
		frame->length = frame->counted = headers->cut;
}
