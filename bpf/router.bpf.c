// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router: spreads flows to a prefix over its next hops, and sends what a server bounced on to
 * the bucket's previous owners. Reads as the algorithm of docs/design.md, one stage a function.
 * A stage returns the reason why the packet is not simply forwarded, or 0 (ROUTER_forward).
 */
#include "parse.h"
#include "maps.h"
#include "flow_hash.h"
#include "icmp.h"
#include "rewrite.h"
#include "answer.h"
#include "verdict.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader, constant to the verifier: branches on them cost nothing. */
const volatile struct ecmper_hash_key hash_key = {};
const volatile __u32 vip_lines = 1;
const volatile __u32 vip_shift = 29;
const volatile __u32 mark_format = ECMPER_MARK_DSCP;
const volatile __u64 flight_ns = ECMPER_FLIGHT_MS_DEFAULT * 1000000ull;

/* Where a next hop is, NULL when that is not known. */
static __always_inline const struct ecmper_link *link_of(__u32 next_hop)
{
	const struct ecmper_neigh *to = map_lookup(ECMPER_MAP_NEIGH, &next_hop);
	__u8 live;

	if (!to)
		return NULL;
	live = *(const volatile __u8 *)&to->live;
	return likely(live) ? &to->link[(live - 1) & 1] : NULL;
}

/* What choose.h stands on. A bounced frame comes from the MAC that it was sent to. */
#define cur_nh_at(slot) nh_at(ECMPER_MAP_CUR_NH, slot)
#define prv_nh_at(slot) nh_at(ECMPER_MAP_PRV_NH, slot)

static __always_inline bool is_sender(const struct ethhdr *eth, __u32 next_hop)
{
	const struct ecmper_link *link = link_of(next_hop);

	return link && *(const __u16 *)link->dst_mac == *(const __u16 *)eth->h_source &&
	       *(const __u32 *)(link->dst_mac + 2) == *(const __u32 *)(eth->h_source + 2);
}

static __always_inline bool has_link(__u32 next_hop)
{
	return link_of(next_hop) != NULL;
}

static __always_inline bool is_settled(const struct ecmper_prefix *prefix)
{
	/* Signed: who wrote the time may have had a clock that is ahead of this one. */
	return !prefix->changed_ns ||
	       (__s64)(bpf_ktime_get_ns() - prefix->changed_ns) >= (__s64)flight_ns;
}

#include "choose.h"

