// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which server owns which bucket: a pure function of the servers' names and weights, so that
 * neither the order of adding nor a restart moves a connection, and two routers agree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

#define WORD       64
#define LISTED_MAX 256 /* about the root of the largest table */

uint32_t servers_weight(const struct server *servers, unsigned int n)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += servers[i].weight;
	return sum;
}

uint32_t table_modulo_count(const struct server *servers, unsigned int n)
{
	uint32_t sum = servers_weight(servers, n), count = 1;

	if (sum > ECMPER_BUCKETS_MAX / 4)
		return 0;
	while (count < sum)
		count *= 2;
	return sum > 1 ? count * 4 : count;
}

void table_fill_modulo(uint16_t *slots, uint32_t count, const struct server *servers,
		       unsigned int n)
{
	uint32_t x = 0;

	if (!servers_weight(servers, n))
		memset(slots, 0, count * sizeof(*slots));
	else
		while (x < count)
			for (unsigned int i = 0; i < n && x < count; i++)
				for (unsigned int w = 0; w < servers[i].weight && x < count; w++)
					slots[x++] = servers[i].id;
}

/* SplitMix64's finalizer: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* Without a device's name, it is what it was when there were only addresses. */
uint64_t hop_hash(const struct ecmper_hop *hop)
{
	uint64_t word[4], hash;

	memcpy(word, hop, sizeof(word));
	hash = mix(mix(word[0] + 0x9e3779b97f4a7c15ULL) ^ word[1]);
	return word[2] ? mix(mix(hash ^ word[2]) ^ word[3]) : hash;
}

/* A server's way through the table: every bucket once, because an odd skip and a power of two
 * have no common divisor (the Maglev paper, NSDI 2016, takes a prime size instead). */
struct walker {
	uint32_t next;
	uint32_t skip;
	uint32_t inverse; /* skip * inverse = 1 modulo any power of two up to 2^32 */
	uint32_t credit;
	uint32_t weight;
	uint16_t id;
};

/* The buckets nobody has yet: as bits, and, once they are few, also as a list. */
struct free_set {
	uint64_t taken[ECMPER_BUCKETS_MAX / WORD];
	uint32_t mask;
	uint32_t left;
	uint32_t listed; /* entries of list; 0 while there are too many */
	uint32_t list[LISTED_MAX];
};

/* Newton's iteration doubles the number of right bits; an odd number is its own inverse modulo 8. */
static uint32_t inverse_of(uint32_t odd)
{
	uint32_t x = odd;

	for (int i = 0; i < 4; i++)
		x *= 2 - odd * x;
	return x;
}

static void list_free(struct free_set *set)
{
	for (uint32_t at = 0; at <= set->mask; at++)
		if (!(set->taken[at / WORD] >> at % WORD & 1))
			set->list[set->listed++] = at;
}

/* The free bucket that comes first on the walker's way, with its place in the list: step k of
 * the way is at next + k * skip, so bucket b comes at step (b - next) / skip. */
static uint32_t nearest_listed(const struct free_set *set, const struct walker *walker,
			       uint32_t *place)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < set->listed; i++) {
		uint32_t step = (set->list[i] - walker->next) * walker->inverse & set->mask;

		if (step < best) {
			best = step;
			*place = i;
		}
	}
	return set->list[*place];
}

/* The next free bucket on the walker's way, now taken. Of the last ones each would cost a long
 * walk, half of all steps together; a look at the list is shorter. */
static uint32_t take_next(struct free_set *set, struct walker *walker)
{
	uint32_t at = walker->next, place = 0;

	if (set->left <= LISTED_MAX) {
		if (!set->listed)
			list_free(set);
		at = nearest_listed(set, walker, &place);
		set->list[place] = set->list[--set->listed];
	} else {
		while (set->taken[at / WORD] >> at % WORD & 1)
			at = (at + walker->skip) & set->mask;
	}
	set->taken[at / WORD] |= 1ULL << at % WORD;
	set->left--;
	walker->next = (at + walker->skip) & set->mask;
	return at;
}

/* Walkers of the servers that take new connections. Returns their number. */
static unsigned int start_walkers(struct walker *walkers, uint32_t mask,
				  const struct server *servers, unsigned int n,
				  uint32_t *max_weight)
{
	unsigned int active = 0;

	*max_weight = 0;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t hash = hop_hash(&servers[i].hop);
		uint32_t skip = hash >> 32 | 1;

		if (!servers[i].weight)
			continue;
		walkers[active++] = (struct walker){.next = hash & mask,
						    .skip = skip,
						    .inverse = inverse_of(skip),
						    .weight = servers[i].weight,
						    .id = servers[i].id};
		if (servers[i].weight > *max_weight)
			*max_weight = servers[i].weight;
	}
	return active;
}

int table_fill_maglev(uint16_t *slots, uint32_t count, const struct server *servers, unsigned int n)
{
	struct free_set set = {.mask = count - 1, .left = count};
	struct walker *walkers = calloc(n ? n : 1, sizeof(*walkers));
	uint32_t max_weight;
	unsigned int active;

	if (!walkers)
		return -ENOMEM;
	active = start_walkers(walkers, set.mask, servers, n, &max_weight);
	if (!active)
		memset(slots, 0, count * sizeof(*slots));
	/* In turn, each takes the next free bucket on its way; the heaviest one in every round, a
	 * lighter one as often as its weight says. */
	while (active && set.left) {
		for (unsigned int i = 0; i < active && set.left; i++) {
			struct walker *walker = &walkers[i];

			walker->credit += walker->weight;
			if (walker->credit < max_weight)
				continue;
			walker->credit -= max_weight;
			slots[take_next(&set, walker)] = walker->id;
		}
	}
	free(walkers);
	return 0;
}
