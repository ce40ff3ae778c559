// SPDX-License-Identifier: GPL-2.0-only
/*
 * Next-hop ids: taking and collecting them, their links, and the two hash maps that lead to them
 * (neigh_id by name, neigh_mac by MAC). Works on struct tables only, under the instance's lock.
 */
#include <errno.h>
#include <string.h>
#include "tables.h"

struct ecmper_hop neigh_hop(const struct ecmper_neigh *neigh)
{
	struct ecmper_hop hop = {.addr = neigh->addr};

	if (ecmper_addr_is_link_local(&hop.addr))
		memcpy(hop.dev, neigh->dev, sizeof(hop.dev));
	return hop;
}

/* The lowest one. What another process frees below first_free_id is found after the next grace
 * period that this one waits for. */
static uint32_t find_free_id(struct tables *tables)
{
	uint32_t id = tables->first_free_id ?: 1;

	while (id < tables->config->max_next_hops &&
	       tables->neigh[id].flags & (ECMPER_NEIGH_USED | ECMPER_NEIGH_RESTING))
		id++;
	tables->first_free_id = id;
	return id < tables->config->max_next_hops ? id : 0;
}

int neigh_find(const struct tables *tables, const struct ecmper_hop *hop, uint32_t *id)
{
	int ret = tables->ops->neigh_id_get(tables->arg, hop, id);
	struct ecmper_hop found;

	if (ret)
		return ret;
	/* A word that could not be deleted when its neighbour was forgotten. */
	found = neigh_hop(&tables->neigh[*id]);
	if (!(tables->neigh[*id].flags & ECMPER_NEIGH_USED) || ecmper_hop_compare(&found, hop))
		return -ENOENT;
	return 0;
}

int neigh_take(struct tables *tables, const struct ecmper_hop *hop, uint32_t *id, bool *is_new)
{
	struct ecmper_neigh *neigh;
	int ret;

	*is_new = false;
	ret = neigh_find(tables, hop, id);
	if (ret != -ENOENT)
		return ret;
	*id = find_free_id(tables);
	if (!*id) {
		ret = tables_grace(tables);
		if (ret)
			return ret;
		*id = find_free_id(tables);
	}
	if (!*id)
		return -ENOSPC;
	neigh = &tables->neigh[*id];
	memset(neigh, 0, sizeof(*neigh));
	neigh->addr = hop->addr;
	memcpy(neigh->dev, hop->dev, sizeof(neigh->dev));
	__atomic_store_n(&neigh->flags, ECMPER_NEIGH_USED, __ATOMIC_RELEASE);
	ret = tables->ops->nh_counter_retire(tables->arg, *id)
		      ?: tables->ops->neigh_id_set(tables->arg, hop, *id);
	if (ret)
		neigh->flags = 0;
	*is_new = !ret;
	return ret;
}

int neigh_collect(struct tables *tables, uint32_t id)
{
	struct ecmper_neigh *neigh = &tables->neigh[id];
	struct ecmper_hop hop = neigh_hop(neigh);
	int ret = tables->ops->neigh_id_delete(tables->arg, &hop);

	/* A collected id's counters and link stay readable for packets that are under way. */
	__atomic_store_n(&neigh->flags, ECMPER_NEIGH_RESTING, __ATOMIC_RELEASE);
	return ret == -ENOENT ? 0 : ret;
}

const struct ecmper_link *neigh_link(const struct ecmper_neigh *neigh)
{
	uint8_t live = __atomic_load_n(&neigh->live, __ATOMIC_ACQUIRE);

	return live ? &neigh->link[(live - 1) & 1] : NULL;
}

/* Is it a next hop of a prefix, with this MAC? */
static bool has_mac(const struct tables *tables, uint32_t id, const uint8_t mac[6])
{
	const struct ecmper_neigh *neigh = &tables->neigh[id];
	const struct ecmper_link *link = neigh_link(neigh);

	return (neigh->flags & ECMPER_NEIGH_USED) && neigh->refs && link &&
	       !memcmp(link->dst_mac, mac, sizeof(link->dst_mac));
}

/* 0: none. */
static uint32_t find_mac_holder(const struct tables *tables, const uint8_t mac[6])
{
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++)
		if (has_mac(tables, id, mac))
			return id;
	return 0;
}

int neigh_mac_sync(struct tables *tables, const uint8_t mac[6], uint32_t id)
{
	struct ecmper_mac key = {};
	uint32_t holder = id;
	int ret;

	memcpy(key.byte, mac, sizeof(key.byte));
	if (!has_mac(tables, id, mac)) {
		ret = tables->ops->neigh_mac_get(tables->arg, &key, &holder);
		if (ret)
			return ret == -ENOENT ? 0 : ret;
		/* All are looked at only when the one that stood for the MAC has it no more. */
		if (!has_mac(tables, holder, mac))
			holder = find_mac_holder(tables, mac);
	}
	if (holder)
		return tables->ops->neigh_mac_set(tables->arg, &key, holder);
	ret = tables->ops->neigh_mac_delete(tables->arg, &key);
	return ret == -ENOENT ? 0 : ret;
}

int neigh_link_set(struct tables *tables, uint32_t id, const struct ecmper_link *link)
{
	struct ecmper_neigh *neigh = &tables->neigh[id];
	uint8_t live = neigh->live;
	uint8_t other = live == 1 ? 2 : 1;
	struct ecmper_link before = {};
	int ret;

	if (live)
		before = *neigh_link(neigh);
	neigh->link[other - 1] = *link;
	__atomic_store_n(&neigh->live, other, __ATOMIC_RELEASE);
	ret = neigh_mac_sync(tables, link->dst_mac, id);
	if (!ret && live && memcmp(before.dst_mac, link->dst_mac, sizeof(before.dst_mac)))
		ret = neigh_mac_sync(tables, before.dst_mac, id);
	return ret;
}

int neigh_link_clear(struct tables *tables, uint32_t id)
{
	struct ecmper_neigh *neigh = &tables->neigh[id];
	struct ecmper_link before;

	if (!neigh->live)
		return 0;
	before = *neigh_link(neigh);
	__atomic_store_n(&neigh->live, 0, __ATOMIC_RELEASE);
	/* Not tables_grace(): what rests may have to be found again. */
	return neigh_mac_sync(tables, before.dst_mac, id) ?: tables->ops->grace(tables->arg);
}

int neigh_ref(struct tables *tables, uint32_t id, int step)
{
	struct ecmper_neigh *neigh = &tables->neigh[id];
	const struct ecmper_link *link = neigh_link(neigh);
	bool was_used = neigh->refs;
	int ret = 0;

	neigh->refs += step;
	if (link && was_used != (neigh->refs > 0))
		ret = neigh_mac_sync(tables, link->dst_mac, id);
	if (!neigh->refs && !(neigh->flags & ECMPER_NEIGH_STATIC))
		ret = neigh_collect(tables, id) ?: ret;
	return ret;
}
