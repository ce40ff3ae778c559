// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sends what to a server: to its sockets, from their peers and from others, with numbers of
 * the connection and of another one; to other addresses and ports. See world_server.h.
 */
#include <string.h>
#include "world_server.h"

static const uint8_t server_mac[6] = {2, 3, 4, 5, 6, 1}, router_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t ipv4_client[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 1, 99};
static const uint8_t ipv6_client[16] = {0xfd, 0, 0, 1, [15] = 0x99};

static bool is_ipv4(const struct model_addr *addr)
{
	return !memcmp(addr->byte, ipv4_client, 12);
}

/* Near to it, or as far as a connection is from another. */
static uint32_t around(struct random *random, uint32_t number)
{
	switch (random_below(random, 5)) {
	case 0: return number + random_below(random, 1 << 19);
	case 1: return number - random_below(random, 1 << 19);
	case 2: return number + random_between(random, 1 << 28, 0xf0000000);
	default: return number;
	}
}

static void pick_elsewhere(const struct model_server *server, struct random *random,
			   struct talk *talk)
{
	const struct model_vip *vip = &server->vip[random_below(random, server->vip_count)];

	talk->is_ipv6 = vip->is_ipv6;
	talk->dst = vip->addr;
	if (vip->length < 128 || one_in(random, 3))
		talk->dst.byte[15] = random_64(random);
	if (one_in(random, 6))
		talk->dst.byte[12 + random_below(random, 4)] = random_64(random);
}

static void pick_socket(const struct model_server *server, struct random *random, struct talk *talk)
{
	const struct model_socket *socket =
		&server->socket[random_below(random, server->socket_count)];

	if (socket->local.byte[0] || socket->local.byte[12]) {
		talk->dst = socket->local;
		talk->is_ipv6 = !is_ipv4(&socket->local);
	} else {
		pick_elsewhere(server, random, talk);
	}
	talk->proto = socket->kind == MODEL_UDP || socket->kind == MODEL_UDP_CONNECTED ? 17 : 6;
	talk->dport = socket->local_port;
	if (!socket->peer_port || one_in(random, 8))
		return;
	talk->src = socket->peer;
	talk->sport = one_in(random, 12) ? random_64(random) : socket->peer_port;
	talk->seq = around(random, socket->receive_next);
	talk->ack = around(random, socket->send_next);
}

static uint8_t pick_tos(struct random *random)
{
	if (one_in(random, 2))
		return 0;
	if (one_in(random, 4))
		return random_64(random);
	return one_in(random, 2) ? 1
				 : random_below(random, 16) << 4 | 0x0c | random_below(random, 4);
}

void server_world_pick(const struct model_server *server, struct random *random, struct talk *talk)
{
	static const uint8_t protos[] = {6, 6, 6, 17, 17, 47, 132, 50, 1, 58, 59};
	bool has_src;

	*talk = (struct talk){.sport = random_64(random),
			      .dport = one_in(random, 2) ? 80 : random_64(random),
			      .seq = random_64(random),
			      .ack = random_64(random),
			      .proto = random_of_array(random, protos),
			      .tos = pick_tos(random)};
	if (one_in(random, 4))
		pick_elsewhere(server, random, talk);
	else
		pick_socket(server, random, talk);
	has_src = talk->src.byte[0] || talk->src.byte[12];
	if (!has_src)
		memcpy(talk->src.byte, talk->is_ipv6 ? ipv6_client : ipv4_client, 16);
	if (!has_src && one_in(random, 2))
		talk->src.byte[15] = random_64(random);
	if (one_in(random, 6))
		talk->proto = talk->is_ipv6 ? 58 : 1;
	memcpy(talk->dst_mac, server_mac, 6);
	memcpy(talk->src_mac, router_mac, 6);
}
