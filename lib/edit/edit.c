// SPDX-License-Identifier: GPL-2.0-only
/*
 * An edit from beginning to end: drafts, ids, plan, run. All or nothing. `pending` in the pinned
 * config is set as long as the maps may hold something unfinished; whoever edits next and finds it
 * set lets recover.c finish first. The lock is the caller's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "draft.h"
#include "edit.h"
#include "error.h"
#include "grow.h"

static int take_id(struct edit *edit, const struct ecmper_hop *hop, uint32_t *id)
{
	char text[ECMPER_HOP_STRLEN];
	uint32_t *grown;
	bool is_new;
	int ret = neigh_take(edit->tables, hop, id, &is_new);

	if (ret && ret != -ENOSPC)
		return ret;
	if (ret)
		return ecmper_fail(edit->err, ret,
				   "no room for next hop %s among %u (map neigh); bring the router "
				   "up anew with a larger --max-next-hops",
				   ecmper_hop_format(hop, text),
				   edit->tables->config->max_next_hops - 1);
	if (!is_new)
		return 0;
	grown = array_grow(edit->new_ids, edit->new_id_count, sizeof(*grown));
	if (!grown) {
		neigh_collect(edit->tables, *id);
		return -ENOMEM;
	}
	edit->new_ids = grown;
	edit->new_ids[edit->new_id_count++] = *id;
	return 0;
}

static int take_ids(struct edit *edit)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < edit->neigh_count; i++)
		if (edit->neighs[i].has_link && !edit->neighs[i].id)
			ret = take_id(edit, &edit->neighs[i].hop, &edit->neighs[i].id);
	for (unsigned int i = 0; !ret && i < edit->draft_count; i++) {
		struct wanted *wanted = &edit->drafts[i]->wanted;

		for (unsigned int s = 0; !ret && s < wanted->server_count; s++)
			if (edit->drafts[i]->exists && !wanted->servers[s].id)
				ret = take_id(edit, &wanted->servers[s].hop,
					      &wanted->servers[s].id);
	}
	return ret;
}

/* Ids that were taken for nothing. */
static int return_ids(struct edit *edit)
{
	int ret = 0;

	for (unsigned int i = 0; i < edit->new_id_count; i++) {
		const struct ecmper_neigh *neigh = &edit->tables->neigh[edit->new_ids[i]];

		if (!neigh->refs && (neigh->flags & ECMPER_NEIGH_USED))
			ret = neigh_collect(edit->tables, edit->new_ids[i]) ?: ret;
	}
	return ret;
}

static int check_room(const struct edit *edit)
{
	uint32_t count = edit->tables->config->prefix_count;

	for (unsigned int i = 0; i < edit->draft_count; i++)
		count += edit->drafts[i]->exists && !edit->drafts[i]->is_there;
	if (count <= edit->tables->config->max_prefixes)
		return 0;
	return ecmper_fail(edit->err, -ENOSPC,
			   "map lpm is full: %u prefixes do not fit its %u; bring the router up "
			   "anew with a larger --max-prefixes",
			   count, edit->tables->config->max_prefixes);
}

static int plan_all(struct edit *edit)
{
	int ret = check_room(edit);

	for (unsigned int i = 0; !ret && i < edit->draft_count; i++) {
		struct draft *draft = edit->drafts[i];

		ret = plan_prefix(&edit->plan, edit->tables, &draft->net,
				  draft->is_there ? &draft->old : NULL,
				  draft->exists ? &draft->wanted : NULL, edit->is_purged,
				  edit->err);
	}
	return ret;
}

static void undo_neighs(struct edit *edit)
{
	for (unsigned int i = 0; i < edit->neigh_count; i++) {
		struct neigh_draft *draft = &edit->neighs[i];

		if (!draft->is_done)
			continue;
		edit->tables->neigh[draft->id].flags = draft->flags_before;
		memcpy(edit->tables->neigh[draft->id].dev, draft->dev_before,
		       sizeof(draft->dev_before));
		/* The copy that is not in use still holds it: nothing that is read changes. */
		if (draft->had_link)
			neigh_link_set(edit->tables, draft->id, &draft->link_before);
		else
			neigh_link_clear(edit->tables, draft->id);
	}
}

static bool is_new_link(const struct edit *edit, const struct neigh_draft *draft)
{
	const struct ecmper_link *link = neigh_link(&edit->tables->neigh[draft->id]);

	return draft->has_link && (!link || memcmp(link, &draft->link, sizeof(*link)));
}

static bool replaces_links(const struct edit *edit)
{
	for (unsigned int i = 0; i < edit->neigh_count; i++)
		if (is_new_link(edit, &edit->neighs[i]) &&
		    neigh_link(&edit->tables->neigh[edit->neighs[i].id]))
			return true;
	return false;
}

