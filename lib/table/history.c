// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chains: for every bucket its previous owners, distinct, newest first. This is what lets
 * connections outlive any number of changes. Pure.
 */
#include <string.h>
#include "table.h"

/* One bucket's chain, with room for the owner that is put in front. */
struct chain {
	uint16_t id[ECMPER_DEPTH_MAX_DSCP + 1];
	uint32_t length;
};

static void chain_append(struct chain *chain, uint16_t id, uint16_t owner, uint32_t depth,
			 const bool *is_purged)
{
	if (id && id != owner && chain->length < depth && !(is_purged && is_purged[id]))
		chain->id[chain->length++] = id;
}

/* The chain of a bucket that `owner` has now: the owner before, then the chain before. */
static void chain_build(struct chain *chain, const struct history *old, uint32_t old_bucket,
			uint16_t owner, uint32_t depth, const bool *is_purged)
{
	uint16_t before = old->cur[old_bucket];

	chain->length = 0;
	chain_append(chain, before, owner, depth, is_purged);
	for (uint32_t row = 0; row < old->rows; row++) {
		uint16_t id = old->prv[row * old->count + old_bucket];

		if (id != before)
			chain_append(chain, id, owner, depth, is_purged);
	}
}

/* Nothing to do for a bucket whose owner stays and whose chain nobody leaves: its rows are copied. */
static void copy_rows(const struct history *old, uint32_t count, uint32_t limit, uint16_t *prv)
{
	uint32_t rows = old->rows < limit ? old->rows : limit;

	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t b = 0; b < count; b += old->count)
			memcpy(prv + row * count + b, old->prv + row * old->count,
			       old->count * sizeof(*prv));
	memset(prv + rows * count, 0, (limit - rows) * count * sizeof(*prv));
}

static bool row_is_empty(const uint16_t *row, uint32_t count)
{
	for (uint32_t b = 0; b < count; b++)
		if (row[b])
			return false;
	return true;
}

uint32_t history_build(const struct history *old, const uint16_t *cur, uint32_t count,
		       uint32_t depth, const bool *is_purged, uint16_t *prv)
{
	/* One change makes a chain longer by one at most. */
	uint32_t limit = old->rows + 1 < depth ? old->rows + 1 : depth;
	struct chain chain;
	uint32_t rows;

	if (!old->count)
		return 0;
	copy_rows(old, count, limit, prv);
	for (uint32_t b = 0; b < count; b++) {
		uint32_t old_bucket = b & (old->count - 1);

		if (cur[b] == old->cur[old_bucket] && !is_purged)
			continue;
		chain_build(&chain, old, old_bucket, cur[b], depth, is_purged);
		for (uint32_t row = 0; row < limit; row++)
			prv[row * count + b] = row < chain.length ? chain.id[row] : 0;
	}
	for (rows = limit; rows; rows--)
		if (!row_is_empty(prv + (rows - 1) * count, count))
			break;
	return rows;
}
