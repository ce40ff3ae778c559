// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building frames, see frame.h. Knows the wire formats by itself: shares no code with the programs
 * under test.
 */
#include <arpa/inet.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "frame.h"

#define IP_OPTION_NOP 1

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

struct iphdr *frame_ip(struct frame *frame)
{
	return (struct iphdr *)(frame->data + ETH_HLEN);
}

static uint8_t *layer4(struct frame *frame)
{
	return frame->data + ETH_HLEN + frame_ip(frame)->ihl * 4;
}

struct tcphdr *frame_tcp_header(struct frame *frame)
{
	return (struct tcphdr *)layer4(frame);
}

/* Headers that claim to be shorter than an IP header have a checksum over 20 bytes. */
static uint32_t header_length(struct frame *frame)
{
	uint8_t ihl = frame_ip(frame)->ihl;

	return ihl < 5 ? 20 : ihl * 4;
}

void frame_set_check(struct frame *frame)
{
	struct iphdr *ip = frame_ip(frame);

	ip->check = 0;
	ip->check = htons(~fold(add_words(0, ip, header_length(frame))));
}

/* As a receiver does it (RFC 1071): the sum over all, the checksum too, is all ones. */
bool frame_has_good_check(struct frame *frame)
{
	return fold(add_words(0, frame_ip(frame), header_length(frame))) == 0xffff;
}

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

static uint32_t build_echo_request(void *at)
{
	static const uint8_t echo[] = {8, 0, 0, 0, 0x12, 0x34, 0, 1};

	memcpy(at, echo, sizeof(echo));
	return sizeof(echo);
}

static uint32_t build_layer4(void *at, const struct headers *headers)
{
	/* A later fragment has the middle of something. */
	if (headers->fragment & IS_FRAGMENT & ~MORE_FRAGMENTS) {
		memset(at, 0xee, 20);
		return 20;
	}
	switch (headers->proto) {
	case IPPROTO_TCP: return build_tcp(at, headers);
	case IPPROTO_UDP: return build_udp(at, headers);
	case IPPROTO_ICMP: return build_echo_request(at);
	default: return 0;
	}
}

/* Real sockets want to see it right. */
static void set_tcp_check(struct frame *frame, uint32_t length)
{
	struct iphdr *ip = frame_ip(frame);
	struct tcphdr *tcp = frame_tcp_header(frame);
	uint64_t sum = IPPROTO_TCP + length;

	sum = add_words(sum, &ip->saddr, 2 * sizeof(ip->saddr));
	tcp->check = htons(~fold(add_words(sum, tcp, length)));
}

void frame_build(struct frame *frame, const struct headers *headers)
{
	struct ethhdr *eth = (struct ethhdr *)frame->data;
	struct iphdr *ip = frame_ip(frame);
	uint32_t options = headers->ihl > 5 ? (headers->ihl - 5) * 4 : 0;
	uint8_t *at = (uint8_t *)(ip + 1) + options;
	uint32_t length4;

	mac_parse(headers->to, eth->h_dest);
	mac_parse(headers->from, eth->h_source);
	eth->h_proto = htons(headers->ethertype);
	memset(ip + 1, IP_OPTION_NOP, options);
	length4 = build_layer4(at, headers);
	for (uint32_t i = 0; i < headers->payload; i++)
		at[length4 + i] = i;
	length4 += headers->payload;
	*ip = (struct iphdr){.version = headers->version,
			     .ihl = headers->ihl,
			     .tos = headers->tos,
			     .tot_len = htons(headers->total_length == AS_COMPUTED
						      ? sizeof(*ip) + options + length4
						      : (uint32_t)headers->total_length),
			     .id = htons(headers->id),
			     .frag_off = htons(headers->fragment),
			     .ttl = headers->ttl,
			     .protocol = headers->proto,
			     .saddr = inet_addr(headers->src),
			     .daddr = inet_addr(headers->dst)};
	if (headers->proto == IPPROTO_TCP && headers->ihl >= 5)
		set_tcp_check(frame, length4);
	frame_set_check(frame);
	if (headers->check != AS_COMPUTED)
		ip->check = htons(headers->check);
	frame->counted = at + length4 - frame->data;
	frame->length = frame->counted + headers->padding;
	memset(frame->data + frame->counted, 0x5a, headers->padding);
	if (headers->cut)
		frame->length = frame->counted = headers->cut;
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

void frame_set_ttl(struct frame *frame, uint8_t ttl)
{
	frame_ip(frame)->ttl = ttl;
	frame_set_check(frame);
}

void frame_set_tos(struct frame *frame, uint8_t tos)
{
	frame_ip(frame)->tos = tos;
	frame_set_check(frame);
}
