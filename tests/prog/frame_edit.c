// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking into frames and changing them, see frame.h: MACs, tags, single fields, and checksums
 * computed anew. Shares no code with the programs under test.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "frame.h"

void mac_parse(const char *text, uint8_t mac[ETH_ALEN])
{
	int n = sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		       &mac[4], &mac[5]);

	assert_int_equal(n, ETH_ALEN);
}

/* The sum of RFC 1071, unfolded. An odd last byte counts as the upper one. */
static uint64_t add_words(uint64_t sum, const void *data, uint32_t length)
{
	const uint8_t *byte = data;

	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* By the type in front of it, so that it holds for contradictory headers, too. */
bool frame_is_ipv6(const struct frame *frame)
{
	return *(const __be16 *)(frame->data + frame->l3 - 2) == htons(ETH_P_IPV6);
}

struct iphdr *frame_ip(struct frame *frame)
{
	return (struct iphdr *)(frame->data + frame->l3);
}

struct ipv6hdr *frame_ip6(struct frame *frame)
{
	return (struct ipv6hdr *)(frame->data + frame->l3);
}

struct tcphdr *frame_tcp_header(struct frame *frame)
{
	return (struct tcphdr *)(frame->data + frame->l4);
}

/* Without extension headers. */
void frame_find_layers(struct frame *frame)
{
	frame->l3 = ETH_HLEN;
	if (frame_is_ipv6(frame)) {
		frame->l4 = frame->l3 + IP6_LENGTH;
		frame->proto = frame_ip6(frame)->nexthdr;
	} else {
		frame->l4 = frame->l3 + frame_ip(frame)->ihl * 4;
		frame->proto = frame_ip(frame)->protocol;
	}
	frame->is_later_part = false;
}

/* Headers that claim to be shorter than an IP header have a checksum over 20 bytes. */
static uint32_t header_length(struct frame *frame)
{
	uint8_t ihl = frame_ip(frame)->ihl;

	return ihl < 5 ? 20 : ihl * 4;
}

/* IPv6 has none. */
void frame_set_check(struct frame *frame)
{
	struct iphdr *ip = frame_ip(frame);

	if (frame_is_ipv6(frame))
		return;
	ip->check = 0;
	ip->check = htons(~fold(add_words(0, ip, header_length(frame))));
}

/* As a receiver does it (RFC 1071): the sum over all, the checksum too, is all ones. */
bool frame_has_good_check(struct frame *frame)
{
	return frame_is_ipv6(frame) ||
	       fold(add_words(0, frame_ip(frame), header_length(frame))) == 0xffff;
}

/* Real sockets want to see it right. */
void frame_set_tcp_check(struct frame *frame)
{
	struct tcphdr *tcp = frame_tcp_header(frame);
	uint32_t length = frame->length - frame->l4;
	uint64_t sum = IPPROTO_TCP + length;

	if (frame_is_ipv6(frame))
		sum = add_words(sum, &frame_ip6(frame)->saddr, 2 * sizeof(struct in6_addr));
	else
		sum = add_words(sum, &frame_ip(frame)->saddr, 2 * sizeof(__be32));
	tcp->check = 0;
	tcp->check = htons(~fold(add_words(sum, tcp, length)));
}

/* ICMPv6 has a pseudo header, ICMP has none. */
void frame_set_icmp_check(struct frame *frame)
{
	uint32_t length = frame->length - frame->l4;
	__be16 *check = (__be16 *)(frame->data + frame->l4 + 2);
	uint64_t sum = 0;

	if (frame_is_ipv6(frame)) {
		sum = IPPROTO_ICMPV6 + length;
		sum = add_words(sum, &frame_ip6(frame)->saddr, 2 * sizeof(struct in6_addr));
	}
	*check = 0;
	*check = htons(~fold(add_words(sum, frame->data + frame->l4, length)));
}

void frame_copy(struct frame *to, const struct frame *from)
{
	memcpy(to, from, offsetof(struct frame, data) + from->length);
}

void frame_set_macs(struct frame *frame, const char *to, const char *from)
{
	struct ethhdr *eth = (struct ethhdr *)frame->data;

	mac_parse(to, eth->h_dest);
	mac_parse(from, eth->h_source);
}

void frame_swap_macs(struct frame *frame)
{
	uint8_t to[ETH_ALEN];

	memcpy(to, frame->data, ETH_ALEN);
	memcpy(frame->data, frame->data + ETH_ALEN, ETH_ALEN);
	memcpy(frame->data + ETH_ALEN, to, ETH_ALEN);
}

void frame_set_tags(struct frame *frame, unsigned int count, const struct tag *tags)
{
	int more = ETH_HLEN + (int)count * 4 - frame->l3;
	uint8_t *at = frame->data + ETH_HLEN - 2;

	/* The type of what is behind the last tag moves, too. */
	memmove(frame->data + frame->l3 + more - 2, frame->data + frame->l3 - 2,
		frame->length - frame->l3 + 2);
	for (unsigned int i = 0; i < count; i++, at += 4) {
		const __be16 tag[] = {htons(tags[i].type), htons(tags[i].tci)};

		memcpy(at, tag, sizeof(tag));
	}
	frame->length += more;
	frame->counted += more;
	frame->l3 += more;
	frame->l4 += more;
}

uint8_t frame_get_ttl(const struct frame *frame)
{
	return frame->data[frame->l3 + (frame_is_ipv6(frame) ? 7 : 8)];
}

void frame_set_ttl(struct frame *frame, uint8_t ttl)
{
	frame->data[frame->l3 + (frame_is_ipv6(frame) ? 7 : 8)] = ttl;
	frame_set_check(frame);
}

uint8_t frame_get_tos(const struct frame *frame)
{
	const uint8_t *byte = frame->data + frame->l3;

	return frame_is_ipv6(frame) ? byte[0] << 4 | byte[1] >> 4 : byte[1];
}

void frame_set_tos(struct frame *frame, uint8_t tos)
{
	uint8_t *byte = frame->data + frame->l3;

	if (frame_is_ipv6(frame)) {
		byte[0] = (byte[0] & 0xf0) | tos >> 4;
		byte[1] = (byte[1] & 0x0f) | tos << 4;
		return;
	}
	byte[1] = tos;
	frame_set_check(frame);
}

void frame_set_numbers(struct frame *frame, uint32_t seq, uint32_t ack)
{
	frame_tcp_header(frame)->seq = htonl(seq);
	frame_tcp_header(frame)->ack_seq = htonl(ack);
	frame_set_tcp_check(frame);
}