/* The destination's slot in its exact-match line, 0 when it has none: then lpm decides. */
static __always_inline __u64 find_vip_slot(__be32 daddr)
{
	__u32 home = ecmper_vip_home4(daddr, vip_shift);
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

/* The table of a slot of vip6, 0 when it is another address's. The slot may be given to another
 * while it is read: then its table changed in between. */
static __always_inline __u64 read_vip6_slot(const struct ecmper_vip6_slot *slot,
					    const struct ecmper_addr *daddr)
{
	__u64 table = *(const volatile __u64 *)&slot->table;

	if (!is_same_addr(&slot->addr, daddr) || *(const volatile __u64 *)&slot->table != table)
		return 0;
	return table;
}

/* find_vip_slot() for IPv6. */
static __always_inline __u64 find_vip6_slot(const struct ipv6hdr *ip6)
{
	struct ecmper_addr daddr = addr_from_ipv6(&ip6->daddr);
	__u32 home = ecmper_vip_home6(&daddr, vip_lines * 2);
	__u32 line_index = home / ECMPER_VIP6_SLOTS;
	const struct ecmper_vip6_line *line = map_lookup(ECMPER_MAP_VIP6, &line_index);
	__u64 table;

	if (!line)
		return 0;
	table = read_vip6_slot(&line->slot[home % ECMPER_VIP6_SLOTS], &daddr);
	if (likely(table))
		return table;
#pragma unroll
	for (int i = 0; i < ECMPER_VIP6_SLOTS; i++) {
		table = read_vip6_slot(&line->slot[i], &daddr);
		if (table)
			return table;
	}
	return 0;
}

/* All of the prefix's state. */
static __always_inline int find_in_lpm(const struct packet *pkt, struct route *route,
				       const bool is_ipv6)
{
	if (is_ipv6) {
		struct ecmper_lpm6_key key = lpm6_key(pkt->ip6);

		route->prefix = map_lookup(ECMPER_MAP_LPM6, &key);
	} else {
		struct ecmper_lpm_key key = lpm_key(pkt->ip->daddr);

		route->prefix = map_lookup(ECMPER_MAP_LPM, &key);
	}
	if (!route->prefix)
		return ROUTER_no_route;
	route->cur_nh_offset = route->prefix->cur_nh_offset;
	route->cur_nh_count = route->prefix->cur_nh_count;
	route->hash_on = route->prefix->hash_on;
	return 0;
}

static __always_inline int find_prefix(const struct packet *pkt, struct route *route,
				       const bool is_ipv6)
{
	__u64 slot = is_ipv6 ? find_vip6_slot(pkt->ip6) : find_vip_slot(pkt->ip->daddr);
	__u32 code = slot & ((1U << ECMPER_VIP_CODE_BITS) - 1);

	if (unlikely(!slot))
		return find_in_lpm(pkt, route, is_ipv6);
	route->cur_nh_offset = (__u32)slot - code;
	if (unlikely(code >= ECMPER_VIP_CODE_STEP)) {
		route->hash_on = code / ECMPER_VIP_CODE_STEP;
		code %= ECMPER_VIP_CODE_STEP;
	}
	route->cur_nh_count = 1U << code;
	return 0;
}

/*
 * The prefix's history, for a packet whose exact match was enough until here. In the moment in
 * which a change turns the prefix into a connected route, lpm has no table for it any more.
 */
static __always_inline int find_history(const struct packet *pkt, struct route *route,
					const bool is_ipv6)
{
	if (!route->prefix && find_in_lpm(pkt, route, is_ipv6))
		return ROUTER_no_route;
	return route->prefix->cur_nh_count ? 0 : ROUTER_no_route;
}

/* The neighbour that is the destination itself: one without a device in its name, because packets to
 * a link-local address stay on their link. Its address is compared again, because the
 * kernel may recycle a deleted element of the hash map while we read it. */
static __always_inline int choose_connected(const struct packet *pkt, struct route *route,
					    const bool is_ipv6)
{
	struct ecmper_hop hop = {.addr = is_ipv6 ? addr_from_ipv6(&pkt->ip6->daddr)
						 : addr_from_ipv4(pkt->ip->daddr)};
	const struct ecmper_neigh *to;
	__u32 *id;

	id = map_lookup(ECMPER_MAP_NEIGH_ID, &hop);
	if (!id)
		return ROUTER_unresolved;
	route->next_hop = *id;
	route->outcome = ROUTER_connected;
	to = map_lookup(ECMPER_MAP_NEIGH, &route->next_hop);
	if (!to || !is_same_addr(&to->addr, &hop.addr))
		return ROUTER_unresolved;
	route->link = link_of(route->next_hop);
	return route->link ? 0 : ROUTER_unresolved;
}

/* Marks count only when the frame comes from a next hop: anybody else could send them too. */
static __noinline bool is_from_server(const struct ethhdr *eth)
{
	struct ecmper_mac mac = {};

	__builtin_memcpy(mac.byte, eth->h_source, ETH_ALEN);
	return map_lookup(ECMPER_MAP_NEIGH_MAC, &mac) != NULL;
}

/* All parts of a datagram go by the ports that its first part has. */
static __always_inline void read_fragment_ports(const struct packet *pkt, struct flow *flow,
						const bool is_ipv6)
{
	struct ecmper_fragment_key key = fragment_key(pkt, is_ipv6);
	struct ecmper_fragment first = {.ports = flow->ports, .proto = flow->proto};
	struct ecmper_fragment *seen;

	if (!pkt->is_later_part) {
		bpf_map_update_elem(&ECMPER_MAP_FRAGMENTS, &key, &first, BPF_ANY);
		return;
	}
	seen = map_lookup(ECMPER_MAP_FRAGMENTS, &key);
	if (!seen) {
		count(ROUTER_fragment, pkt->bytes);
		return;
	}
	flow->ports = seen->ports;
	flow->proto = seen->proto;
}

/* The flow that the packet belongs to: its own, or that which an ICMP error is about. */
static __always_inline void read_flow(struct xdp_md *ctx, const struct packet *pkt,
				      struct flow *flow, __u32 hash_on, const bool is_ipv6)
{
	struct flow quoted = {};

	*flow = packet_flow(pkt, is_ipv6);
	if (likely(has_ports(flow->proto) && !pkt->is_fragment))
		return;
	if (pkt->is_fragment) {
		if (hash_on == ECMPER_HASH_ON_5TUPLE)
			read_fragment_ports(pkt, flow, is_ipv6);
	} else if (read_quoted_flow(ctx, pkt, &quoted, is_ipv6)) {
		*flow = quoted;
		count(ROUTER_icmp_error, pkt->bytes);
	}
}

static __always_inline __u32 hash_flow(const struct flow *flow, __u32 hash_on, const bool is_ipv6)
{
	struct flow key = *flow;

	if (unlikely(hash_on != ECMPER_HASH_ON_5TUPLE)) {
		key.ports = 0;
		key.proto = 0;
		if (hash_on == ECMPER_HASH_ON_SRC)
			__builtin_memset(&key.dst, 0, sizeof(key.dst));
	}
	if (is_ipv6)
		return ecmper_flow_hash6(&hash_key, &key.src, &key.dst, key.ports, key.proto);
	return ecmper_flow_hash4(&hash_key, key.src.word[3], key.dst.word[3], key.ports, key.proto);
}

/* Can the packet belong to something that began before the servers were drained? */
static __always_inline bool is_of_old_connection(const struct packet *pkt, const struct flow *flow)
{
	const struct tcphdr *tcp;

	if (flow->is_quoted)
		return true;
	if (flow->proto != IPPROTO_TCP)
		return false;
	if (pkt->is_later_part)
		return true;
	tcp = tcp_header(pkt);
	return tcp && !(tcp->syn && !tcp->ack);
}

static __always_inline int chosen(const struct packet *pkt, struct route *route, bool is_found)
{
	if (unlikely(route->is_restarted))
		count(ROUTER_restarted, pkt->bytes);
	if (!is_found)
		return route->is_unreachable ? ROUTER_no_neigh : ROUTER_no_server;
	route->link = link_of(route->next_hop);
	if (unlikely(!route->link)) /* just now */
		return ROUTER_no_neigh;
	if (unlikely(mark_is_quiet(mark_format, route->tos)))
		count(ROUTER_quiet, pkt->bytes);
	return 0;
}

/*
 * The packet's exact match says that every server is drained, or names one without a MAC. lpm, which
 * a change writes first, has the last word. Connections live on, new ones find nobody.
 */
static __always_inline int choose_fallback(const struct packet *pkt, const struct flow *flow,
					   struct route *route, __u32 hash, const bool is_ipv6)
{
	if (find_history(pkt, route, is_ipv6))
		return ROUTER_no_route;
	return chosen(pkt, route, choose_anew(route, hash, is_of_old_connection(pkt, flow)));
}

/* A server sent the packet back. Here lpm decides alone: its two writes may be seen one by one. */
static __always_inline int choose_next(const struct packet *pkt, const struct flow *flow,
				       struct route *route, __u32 hash, __u32 tried,
				       const bool is_ipv6)
{
	if (find_history(pkt, route, is_ipv6))
		return ROUTER_no_route;
	return chosen(
		pkt, route,
		choose_for_bounced(route, hash, tried, pkt->eth, is_of_old_connection(pkt, flow)));
}

static __always_inline int choose_by_hash(struct xdp_md *ctx, const struct packet *pkt,
					  struct route *route, const bool is_ipv6)
{
	struct flow flow = {};
	__u32 hash;

	read_flow(ctx, pkt, &flow, route->hash_on, is_ipv6);
	hash = hash_flow(&flow, route->hash_on, is_ipv6);
	if (unlikely(mark_is_set(mark_format, route->tos))) {
		__u32 tried = mark_tried(mark_format, route->tos);

		if (tried && is_from_server(pkt->eth))
			return choose_next(pkt, &flow, route, hash, tried, is_ipv6);
		route->tos = mark_clear(mark_format, route->tos);
		count(ROUTER_mark_cleared, pkt->bytes);
	}
	choose_current(route, hash);
	route->link = link_of(route->next_hop); /* of 0, which is nobody, there is none */
	return likely(route->link) ? 0 : choose_fallback(pkt, &flow, route, hash, is_ipv6);
}

static __always_inline int choose_next_hop(struct xdp_md *ctx, const struct packet *pkt,
					   struct route *route, const bool is_ipv6)
{
	route->tos = get_tos(pkt, is_ipv6);
	if (unlikely(route->prefix && route->prefix->flags & ECMPER_PREFIX_CONNECTED))
		return choose_connected(pkt, route, is_ipv6);
	return choose_by_hash(ctx, pkt, route, is_ipv6);
}

/* A packet that is sent is counted with its next hop, and only there. */
static __always_inline void count_forwarded(const struct packet *pkt, const struct route *route)
{
	__u32 id = route->next_hop;
	struct ecmper_nh_reasons *counted = map_lookup(ECMPER_MAP_NH_COUNTERS, &id);

	if (counted)
		add_packet(&counted->reason[route->outcome % ECMPER_FORWARDS], pkt->bytes);
}

static __always_inline bool fits(const struct packet *pkt, const struct route *route)
{
	return likely(pkt->ip_bytes <= route->link->mtu);
}

/* What comes a second time has paid its TTL, and ends because its mark grows; that of format tos does not. */
static __always_inline bool pays_ttl(const struct route *route)
{
	return !route->is_bounced || mark_format == ECMPER_MARK_TOS;
}

/*
 * TTL and MTU must let the packet go on, else its sender is told. What a server sent back comes from
 * its MAC, which is not the way to the sender.
 */
static __always_inline int check_limits(struct xdp_md *ctx, const struct packet *pkt,
					const struct route *route, const bool is_ipv6)
{
	int reason = 0;

	if (unlikely(get_ttl(pkt, is_ipv6) <= 1) && pays_ttl(route))
		reason = ROUTER_ttl;
	else if (!fits(pkt, route))
		reason = ROUTER_too_big;
	if (likely(!reason))
		return 0;
	if (route->is_bounced || route->is_restarted)
		return ROUTER_icmp_never;
	return answer(ctx, pkt, reason, route->link->mtu, is_ipv6);
}

/* Rewrite and send. The last stage: from here on the packet is changed. */
static __always_inline int forward(struct xdp_md *ctx, const struct packet *pkt,
				   const struct route *route, const bool is_ipv6)
{
	const struct ecmper_link *link = route->link;

	if (unlikely(route->tos != get_tos(pkt, is_ipv6)))
		set_tos(pkt, route->tos, is_ipv6);
	if (pays_ttl(route))
		decrement_ttl(pkt, is_ipv6);
	if (likely(!pkt->vlan_tags && !link->vlan))
		set_macs(pkt->eth, link);
	else if (!set_link_with_tag(ctx, pkt, link))
		return ROUTER_no_headroom;
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
	case PARSE_NOT_MINE: return ROUTER_not_mine;
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

/* The way of a packet of either family, from where its IP header stands. */
static __always_inline int route_packet(struct xdp_md *ctx, struct packet *pkt, void *l3,
					const bool is_ipv6)
{
	struct route route = {};
	int reason;

	reason = parsed(is_ipv6 ? parse_ipv6(ctx, pkt, l3) : parse_ipv4(ctx, pkt, l3));
	if (!reason && is_ipv6 && unlikely(is_discovery(pkt)))
		reason = ROUTER_discovery;
	if (!reason)
		reason = find_prefix(pkt, &route, is_ipv6);
	if (!reason)
		reason = choose_next_hop(ctx, pkt, &route, is_ipv6);
	if (!reason)
		reason = check_limits(ctx, pkt, &route, is_ipv6);
	if (!reason)
		reason = forward(ctx, pkt, &route, is_ipv6);
	if (unlikely(reason == ROUTER_history) && mark_is_last(mark_format, route.tos))
		count(ROUTER_chain_last, pkt->bytes);
	return verdict(pkt, reason);
}

/* Any packet, by all stages. */
static __always_inline int route_any(struct xdp_md *ctx)
{
	struct packet pkt = {};
	void *l3;
	int reason;

	reason = parsed(parse_ethernet(ctx, &pkt, &l3));
	if (!reason && pkt.l3_proto == bpf_htons(ETH_P_IP))
		return route_packet(ctx, &pkt, l3, false);
	if (!reason && pkt.l3_proto == bpf_htons(ETH_P_IPV6))
		return route_packet(ctx, &pkt, l3, true);
	if (!reason) {
		reject(ctx, &pkt, PARSE_NOT_IP);
		reason = ROUTER_not_ip;
	}
	return verdict(&pkt, reason);
}

/* Words of a plain packet, and what counts of them: Ethertype, version and header length; the flags and
 * offset of fragments, and the protocol. One look at a word is cheaper than one at each field. */
#define PLAIN_TYPE_MASK  bpf_htonl(0xffffff00)
#define PLAIN_TYPE       bpf_htonl(ETH_P_IP << 16 | 0x4500)
#define PLAIN_PROTO_MASK bpf_htonl((IP_MF | IP_OFFSET) << 16 | 0xff)

static __always_inline bool is_plain_header(const struct ethhdr *eth, const struct iphdr *ip)
{
	__u32 type = *(const __u32 *)((const void *)eth + offsetof(struct ethhdr, h_proto));
	__u32 proto = *(const __u32 *)&ip->frag_off & PLAIN_PROTO_MASK;

	return (type & PLAIN_TYPE_MASK) == PLAIN_TYPE &&
	       (proto == bpf_htonl(IPPROTO_TCP) || proto == bpf_htonl(IPPROTO_UDP)) &&
	       (likely(!(ip->tos & MARK_ANY)) || !mark_is_set(mark_format, ip->tos));
}

/*
 * Nearly every packet: IPv4 without options, tags or a mark, TCP or UDP, whole, to a VIP that hashes on
 * all of it. False: it is not so plain.
 */
static __always_inline bool parse_plain(struct xdp_md *ctx, struct packet *pkt)
{
	void *data = (void *)(long)ctx->data;
	struct iphdr *ip = data + sizeof(struct ethhdr);

	pkt->eth = data;
	pkt->ip = ip;
	pkt->l4 = ip + 1;
	pkt->end = (void *)(long)ctx->data_end;
	if (pkt->l4 + sizeof(pkt->ports) > pkt->end || !is_mine(pkt->eth))
		return false;
	pkt->l3_proto = bpf_htons(ETH_P_IP);
	pkt->ip_bytes = read_be16(ip->tot_len);
	pkt->bytes = sizeof(*pkt->eth) + pkt->ip_bytes;
	return is_plain_header(pkt->eth, ip) && ip->ttl > 1 &&
	       pkt->ip_bytes >= sizeof(*ip) + sizeof(pkt->ports) && data + pkt->bytes <= pkt->end;
}

/* What the stages make of it, in one go: it needs half of their registers, and a quarter less time.
 * -1: not so plain after all, and nothing is changed. */
static __always_inline int route_plain(struct xdp_md *ctx, const struct packet *pkt)
{
	__u64 slot = find_vip_slot(pkt->ip->daddr);
	__u32 code = slot & ((1U << ECMPER_VIP_CODE_BITS) - 1);
	struct route route = {.cur_nh_offset = (__u32)slot - code, .tos = pkt->ip->tos};

	if (!slot || code >= ECMPER_VIP_CODE_STEP)
		return -1;
	route.cur_nh_count = 1U << code;
	choose_current(&route, ecmper_flow_hash4(&hash_key, pkt->ip->saddr, pkt->ip->daddr,
						 *(__be32 *)pkt->l4, pkt->ip->protocol));
	route.link = link_of(route.next_hop);
	return likely(route.link) && fits(pkt, &route) ? forward(ctx, pkt, &route, false) : -1;
}

SEC("xdp.frags")
int ecmper_router(struct xdp_md *ctx)
{
	struct packet pkt = {};
	int reason = parse_plain(ctx, &pkt) ? route_plain(ctx, &pkt) : -1;

	return likely(reason >= 0) ? verdict(&pkt, reason) : route_any(ctx);
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
