// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sends what to a router: clients and servers, to its prefixes and elsewhere, with marks that
 * servers or strangers made. See world_router.h.
 */
#include <string.h>
#include "world_router.h"

#define CLIENTS 48

static const uint8_t ingress_mac[6] = {2, 0, 0, 0, 1, 0}, client_mac[6] = {2, 3, 4, 5, 6, 0x99};

static uint8_t pick_proto(struct random *random, bool is_ipv6)
{
	static const uint8_t others[] = {1, 47, 50, 132, 59, 58, 2, 255, 41, 51};

	if (one_in(random, 7))
		return is_ipv6 ? 58 : 1;
	if (one_in(random, 10))
		return random_of_array(random, others);
	return one_in(random, 4) ? 17 : 6;
}

static uint8_t pick_tos(struct random *random)
{
	if (one_in(random, 2))
		return 0;
	if (one_in(random, 4))
		return random_64(random);
	return one_in(random, 2) ? 1
				 : random_below(random, 5) << 4 | 0x0c | random_below(random, 4);
}

/* The first or the last addresses of the prefix, or any. */
static void pick_dst(struct random *random, const struct model_prefix *prefix, struct talk *talk)
{
	uint8_t fill = one_in(random, 2) ? 0 : 0xff;
	bool is_any = one_in(random, 4);

	talk->is_ipv6 = prefix->is_ipv6;
	talk->dst = prefix->addr;
	for (uint32_t bit = prefix->length; bit < 128; bit++) {
		uint8_t mask = 0x80 >> bit % 8;
		bool is_set = is_any ? one_in(random, 2) : fill;

		if (bit >= 124)
			is_set = one_in(random, 2);
		if (is_set)
			talk->dst.byte[bit / 8] |= mask;
	}
}

/* To one who is known, whatever prefix that comes to. */
static void pick_known_dst(const struct model_router *router, struct random *random,
			   struct talk *talk)
{
	const struct model_hop *hop = &router->hop[random_between(random, 1, MODEL_HOPS_MAX - 1)];
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (!hop->is_used)
		return;
	talk->dst = hop->addr;
	talk->is_ipv6 = memcmp(hop->addr.byte, mapped, sizeof(mapped));
}

static void pick_src(struct random *random, struct talk *talk)
{
	static const uint8_t ipv4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 1, 0};
	static const uint8_t ipv6[16] = {0x20, 1, 0x0d, 0xb8, 0, 1};

	memcpy(talk->src.byte, talk->is_ipv6 ? ipv6 : ipv4, 16);
	if (one_in(random, 2)) {
		talk->src.byte[15] = random_below(random, CLIENTS);
		return;
	}
	for (int i = talk->is_ipv6 ? 8 : 12; i < 16; i++)
		talk->src.byte[i] = random_64(random);
}

/* A server of the prefix, one that it had before, or another. */
static void pick_server_mac(const struct model_router *router, const struct model_prefix *prefix,
			    struct random *random, struct talk *talk)
{
	uint32_t owners = prefix->buckets * (1 + prefix->rows);
	uint32_t id = random_between(random, 1, 40);

	if (owners && !one_in(random, 8)) {
		uint32_t newer = prefix->buckets * (1 + (prefix->rows ? 1 : 0));

		id = prefix->owners[random_below(random, one_in(random, 2) ? newer : owners)];
	}
	if (router->hop[id].is_resolved)
		memcpy(talk->src_mac, router->hop[id].dst_mac, sizeof(talk->src_mac));
}

void router_world_pick(const struct model_router *router, struct random *random, struct talk *talk)
{
	const struct model_prefix *prefix =
		&router->prefix[random_below(random, router->prefix_count)];

	*talk = (struct talk){.sport = one_in(random, 2) ? random_64(random) : 40000,
			      .dport = one_in(random, 8) ? random_64(random) : 80,
			      .seq = random_64(random),
			      .ack = random_64(random)};
	pick_dst(random, prefix, talk);
	if (one_in(random, 25) || (prefix->is_connected && one_in(random, 2)))
		pick_known_dst(router, random, talk);
	pick_src(random, talk);
	talk->proto = pick_proto(random, talk->is_ipv6);
	talk->tos = pick_tos(random);
	memcpy(talk->dst_mac, ingress_mac, 6);
	memcpy(talk->src_mac, client_mac, 6);
	if (talk->tos && !one_in(random, 4))
		pick_server_mac(router, prefix, random, talk);
}
