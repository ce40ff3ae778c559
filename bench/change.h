/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of change_cost.c: waiting for the first packet on a new path (watch.c), the kernel's own
 * multipath tables to compare with (nexthop.c), and what a change is made of (parts.c).
 */
#ifndef BENCH_CHANGE_H
#define BENCH_CHANGE_H

#include "bench.h"

/* ---- watch.c ---- */

/* Choose a flow to 198.18.0.0 that the router sends to server i now. */
void watch_choose(const struct bench_instance *router, unsigned int server);
/* Send packets of that flow, one after the other, until one takes another path than before. */
void watch_start(const struct bench_instance *router);
/* When that one came out (bench_now()); waits for it. */
double watch_stop(void);

/* ---- nexthop.c ---- */

enum nexthop_kind { NEXTHOP_MULTIPATH, NEXTHOP_RESILIENT };

/* `servers` next hops on a device of their own, and a group of them with a route to it. */
void nexthop_make(enum nexthop_kind kind, unsigned int buckets, unsigned int servers);
/* Replace the group by one of its first `servers`: seconds, request to acknowledgement. */
double nexthop_replace(unsigned int servers);
void nexthop_remove(void);

/* ---- parts.c ---- */

enum part { PART_TABLE, PART_HISTORY, PART_HASHES, PART_COPIES, PARTS };
extern const char *const part_names[PARTS];

/* One server of `servers` removed from a table without history: each part's times. */
void parts_measure(unsigned int buckets, unsigned int servers, unsigned int turns,
		   struct bench_series series[PARTS]);

#endif
