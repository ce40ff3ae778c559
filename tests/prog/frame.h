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
#include <linux/ipv6.h>
#include <linux/tcp.h>

/* The macros below give the defaults first and then what a test says, on purpose; and tags and
 * extension headers leave out what is 0. */
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define FRAME_MAX 9100 /* a jumbo frame and a little */

/* Like the lab's, see scripts/lab-lib.sh. */
#define VIP         "10.0.10.0"
#define VIP6        "fd00:10::10"
#define CLIENT      "10.0.1.99"
#define CLIENT6     "fd00:1::99"
#define CLIENT_MAC  "02:03:04:05:06:99"
#define INGRESS_MAC "02:00:00:00:01:00" /* of the router's device to the client */
#define FOREIGN_MAC "02:0f:0f:0f:0f:0f" /* of nobody here */
#define HTTP        80
#define FAR_ROUTER  "10.9.0.1" /* on the way to the client: it sends ICMP errors */
#define FAR_ROUTER6 "fd00:9::1"
#define OUR_ADDR    "10.0.1.100" /* of the router's device to the client */
#define OUR_ADDR6   "fd00:1::100"

#define ECN_ECT1    0x01
#define ECN_CE      0x03
/* The ToS byte of the mark m in format dscp, with these ECN bits: DSCP xxxx11 of RFC 2474. */
#define DSCP_MARK(m, ecn) ((m) << 4 | 0x0c | (ecn))
#define LAST              0
#define QUIET             15
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
#define IP6_LENGTH      40
#define IP6_END         (ETH_HLEN + IP6_LENGTH)

#define AS_COMPUTED     (-1)

/* The extension headers of IPv6, as "next header" calls them. */
#define EXT_HOP      0
#define EXT_ROUTING  43
#define EXT_FRAGMENT 44
#define EXT_AUTH     51
#define EXT_DEST     60
#define EXT_MOBILITY 135
#define NO_NEXT      59
#define EXT_MAX      10

struct frame {
	uint32_t length;
	uint32_t counted; /* what counters add: the length without padding and trailers */
	uint16_t l3, l4;  /* where the IP header and that of layer 4 begin */
	uint8_t proto;
	bool is_later_part; /* of a datagram: it has no header of layer 4 */
	_Alignas(4) uint8_t data[FRAME_MAX];
};

/* A VLAN tag; type 0: none. */
struct tag {
	uint16_t type, tci;
};

/* One extension header. */
struct ext {
	uint8_t kind;
	uint16_t size;     /* 0: 8, of AH 16 */
	uint16_t fragment; /* MORE_FRAGMENTS, FRAGMENT_AT() */
	uint32_t id;
	bool has_units; /* the length says this instead of the size */
	uint8_t units;
};

/* What a frame is made from. Numbers in host order. */
struct headers {
	const char *to, *from; /* MACs */
	struct tag tags[4];
	uint16_t ethertype;
	bool is_ipv6;
	uint8_t version, ihl, tos, ttl, proto;
	uint32_t flow; /* label of IPv6 */
	uint16_t id, fragment;
	const char *src, *dst;
	struct ext ext[EXT_MAX];
	uint8_t ext_count;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags; /* of TCP */
	uint8_t icmp_type, icmp_code;
	const struct headers *quote; /* by an ICMP error */
	int quote_bytes;             /* of it are there, AS_COMPUTED: its headers and 8 more */
	uint16_t payload;            /* bytes behind the header of layer 4 */
	int total_length;            /* in the IP header; of IPv6 the payload length */
	int check;                   /* of the IP header */
	uint16_t padding;            /* bytes behind the datagram */
	uint32_t cut;                /* the frame ends after so many bytes, 0 = it does not */
};

#define DEFAULT_HEADERS                                                                            \
	.to = INGRESS_MAC, .from = CLIENT_MAC, .ethertype = ETH_P_IP, .version = 4, .ihl = 5,      \
	.proto = 6, .ttl = 64, .fragment = DONT_FRAGMENT, .id = 0x1234, .src = CLIENT, .dst = VIP, \
	.sport = 40000, .dport = HTTP, .flags = ACK, .seq = 1000, .ack = 2000, .icmp_type = 8,     \
	.quote_bytes = AS_COMPUTED, .total_length = AS_COMPUTED, .check = AS_COMPUTED
