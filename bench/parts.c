// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change inside the library is made of: the same work on plain arrays, part by part, so that
 * one sees what stands in the way of a faster one. A part of change_cost.c.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "table.h"
#include "tables.h"

const char *const part_names[PARTS] = {"of it: Maglev table", "of it: history",
				       "of it: hashes of content", "of it: copies"};

struct arrays {
	uint16_t *before, *after, *prv,
		*copy; /* prv, copy: a row and more, as large as a table each */
	struct server *servers;
};

static double table(struct arrays *arrays, uint32_t buckets, unsigned int servers)
{
	double start = bench_now();

	if (table_fill_maglev(arrays->after, buckets, arrays->servers, servers))
		bench_die("out of memory");
	return bench_now() - start;
}

static double chains(struct arrays *arrays, uint32_t buckets)
{
	struct history old = {.cur = arrays->before, .count = buckets};
	double start = bench_now();

	history_build(&old, arrays->after, buckets, ECMPER_DEPTH_DEFAULT, NULL, arrays->prv);
	return bench_now() - start;
}

/* The table's and one row's of history. */
static double hashes(struct arrays *arrays, uint32_t buckets)
{
	double start = bench_now();
	volatile uint64_t sink = range_key(REGION_CUR_NH, arrays->after, buckets).hash;

	sink = range_key(REGION_PRV_NH, arrays->prv, buckets).hash;
	(void)sink;
	return bench_now() - start;
}

static double copies(struct arrays *arrays, uint32_t buckets)
{
	size_t size = buckets * sizeof(uint16_t);
	double start = bench_now();

	memcpy(arrays->copy, arrays->after, size);
	memcpy((char *)arrays->copy + size, arrays->prv, size);
	return bench_now() - start;
}

void parts_measure(unsigned int buckets, unsigned int servers, unsigned int turns,
		   struct bench_series series[PARTS])
{
	size_t size = buckets * sizeof(uint16_t);
	struct arrays arrays = {.before = malloc(size),
				.after = malloc(size),
				.prv = malloc(2 * size),
				.copy = malloc(2 * size),
				.servers = calloc(servers, sizeof(*arrays.servers))};

	if (!arrays.before || !arrays.after || !arrays.prv || !arrays.copy || !arrays.servers)
		bench_die("out of memory");
	for (unsigned int i = 0; i < servers; i++)
		arrays.servers[i] = (struct server){
			.hop.addr = ecmper_addr_from_ipv4(htonl((10U << 24) + 1 + i)),
			.id = i + 1,
			.weight = 1,
		};
	table(&arrays, buckets, servers);
	memcpy(arrays.before, arrays.after, size);
	for (unsigned int turn = 0; turn < turns && !bench_is_stopped(); turn++) {
		bench_add(&series[PART_TABLE], table(&arrays, buckets, servers - 1));
		bench_add(&series[PART_HISTORY], chains(&arrays, buckets));
		bench_add(&series[PART_HASHES], hashes(&arrays, buckets));
		bench_add(&series[PART_COPIES], copies(&arrays, buckets));
	}
	free(arrays.before);
	free(arrays.after);
	free(arrays.prv);
	free(arrays.copy);
	free(arrays.servers);
}