/* The links come first, so that no table ever names a next hop whose MAC is on its way. */
static int set_links(struct edit *edit)
{
	int ret = replaces_links(edit) ? tables_grace(edit->tables) : 0;

	for (unsigned int i = 0; !ret && i < edit->neigh_count; i++) {
		struct neigh_draft *draft = &edit->neighs[i];
		struct ecmper_neigh *neigh = &edit->tables->neigh[draft->id];
		const struct ecmper_link *link = neigh_link(neigh);

		if (!draft->has_link)
			continue;
		draft->is_done = true;
		draft->flags_before = neigh->flags;
		draft->had_link = link;
		if (link)
			draft->link_before = *link;
		memcpy(draft->dev_before, neigh->dev, sizeof(neigh->dev));
		neigh->flags |= ECMPER_NEIGH_STATIC;
		/* Only looked at once the device is gone: it need not change together with the link. */
		memcpy(neigh->dev, draft->dev, sizeof(neigh->dev));
		if (is_new_link(edit, draft))
			ret = neigh_link_set(edit->tables, draft->id, &draft->link);
	}
	return ret;
}

/* Neighbours that are not configured any more go when nothing refers to them. */
static int release_neighs(struct edit *edit)
{
	int ret = 0;

	for (unsigned int i = 0; i < edit->neigh_count; i++) {
		const struct neigh_draft *draft = &edit->neighs[i];
		struct ecmper_neigh *neigh = &edit->tables->neigh[draft->id];

		if (!draft->id || draft->is_static || !(neigh->flags & ECMPER_NEIGH_STATIC))
			continue;
		neigh->flags &= ~ECMPER_NEIGH_STATIC;
		if (!neigh->refs)
			ret = neigh_collect(edit->tables, draft->id) ?: ret;
	}
	return ret;
}

static void set_pending(struct tables *tables, uint32_t pending)
{
	__atomic_store_n(&tables->config->pending, pending, __ATOMIC_SEQ_CST);
}

/* From here on maps are written. */
static int commit(struct edit *edit)
{
	bool is_tidy = true;
	int ret;

	set_pending(edit->tables, 1);
	ret = take_ids(edit) ?: plan_all(edit);
	if (ret || edit->is_check) {
		plan_cancel(&edit->plan, edit->tables);
	} else {
		ret = set_links(edit);
		is_tidy = !ret;
		if (ret)
			plan_cancel(&edit->plan, edit->tables);
		else
			ret = plan_run(&edit->plan, edit->tables, &is_tidy, edit->err);
		if (ret)
			undo_neighs(edit);
	}
	if (ret || edit->is_check ? return_ids(edit) : release_neighs(edit))
		is_tidy = false;
	/* The kernel refused something half-way: if it does so still, the next command tries again. */
	if (!is_tidy)
		is_tidy = !tables_recover(edit->tables, NULL);
	if (is_tidy)
		set_pending(edit->tables, 0);
	return ret;
}

static void edit_free(struct edit *edit)
{
	for (unsigned int i = 0; i < edit->draft_count; i++)
		draft_free(edit->drafts[i]);
	free(edit->drafts);
	free(edit->neighs);
	free(edit->neigh_slots);
	free(edit->is_purged);
	free(edit->purged);
	free(edit->new_ids);
	plan_free(&edit->plan);
}

int edit_tables(struct tables *tables, const struct ecmper_changes *changes,
		enum ecmper_edit_mode mode, struct ecmper_report *report, struct ecmper_error *err)
{
	struct edit edit = {.tables = tables,
			    .mode = mode & ~ECMPER_EDIT_CHECK,
			    .is_check = mode & ECMPER_EDIT_CHECK,
			    .err = err};
	int ret;

	error_clear(err);
	if (report)
		*report = (struct ecmper_report){};
	ret = plan_init(&edit.plan);
	if (!ret && tables->config->pending) {
		ret = tables_recover(tables, err);
		if (!ret)
			set_pending(tables, 0);
	}
	/* More often a generator that failed than a wish. */
	if (!ret && edit.mode == ECMPER_EDIT_APPLY && !changes->count)
		ret = ecmper_fail(err, -EINVAL,
				  "an empty state would end everything: to mean that, say "
				  "`ecmperctl clear`");
	ret = ret ?: change_all(&edit, changes);
	/* The report is made first: it reads the old tables, and it may fail. */
	if (!ret && report)
		ret = report_make(&edit, report);
	ret = ret ?: commit(&edit);
	if (report)
		report->prefixes_changed = edit.plan.prefixes_changed;
	if (ret && report)
		ecmper_report_free(report);
	if (ret && err && !err->text[0])
		ecmper_fail(err, ret, "cannot make the change: %s; nothing was changed",
			    strerror(-ret));
	edit_free(&edit);
	return ret;
}
