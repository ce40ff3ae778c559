// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of cur_nh, prv_nh and members, as two bits a unit in the pinned map `alloc`:
 * used, and resting (freed, but a packet may still be reading it). The bits are only a cache of
 * what lpm refers to: recover.c can make them anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tables.h"

#define WORD 64

const uint32_t region_unit[REGIONS] = {
	[REGION_CUR_NH] = CUR_NH_UNIT,
	[REGION_PRV_NH] = PRV_NH_UNIT,
	[REGION_MEMBERS] = MEMBERS_UNIT,
};

uint32_t region_size(const struct ecmper_config *config, enum region region)
{
	switch (region) {
	case REGION_CUR_NH: return config->max_buckets;
	case REGION_PRV_NH: return config->max_history;
	case REGION_MEMBERS: return config->max_members;
	default: return 0;
	}
}

static uint32_t units_of(enum region region, uint32_t items)
{
	return (items + region_unit[region] - 1) / region_unit[region];
}

static uint32_t region_words(const struct ecmper_config *config, enum region region)
{
	return (region_size(config, region) / region_unit[region] + WORD - 1) / WORD;
}

static uint32_t region_start(const struct ecmper_config *config, enum region region)
{
	uint32_t start = 0;

	for (enum region r = 0; r < region; r++)
		start += region_words(config, r);
	return start;
}

uint32_t alloc_elements(const struct ecmper_config *config)
{
	return region_start(config, REGIONS);
}

/* Bits `first` .. `first + count - 1` of one word. */
static uint64_t bits(uint32_t first, uint32_t count)
{
	return (count == WORD ? ~0ULL : (1ULL << count) - 1) << first;
}

enum change { TAKE, REST, GIVE_BACK };

static void change_units(struct ecmper_alloc *words, uint32_t unit, uint32_t count,
			 enum change change)
{
	while (count) {
		struct ecmper_alloc *word = &words[unit / WORD];
		uint32_t first = unit % WORD;
		uint32_t here = count < WORD - first ? count : WORD - first;
		uint64_t mask = bits(first, here);

		/* A killed process must find `resting` set before `used` is gone. */
		if (change == REST)
			__atomic_store_n(&word->resting, word->resting | mask, __ATOMIC_RELEASE);
		__atomic_store_n(&word->used,
				 change == TAKE ? word->used | mask : word->used & ~mask,
				 __ATOMIC_RELEASE);
		unit += here;
		count -= here;
	}
}

int range_take(struct tables *tables, enum region region, uint32_t items, uint32_t *offset)
{
	struct ecmper_alloc *words = tables->alloc + region_start(tables->config, region);
	uint32_t total = region_size(tables->config, region) / region_unit[region];
	uint32_t need = units_of(region, items), run = 0;
	uint32_t unit = 0;

	while (run < need && unit < total) {
		uint64_t busy = words[unit / WORD].used | words[unit / WORD].resting;
		uint32_t bit = unit % WORD;
		uint32_t left = WORD - bit;

		if (busy >> bit & 1) { /* skip the busy ones that follow */
			uint64_t free_bits = ~(busy >> bit);

			unit += free_bits ? (uint32_t)__builtin_ctzll(free_bits) : left;
			run = 0;
		} else {
			uint32_t free_units = left;

			if (busy >> bit)
				free_units = __builtin_ctzll(busy >> bit);

			unit += free_units;
			run += free_units;
		}
		if (unit > total) {
			run -= run < unit - total ? run : unit - total;
			unit = total;
		}
	}
	if (run < need)
		return -ENOSPC;
	unit -= run;
	change_units(words, unit, need, TAKE);
	*offset = unit * region_unit[region];
	return 0;
}

static void release(struct tables *tables, enum region region, uint32_t offset, uint32_t items,
		    enum change change)
{
	if (items)
		change_units(tables->alloc + region_start(tables->config, region),
			     offset / region_unit[region], units_of(region, items), change);
}

void range_rest(struct tables *tables, enum region region, uint32_t offset, uint32_t items)
{
	release(tables, region, offset, items, REST);
}

void range_give_back(struct tables *tables, enum region region, uint32_t offset, uint32_t items)
{
	release(tables, region, offset, items, GIVE_BACK);
}

static void wake(struct tables *tables)
{
	for (uint32_t i = 0; i < alloc_elements(tables->config); i++)
		if (tables->alloc[i].resting)
			tables->alloc[i].resting = 0;
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++)
		tables->neigh[id].flags &= ~ECMPER_NEIGH_RESTING;
	tables->first_free_id = 1;
}

int tables_grace(struct tables *tables)
{
	int ret = tables->ops->grace(tables->arg);

	if (!ret)
		wake(tables);
	return ret;
}

int tables_touch(struct tables *tables, enum region region, uint32_t offset, uint32_t items)
{
	if (!tables->ops->touch || !items)
		return 0;
	return tables->ops->touch(tables->arg, region, offset, items);
}

int tables_touch_prefix(struct tables *tables, const struct ecmper_prefix *value)
{
	return tables_touch(tables, REGION_CUR_NH, value->cur_nh_offset, value->cur_nh_count)
		       ?: tables_touch(tables, REGION_PRV_NH, value->prv_nh_offset,
				       value->prv_nh_count);
}

void ranges_replace(struct tables *tables, const uint64_t *used)
{
	for (uint32_t i = 0; i < alloc_elements(tables->config); i++) {
		struct ecmper_alloc *word = &tables->alloc[i];

		__atomic_store_n(&word->resting, (word->resting | word->used) & ~used[i],
				 __ATOMIC_RELEASE);
		__atomic_store_n(&word->used, used[i], __ATOMIC_RELEASE);
	}
}

void range_mark(const struct ecmper_config *config, uint64_t *used, enum region region,
		uint32_t offset, uint32_t items)
{
	uint32_t unit = offset / region_unit[region];
	uint64_t *words = used + region_start(config, region);

	for (uint32_t end = unit + units_of(region, items); items && unit < end; unit++)
		words[unit / WORD] |= 1ULL << unit % WORD;
}
