/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Servers -> buckets, and the history of buckets. Pure functions over plain arrays.
 */
#ifndef ECMPER_TABLE_H
#define ECMPER_TABLE_H

#include "ecmper/ecmper.h"

/* A server of a prefix. Lists of them are sorted by name. */
struct server {
	struct ecmper_hop hop;
	uint32_t id; /* 0: not known yet */
	uint16_t weight;
	uint8_t origin;
};

/* Of a next hop's name: spreads them well, the same everywhere for ever. */
uint64_t hop_hash(const struct ecmper_hop *hop);
/* Sum of weights. */
uint32_t servers_weight(const struct server *servers, unsigned int n);
/* Buckets of a modulo table: the next power of two >= the sum of weights, times 4 when that is
 * more than 1 (the documents' rule). 0 when it would exceed ECMPER_BUCKETS_MAX. */
uint32_t table_modulo_count(const struct server *servers, unsigned int n);
/* Bucket x = server x mod n; a server of weight w counts as w servers. */
void table_fill_modulo(uint16_t *slots, uint32_t count, const struct server *servers,
		       unsigned int n);
/* Maglev over `count` buckets, a power of two; servers in proportion to their weights. 0 or -ENOMEM. */
int table_fill_maglev(uint16_t *slots, uint32_t count, const struct server *servers,
		      unsigned int n);

/* cur and prv of one prefix, as arrays. prv holds `rows` rows of `count`. */
struct history {
	const uint16_t *cur;
	const uint16_t *prv;
	uint32_t count;
	uint32_t rows;
};

/*
 * The history that goes with a new `cur` of `count` buckets (at least old->count, both powers of
 * two), into prv: at most `depth` rows, and one more than old->rows. Where a bucket's owner changed,
 * the old one is put in front of its chain; a new owner that was on the chain is taken out.
 * Bucket b of a larger table continues bucket b mod old->count. `is_purged` (by id, may be NULL)
 * names next hops that leave every chain. Returns the rows that are in use.
 */
uint32_t history_build(const struct history *old, const uint16_t *cur, uint32_t count,
		       uint32_t depth, const bool *is_purged, uint16_t *prv);

#endif
