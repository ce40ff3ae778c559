/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cases of packet_cost.c: which program, which packets, what it must answer.
 */
#ifndef BENCH_PACKET_CASES_H
#define BENCH_PACKET_CASES_H

#include "bench.h"

#define PACKETS 20000 /* of one measurement; more where the caches take longer to fill */

enum { CASE_EMPTY, CASE_TX, CASE_REDIRECT }; /* always the first ones */

struct packet_case {
	const char *name;
	int prog_fd;
	int action;                     /* what XDP must say */
	unsigned int empty;             /* the case whose time is subtracted: of the same kind */
	unsigned int prefixes, servers; /* as printed */
	unsigned int packets;
	struct bench_flows flows;
};

struct packet_cases {
	struct packet_case list[96];
	unsigned int count;
};

/* Bring everything up that the cases need. `filter`: only those whose name contains it, may be NULL. */
void packet_cases_make(struct packet_cases *cases, bool is_long, const char *filter);

#endif
