/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An edit under way: the drafts of the prefixes and neighbours that it touches.
 */
#ifndef ECMPER_DRAFT_H
#define ECMPER_DRAFT_H

#include "plan.h"

/* One prefix: as it is in the maps, and as it shall be. */
struct draft {
	struct ecmper_net net;
	bool is_there; /* old is set */
	bool exists;   /* after the edit; then wanted is set */
	struct ecmper_prefix old;
	struct wanted wanted;
};

/* One neighbour that the edit names, with the way back. */
struct neigh_draft {
	struct ecmper_hop hop;
	bool is_static; /* after the edit */
	bool has_link;  /* link is to be set */
	struct ecmper_link link;
	char dev[ECMPER_DEV_NAMESIZE];
	uint32_t id; /* 0: not taken yet */
	bool is_done;
	uint8_t flags_before;
	bool had_link;
	struct ecmper_link link_before;
	char dev_before[ECMPER_DEV_NAMESIZE];
};

struct edit {
	struct tables *tables;
	enum ecmper_edit_mode mode; /* without ECMPER_EDIT_CHECK, which is is_check */
	bool is_check;              /* planned, then taken back */
	struct draft **drafts;      /* in order of prefix */
	unsigned int draft_count;
	struct neigh_draft *neighs;
	unsigned int neigh_count;
	unsigned int *neigh_slots; /* index + 1 of each, placed by the hash of its name */
	unsigned int neigh_slot_count;
	bool *is_purged; /* by id */
	struct ecmper_hop *purged;
	unsigned int purged_count;
	uint32_t *new_ids;
	unsigned int new_id_count;
	struct plan plan;
	struct ecmper_error *err;
};

/* draft.c: find a prefix's draft, made from the maps at first. */
int draft_get(struct edit *edit, const struct ecmper_net *net, struct draft **draft);
/* Drafts of all prefixes in lpm. */
int draft_all(struct edit *edit);
void draft_free(struct draft *draft);
/* Its server of that name, NULL. */
struct server *draft_server(struct draft *draft, const struct ecmper_hop *hop);
struct server *draft_server_add(struct draft *draft, const struct ecmper_hop *hop);
void draft_server_remove(struct draft *draft, struct server *server);
/* A neighbour's draft, made from the maps at first. It may move when another one is asked for. */
int neigh_draft_get(struct edit *edit, const struct ecmper_hop *hop, struct neigh_draft **draft);

/* change.c: let the drafts follow one change, or all. Of the maps, writes only new places in tx_ports. */
int change_all(struct edit *edit, const struct ecmper_changes *changes);

/* report.c: what the edit did, in the words of the grammar. */
int report_make(const struct edit *edit, struct ecmper_report *report);

#endif
