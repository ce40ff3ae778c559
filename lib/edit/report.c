// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an edit changes, as lines of the grammar: the difference that `ecmperctl apply` prints. Done
 * as a batch, they lead from the old state to the new one. Reads drafts and tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf.h"
#include "draft.h"
#include "grow.h"

static int add(struct ecmper_report *report, const struct ecmper_change *change)
{
	char **grown = array_grow(report->lines, report->count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	report->lines = grown;
	grown[report->count] = change_format(change);
	return grown[report->count] ? (report->count++, 0) : -ENOMEM;
}

/* `add` or `del` of one server. */
static int add_server(struct ecmper_report *report, enum ecmper_change_kind kind,
		      const struct ecmper_net *net, const struct ecmper_hop *hop, int weight)
{
	struct ecmper_via via = {.hop = *hop, .weight = weight};
	struct ecmper_change change = {CHANGE_EMPTY, .kind = kind, .net = *net, .vias = &via,
				       .via_count = 1};

	return add(report, &change);
}

/* The whole prefix in one line. */
static int add_whole(struct ecmper_report *report, const struct draft *draft)
{
	const struct wanted *wanted = &draft->wanted;
	struct ecmper_change change = {CHANGE_EMPTY, .kind = ECMPER_ADD, .net = draft->net,
				       .connected = wanted->is_connected};
	int ret;

	if (wanted->is_connected)
		return add(report, &change);
	change.hash = wanted->is_modulo ? ECMPER_HASH_MODULO : ECMPER_HASH_MAGLEV;
	if (!wanted->is_modulo)
		change.buckets = wanted->buckets;
	change.depth = wanted->depth;
	if (wanted->hash_on != ECMPER_HASH_ON_5TUPLE ||
	    (draft->is_there && draft->old.hash_on != wanted->hash_on))
		change.hash_on = wanted->hash_on;
	change.vias = calloc(wanted->server_count + 1, sizeof(*change.vias));
	if (!change.vias)
		return -ENOMEM;
	for (unsigned int i = 0; i < wanted->server_count; i++)
		change.vias[change.via_count++] = (struct ecmper_via){
			.hop = wanted->servers[i].hop, .weight = wanted->servers[i].weight};
	ret = add(report, &change);
	change_release(&change);
	return ret;
}

static bool is_other_kind(const struct draft *draft)
{
	return draft->wanted.is_connected != !!(draft->old.flags & ECMPER_PREFIX_CONNECTED);
}

static bool options_differ(const struct draft *draft)
{
	const struct wanted *wanted = &draft->wanted;
	const struct ecmper_prefix *old = &draft->old;

	return is_other_kind(draft) || wanted->is_modulo != !!(old->flags & ECMPER_PREFIX_MODULO) ||
	       (!wanted->is_connected && wanted->depth != old->depth) ||
	       (!wanted->is_connected && wanted->hash_on != old->hash_on) ||
	       (!wanted->is_connected && !wanted->is_modulo &&
		wanted->buckets != old->cur_nh_count);
}

/* A server that was there and is not purged: that is said already, and it has left every prefix. */
static bool is_old_server(const struct edit *edit, const struct ecmper_member *member)
{
	return !edit->is_purged || !edit->is_purged[member->nh];
}

/* Servers that go. */
static int add_gone(struct ecmper_report *report, const struct edit *edit, struct draft *draft)
{
	const struct ecmper_member *members = edit->tables->members + draft->old.members_offset;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < draft->old.members_count; i++) {
		struct ecmper_hop old = neigh_hop(&edit->tables->neigh[members[i].nh]);

		if (is_old_server(edit, &members[i]) && !draft_server(draft, &old))
			ret = add_server(report, ECMPER_DEL, &draft->net, &old, -1);
	}
	return ret;
}

/* Servers that come or change, of a prefix whose options stay. */
static int add_servers(struct ecmper_report *report, const struct edit *edit,
		       const struct draft *draft)
{
	const struct ecmper_member *members = edit->tables->members + draft->old.members_offset;
	uint32_t m = 0;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < draft->wanted.server_count; i++) {
		const struct server *server = &draft->wanted.servers[i];
		int order = 1;

		/* Both lists are sorted by name. */
		for (; m < draft->old.members_count; m++) {
			struct ecmper_hop old = neigh_hop(&edit->tables->neigh[members[m].nh]);

			order = ecmper_hop_compare(&server->hop, &old);
			if (order <= 0)
				break;
		}
		if (order || !is_old_server(edit, &members[m]) ||
		    members[m].weight != server->weight)
			ret = add_server(report, ECMPER_ADD, &draft->net, &server->hop,
					 server->weight);
	}
	return ret;
}

static int add_prefix(struct ecmper_report *report, const struct edit *edit, struct draft *draft)
{
	struct ecmper_change del = {CHANGE_EMPTY, .kind = ECMPER_DEL, .net = draft->net};
	int ret;

	if (!draft->exists)
		return draft->is_there ? add(report, &del) : 0;
	if (!draft->is_there)
		return add_whole(report, draft);
	if (!options_differ(draft))
		return add_gone(report, edit, draft) ?: add_servers(report, edit, draft);
	/* What `add` alone may not change. */
	if (is_other_kind(draft) || draft->wanted.is_anew)
		ret = add(report, &del);
	else
		ret = add_gone(report, edit, draft);
	return ret ?: add_whole(report, draft);
}

static int add_neigh(struct ecmper_report *report, const struct tables *tables,
		     const struct neigh_draft *draft)
{
	const struct ecmper_neigh *neigh = draft->id ? &tables->neigh[draft->id] : NULL;
	const struct ecmper_link *link = neigh ? neigh_link(neigh) : NULL;
	bool was_static = neigh && neigh->flags & ECMPER_NEIGH_STATIC;
	struct ecmper_change change = {CHANGE_EMPTY, .kind = ECMPER_NEIGH_DEL, .hop = draft->hop,
				       .vlan = draft->link.vlan};

	if (!draft->is_static)
		return was_static ? add(report, &change) : 0;
	if (!draft->has_link || (was_static && link && !memcmp(link, &draft->link, sizeof(*link))))
		return 0;
	change.kind = ECMPER_NEIGH_ADD;
	memcpy(change.mac, draft->link.dst_mac, sizeof(change.mac));
	memcpy(change.dev, draft->dev, sizeof(change.dev));
	return add(report, &change);
}

static int add_purged(struct ecmper_report *report, const struct ecmper_hop *hop)
{
	struct ecmper_change change = {CHANGE_EMPTY, .kind = ECMPER_PURGE, .hop = *hop};

	return add(report, &change);
}

int report_make(const struct edit *edit, struct ecmper_report *report)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < edit->purged_count; i++)
		ret = add_purged(report, &edit->purged[i]);
	for (unsigned int i = 0; !ret && i < edit->neigh_count; i++)
		ret = add_neigh(report, edit->tables, &edit->neighs[i]);
	for (unsigned int i = 0; !ret && i < edit->draft_count; i++)
		ret = add_prefix(report, edit, edit->drafts[i]);
	return ret;
}

void ecmper_report_free(struct ecmper_report *report)
{
	for (unsigned int i = 0; i < report->count; i++)
		free(report->lines[i]);
	free(report->lines);
	*report = (struct ecmper_report){};
}
