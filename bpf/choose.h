/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets a packet: the bucket's current owner, or, when servers sent it back, the next of its
 * chain, and the mark that it goes with. Nothing here looks at a packet or a map, so that the
 * search of all interleavings (tests/model/search.c) runs the very code that packets run. Who
 * includes it defines before what it stands on:
 *
 *   cur_nh_at(slot), prv_nh_at(slot)   the next-hop id in a slot, 0 beyond the end
 *   is_sender(sender, next_hop)        did this next hop send the packet?
 *   has_link(next_hop)                 can it be sent to: has it a MAC?
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
	const struct ecmper_link *link;     /* where that is */
	__u32 outcome;       /* which kind of forwarding: forward, history, chain_end, connected */
	__u8 tos;            /* ToS byte or traffic class to send */
	bool is_bounced;     /* its server sent the packet back, as the bucket's chain has it */
	bool is_restarted;   /* a server did, but the chain has changed */
	bool is_unreachable; /* somebody was passed over for want of a MAC */
};

static inline __attribute__((always_inline)) void choose_current(struct route *route, __u32 hash)
{
	route->next_hop = cur_nh_at(route->cur_nh_offset + (hash & (route->cur_nh_count - 1)));
}

/*
 * The mark of a packet whose chain ends. That is no proof that nobody owns it just after a change: it
 * may have been on its way past the owner when that became the current one. Nor while a server of
 * the bucket has no MAC, which may be the owner: then such a packet must not be sent at all (-1)
 * where the format has no QUIET. A global function, as the next, so that the verifier looks
 * at its loop once; `prefix` may be anything there.
 */
__attribute__((noinline)) int mark_of_end(const struct ecmper_prefix *prefix, __u32 bucket)
{
	__u32 next_hop;

	if (!prefix)
		return -1;
	next_hop = cur_nh_at(prefix->cur_nh_offset + bucket);
	for (__u32 row = 0; row <= ECMPER_DEPTH_MAX_DSCP; row++) {
		__u32 slot = row * prefix->cur_nh_count + bucket;

		if (next_hop && !has_link(next_hop))
			return mark_format == ECMPER_MARK_TOS ? -1 : MARK_QUIET;
		if (slot >= prefix->prv_nh_count)
			break;
		next_hop = prv_nh_at(prefix->prv_nh_offset + slot);
		if (!next_hop)
			break;
	}
	return is_settled(prefix) ? MARK_LAST : MARK_QUIET;
}

/* A server of the chain. */
struct previous {
	__u32 next_hop; /* 0: there is none */
	int mark;       /* for what is sent to it */
	__u32 passed_over;
};

/* The first server with a MAC behind those that were tried. Who has none counts as tried. */
__attribute__((noinline)) int find_previous(const struct ecmper_prefix *prefix, __u32 bucket,
					    __u32 tried, struct previous *found_at)
{
	__u32 next_hop = 0, row, slot;

	if (!prefix || !found_at)
		return 0;
	for (__u32 i = 0; i < ECMPER_DEPTH_MAX_DSCP; i++) {
		row = tried - 1 + i;
		slot = row * prefix->cur_nh_count + bucket;
		if (slot >= prefix->prv_nh_count)
			return 0;
		next_hop = prv_nh_at(prefix->prv_nh_offset + slot);
		if (!next_hop)
			return 0;
		if (has_link(next_hop))
			break;
		found_at->passed_over = 1;
		next_hop = 0;
	}
	if (!next_hop)
		return 0;
	slot += prefix->cur_nh_count;
	if (slot < prefix->prv_nh_count && prv_nh_at(prefix->prv_nh_offset + slot))
		found_at->mark = row + 1;
	else
		found_at->mark = mark_of_end(prefix, bucket);
	found_at->next_hop = next_hop;
	return 0;
}

/* The owner that comes after `tried` servers, and the mark for it. False: there is none. */
static inline __attribute__((always_inline)) bool choose_previous(struct route *route, __u32 hash,
								  __u32 tried)
{
	const struct ecmper_prefix *prefix = route->prefix;
	struct previous previous = {};

	find_previous(prefix, hash & (prefix->cur_nh_count - 1), tried, &previous);
	if (previous.passed_over || previous.mark < 0)
		route->is_unreachable = true;
	if (!previous.next_hop || previous.mark < 0)
		return false;
	route->next_hop = previous.next_hop;
	route->tos = mark_set(mark_format, route->tos, previous.mark);
	route->outcome = ROUTER_history;
	return true;
}

/*
 * A packet without a mark, by all of the prefix's state: the current owner. When that has no MAC, or
 * every server is drained, what belongs to a connection goes to the newest previous one: new
 * connections are not for those. False: nobody.
 */
static inline __attribute__((always_inline)) bool choose_anew(struct route *route, __u32 hash,
							      bool is_under_way)
{
	choose_current(route, hash);
	if (route->next_hop && has_link(route->next_hop))
		return true;
	if (route->next_hop)
		route->is_unreachable = true;
	return is_under_way && choose_previous(route, hash, 1);
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
	int mark;

	if (__builtin_expect(!is_on_course(route, hash, tried, sender), 0)) {
		route->is_restarted = true;
		route->tos = mark_clear(mark_format, route->tos);
		return choose_anew(route, hash, is_under_way);
	}
	route->is_bounced = true;
	if (choose_previous(route, hash, tried))
		return true;
	if (route->is_unreachable) /* maybe its owner */
		return false;
	choose_current(route, hash);
	/* Without a current owner (all are drained) the newest previous one answers. */
	if (!route->next_hop && !choose_previous(route, hash, 1))
		return false;
	mark = mark_of_end(route->prefix, hash & (route->prefix->cur_nh_count - 1));
	if (mark < 0 || !has_link(route->next_hop)) {
		route->is_unreachable = true;
		return false;
	}
	route->tos = mark_set(mark_format, route->tos, mark);
	route->outcome = ROUTER_chain_end;
	return true;
}

#endif
