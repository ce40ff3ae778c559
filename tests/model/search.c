// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole graph of one bucket, breadth first, so that the way to what is found is a shortest one.
 * It is finite: chains are of distinct servers, and marks end. At each node: can the packet go wrong
 * from here, or, when changes stop here, does it end where it must?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "search.h"

#define NO_NODE UINT32_MAX

struct node {
	uint64_t key; /* the packed bucket */
	uint32_t parent;
};

struct search {
	struct search_options options;
	struct node *nodes; /* in the order in which they were found */
	uint32_t count, room;
	uint32_t *index; /* hash table of nodes, twice their room */
	uint32_t found[VIOLATIONS], first[VIOLATIONS];
};

static void *must(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "search: out of memory\n");
	exit(1);
}

static uint64_t push(uint64_t key, uint8_t value, unsigned int bits)
{
	return key << bits | value;
}

static uint8_t pull(uint64_t *key, unsigned int bits)
{
	uint8_t value = *key & ((1U << bits) - 1);

	*key >>= bits;
	return value;
}

static uint64_t pack(const struct bucket *b)
{
	uint64_t key = 0;

	for (int i = 0; i < SEARCH_SERVERS; i++)
		key = push(key, b->chain[i], 3);
	key = push(push(push(key, b->cur, 3), b->vip, 3), b->owner, 3);
	key = push(push(key, b->place, 2), b->at, 3);
	return push(push(key, b->tos, 8), b->is_changed, 1);
}

static struct bucket unpack(uint64_t key)
{
	struct bucket b = {};

	b.is_changed = pull(&key, 1);
	b.tos = pull(&key, 8);
	b.at = pull(&key, 3);
	b.place = pull(&key, 2);
	b.owner = pull(&key, 3);
	b.vip = pull(&key, 3);
	b.cur = pull(&key, 3);
	for (int i = SEARCH_SERVERS - 1; i >= 0; i--)
		b.chain[i] = pull(&key, 3);
	return b;
}

/* Where the key is in the index, or where it would be. */
static uint32_t find(const struct search *search, uint64_t key)
{
	uint32_t mask = search->room * 2 - 1;
	uint32_t i = (key * 0x9e3779b97f4a7c15) >> 32 & mask;

	while (search->index[i] != NO_NODE && search->nodes[search->index[i]].key != key)
		i = (i + 1) & mask;
	return i;
}

static void grow(struct search *search)
{
	search->room = search->room ? search->room * 2 : 1 << 16;
	search->nodes = must(realloc(search->nodes, search->room * sizeof(*search->nodes)));
	search->index = must(realloc(search->index, search->room * 2 * sizeof(*search->index)));
	memset(search->index, 0xff, search->room * 2 * sizeof(*search->index));
	for (uint32_t i = 0; i < search->count; i++)
		search->index[find(search, search->nodes[i].key)] = i;
}

static void reach(struct search *search, const struct bucket *bucket, uint32_t parent)
{
	uint64_t key = pack(bucket);
	uint32_t at;

	if (search->count == search->room)
		grow(search);
	at = find(search, key);
	if (search->index[at] != NO_NODE)
		return;
	search->index[at] = search->count;
	search->nodes[search->count++] = (struct node){.key = key, .parent = parent};
}

static void report(struct search *search, enum search_violation violation, uint32_t node)
{
	if (!search->found[violation]++)
		search->first[violation] = node;
}

/* ---- when changes stop ---- */

struct way {
	enum search_end end;
	uint32_t servers; /* that had the packet */
};

/* The way of the packet from here if nothing changes, with these chances. */
static struct way follow(const struct search_options *options, struct bucket bucket,
			 struct chance chance)
{
	struct way way = {.servers = bucket.place == PLACE_SERVER};

	/* Far more steps than any way may have. */
	for (int step = 0; step < 100 && !way.end; step++) {
		struct bucket next;

		way.end = bucket_step(options, &bucket, chance, &next);
		way.servers += !way.end && next.place == PLACE_SERVER;
		bucket = next;
	}
	return way;
}

/*
 * How many servers may have the packet before it ends: one by a vip slot that lags behind lpm, the
 * current owner, its chain; and before these the one that has it now.
 */
static uint32_t most_servers(const struct search_options *options, const struct bucket *bucket)
{
	return 2 + options->depth + (bucket->place != PLACE_NONE);
}

/* As long as a server has no MAC, its packets are dropped without a word, and nobody's: they may be its.
 * With the format `tos`, which has no QUIET, others' too. */
static bool is_kept_back(const struct search_options *options, const struct bucket *bucket,
			 enum search_end end)
{
	if (bucket->owner && bucket->owner != options->no_mac)
		return options->mark == ECMPER_MARK_TOS && end == END_NO_NEIGH;
	return end == END_NO_NEIGH || end == END_RACED;
}

static enum search_violation judge_way(const struct search_options *options,
				       const struct bucket *bucket, struct chance chance,
				       struct way way)
{
	if (!way.end || way.servers > most_servers(options, bucket))
		return VIOLATION_ENDLESS;
	if (bucket->place) /* not a new one */
		return VIOLATION_NONE;
	if (bucket_has(bucket, options->no_mac) && is_kept_back(options, bucket, way.end))
		return VIOLATION_NONE;
	if (bucket->owner)
		return way.end == END_DELIVERED ? VIOLATION_NONE : VIOLATION_MISSED;
	if (!chance.is_settled || !bucket_is_finished(bucket))
		return VIOLATION_NONE;
	if (!bucket->cur && !bucket->chain[0])
		return way.end == END_NO_SERVER ? VIOLATION_NONE : VIOLATION_UNOWNED;
	return way.end == END_RST && way.servers <= options->depth + 1u ? VIOLATION_NONE
									: VIOLATION_UNOWNED;
}

