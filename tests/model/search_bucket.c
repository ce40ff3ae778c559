// SPDX-License-Identifier: GPL-2.0-only
/*
 * One bucket, a connection and a packet of it: what can happen to them, one thing at a time. The
 * chain is history_build()'s; whom the packet goes to next is choose.h's; what a server makes of it
 * is unowned.h's. Only what stands around these in router.bpf.c is written here once more, under
 * the names that it has there.
 */
#include <string.h>
#include "search.h"
#include "table.h"

/* What choose.h stands on. Slot 0 of cur_nh is the table that lpm names, slot 1 that of vip. */
static const struct bucket *in_view;
static struct chance chance_now;
static uint32_t mark_format;
static uint8_t missing; /* the server without a MAC, 0: all have one */

enum { SLOT_LPM, SLOT_VIP };

static uint32_t cur_nh_at(uint32_t slot)
{
	return slot == SLOT_LPM ? in_view->cur : in_view->vip;
}

static uint32_t prv_nh_at(uint32_t slot)
{
	return slot < SEARCH_SERVERS ? in_view->chain[slot] : 0;
}

static bool is_sender(const void *sender, uint32_t next_hop)
{
	return next_hop && *(const uint8_t *)sender == next_hop;
}

static bool has_link(uint32_t next_hop)
{
	return next_hop != missing;
}

static bool is_settled(const struct ecmper_prefix *prefix)
{
	(void)prefix;
	return chance_now.is_settled;
}

#include "choose.h"
#include "unowned.h"

static uint32_t chain_length(const struct bucket *bucket)
{
	uint32_t length = 0;

	while (length < SEARCH_SERVERS && bucket->chain[length])
		length++;
	return length;
}

bool bucket_has(const struct bucket *bucket, uint8_t server)
{
	return server &&
	       (server == bucket->cur || memchr(bucket->chain, server, chain_length(bucket)));
}

/* A next hop keeps its entry in neigh_mac until after both writes of the change that drops it. */
bool bucket_names(const struct bucket *bucket, uint8_t server)
{
	return bucket_has(bucket, server) || server == bucket->vip;
}

/* ---- the router: what stands around choose.h in router.bpf.c ---- */

static bool is_from_server(const struct bucket *bucket)
{
	return bucket->at && (bucket_names(bucket, bucket->at) || chance_now.is_known);
}

/* From here on lpm decides alone. */
static void find_history(struct route *route, struct ecmper_prefix *prefix)
{
	*prefix = (struct ecmper_prefix){.cur_nh_offset = SLOT_LPM,
					 .cur_nh_count = 1,
					 .prv_nh_count = chain_length(in_view)};
	route->prefix = prefix;
	route->cur_nh_offset = prefix->cur_nh_offset;
	route->cur_nh_count = prefix->cur_nh_count;
}

static bool choose_fallback(const struct search_options *options, struct route *route,
			    bool is_under_way)
{
	struct ecmper_prefix prefix;

	find_history(route, &prefix);
	if (options->is_lpm_ignored)
		return is_under_way && choose_previous(route, 0, 1);
	return choose_anew(route, 0, is_under_way);
}

static bool choose_next(struct route *route, uint32_t tried)
{
	struct ecmper_prefix prefix;

	find_history(route, &prefix);
	return choose_for_bounced(route, 0, tried, &in_view->at, true);
}

/* `is_read`: the packet has seen that its vip slot has no owner, and goes on from there. */
static enum search_end choose_by_hash(const struct search_options *options, struct bucket *to)
{
	struct route route = {.cur_nh_offset = SLOT_VIP, .cur_nh_count = 1, .tos = in_view->tos};
	bool is_found = true;

	if (in_view->place == PLACE_NO_OWNER) {
		is_found = choose_fallback(options, &route, true);
	} else {
		uint32_t tried = mark_is_set(mark_format, route.tos)
					 ? mark_tried(mark_format, route.tos)
					 : 0;

		if (tried && is_from_server(in_view)) {
			is_found = choose_next(&route, tried);
		} else {
			route.tos = mark_clear(mark_format, route.tos);
			choose_current(&route, 0);
			if (!has_link(route.next_hop))
				route.next_hop = 0;
		}
	}
	if (!is_found)
		return route.is_unreachable ? END_NO_NEIGH : END_NO_SERVER;
	if (options->is_passed_over_as_last && chance_now.is_settled &&
	    mark_is_quiet(mark_format, route.tos))
		route.tos = mark_set(mark_format, route.tos, MARK_LAST);
	to->tos = route.tos;
	to->at = route.next_hop;
	to->place = route.next_hop ? PLACE_SERVER : PLACE_NO_OWNER;
	return END_NOT;
}

/* ---- a server ---- */

static enum search_end serve(struct bucket *to)
{
	if (to->at == to->owner)
		return END_DELIVERED;
	switch (judge_unowned(mark_format, to->tos, true)) {
	case SERVER_last: return END_RST;
	case SERVER_raced: return END_RACED;
	default:
		to->tos = mark_bounced(mark_format, to->tos);
		to->place = PLACE_ROUTER;
		return END_NOT;
	}
}

enum search_end bucket_step(const struct search_options *options, const struct bucket *from,
			    struct chance chance, struct bucket *to)
{
	enum search_end end;

	in_view = from;
	chance_now = chance;
	chance_now.is_settled |= options->is_quiet_off;
	mark_format = options->mark;
	missing = options->no_mac;
	*to = *from;
	end = from->place == PLACE_SERVER ? serve(to) : choose_by_hash(options, to);
	if (end != END_NOT) /* if the connection lives, TCP sends again, which is another packet */
		to->place = to->at = to->tos = to->is_changed = 0;
	return end;
}

uint8_t bucket_syn(const struct search_options *options, const struct bucket *bucket)
{
	struct route route = {.cur_nh_offset = SLOT_VIP, .cur_nh_count = 1};

	in_view = bucket;
	mark_format = options->mark;
	missing = 0; /* the connection began before its server lost its MAC */
	choose_current(&route, 0);
	if (!route.next_hop && !choose_fallback(options, &route, false))
		return 0;
	return route.next_hop;
}

/* ---- changes ---- */

void bucket_change(const struct search_options *options, const struct bucket *from, uint8_t cur,
		   uint8_t purged, struct bucket *to)
{
	uint16_t old_cur = from->cur, old_prv[SEARCH_SERVERS], new_cur = cur;
	uint16_t prv[SEARCH_SERVERS + 1] = {};
	struct history old = {
		.cur = &old_cur, .prv = old_prv, .count = 1, .rows = chain_length(from)};
	bool is_purged[SEARCH_SERVERS + 1] = {};

	for (int i = 0; i < SEARCH_SERVERS; i++)
		old_prv[i] = from->chain[i];
	is_purged[purged] = purged;
	uint32_t rows =
		history_build(&old, &new_cur, 1, options->depth, purged ? is_purged : NULL, prv);

	*to = *from;
	to->cur = cur;
	for (uint32_t i = 0; i < SEARCH_SERVERS; i++)
		to->chain[i] = i < rows ? prv[i] : 0;
	to->is_changed = to->place != PLACE_NONE;
	if (!bucket_has(to, to->owner))
		to->owner = 0;
}

bool bucket_is_finished(const struct bucket *bucket)
{
	return bucket->vip == bucket->cur;
}

void bucket_finish(const struct bucket *from, struct bucket *to)
{
	*to = *from;
	to->vip = to->cur;
}
