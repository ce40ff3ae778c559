/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole frames, written down by what is special about them: frame_tcp(&in, .ttl = 1) is a good
 * TCP segment from the client to the VIP with a TTL of 1. Checksums are always computed anew over
 * the whole header, never by an increment, so that they judge the programs' increments.
 */
#ifndef PROG_FRAME_H
#define PROG_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

/* The macros below give the defaults first and then what a test says, on purpose. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define FRAME_MAX 9100 /* a jumbo frame and a little */

/* The addresses of docs/design.md, section 7. */
#define VIP         "10.0.10.0"
#define CLIENT      "10.0.1.99"
#define CLIENT_MAC  "02:03:04:05:06:99"
#define INGRESS_MAC "02:00:00:00:01:00" /* of the router's device to the client */
#define HTTP        80

#define ECN_ECT1    0x01
#define ECN_CE      0x03
/* The ToS byte of the mark m in format dscp, with these ECN bits: DSCP xxxx11 of RFC 2474. */
#define DSCP_MARK(m, ecn) ((m) << 4 | 0x0c | (ecn))
#define LAST              0
#define IS_DSCP_MARK(tos) (((tos)&0x0c) == 0x0c)
/* The ToS byte of a bounced packet in format tos. */
#define TOS_MARK 0x01

#define FIN      0x01
#define SYN      0x02
#define RST      0x04
#define PSH      0x08
#define ACK      0x10

/* What parse.h calls a fragment: flags and offset (in units of 8 bytes) as one number. */
#define DONT_FRAGMENT   0x4000
#define MORE_FRAGMENTS  0x2000
#define FRAGMENT_AT(at) (at)
#define IS_FRAGMENT     0x3fff

#define IP_LENGTH       20 /* of a header without options */
#define IP_END          (ETH_HLEN + IP_LENGTH)

#define AS_COMPUTED     (-1)

struct frame {
	uint32_t length;
	uint32_t counted; /* what counters add: the length without padding and trailers */
	_Alignas(4) uint8_t data[FRAME_MAX];
};

/* What a frame is made from. Numbers in host order. */
struct headers {
	const char *to, *from; /* MACs */
	uint16_t ethertype;
	uint8_t version, ihl, tos, ttl, proto;
	uint16_t id, fragment;
	const char *src, *dst;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;    /* of TCP */
	uint16_t payload; /* bytes behind the header of layer 4 */
	int total_length; /* in the IP header */
	int check;        /* of the IP header */
	uint16_t padding; /* bytes behind the datagram */
	uint32_t cut;     /* the frame ends after so many bytes, 0 = it does not */
};

#define DEFAULT_HEADERS                                                                            \
	.to = INGRESS_MAC, .from = CLIENT_MAC, .ethertype = ETH_P_IP, .version = 4, .ihl = 5,      \
	.proto = 6, .ttl = 64, .fragment = DONT_FRAGMENT, .id = 0x1234, .src = CLIENT, .dst = VIP, \
	.sport = 40000, .dport = HTTP, .flags = ACK, .seq = 1000, .ack = 2000,                     \
	.total_length = AS_COMPUTED, .check = AS_COMPUTED

/* For tables of cases. */
#define HEADERS(...)                                                                               \
	{                                                                                          \
		DEFAULT_HEADERS, ##__VA_ARGS__                                                     \
	}

#define frame_make(frame, ...) frame_build(frame, &(struct headers)HEADERS(__VA_ARGS__))
#define frame_tcp(frame, ...)  frame_make(frame, ##__VA_ARGS__)
#define frame_udp(frame, ...)  frame_make(frame, .proto = 17, ##__VA_ARGS__)
#define frame_icmp(frame, ...) frame_make(frame, .proto = 1, ##__VA_ARGS__)

void frame_build(struct frame *frame, const struct headers *headers);
/* Only as many bytes as there are. */
void frame_copy(struct frame *to, const struct frame *from);
struct iphdr *frame_ip(struct frame *frame);
struct tcphdr *frame_tcp_header(struct frame *frame);
void frame_set_macs(struct frame *frame, const char *to, const char *from);
void frame_swap_macs(struct frame *frame);
/* Change a field of the IP header and compute the checksum anew. */
void frame_set_ttl(struct frame *frame, uint8_t ttl);
void frame_set_tos(struct frame *frame, uint8_t tos);
void frame_set_check(struct frame *frame);
bool frame_has_good_check(struct frame *frame);

void mac_parse(const char *text, uint8_t mac[ETH_ALEN]);

#endif
