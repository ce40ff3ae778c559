// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router: spreads flows to a prefix over its next hops, and sends what a server bounced on to
 * the bucket's previous owners. Reads as the algorithm of docs/design.md, one stage a function.
 * A stage returns the reason why the packet is not simply forwarded, or 0 (ROUTER_forward).
 */
#include "parse.h"
#include "maps.h"
#include "flow_hash.h"
#include "mark.h"
#include "rewrite.h"
#include "verdict.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader, constant to the verifier: branches on them cost nothing. */
const volatile struct ecmper_hash_key hash_key = {};
const volatile __u32 vip_lines = 1;
const volatile __u32 mark_format = ECMPER_MARK_DSCP;

/* What the stages found for one packet. */
struct route {
	__u32 cur_nh_offset; /* the table of current owners */
	__u32 cur_nh_count;
	const struct ecmper_prefix *prefix; /* NULL as long as the exact match was enough */
	__u32 next_hop;                     /* id, index into neigh */
	__u32 outcome; /* which kind of forwarding: forward, history, chain_end, connected */
	__u8 tos;      /* ToS byte to send */
};

/* The destination's slot in its exact-match line, 0 when it has none: then lpm decides. */
static __always_inline __u64 find_vip_slot(__be32 daddr)
{
	__u32 home = ecmper_vip_home4(daddr, vip_lines);
	__u32 line_index = home / ECMPER_VIP_SLOTS;
	const struct ecmper_vip_line *line = map_lookup(ECMPER_MAP_VIP, &line_index);
	__u64 slot;

	if (!line)
		return 0;
	/* Nearly always here, which the CPU learns; a search alone costs it a wrong guess a packet. */
	slot = *(const volatile __u64 *)&line->slot[home % ECMPER_VIP_SLOTS];
	if (likely(slot >> 32 == daddr))
		return slot;
#pragma unroll
	for (int i = 0; i < ECMPER_VIP_SLOTS; i++) {
		slot = *(const volatile __u64 *)&line->slot[i];
		if (slot >> 32 == daddr)
			return slot;
	}
	return 0;
}

/* All of the prefix's state, for packets that need more than the current owners. */
static __always_inline int find_in_lpm(const struct packet *pkt, struct route *route)
{
	struct ecmper_lpm_key key = lpm_key(pkt->ip->daddr);

	route->prefix = map_lookup(ECMPER_MAP_LPM, &key);
	if (!route->prefix)
		return ROUTER_no_route;
	route->cur_nh_offset = route->prefix->cur_nh_offset;
	route->cur_nh_count = route->prefix->cur_nh_count;
	return 0;
}

static __always_inline int find_prefix(const struct packet *pkt, struct route *route)
{
	__u32 slot = find_vip_slot(pkt->ip->daddr);

	if (unlikely(!slot))
		return find_in_lpm(pkt, route);
	route->cur_nh_offset = slot & -(1U << ECMPER_VIP_COUNT_BITS);
	route->cur_nh_count = 1U << (slot & ((1U << ECMPER_VIP_COUNT_BITS) - 1));
	return 0;
}

/* The neighbour that is the destination itself. Its address is compared again, because the
 * kernel may recycle a deleted element of the hash map while we read it. */
static __always_inline int choose_connected(const struct packet *pkt, struct route *route)
{
	struct ecmper_addr addr = {.word = {0, 0, bpf_htonl(0xffff), pkt->ip->daddr}};
	const struct ecmper_neigh *to;
	__u32 *id;

	id = map_lookup(ECMPER_MAP_NEIGH_ID, &addr);
	if (!id)
		return ROUTER_no_neigh;
	route->next_hop = *id;
	route->outcome = ROUTER_connected;
	to = map_lookup(ECMPER_MAP_NEIGH, &route->next_hop);
	return to && to->addr.word[3] == addr.word[3] ? 0 : ROUTER_no_neigh;
}

/* Marks count only when the frame comes from a next hop: anybody else could send them too. */
static __noinline bool is_from_server(const struct ethhdr *eth)
{
	struct ecmper_mac mac = {};

	__builtin_memcpy(mac.byte, eth->h_source, ETH_ALEN);
	return map_lookup(ECMPER_MAP_NEIGH_MAC, &mac) != NULL;
}

