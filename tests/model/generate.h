/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames to try: good ones of every kind (generate.c, headers.c), and what becomes of them when
 * they are damaged (mutate.c). They depend on the random stream that they are given, and on nothing
 * else but who talks to whom, which a world tells.
 */
#ifndef MODEL_GENERATE_H
#define MODEL_GENERATE_H

#include "model.h"
#include "random.h"

/* What a world wants a frame to be about. */
struct talk {
	bool is_ipv6;
	struct model_addr src, dst;
	uint8_t proto;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t dst_mac[6], src_mac[6];
	uint8_t tos;
};

/* Fills in all of it; with the same stream, the same. */
typedef void talk_pick(struct random *random, struct talk *talk);

/* A good frame. `epoch` names the datagrams that are under way in parts. */
void generate_frame(struct random *random, struct random epoch, talk_pick *pick,
		    struct model_frame *frame);
/* Some damage, or none; `other` is a frame to take parts of. */
void mutate_frame(struct random *random, struct model_frame *frame,
		  const struct model_frame *other);

/* ---- headers.c: pieces of a frame, one behind the other. ---- */

struct writer {
	struct random *random;
	struct model_frame *frame; /* its length is where the next piece goes */
};

void write_8(struct writer *writer, uint8_t value);
void write_be16(struct writer *writer, uint16_t value);
void write_be32(struct writer *writer, uint32_t value);
void write_bytes(struct writer *writer, const void *bytes, uint32_t count);
void write_random(struct writer *writer, uint32_t count);
void put_be16(uint8_t *at, uint16_t value);

/* How a datagram was divided. */
struct part {
	bool is_part;   /* IPv4: anything in the field; IPv6: with a fragment header */
	uint16_t field; /* as IPv6 has it: offset in bytes, a multiple of 8 | more fragments */
	uint32_t id;
};

struct ip_place {
	bool is_ipv6;
	uint32_t at;
};

/* An IP header of this talk; its length is set by finish_ip(). */
struct ip_place write_ip(struct writer *writer, const struct talk *talk, const struct part *part,
			 uint8_t ttl);
/* Everything that was written since is its payload. */
void finish_ip(struct writer *writer, struct ip_place place);
void write_tcp(struct writer *writer, const struct talk *talk);
void write_udp(struct writer *writer, const struct talk *talk, uint32_t payload);

#endif
