/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol of one bucket as a graph: a node is all there is to know at a moment (the table, one
 * connection, one packet of it under way), an edge is one thing that happens. search_bucket.c is
 * the protocol, by the project's own functions; search.c walks the whole graph.
 */
#ifndef ECMPER_SEARCH_H
#define ECMPER_SEARCH_H

#include <stdbool.h>
#include <stdint.h>
#include "ecmper_abi.h"

#define SEARCH_SERVERS 5

/* Which graph. */
struct search_options {
	uint8_t servers; /* their ids are 1 to this */
	uint8_t depth;
	uint32_t mark;      /* enum ecmper_mark_format */
	bool is_quiet_off;  /* `--flight-time 0` */
	bool is_one_left;   /* changes leave the bucket an owner */
	bool is_never_dead; /* nobody is purged */
	uint8_t no_mac;     /* this server has none (any more), 0: all have one */
	/* Faults. */
	bool is_lpm_ignored; /* a packet that `vip` has no owner for goes by the chain alone */
	bool is_passed_over_as_last; /* a server without a MAC is as one that does not own the packet */
};

enum search_place {
	PLACE_NONE,     /* no packet is under way */
	PLACE_ROUTER,   /* it is about to look at its vip slot, or at lpm when it is marked */
	PLACE_NO_OWNER, /* its vip slot's table has no owner, or one without a MAC: lpm is next */
	PLACE_SERVER,
};

/* A node. Servers are ids, 0 is nobody. */
struct bucket {
	uint8_t cur;                   /* of the table that lpm names */
	uint8_t chain[SEARCH_SERVERS]; /* newest first, then zeros */
	uint8_t vip;                   /* the current owner by the table that the vip slot names */
	uint8_t owner; /* of the connection; 0: there is none, or its owner has left the chain */
	uint8_t place; /* enum search_place */
	uint8_t at;    /* PLACE_SERVER: which; PLACE_ROUTER: which sent the packet, 0: its client */
	uint8_t tos;   /* of the packet */
	uint8_t is_changed; /* the bucket has changed since the packet came to the router first */
};

/* What the nondeterminism of one step of the packet is. */
struct chance {
	bool is_settled; /* the flight time was over already when the packet came */
	bool is_known;   /* a sender that the bucket does not name is a next hop of another one */
};

/* How the way of a packet ends. */
enum search_end {
	END_NOT, /* it does not: the packet is somewhere else now */
	END_DELIVERED,
	END_RST,
	END_RACED,
	END_NO_SERVER,
	END_NO_NEIGH, /* whoever is left to try has no MAC */
};

/* One step of the packet, by the router's and the server's code. */
enum search_end bucket_step(const struct search_options *options, const struct bucket *from,
			    struct chance chance, struct bucket *to);
/* Does `chance` say anything to this step? is_known only when the bucket does not name the sender. */
bool bucket_names(const struct bucket *bucket, uint8_t server);

/* A change: the current owner becomes `cur`, and `purged` (0: nobody) leaves the chain. Its write of
 * lpm; that of vip is bucket_finish(), without which there is no further change. */
void bucket_change(const struct search_options *options, const struct bucket *from, uint8_t cur,
		   uint8_t purged, struct bucket *to);
bool bucket_is_finished(const struct bucket *bucket);
void bucket_finish(const struct bucket *from, struct bucket *to);
/* Whom a SYN goes to, 0: nobody. */
uint8_t bucket_syn(const struct search_options *options, const struct bucket *bucket);
bool bucket_has(const struct bucket *bucket, uint8_t server); /* current, or in the chain */

/* In words: what led from one node to the next. */
void bucket_print_step(const struct bucket *from, const struct bucket *to);

enum search_violation {
	VIOLATION_NONE,
	VIOLATION_RST,     /* for a connection whose owner is current or in the chain */
	VIOLATION_MISSED,  /* nothing changes, and the packet does not reach its owner */
	VIOLATION_UNOWNED, /* nobody's packet in a settled table does not end in one RST */
	VIOLATION_ENDLESS, /* changes have stopped, and the packet goes on */
	VIOLATION_LOST,    /* the owner fell off the chain's end */
	VIOLATIONS
};

struct search; /* what a search has found */

struct search *search_run(const struct search_options *options);
void search_free(struct search *search);
uint32_t search_count(const struct search *search, enum search_violation violation);
uint32_t search_nodes(const struct search *search);
/* Is this a node that was reached? */
bool search_has(const struct search *search, const struct bucket *bucket);
/* The shortest way to the first of this kind, step by step. */
void search_print(const struct search *search, enum search_violation violation);

#endif
