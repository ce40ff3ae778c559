// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drafts: prefixes and neighbours as an edit wants them, loaded from the maps when first touched.
 * Reads the tables, writes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "draft.h"
#include "grow.h"

/* Where the prefix's draft is, or belongs. */
static unsigned int find_place(const struct edit *edit, const struct ecmper_net *net)
{
	unsigned int low = 0, high = edit->draft_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (ecmper_net_compare(&edit->drafts[middle]->net, net) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int load_servers(struct draft *draft, const struct tables *tables)
{
	const struct ecmper_prefix *old = &draft->old;

	draft->wanted.servers = array_new(old->members_count, sizeof(struct server));
	if (!draft->wanted.servers)
		return -ENOMEM;
	draft->wanted.server_count = old->members_count;
	for (uint32_t i = 0; i < old->members_count; i++) {
		const struct ecmper_member *member = &tables->members[old->members_offset + i];

		draft->wanted.servers[i] = (struct server){
			.hop = neigh_hop(&tables->neigh[member->nh]),
			.id = member->nh,
			.weight = member->weight,
			.origin = member->origin,
		};
	}
	return 0;
}

static int load(struct draft *draft, const struct edit *edit)
{
	struct wanted *wanted = &draft->wanted;
	int ret = edit->tables->ops->lpm_get(edit->tables->arg, &draft->net, &draft->old);

	wanted->net = draft->net;
	draft->is_there = !ret;
	/* `apply` describes everything anew. */
	draft->exists = draft->is_there && edit->mode == ECMPER_EDIT_BATCH;
	if (!draft->exists)
		return ret == -ENOENT ? 0 : ret;
	wanted->is_connected = draft->old.flags & ECMPER_PREFIX_CONNECTED;
	wanted->is_modulo = draft->old.flags & ECMPER_PREFIX_MODULO;
	wanted->buckets = draft->old.cur_nh_count;
	wanted->depth = draft->old.depth;
	wanted->hash_on = draft->old.hash_on;
	return load_servers(draft, edit->tables);
}

static int insert(struct edit *edit, unsigned int place, struct draft *draft)
{
	struct draft **grown = array_grow(edit->drafts, edit->draft_count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	edit->drafts = grown;
	memmove(edit->drafts + place + 1, edit->drafts + place,
		(edit->draft_count - place) * sizeof(*edit->drafts));
	edit->drafts[place] = draft;
	edit->draft_count++;
	return 0;
}

int draft_get(struct edit *edit, const struct ecmper_net *net, struct draft **result)
{
	unsigned int place = find_place(edit, net);
	struct draft *draft;
	int ret;

	if (place < edit->draft_count && !ecmper_net_compare(&edit->drafts[place]->net, net)) {
		*result = edit->drafts[place];
		return 0;
	}
	draft = calloc(1, sizeof(*draft));
	if (!draft)
		return -ENOMEM;
	draft->net = *net;
	ret = load(draft, edit) ?: insert(edit, place, draft);
	if (ret)
		draft_free(draft);
	*result = ret ? NULL : draft;
	return ret;
}

int draft_all(struct edit *edit)
{
	const struct tables_ops *ops = edit->tables->ops;
	struct ecmper_net net;
	struct draft *draft;
	int ret = ops->lpm_next(edit->tables->arg, NULL, &net);

	while (!ret) {
		ret = draft_get(edit, &net, &draft);
		if (ret)
			return ret;
		ret = ops->lpm_next(edit->tables->arg, &net, &net);
	}
	return ret == -ENOENT ? 0 : ret;
}

void draft_free(struct draft *draft)
{
	if (draft)
		free(draft->wanted.servers);
	free(draft);
}

/* Where the server is, or belongs: the list is sorted by name. */
static unsigned int server_place(const struct wanted *wanted, const struct ecmper_hop *hop)
{
	unsigned int low = 0, high = wanted->server_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (ecmper_hop_compare(&wanted->servers[middle].hop, hop) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct server *draft_server(struct draft *draft, const struct ecmper_hop *hop)
{
	struct wanted *wanted = &draft->wanted;
	unsigned int place = server_place(wanted, hop);

	if (place == wanted->server_count || ecmper_hop_compare(&wanted->servers[place].hop, hop))
		return NULL;
	return &wanted->servers[place];
}

struct server *draft_server_add(struct draft *draft, const struct ecmper_hop *hop)
{
	struct wanted *wanted = &draft->wanted;
	struct server *grown = array_grow(wanted->servers, wanted->server_count, sizeof(*grown));
	unsigned int place;

	if (!grown)
		return NULL;
	wanted->servers = grown;
	place = server_place(wanted, hop);
	memmove(grown + place + 1, grown + place, (wanted->server_count - place) * sizeof(*grown));
	wanted->server_count++;
	grown[place] = (struct server){.hop = *hop, .weight = 1, .origin = ECMPER_ORIGIN_STATIC};
	return &grown[place];
}

void draft_server_remove(struct draft *draft, struct server *server)
{
	unsigned int place = server - draft->wanted.servers;

	draft->wanted.server_count--;
	memmove(server, server + 1, (draft->wanted.server_count - place) * sizeof(*server));
}

/* Where the neighbour's index stands, or belongs. Half of the slots are free. */
static unsigned int *neigh_slot(const struct edit *edit, const struct ecmper_hop *hop)
{
	unsigned int mask = edit->neigh_slot_count - 1, at = hop_hash(hop) & mask;

	while (edit->neigh_slots[at] &&
	       ecmper_hop_compare(&edit->neighs[edit->neigh_slots[at] - 1].hop, hop))
		at = (at + 1) & mask;
	return &edit->neigh_slots[at];
}

/* Room for twice as many, each in its new slot. */
static int grow_neighs(struct edit *edit)
{
	unsigned int count = edit->neigh_slot_count ? 2 * edit->neigh_slot_count : 32;
	struct neigh_draft *grown = reallocarray(edit->neighs, count / 2, sizeof(*grown));
	unsigned int *slots = calloc(count, sizeof(*slots));

	if (grown)
		edit->neighs = grown;
	if (!grown || !slots) {
		free(slots);
		return -ENOMEM;
	}
	free(edit->neigh_slots);
	edit->neigh_slots = slots;
	edit->neigh_slot_count = count;
	for (unsigned int i = 0; i < edit->neigh_count; i++)
		*neigh_slot(edit, &edit->neighs[i].hop) = i + 1;
	return 0;
}

int neigh_draft_get(struct edit *edit, const struct ecmper_hop *hop, struct neigh_draft **draft)
{
	struct neigh_draft neigh = {.hop = *hop};
	unsigned int *slot;
	int ret = 0;

	if (2 * edit->neigh_count == edit->neigh_slot_count)
		ret = grow_neighs(edit);
	if (ret)
		return ret;
	slot = neigh_slot(edit, hop);
	if (*slot) {
		*draft = &edit->neighs[*slot - 1];
		return 0;
	}
	ret = neigh_find(edit->tables, hop, &neigh.id);
	if (ret == -ENOENT)
		neigh.id = 0;
	else if (ret)
		return ret;
	neigh.is_static = neigh.id && edit->tables->neigh[neigh.id].flags & ECMPER_NEIGH_STATIC;
	*draft = &edit->neighs[edit->neigh_count++];
	**draft = neigh;
	*slot = edit->neigh_count;
	return 0;
}
