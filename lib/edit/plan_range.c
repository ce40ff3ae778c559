// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room for the content of a plan: shared with a range that is there, with one that the same plan
 * fills, or newly taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan.h"

static const struct {
	const char *map, *items, *option;
} names[REGIONS] = {
	[REGION_CUR_NH] = {"cur_nh", "buckets", "--max-buckets"},
	[REGION_PRV_NH] = {"prv_nh", "slots of history", "--max-history"},
	[REGION_MEMBERS] = {"members", "members", "--max-members"},
};

/* The place in plan->fills of the OP_FILL with this content, or the free one where it belongs. */
static unsigned int find_place(const struct plan *plan, uint64_t hash, enum region region,
			       const void *data, uint32_t items)
{
	unsigned int place = hash % plan->fill_room;

	for (; plan->fills[place]; place = (place + 1) % plan->fill_room) {
		const struct op *op = &plan->ops[PHASE_PREPARE][plan->fills[place] - 1];

		if (op->hash == hash && op->region == region && op->count == items &&
		    !memcmp(op->data, data, items * region_item(region)))
			break;
	}
	return place;
}

static int make_room(struct plan *plan)
{
	unsigned int *old = plan->fills, old_room = plan->fill_room;

	if (plan->fill_count * 2 < plan->fill_room)
		return 0;
	plan->fill_room = old_room ? old_room * 4 : 64;
	plan->fills = calloc(plan->fill_room, sizeof(*plan->fills));
	if (!plan->fills) {
		plan->fills = old;
		plan->fill_room = old_room;
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < old_room; i++) {
		const struct op *op;

		if (!old[i])
			continue;
		op = &plan->ops[PHASE_PREPARE][old[i] - 1];
		plan->fills[find_place(plan, op->hash, op->region, op->data, op->count)] = old[i];
	}
	free(old);
	return 0;
}

static int take(struct tables *tables, enum region region, uint32_t items, uint32_t *offset,
		struct ecmper_error *err)
{
	int ret = range_take(tables, region, items, offset);

	/* Where nothing is free, wait for what rests. */
	if (ret == -ENOSPC)
		ret = tables_grace(tables) ?: range_take(tables, region, items, offset);
	if (ret == -ENOSPC)
		return ecmper_fail(err, -ENOSPC,
				   "map %s is full: no room for %u more %s among its %u; bring the "
				   "router up anew with a larger %s, or remove prefixes",
				   names[region].map, items, names[region].items,
				   region_size(tables->config, region), names[region].option);
	return ret;
}

/* A new range, filled with data, which the operation owns from here on. */
static int fill(struct plan *plan, struct tables *tables, enum region region, void *data,
		uint32_t items, uint64_t hash, uint32_t *offset, struct ecmper_error *err)
{
	int ret = take(tables, region, items, offset, err);
	struct op *op = NULL;

	if (ret)
		goto out;
	ret = tables_touch(tables, region, *offset, items);
	if (!ret)
		op = plan_append_range(plan, PHASE_PREPARE, OP_FILL, region, *offset, items, hash);
	if (op) {
		op->data = data;
		return 0;
	}
	range_give_back(tables, region, *offset, items);
	ret = ret ?: -ENOMEM;
out:
	free(data);
	return ret;
}

int plan_range(struct plan *plan, struct tables *tables, enum region region, void *data,
	       uint32_t items, uint32_t *offset, __u64 *content_hash, struct ecmper_error *err)
{
	uint64_t hash = range_key(region, data, items).hash;
	unsigned int place;
	int ret = make_room(plan);

	if (content_hash)
		*content_hash = hash;
	if (ret) {
		free(data);
		return ret;
	}
	place = find_place(plan, hash, region, data, items);
	if (plan->fills[place])
		*offset = plan->ops[PHASE_PREPARE][plan->fills[place] - 1].offset;
	else
		ret = range_find(tables, region, data, items, hash, offset);
	if (ret == -ENOENT) {
		ret = fill(plan, tables, region, data, items, hash, offset, err);
		if (!ret) {
			plan->fills[place] = plan->count[PHASE_PREPARE];
			plan->fill_count++;
		}
		return ret;
	}
	free(data);
	if (!ret && !plan_append_range(plan, PHASE_PREPARE, OP_SHARE, region, *offset, items, hash))
		ret = -ENOMEM;
	return ret;
}
