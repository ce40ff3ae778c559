/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change as data: an ordered list of small operations on struct tables.
 */
#ifndef ECMPER_PLAN_H
#define ECMPER_PLAN_H

#include "table.h"
#include "tables.h"

/* What a prefix shall be. */
struct wanted {
	struct ecmper_net net;
	bool is_connected;
	bool is_modulo;
	uint32_t hash_on; /* enum ecmper_hash_on */
	uint32_t buckets; /* of a Maglev table */
	uint32_t depth;
	bool is_anew; /* said by `del` and `add`: what does not fit is forgotten, not refused */
	struct server *servers; /* sorted by name, with their ids */
	unsigned int server_count;
};

enum op_kind {
	OP_FILL,    /* data -> the region's range offset, count; its first reference */
	OP_SHARE,   /* one reference more to that range */
	OP_REF,     /* one reference more to next hop `offset` */
	OP_LPM_SET, /* the switch: value -> lpm[net] */
	OP_VIP_SET, /* and for a host prefix: its slot in vip */
	OP_VIP_CLEAR,
	OP_LPM_DELETE,
	OP_UNSHARE, /* one reference less to range offset, count of `region` */
	OP_UNREF,   /* one reference less to next hop `offset` */
};

/* The phases in which the operations of all prefixes of an edit are done, one after the other. */
enum phase {
	PHASE_PREPARE, /* where no packet looks */
	PHASE_SWITCH,  /* each prefix by one atomic write that packets see */
	PHASE_RELEASE, /* what is not used any more */
	PHASES
};

struct op {
	enum op_kind kind;
	enum region region;
	uint32_t offset;
	uint32_t count;
	void *data;    /* owned */
	uint64_t hash; /* of the range's content */
	struct ecmper_net net;
	struct ecmper_prefix value;
	struct ecmper_prefix before; /* what a switch replaces, generation 0 = nothing */
};

struct plan {
	struct op *ops[PHASES];
	unsigned int count[PHASES];
	uint8_t *seen;       /* scratch: one byte a next-hop id */
	unsigned int *fills; /* index + 1 of each OP_FILL in PHASE_PREPARE, placed by hash */
	unsigned int fill_count, fill_room;
	struct server *last_servers; /* the table computed last: often the next one's, too */
	unsigned int last_server_count;
	uint32_t last_count;
	uint16_t *last_cur;
	unsigned int prefixes_changed;
};

int plan_init(struct plan *plan);
void plan_free(struct plan *plan);
/* A new operation about a range, at the end of a phase; NULL: no memory. */
struct op *plan_append_range(struct plan *plan, enum phase phase, enum op_kind kind,
			     enum region region, uint32_t offset, uint32_t count, uint64_t hash);

/* plan_range.c: let a prefix refer to this content: to a range that holds it already, or is going
 * to, or to a new one. Takes `data` over. *offset: where; *hash (may be NULL): of the content.
 * -ENOSPC: err says which map is full. */
int plan_range(struct plan *plan, struct tables *tables, enum region region, void *data,
	       uint32_t items, uint32_t *offset, __u64 *hash, struct ecmper_error *err);

/*
 * Append what turns `old` (NULL: no such prefix) into `wanted` (NULL: delete it; then `net`
 * names it). Appends nothing when nothing would change. Takes ranges, but writes nothing that a
 * packet can see. `is_purged`: by id, may be NULL. -ENOSPC: err names the map and the option that
 * enlarges it; -EINVAL: the tables cannot be built.
 */
int plan_prefix(struct plan *plan, struct tables *tables, const struct ecmper_net *net,
		const struct ecmper_prefix *old, const struct wanted *wanted, const bool *is_purged,
		struct ecmper_error *err);

/* Do all. When an operation before PHASE_RELEASE fails, those before it are undone. *is_tidy: none
 * failed; else recover.c must look for what is left of it, after a failure and after a success. */
int plan_run(const struct plan *plan, struct tables *tables, bool *is_tidy,
	     struct ecmper_error *err);
/* Give the ranges back that a plan took which is not run. */
void plan_cancel(const struct plan *plan, struct tables *tables);

#endif
