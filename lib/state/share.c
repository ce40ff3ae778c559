// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges by content: ten thousand prefixes with the same servers have one table between them,
 * which saves memory and, more, the packets' cache misses. Ranges never change, so that sharing
 * one is safe.
 */
#include <errno.h>
#include <string.h>
#include "tables.h"

size_t region_item(enum region region)
{
	return region == REGION_MEMBERS ? sizeof(struct ecmper_member) : sizeof(uint16_t);
}

void *region_data(const struct tables *tables, enum region region, uint32_t offset)
{
	switch (region) {
	case REGION_CUR_NH: return tables->cur_nh + offset;
	case REGION_PRV_NH: return tables->prv_nh + offset;
	case REGION_MEMBERS: return tables->members + offset;
	default: return NULL;
	}
}

#define LANES 4 /* that do not wait for each other: a table has up to 128 KiB */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

struct ecmper_range_key range_key(enum region region, const void *data, uint32_t items)
{
	size_t size = items * region_item(region), i = 0;
	uint64_t lane[LANES] = {1, 2, 3, 4}, word[LANES], hash = size;

	for (; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(word, (const char *)data + i, sizeof(word));
		for (int l = 0; l < LANES; l++)
			lane[l] = mix(lane[l], word[l]);
	}
	memset(word, 0, sizeof(word));
	memcpy(word, (const char *)data + i, size - i);
	for (int l = 0; l < LANES; l++)
		hash = mix(mix(hash, lane[l]), word[l]);
	return (struct ecmper_range_key){.hash = hash, .region = region, .items = items};
}

/* Different content with the same hash has the next free key: a look at the content decides. */
int range_find(struct tables *tables, enum region region, const void *data, uint32_t items,
	       uint64_t hash, uint32_t *offset)
{
	struct ecmper_range_key key = {.hash = hash, .region = region, .items = items};
	struct ecmper_range range;
	int ret;

	for (; !(ret = tables->ops->range_get(tables->arg, &key, &range)); key.hash++) {
		ret = tables_touch(tables, region, range.offset, items);
		if (ret)
			return ret;
		if (!memcmp(region_data(tables, region, range.offset), data,
			    items * region_item(region))) {
			*offset = range.offset;
			return 0;
		}
	}
	return ret;
}

int range_ref(struct tables *tables, enum region region, uint32_t offset, uint32_t items,
	      uint64_t hash, int step)
{
	struct ecmper_range_key key = {.hash = hash, .region = region, .items = items};
	struct ecmper_range range;
	int ret;

	while (!(ret = tables->ops->range_get(tables->arg, &key, &range)) && range.offset != offset)
		key.hash++;
	if (ret == -ENOENT && step > 0)
		range = (struct ecmper_range){.offset = offset};
	else if (ret)
		return ret;
	range.refs += step;
	if (range.refs)
		return tables->ops->range_set(tables->arg, &key, &range);
	ret = tables->ops->range_delete(tables->arg, &key);
	if (!ret)
		range_rest(tables, region, offset, items);
	return ret;
}

uint64_t members_hash(const struct tables *tables, const struct ecmper_prefix *value)
{
	return range_key(REGION_MEMBERS, tables->members + value->members_offset,
			 value->members_count)
		.hash;
}
