/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is read out of a frame before anything is decided, see model_packet.c; and what is changed
 * in one, see model_rewrite.c.
 */
#ifndef MODEL_PACKET_H
#define MODEL_PACKET_H

#include "model.h"

enum {
	PROTO_HOP_BY_HOP = 0,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AH = 51,
	PROTO_ICMP6 = 58,
	PROTO_DESTINATION = 60,
	PROTO_MOBILITY = 135,
};

#define TCP_HEADER 20 /* without options */
#define TCP_SYN    0x02
#define TCP_RST    0x04
#define TCP_ACK    0x10

enum packet_kind { PACKET_NOT_IP, PACKET_GROUP, PACKET_FOREIGN, PACKET_BAD, PACKET_GOOD };

/* One flow, in the direction of the packet. */
struct flow {
	struct model_addr src, dst;
	uint8_t proto;
	uint8_t ports[4]; /* as they stand in the packet; 0 without ports */
};

struct packet {
	enum packet_kind kind;
	uint32_t counted; /* bytes: all, or without padding as soon as the length is known */
	uint32_t tags;    /* 0 to 2 */
	uint16_t outer_tag;
	uint32_t l3;  /* where the IP header begins */
	uint32_t l4;  /* what follows the headers */
	uint32_t end; /* of the IP packet */
	bool is_ipv6;
	uint8_t tos, ttl;
	struct flow flow;
	bool is_fragment, is_first, is_later; /* fragment = first or later */
	uint32_t fragment_id;
	uint8_t fragment_proto; /* of IPv4 */
	/* An ICMP error about another flow, turned round: as if the one it is about had sent it. */
	bool is_error;
	struct flow about;
	/* ICMP of any kind, its type: -1: none, or cut off */
	bool is_icmp;
	int icmp_type;
};

void packet_parse(const struct model_frame *frame, const struct model_own *own,
		  struct packet *packet);
/* Are these bytes of the IP packet there to be looked at? */
bool packet_has(const struct model_frame *frame, const struct packet *packet, uint32_t at,
		uint32_t length);

/* The first 16 and 32 bits at `at` of bytes, in host order. */
uint16_t read_16(const uint8_t *at);
uint32_t read_32(const uint8_t *at);

/* ---- model_rewrite.c: changes of what comes out. ---- */

void outcome_copy(struct model_outcome *outcome, const struct model_frame *frame);
void outcome_set_tos(struct model_outcome *outcome, const struct packet *packet, uint8_t tos);
void outcome_decrement_ttl(struct model_outcome *outcome, const struct packet *packet);
/* One tag with this id, or none. The length changes. */
void outcome_set_vlan(struct model_outcome *outcome, const struct packet *packet, uint16_t vlan);

/* ---- model_answer.c ---- */

/* May an ICMP error be about it? */
bool answer_is_allowed(const struct packet *packet);
/* The outcome becomes an ICMP error, back to where the frame came from: about its MTU, or (0) its TTL. */
void outcome_answer(struct model_outcome *outcome, const struct packet *packet,
		    const struct model_router *router, uint32_t mtu);

/* The mark: how many servers were tried, 0: LAST, from a router 15: QUIET. */
#define MARK_LAST  0
#define MARK_QUIET 15
bool mark_read(bool is_tos_format, uint8_t tos, unsigned int *tried);
uint8_t mark_write(bool is_tos_format, uint8_t tos, unsigned int tried);
uint8_t mark_clear(bool is_tos_format, uint8_t tos);

#endif
