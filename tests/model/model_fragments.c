// SPDX-License-Identifier: GPL-2.0-only
/*
 * The datagrams whose first part a program has seen: an open hash table without an end of its
 * entries, because a run keeps far fewer datagrams under way than the programs' LRU map holds.
 */
#include <stdlib.h>
#include <string.h>
#include "model.h"

#define PLACES 65536

static struct model_datagram table[PLACES];
static bool is_taken[PLACES];
static unsigned int count;

void model_fragments_clear(void)
{
	if (count)
		memset(is_taken, 0, sizeof(is_taken));
	count = 0;
}

static bool is_same(const struct model_datagram *a, const struct model_datagram *b)
{
	return a->id == b->id && a->proto == b->proto &&
	       !memcmp(&a->src, &b->src, sizeof(a->src)) &&
	       !memcmp(&a->dst, &b->dst, sizeof(a->dst));
}

struct model_datagram *model_fragments_at(const struct model_datagram *key)
{
	uint32_t place = key->id * 31 + key->proto;

	for (int i = 0; i < 16; i++)
		place = place * 31 + key->src.byte[i] * 7 + key->dst.byte[i];
	for (place %= PLACES; is_taken[place]; place = (place + 1) % PLACES)
		if (is_same(&table[place], key))
			return &table[place];
	if (++count == PLACES)
		abort();
	is_taken[place] = true;
	table[place] = *key;
	return &table[place];
}