#define DEFAULT_HEADERS6                                                                           \
	DEFAULT_HEADERS, .ethertype = ETH_P_IPV6, .is_ipv6 = true, .version = 6, .flow = 0x54321,  \
			 .fragment = 0, .src = CLIENT6, .dst = VIP6, .icmp_type = 128

/* For tables of cases. */
#define HEADERS(...)                                                                               \
	{                                                                                          \
		DEFAULT_HEADERS, ##__VA_ARGS__                                                     \
	}
#define HEADERS6(...)                                                                              \
	{                                                                                          \
		DEFAULT_HEADERS6, ##__VA_ARGS__                                                    \
	}
/* Extension headers in a row: EXT({EXT_HOP}, {EXT_DEST, .size = 24}). */
#define EXT(...)                                                                                   \
	.ext = {__VA_ARGS__}, .ext_count = sizeof((struct ext[]){__VA_ARGS__}) / sizeof(struct ext)
/* What the server answered to frame_tcp(), for .quote. */
#define REPLY(...)                                                                                 \
	(&(struct headers)HEADERS(.src = VIP, .dst = CLIENT, .sport = HTTP, .dport = 40000,        \
				  ##__VA_ARGS__))
#define REPLY6(...)                                                                                \
	(&(struct headers)HEADERS6(.src = VIP6, .dst = CLIENT6, .sport = HTTP, .dport = 40000,     \
				   ##__VA_ARGS__))

#define frame_make(frame, ...)  frame_build(frame, &(struct headers)HEADERS(__VA_ARGS__))
#define frame_tcp(frame, ...)   frame_make(frame, ##__VA_ARGS__)
#define frame_udp(frame, ...)   frame_make(frame, .proto = 17, ##__VA_ARGS__)
#define frame_icmp(frame, ...)  frame_make(frame, .proto = 1, ##__VA_ARGS__)
#define frame_make6(frame, ...) frame_build(frame, &(struct headers)HEADERS6(__VA_ARGS__))
#define frame_tcp6(frame, ...)  frame_make6(frame, ##__VA_ARGS__)
#define frame_udp6(frame, ...)  frame_make6(frame, .proto = 17, ##__VA_ARGS__)
#define frame_icmp6(frame, ...) frame_make6(frame, .proto = 58, ##__VA_ARGS__)
/* "Fragmentation needed" and "packet too big" from the way, about .quote. */
#define frame_error(frame, ...)                                                                    \
	frame_icmp(frame, .src = FAR_ROUTER, .icmp_type = 3, .icmp_code = 4, ##__VA_ARGS__)
#define frame_error6(frame, ...)                                                                   \
	frame_icmp6(frame, .src = FAR_ROUTER6, .icmp_type = 2, ##__VA_ARGS__)

void frame_build(struct frame *frame, const struct headers *headers);
/* Only as many bytes as there are. */
void frame_copy(struct frame *to, const struct frame *from);
/* Set l3, l4 and proto by what stands in the frame: for one that was received. */
void frame_find_layers(struct frame *frame);
bool frame_is_ipv6(const struct frame *frame);
struct iphdr *frame_ip(struct frame *frame);
struct ipv6hdr *frame_ip6(struct frame *frame);
struct tcphdr *frame_tcp_header(struct frame *frame);
void frame_set_macs(struct frame *frame, const char *to, const char *from);
void frame_swap_macs(struct frame *frame);
/* In place of the tags that it has. */
void frame_set_tags(struct frame *frame, unsigned int count, const struct tag *tags);
/* Change a field of the IP header (hop limit and traffic class of IPv6) and compute the checksum anew. */
uint8_t frame_get_ttl(const struct frame *frame);
uint8_t frame_get_tos(const struct frame *frame);
void frame_set_ttl(struct frame *frame, uint8_t ttl);
void frame_set_tos(struct frame *frame, uint8_t tos);
/* Sequence and acknowledgement number of TCP. */
void frame_set_numbers(struct frame *frame, uint32_t seq, uint32_t ack);
/* Of IPv4 and of TCP. */
void frame_set_check(struct frame *frame);
void frame_set_tcp_check(struct frame *frame);
/* Of ICMP and ICMPv6, over all that is there. */
void frame_set_icmp_check(struct frame *frame);
bool frame_has_good_check(struct frame *frame);

void mac_parse(const char *text, uint8_t mac[ETH_ALEN]);

#endif
