/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets a packet: the bucket's current owner, or, when servers sent it back, the next of its
 * chain, and the mark that it goes with. Nothing here looks at a packet or a map, so that the
 * search of all interleavings (tests/model/search.c) runs the very code that packets run. Who
 * includes it defines before what it stands on:
 *
 *   cur_nh_at(slot), prv_nh_at(slot)   the next-hop id in a slot, 0 beyond the end
 *   is_sender(sender, next_hop)        did this next hop send the packet?
 *   is_settled(prefix)                 is the flight time over since the prefix changed last?
 */
#ifndef ECMPER_CHOOSE_H
#define ECMPER_CHOOSE_H

#include <stdbool.h>
#include "ecmper_abi.h"
#include "mark.h"

/* What the stages found for one packet. */
struct route {
	__u32 cur_nh_offset; /* the table of current owners */
	__u32 cur_nh_count;
	__u32 hash_on;
	const struct ecmper_prefix *prefix; /* NULL as long as the exact match was enough */
	__u32 next_hop;                     /* id, index into neigh */
	__u32 outcome; /* which kind of forwarding: forward, history, chain_end, connected */
	__u8 tos;      /* ToS byte or traffic class to send */
	bool is_restarted;
};

static inline __attribute__((always_inline)) void choose_current(struct route *route, __u32 hash)
{
	route->next_hop = cur_nh_at(route->cur_nh_offset + (hash & (route->cur_nh_count - 1)));
}

/*
 * The mark of a packet whose chain ends. Just after a change that is no proof that nobody owns it:
 * it may have been on its way past the owner when that became the current one.
 */
static inline __attribute__((always_inline)) __u32 mark_of_end(const struct ecmper_prefix *prefix)
{
	return is_settled(prefix) ? MARK_LAST : MARK_QUIET;
}

/* The owner that comes after `tried` servers, and the mark for it. False: there is none. */
static inline __attribute__((always_inline)) bool choose_previous(struct route *route, __u32 hash,
								  __u32 tried)
{
	const struct ecmper_prefix *prefix = route->prefix;
	__u32 count = prefix->cur_nh_count;
	__u32 slot = (tried - 1) * count + (hash & (count - 1));
	__u32 next_hop, after = 0;

	if (slot >= prefix->prv_nh_count)
		return false;
	next_hop = prv_nh_at(prefix->prv_nh_offset + slot);
	if (!next_hop)
		return false;
	if (slot + count < prefix->prv_nh_count)
		after = prv_nh_at(prefix->prv_nh_offset + slot + count);
	route->next_hop = next_hop;
	route->tos = mark_set(mark_format, route->tos, after ? tried : mark_of_end(prefix));
	route->outcome = ROUTER_history;
	return true;
}

/* A packet without a mark, by all of the prefix's state: the current owner, or, when every server is
 * drained, for what belongs to a connection the newest previous one. False: nobody. */
static inline __attribute__((always_inline)) bool choose_anew(struct route *route, __u32 hash,
							      bool is_under_way)
{
	choose_current(route, hash);
	return route->next_hop || (is_under_way && choose_previous(route, hash, 1));
}

/*
 * Is it the server that this table tried last which sent the packet back? If not, the bucket changed
 * while the packet was on its way, and who is left to try cannot be told from their number: the
 * owner may have become the current one, behind the packet's back.
 */
static inline __attribute__((always_inline)) bool
is_on_course(const struct route *route, __u32 hash, __u32 tried, const void *sender)
{
	const struct ecmper_prefix *prefix = route->prefix;
	__u32 bucket = hash & (prefix->cur_nh_count - 1);
	__u32 slot = (tried - 2) * prefix->cur_nh_count + bucket;

	if (tried == 1)
		return is_sender(sender, cur_nh_at(prefix->cur_nh_offset + bucket));
	return slot < prefix->prv_nh_count &&
	       is_sender(sender, prv_nh_at(prefix->prv_nh_offset + slot));
}

/* A server sent the packet back: on to the bucket's history, or to where it ends. False: nobody. */
static inline __attribute__((always_inline)) bool choose_for_bounced(struct route *route,
								     __u32 hash, __u32 tried,
								     const void *sender,
								     bool is_under_way)
{
	if (__builtin_expect(!is_on_course(route, hash, tried, sender), 0)) {
		route->is_restarted = true;
		route->tos = mark_clear(mark_format, route->tos);
		return choose_anew(route, hash, is_under_way);
	}
	if (choose_previous(route, hash, tried))
		return true;
	choose_current(route, hash);
	/* Without a current owner (all are drained) the newest previous one answers. */
	if (!route->next_hop && !choose_previous(route, hash, 1))
		return false;
	route->tos = mark_set(mark_format, route->tos, mark_of_end(route->prefix));
	route->outcome = ROUTER_chain_end;
	return true;
}

#endif
