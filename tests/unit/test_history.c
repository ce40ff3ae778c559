// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chains of buckets: against a second, slow way of keeping them, over random changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "table.h"

#define MAX_COUNT 64
#define MAX_DEPTH 15

struct table {
	uint16_t cur[MAX_COUNT];
	uint16_t prv[MAX_DEPTH * MAX_COUNT + MAX_COUNT];
	uint32_t count, rows;
};

/* The specification, for one bucket: push the old owner, take the new one out, cut. */
static unsigned int slow_chain(const uint16_t *old, unsigned int length, uint16_t before,
			       uint16_t after, unsigned int depth, uint16_t *chain)
{
	unsigned int n = 0;

	if (before && before != after && n < depth)
		chain[n++] = before;
	for (unsigned int i = 0; i < length && n < depth; i++)
		if (old[i] != after && old[i] != before)
			chain[n++] = old[i];
	return n;
}

static unsigned int chain_of(const struct table *table, uint32_t bucket, uint16_t *chain)
{
	unsigned int n = 0;

	for (uint32_t row = 0; row < table->rows; row++)
		if (table->prv[row * table->count + bucket])
			chain[n++] = table->prv[row * table->count + bucket];
	return n;
}

static void change(struct table *table, const uint16_t *cur, uint32_t count, uint32_t depth,
		   const bool *is_purged)
{
	struct history old = {table->cur, table->prv, table->count, table->rows};
	struct table new = {.count = count};

	new.rows = history_build(&old, cur, count, depth, is_purged, new.prv);
	memcpy(new.cur, cur, count * sizeof(*cur));
	*table = new;
}

static void random_changes_keep_the_specified_chains(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 300; round++) {
		struct table table = {.count = 16};
		uint32_t depth = random() % (MAX_DEPTH + 1);

		for (int step = 0; step < 30; step++) {
			struct table old = table;
			uint16_t cur[MAX_COUNT];
			uint32_t count = table.count;

			if (count < MAX_COUNT && random() % 10 == 0)
				count *= 2;
			for (uint32_t b = 0; b < count; b++)
				cur[b] = random() % 3 ? old.cur[b % old.count] : random() % 7;
			change(&table, cur, count, depth, NULL);
			for (uint32_t b = 0; b < count; b++) {
				uint16_t before[MAX_DEPTH], want[MAX_DEPTH], have[MAX_DEPTH];
				unsigned int n = chain_of(&old, b % old.count, before);
				unsigned int wanted = slow_chain(before, n, old.cur[b % old.count],
								 cur[b], depth, want);

				assert_int_equal(chain_of(&table, b, have), wanted);
				assert_memory_equal(have, want, wanted * sizeof(*want));
			}
		}
	}
}

static void depth_of_servers_minus_one_forgets_nobody(void **state)
{
	struct table table = {.count = 16, .cur = {}};
	bool has_owned[16][5] = {};

	(void)state;
	srandom(2);
	for (int step = 0; step < 1000; step++) {
		uint16_t cur[16];

		for (int b = 0; b < 16; b++) {
			cur[b] = 1 + random() % 4;
			has_owned[b][cur[b]] = true;
		}
		change(&table, cur, 16, 3, NULL);
		for (int b = 0; b < 16; b++) {
			uint16_t chain[MAX_DEPTH];
			unsigned int n = chain_of(&table, b, chain);

			for (int id = 1; id <= 4; id++) {
				bool is_known = table.cur[b] == id;

				for (unsigned int i = 0; i < n; i++)
					is_known |= chain[i] == id;
				assert_int_equal(is_known, has_owned[b][id]);
			}
		}
	}
}

static void rows_are_only_as_many_as_needed(void **state)
{
	struct table table = {.count = 16};
	uint16_t a[16], b[16];

	(void)state;
	for (int i = 0; i < 16; i++) {
		a[i] = 1;
		b[i] = i == 3 ? 2 : 1;
	}
	change(&table, a, 16, 4, NULL);
	assert_int_equal(table.rows, 0);
	change(&table, b, 16, 4, NULL);
	assert_int_equal(table.rows, 1);
	change(&table, a, 16, 4, NULL);
	assert_int_equal(table.rows, 1);
	assert_int_equal(table.prv[3], 2);
	change(&table, b, 16, 0, NULL);
	assert_int_equal(table.rows, 0);
}

static void a_purged_server_leaves_every_chain(void **state)
{
	struct table table = {.count = 16};
	bool is_purged[UINT16_MAX + 1] = {[2] = true};
	uint16_t cur[16], chain[MAX_DEPTH];

	(void)state;
	for (uint16_t owner = 1; owner <= 4; owner++) {
		for (int i = 0; i < 16; i++)
			cur[i] = owner;
		change(&table, cur, 16, 4, NULL);
	}
	change(&table, cur, 16, 4, is_purged);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(chain_of(&table, i, chain), 2);
		assert_int_equal(chain[0], 3);
		assert_int_equal(chain[1], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_keep_the_specified_chains),
		cmocka_unit_test(depth_of_servers_minus_one_forgets_nobody),
		cmocka_unit_test(rows_are_only_as_many_as_needed),
		cmocka_unit_test(a_purged_server_leaves_every_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