static void check_rest(struct search *search, uint32_t node, const struct bucket *bucket)
{
	for (int i = 0; i < 4; i++) {
		struct chance chance = {.is_settled = i & 1, .is_known = i & 2};
		struct bucket start = *bucket;
		enum search_violation violation;

		if (chance.is_settled && bucket->is_changed)
			continue;
		if (!start.place)
			start.place = PLACE_ROUTER;
		violation = judge_way(&search->options, bucket, chance,
				      follow(&search->options, start, chance));
		if (violation)
			report(search, violation, node);
	}
}

/* ---- what can happen next ---- */

static void move(struct search *search, uint32_t node, const struct bucket *bucket)
{
	bool is_sure = bucket->place != PLACE_ROUTER || bucket_names(bucket, bucket->at);

	for (int i = 0; i < 4; i++) {
		struct chance chance = {.is_settled = i & 1, .is_known = i & 2};
		struct bucket next;

		if ((chance.is_settled && bucket->is_changed) || (chance.is_known && is_sure))
			continue;
		if (bucket_step(&search->options, bucket, chance, &next) == END_RST &&
		    bucket->owner)
			report(search, VIOLATION_RST, node);
		reach(search, &next, node);
	}
}

static void change_to(struct search *search, uint32_t node, const struct bucket *bucket,
		      uint8_t cur, uint8_t purged)
{
	struct bucket next;

	if (!cur && search->options.is_one_left)
		return;
	bucket_change(&search->options, bucket, cur, purged, &next);
	if (bucket->owner && !next.owner && bucket->owner != purged)
		report(search, VIOLATION_LOST, node);
	reach(search, &next, node);
}

static void change(struct search *search, uint32_t node, const struct bucket *bucket)
{
	uint8_t servers = search->options.servers;

	for (uint8_t cur = 0; cur <= servers; cur++)
		if (cur != bucket->cur)
			change_to(search, node, bucket, cur, 0);
	for (uint8_t purged = 1; purged <= servers && !search->options.is_never_dead; purged++) {
		if (!bucket_has(bucket, purged))
			continue;
		if (purged != bucket->cur) {
			change_to(search, node, bucket, bucket->cur, purged);
			continue;
		}
		for (uint8_t cur = 0; cur <= servers; cur++)
			if (cur != purged)
				change_to(search, node, bucket, cur, purged);
	}
}

static void begin(struct search *search, uint32_t node, const struct bucket *bucket)
{
	struct bucket next = *bucket;

	/* A server that has just been purged is dead: what it takes by vip's table does not live. */
	if (!bucket->owner && bucket_has(bucket, bucket_syn(&search->options, bucket))) {
		next.owner = bucket_syn(&search->options, bucket);
		reach(search, &next, node);
	}
	next = *bucket;
	next.place = PLACE_ROUTER;
	reach(search, &next, node);
}

static void expand(struct search *search, uint32_t node)
{
	struct bucket bucket = unpack(search->nodes[node].key), next;

	check_rest(search, node, &bucket);
	if (bucket.place)
		move(search, node, &bucket);
	else
		begin(search, node, &bucket);
	if (bucket_is_finished(&bucket)) {
		change(search, node, &bucket);
	} else {
		bucket_finish(&bucket, &next);
		reach(search, &next, node);
	}
}

struct search *search_run(const struct search_options *options)
{
	struct search *search = must(calloc(1, sizeof(*search)));
	struct bucket start = {.cur = 1, .vip = 1}; /* the servers are alike */

	search->options = *options;
	reach(search, &start, NO_NODE);
	for (uint32_t node = 0; node < search->count; node++)
		expand(search, node);
	return search;
}

void search_free(struct search *search)
{
	free(search->nodes);
	free(search->index);
	free(search);
}

uint32_t search_count(const struct search *search, enum search_violation violation)
{
	return search->found[violation];
}

uint32_t search_nodes(const struct search *search)
{
	return search->count;
}

bool search_has(const struct search *search, const struct bucket *bucket)
{
	return search->index[find(search, pack(bucket))] != NO_NODE;
}

static void print_way(const struct search *search, uint32_t node)
{
	struct bucket from, to = unpack(search->nodes[node].key);
	uint32_t parent = search->nodes[node].parent;

	if (parent == NO_NODE) {
		printf("#   a bucket of server %u\n", to.cur);
		return;
	}
	print_way(search, parent);
	from = unpack(search->nodes[parent].key);
	bucket_print_step(&from, &to);
}

void search_print(const struct search *search, enum search_violation violation)
{
	static const char *const texts[VIOLATIONS] = {
		[VIOLATION_RST] = "the server's kernel answers RST, and the connection ends",
		[VIOLATION_MISSED] = "nothing changes, and a packet does not reach its owner",
		[VIOLATION_UNOWNED] = "the table is settled, and nobody's packet gets no RST",
		[VIOLATION_ENDLESS] = "nothing changes any more, and the packet goes on",
		[VIOLATION_LOST] = "a change: the connection's owner falls off the chain's end",
	};

	if (!search->found[violation])
		return;
	print_way(search, search->first[violation]);
	printf("#   %s\n", texts[violation]);
}