/* The owner that comes after `tried` servers, and the mark for it: LAST when the chain ends there. */
static __always_inline bool choose_previous(struct route *route, __u32 hash, __u32 tried)
{
	const struct ecmper_prefix *prefix = route->prefix;
	__u32 count = prefix->cur_nh_count;
	__u32 slot = (tried - 1) * count + (hash & (count - 1));
	__u32 next_hop, after = 0;

	if (slot >= prefix->prv_nh_count)
		return false;
	next_hop = nh_at(ECMPER_MAP_PRV_NH, prefix->prv_nh_offset + slot);
	if (!next_hop)
		return false;
	if (slot + count < prefix->prv_nh_count)
		after = nh_at(ECMPER_MAP_PRV_NH, prefix->prv_nh_offset + slot + count);
	route->next_hop = next_hop;
	route->tos = mark_set(mark_format, route->tos, after ? tried : MARK_LAST);
	route->outcome = ROUTER_history;
	return true;
}

static __always_inline void choose_current(struct route *route, __u32 hash)
{
	route->next_hop =
		nh_at(ECMPER_MAP_CUR_NH, route->cur_nh_offset + (hash & (route->cur_nh_count - 1)));
}

/* Every server of the prefix is drained: connections live on, new ones find nobody. */
static __always_inline int choose_drained(const struct packet *pkt, struct route *route, __u32 hash)
{
	const struct tcphdr *tcp;

	if (pkt->ip->protocol != IPPROTO_TCP || pkt->is_later_part)
		return ROUTER_no_server;
	tcp = tcp_header(pkt);
	if (!tcp || (tcp->syn && !tcp->ack))
		return ROUTER_no_server;
	if (!route->prefix && find_in_lpm(pkt, route))
		return ROUTER_no_route;
	return choose_previous(route, hash, 1) ? 0 : ROUTER_no_server;
}

/* Did this next hop send the frame? A bounced frame comes from the MAC that it was sent to. */
static __always_inline bool is_sender(const struct ethhdr *eth, __u32 next_hop)
{
	const struct ecmper_neigh *sender = map_lookup(ECMPER_MAP_NEIGH, &next_hop);
	const __u8 *mac;
	__u8 live;

	if (!sender)
		return false;
	live = *(const volatile __u8 *)&sender->live;
	if (!live)
		return false;
	mac = sender->link[(live - 1) & 1].dst_mac;
	return *(const __u16 *)mac == *(const __u16 *)eth->h_source &&
	       *(const __u32 *)(mac + 2) == *(const __u32 *)(eth->h_source + 2);
}

/*
 * Is it the server that this table tried last which sent the packet back? If not, the bucket changed
 * while the packet was on its way, and who is left to try cannot be told from their number: the
 * owner may have become the current one, behind the packet's back.
 */
static __always_inline bool is_on_course(const struct packet *pkt, const struct route *route,
					 __u32 hash, __u32 tried)
{
	const struct ecmper_prefix *prefix = route->prefix;
	__u32 bucket = hash & (prefix->cur_nh_count - 1);
	__u32 slot = (tried - 2) * prefix->cur_nh_count + bucket;

	if (tried == 1)
		return is_sender(pkt->eth,
				 nh_at(ECMPER_MAP_CUR_NH, prefix->cur_nh_offset + bucket));
	return slot < prefix->prv_nh_count &&
	       is_sender(pkt->eth, nh_at(ECMPER_MAP_PRV_NH, prefix->prv_nh_offset + slot));
}

/* A server sent the packet back: on to the bucket's history, or to where it ends. */
static __always_inline int choose_for_bounced(const struct packet *pkt, struct route *route,
					      __u32 hash, __u32 tried)
{
	if (!route->prefix && find_in_lpm(pkt, route))
		return ROUTER_no_route;
	if (unlikely(!is_on_course(pkt, route, hash, tried))) {
		count(ROUTER_restarted, pkt->bytes);
		route->tos = mark_clear(mark_format, route->tos);
		choose_current(route, hash);
		return route->next_hop ? 0 : choose_drained(pkt, route, hash);
	}
	if (choose_previous(route, hash, tried))
		return 0;
	choose_current(route, hash);
	/* Without a current owner (all are drained) the newest previous one answers. */
	if (!route->next_hop && !choose_previous(route, hash, 1))
		return ROUTER_no_server;
	route->tos = mark_set(mark_format, route->tos, MARK_LAST);
	route->outcome = ROUTER_chain_end;
	return 0;
}

