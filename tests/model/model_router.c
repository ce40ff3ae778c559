// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router's verdict, as docs/design.md has it: longest prefix, flow hash, bucket, chain, mark,
 * next hop, and the frame that leaves. Without a look at bpf/.
 */
#include <linux/bpf.h>
#include <string.h>
#include "model_packet.h"

/* What the stages hand on. */
struct path {
	const struct model_router *router;
	const struct model_frame *frame;
	struct model_outcome *outcome;
	struct packet packet;
	const struct model_prefix *prefix;
	uint32_t bucket;
	uint8_t tos;           /* to leave with */
	bool is_from_a_server; /* marked, by one */
	bool has_paid;         /* its TTL, when it came first */
	bool is_last;          /* leaves as LAST */
};

static void note(struct path *path, enum ecmper_router_reason reason)
{
	path->outcome->reasons |= MODEL_BIT(reason);
}

static void end(struct path *path, uint32_t verdict, enum ecmper_router_reason reason)
{
	path->outcome->verdict = verdict;
	path->outcome->reason = reason;
	note(path, reason);
}

static bool covers(const struct model_prefix *prefix, const struct model_addr *addr)
{
	for (uint32_t bit = 0; bit < prefix->length; bit++)
		if ((prefix->addr.byte[bit / 8] ^ addr->byte[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

/* Of the packet's family: ::/0 does not cover IPv4, nor 0.0.0.0/0 an IPv4-mapped IPv6 address. */
static const struct model_prefix *find_prefix(const struct model_router *router,
					      const struct packet *packet)
{
	const struct model_prefix *best = NULL;

	for (uint32_t i = 0; i < router->prefix_count; i++) {
		const struct model_prefix *prefix = &router->prefix[i];

		if (prefix->is_ipv6 == packet->is_ipv6 && covers(prefix, &packet->flow.dst) &&
		    (!best || prefix->length > best->length))
			best = prefix;
	}
	return best;
}

static uint32_t memory_word(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Products of keyed words, added up (Lemire and Kaser); the upper half of one more product. */
static uint32_t hash(const uint64_t key[12], bool is_ipv6, const struct flow *flow)
{
	uint64_t ports = memory_word(flow->ports), sum = 0;

	if (!is_ipv6) {
		sum += (key[0] + memory_word(flow->src.byte + 12)) *
		       (key[1] + memory_word(flow->dst.byte + 12));
		sum += (key[2] + ports) * (key[3] + flow->proto);
	} else {
		for (int i = 0; i < 4; i += 2) {
			sum += (key[i] + memory_word(flow->src.byte + 4 * i)) *
			       (key[i + 1] + memory_word(flow->src.byte + 4 * i + 4));
			sum += (key[5 + i] + memory_word(flow->dst.byte + 4 * i)) *
			       (key[6 + i] + memory_word(flow->dst.byte + 4 * i + 4));
		}
		sum += (key[9] + ports) * (key[10] + flow->proto);
	}
	sum ^= sum >> 32;
	return sum * (key[4] | 1) >> 32;
}

static struct model_datagram *datagram_of(const struct packet *packet)
{
	struct model_datagram key = {.src = packet->flow.src,
				     .dst = packet->flow.dst,
				     .id = packet->fragment_id,
				     .proto = packet->fragment_proto};

	return model_fragments_at(&key);
}

/* The flow whose hash is the bucket's; remembers first parts, and asks what they said. */
static struct flow choose_flow(struct path *path)
{
	struct packet *packet = &path->packet;
	struct flow flow = packet->flow;

	if (packet->is_error) {
		note(path, ROUTER_icmp_error);
		return packet->about;
	}
	if (!packet->is_fragment || path->prefix->hash_on != ECMPER_HASH_ON_5TUPLE)
		return flow;
	if (packet->is_first) {
		struct model_datagram *datagram = datagram_of(packet);

		datagram->is_known = true;
		datagram->first_proto = flow.proto;
		memcpy(datagram->ports, flow.ports, sizeof(flow.ports));
	} else {
		const struct model_datagram *datagram = datagram_of(packet);

		if (!datagram->is_known) {
			note(path, ROUTER_fragment);
			return flow;
		}
		flow.proto = datagram->first_proto;
		memcpy(flow.ports, datagram->ports, sizeof(flow.ports));
	}
	return flow;
}

/* Returns the protocol of the flow. */
static uint8_t choose_bucket(struct path *path)
{
	struct flow flow = choose_flow(path);
	uint8_t proto = flow.proto;

	if (path->prefix->hash_on != ECMPER_HASH_ON_5TUPLE) {
		flow.proto = 0;
		memset(flow.ports, 0, sizeof(flow.ports));
	}
	if (path->prefix->hash_on == ECMPER_HASH_ON_SRC)
		memset(&flow.dst, 0, sizeof(flow.dst));
	path->bucket = hash(path->router->key, path->packet.is_ipv6, &flow) % path->prefix->buckets;
	return proto;
}

/* The k-th of the chain, 0 is the current owner. 0: none. */
static uint32_t chain_at(const struct path *path, uint32_t k)
{
	if (k > path->prefix->rows)
		return 0;
	return path->prefix->owners[k * path->prefix->buckets + path->bucket];
}

/* Does this packet belong to a connection that is there already? */
static bool is_under_way(const struct path *path, uint8_t proto)
{
	const struct packet *packet = &path->packet;

	if (packet->is_error)
		return true;
	if (proto != PROTO_TCP)
		return false;
	if (packet->is_later)
		return true;
	if (!packet_has(path->frame, packet, packet->l4, TCP_HEADER))
		return false;
	return (path->frame->data[packet->l4 + 13] & (TCP_SYN | TCP_ACK)) != TCP_SYN;
}

/* The sender is told, if it may be. From a server's MAC there is no way to it. */
static void refuse(struct path *path, enum ecmper_router_reason reason, uint32_t mtu)
{
	static const uint8_t none[16];
	const struct model_router *router = path->router;

	if (path->is_from_a_server || !answer_is_allowed(&path->packet)) {
		end(path, XDP_DROP, ROUTER_icmp_never);
	} else if (path->packet.is_ipv6 ? !memcmp(router->source6, none, 16)
					: !memcmp(router->source4, none, 4)) {
		end(path, XDP_DROP, ROUTER_icmp_no_source);
	} else {
		outcome_answer(path->outcome, &path->packet, router, mtu);
		/* It grows in front. */
		if (path->outcome->length > path->frame->length + path->frame->headroom)
			end(path, XDP_DROP, ROUTER_no_headroom);
		else
			end(path, XDP_TX, reason);
	}
}

static bool has_mac(const struct path *path, uint32_t id)
{
	return id && path->router->hop[id].is_resolved;
}

static void send_to(struct path *path, uint32_t id, enum ecmper_router_reason reason)
{
	const struct model_hop *hop = &path->router->hop[id];
	struct model_outcome *outcome = path->outcome;
	const struct packet *packet = &path->packet;

	if (packet->ttl <= 1 && !path->has_paid) {
		refuse(path, ROUTER_ttl, 0);
		return;
	}
	if (packet->end - packet->l3 > hop->mtu) {
		refuse(path, ROUTER_too_big, hop->mtu);
		return;
	}
	outcome_set_tos(outcome, packet, path->tos);
	if (!path->has_paid)
		outcome_decrement_ttl(outcome, packet);
	if (hop->vlan && !packet->tags && path->frame->headroom < 4) {
		end(path, XDP_DROP, ROUTER_no_headroom);
		return;
	}
	memcpy(outcome->data, hop->dst_mac, 6);
	memcpy(outcome->data + 6, hop->src_mac, 6);
	outcome_set_vlan(outcome, packet, hop->vlan);
	if (!hop->has_device) {
		end(path, XDP_DROP, ROUTER_no_device);
		return;
	}
	if (reason == ROUTER_history && path->is_last)
		note(path, ROUTER_chain_last);
	outcome->next_hop = id;
	end(path, XDP_REDIRECT, reason);
}

/* Nobody in the bucket whom it could not be sent to? */
static bool is_bucket_complete(const struct path *path)
{
	for (uint32_t k = 0; k <= path->prefix->rows; k++)
		if (chain_at(path, k) && !has_mac(path, chain_at(path, k)))
			return false;
	return true;
}

/* Nobody is left to ask: nobody has it, or that cannot be said: the table is too young, a server has no
 * MAC. False: then it must not be sent, and no mark says so. */
static bool mark_end(struct path *path)
{
	bool is_quiet = path->prefix->is_young && !path->router->is_tos;

	if (!is_bucket_complete(path)) {
		if (path->router->is_tos)
			return false;
		is_quiet = true;
	}
	path->tos = mark_write(path->router->is_tos, path->tos, is_quiet ? MARK_QUIET : MARK_LAST);
	path->is_last = !is_quiet;
	if (is_quiet)
		note(path, ROUTER_quiet);
	return true;
}

/* The first of the chain from the k-th on that has a MAC, or 0. */
static uint32_t find_in_chain(const struct path *path, uint32_t k)
{
	for (; chain_at(path, k); k++)
		if (has_mac(path, chain_at(path, k)))
			return k;
	return 0;
}

/* To the first from the k-th of the chain on that can be sent to, with the mark that says so. False:
 * there is none. */
static bool send_along_chain(struct path *path, uint32_t k)
{
	k = find_in_chain(path, k);
	if (!k)
		return false;
	if (chain_at(path, k + 1))
		path->tos = mark_write(path->router->is_tos, path->tos, k);
	else if (!mark_end(path))
		return false;
	send_to(path, chain_at(path, k), ROUTER_history);
	return true;
}

static void send_anew(struct path *path, uint8_t proto)
{
	uint32_t owner = chain_at(path, 0);

	if (has_mac(path, owner))
		send_to(path, owner, ROUTER_forward);
	else if (!is_under_way(path, proto) || !send_along_chain(path, 1))
		end(path, XDP_DROP,
		    owner || (chain_at(path, 1) && is_under_way(path, proto)) ? ROUTER_no_neigh
									      : ROUTER_no_server);
}

static bool is_from_a_server(const struct path *path)
{
	for (uint32_t id = 1; id < MODEL_HOPS_MAX; id++)
		if (path->router->hop[id].may_mark && path->router->hop[id].is_resolved &&
		    !memcmp(path->router->hop[id].dst_mac, path->frame->data + 6, 6))
			return true;
	return false;
}

static bool is_from(const struct path *path, uint32_t id)
{
	const struct model_hop *hop = &path->router->hop[id];

	return id && hop->is_resolved && !memcmp(hop->dst_mac, path->frame->data + 6, 6);
}

/* A bounced packet, of which `tried` servers of the chain say that it is not theirs. */
static void send_on(struct path *path, uint32_t tried)
{
	uint32_t answers = chain_at(path, 0) ? 0 : find_in_chain(path, 1);

	path->has_paid = !path->router->is_tos; /* whose mark does not grow */
	if (send_along_chain(path, tried))
		return;
	if (chain_at(path, tried) || !has_mac(path, chain_at(path, answers)) || !mark_end(path))
		end(path, XDP_DROP, ROUTER_no_neigh);
	else
		send_to(path, chain_at(path, answers), ROUTER_chain_end);
}

static void route(struct path *path)
{
	uint8_t proto = choose_bucket(path);
	unsigned int tried;

	if (!mark_read(path->router->is_tos, path->tos, &tried)) {
		send_anew(path, proto);
		return;
	}
	path->is_from_a_server = tried && is_from_a_server(path);
	if (path->is_from_a_server && is_from(path, chain_at(path, tried - 1))) {
		send_on(path, tried);
	} else {
		note(path, path->is_from_a_server ? ROUTER_restarted : ROUTER_mark_cleared);
		path->tos = mark_clear(path->router->is_tos, path->tos);
		send_anew(path, proto);
	}
}

static void send_to_itself(struct path *path)
{
	for (uint32_t id = 1; id < MODEL_HOPS_MAX; id++)
		if (has_mac(path, id) &&
		    !memcmp(&path->router->hop[id].addr, &path->packet.flow.dst,
			    sizeof(struct model_addr))) {
			send_to(path, id, ROUTER_connected);
			return;
		}
	end(path, XDP_PASS, ROUTER_unresolved);
}

/* What hosts and routers of a link say to each other (RFC 4861, 2710, 3810). */
static bool is_discovery(const struct packet *packet)
{
	int type = packet->icmp_type;

	return packet->is_ipv6 && ((type >= 130 && type <= 137) || type == 143);
}

void model_router_judge(const struct model_router *router, const struct model_frame *frame,
			struct model_outcome *outcome)
{
	static const enum ecmper_router_reason unreadable[] = {[PACKET_NOT_IP] = ROUTER_not_ip,
							       [PACKET_GROUP] = ROUTER_not_unicast,
							       [PACKET_FOREIGN] = ROUTER_not_mine,
							       [PACKET_BAD] = ROUTER_bad_header};
	struct path path = {.router = router, .frame = frame, .outcome = outcome};

	outcome->reasons = outcome->next_hop = 0;
	outcome->is_unclear = false;
	packet_parse(frame, &router->own, &path.packet);
	path.tos = path.packet.tos;
	outcome->bytes = path.packet.counted;
	outcome_copy(outcome, frame);
	if (path.packet.kind != PACKET_GOOD) {
		end(&path, path.packet.kind == PACKET_BAD ? XDP_DROP : XDP_PASS,
		    unreadable[path.packet.kind]);
		return;
	}
	path.prefix = find_prefix(router, &path.packet);
	if (is_discovery(&path.packet) && packet_has(frame, &path.packet, path.packet.l4, 8))
		end(&path, XDP_PASS, ROUTER_discovery);
	else if (!path.prefix)
		end(&path, XDP_PASS, ROUTER_no_route);
	else if (path.prefix->is_connected)
		send_to_itself(&path);
	else
		route(&path);
}