static __always_inline int choose_by_hash(const struct packet *pkt, struct route *route)
{
	__u32 hash = ecmper_flow_hash4(&hash_key, pkt->ip->saddr, pkt->ip->daddr, pkt->ports,
				       pkt->ip->protocol);

	if (unlikely(pkt->is_fragment))
		count(ROUTER_fragment, pkt->bytes);
	if (unlikely(mark_is_set(mark_format, route->tos))) {
		__u32 tried = mark_tried(mark_format, route->tos);

		if (tried && is_from_server(pkt->eth))
			return choose_for_bounced(pkt, route, hash, tried);
		route->tos = mark_clear(mark_format, route->tos);
		count(ROUTER_mark_cleared, pkt->bytes);
	}
	choose_current(route, hash);
	return likely(route->next_hop) ? 0 : choose_drained(pkt, route, hash);
}

static __always_inline int choose_next_hop(const struct packet *pkt, struct route *route)
{
	route->tos = pkt->ip->tos;
	if (unlikely(route->prefix && route->prefix->flags & ECMPER_PREFIX_CONNECTED))
		return choose_connected(pkt, route);
	return choose_by_hash(pkt, route);
}

/* A packet that is sent is counted with its next hop, and only there. */
static __always_inline void count_forwarded(const struct packet *pkt, const struct route *route)
{
	__u32 id = route->next_hop;
	struct ecmper_nh_reasons *counted = map_lookup(ECMPER_MAP_NH_COUNTERS, &id);

	if (counted)
		add_packet(&counted->reason[route->outcome % ECMPER_FORWARDS], pkt->bytes);
}

/* Rewrite and send. The last stage: from here on the packet is changed. */
static __always_inline int forward(const struct packet *pkt, const struct route *route)
{
	const struct ecmper_neigh *to = map_lookup(ECMPER_MAP_NEIGH, &route->next_hop);
	const struct ecmper_link *link;
	__u8 live;

	if (!to)
		return ROUTER_no_neigh;
	live = *(const volatile __u8 *)&to->live;
	if (unlikely(!live))
		return ROUTER_no_neigh;
	link = &to->link[(live - 1) & 1];

	if (unlikely(route->tos != pkt->ip->tos))
		set_tos(pkt->ip, route->tos);
	decrement_ttl(pkt->ip);
	set_macs(pkt->eth, link);
	if (unlikely(bpf_redirect_map(&ECMPER_MAP_TX_PORTS, link->port, XDP_DROP) != XDP_REDIRECT))
		return ROUTER_no_device;
	count_forwarded(pkt, route);
	return route->outcome;
}

static __always_inline int parsed(enum parse_result result)
{
	switch (result) {
	case PARSE_OK: return 0;
	case PARSE_NOT_IP: return ROUTER_not_ip;
	case PARSE_NOT_UNICAST: return ROUTER_not_unicast;
	default: return ROUTER_bad_header;
	}
}

static __always_inline int verdict(const struct packet *pkt, int reason)
{
	if (likely(reason < ECMPER_FORWARDS)) /* counted with its next hop */
		return XDP_REDIRECT;
	count(reason, pkt->bytes);
	switch (reason) {
#define X(name, action, text)                                                                      \
	case ROUTER_##name: return ACTION_##action;
		ECMPER_ROUTER_REASONS(X)
#undef X
	}
	return XDP_ABORTED;
}

SEC("xdp.frags")
int ecmper_router(struct xdp_md *ctx)
{
	struct packet pkt = {};
	struct route route = {};
	int reason;

	reason = parsed(parse(ctx, &pkt));
	if (!reason)
		reason = find_prefix(&pkt, &route);
	if (!reason && unlikely(pkt.ip->ttl <= 1))
		reason = ROUTER_ttl;
	if (!reason)
		reason = choose_next_hop(&pkt, &route);
	if (!reason)
		reason = forward(&pkt, &route);
	return verdict(&pkt, reason);
}

/*
 * A redirect that the program agreed to can still fail behind its back: the device is down, has
 * no room for the packet's size, cannot send for XDP. The kernel says so only here, so that this
 * costs nothing while all is well. ctx: the arguments of the tracepoint (include/trace/events/xdp.h).
 */
SEC("tp_btf/xdp_redirect_err")
int ecmper_tx_errors(__u64 *ctx)
{
	__u32 zero = 0, map_id = ctx[5];
	const struct ecmper_config *settings = map_lookup(ECMPER_MAP_CONFIG, &zero);

	if (settings && settings->tx_ports_id == map_id)
		count(ROUTER_tx_error, 0);
	return 0;
}
