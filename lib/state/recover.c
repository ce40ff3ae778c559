// SPDX-License-Identifier: GPL-2.0-only
/*
 * After an editor was killed: lpm is the truth, everything else is made to agree with it. Packets
 * are not disturbed, and what a packet might still read rests. Idempotent, so that it may be
 * killed, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tables.h"

struct found {
	uint64_t *used; /* units that lpm refers to */
	uint32_t *refs; /* by next-hop id */
	uint8_t *seen;  /* scratch, by next-hop id */
	uint32_t prefixes;
};

static void see(struct found *found, uint16_t id)
{
	if (id && !found->seen[id]) {
		found->seen[id] = 1;
		found->refs[id]++;
	}
}

static void find_refs(struct found *found, const struct tables *tables,
		      const struct ecmper_prefix *value)
{
	memset(found->seen, 0, UINT16_MAX + 1);
	for (uint32_t i = 0; i < value->members_count; i++)
		see(found, tables->members[value->members_offset + i].nh);
	for (uint32_t i = 0; i < value->prv_nh_count; i++)
		see(found, tables->prv_nh[value->prv_nh_offset + i]);
}

static int find_range(struct found *found, struct tables *tables, enum region region,
		      uint32_t offset, uint32_t items, uint64_t hash)
{
	range_mark(tables->config, found->used, region, offset, items);
	return items ? range_ref(tables, region, offset, items, hash, 1) : 0;
}

/* All that one prefix refers to. */
static int find_prefix(struct found *found, struct tables *tables,
		       const struct ecmper_prefix *value)
{
	found->prefixes++;
	find_refs(found, tables, value);
	return find_range(found, tables, REGION_CUR_NH, value->cur_nh_offset, value->cur_nh_count, value->cur_nh_hash) ?:
	       find_range(found, tables, REGION_PRV_NH, value->prv_nh_offset, value->prv_nh_count, value->prv_nh_hash) ?:
	       find_range(found, tables, REGION_MEMBERS, value->members_offset, value->members_count, members_hash(tables, value));
}

/* The references to ranges are counted anew. */
static int forget_ranges(struct tables *tables)
{
	struct ecmper_range_key key;
	int ret;

	while (!(ret = tables->ops->range_next(tables->arg, NULL, &key))) {
		ret = tables->ops->range_delete(tables->arg, &key);
		if (ret)
			return ret;
	}
	return ret == -ENOENT ? 0 : ret;
}

/* A slot that says something else than lpm goes; lpm serves its prefix until it gets a new one. */
static void clear_if_wrong(struct tables *tables, const struct ecmper_net *net, uint64_t *slot)
{
	struct ecmper_prefix value;

	if (*slot && (tables->ops->lpm_get(tables->arg, net, &value) || !vip_wants(net, &value) ||
		      vip_slot(net, &value) != *slot))
		__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
}

static void clear_vip_leftovers(struct tables *tables)
{
	for (uint32_t line = 0; line < tables->config->vip_lines; line++) {
		for (int i = 0; i < ECMPER_VIP_SLOTS; i++) {
			uint64_t *slot = (uint64_t *)&tables->vip[line].slot[i];
			struct ecmper_net net = {.addr = ecmper_addr_from_ipv4(*slot >> 32),
						 .len = 32};

			clear_if_wrong(tables, &net, slot);
		}
	}
	for (uint32_t line = 0; line < vip6_lines(tables->config); line++) {
		for (int i = 0; i < ECMPER_VIP6_SLOTS; i++) {
			struct ecmper_vip6_slot *slot = &tables->vip6[line].slot[i];
			struct ecmper_net net = {.addr = slot->addr, .len = 128};

			clear_if_wrong(tables, &net, (uint64_t *)&slot->table);
		}
	}
}

static int find_all(struct found *found, struct tables *tables)
{
	struct ecmper_net net;
	int ret = tables->ops->lpm_next(tables->arg, NULL, &net);

	while (!ret) {
		struct ecmper_prefix value;

		ret = tables->ops->lpm_get(tables->arg, &net, &value)
			      ?: tables_touch_prefix(tables, &value);
		if (ret)
			return ret;
		ret = find_prefix(found, tables, &value);
		if (ret)
			return ret;
		if (vip_wants(&net, &value))
			vip_set(tables, &net, &value);
		ret = tables->ops->lpm_next(tables->arg, &net, &net);
	}
	return ret == -ENOENT ? 0 : ret;
}

/* Next hops whose id was collected or never finished. */
static int clear_neigh_id_leftovers(struct tables *tables)
{
	struct ecmper_hop hop, next;
	int ret = tables->ops->neigh_id_next(tables->arg, NULL, &next);

	while (!ret) {
		uint32_t id;
		int found;

		hop = next;
		ret = tables->ops->neigh_id_next(tables->arg, &hop, &next);
		found = neigh_find(tables, &hop, &id);
		if (found == -ENOENT)
			found = tables->ops->neigh_id_delete(tables->arg, &hop);
		if (found)
			return found;
	}
	return ret == -ENOENT ? 0 : ret;
}

static int sync_all_macs(struct tables *tables)
{
	struct ecmper_mac mac, next;
	int ret = tables->ops->neigh_mac_next(tables->arg, NULL, &next);

	while (!ret) {
		mac = next;
		ret = tables->ops->neigh_mac_next(tables->arg, &mac, &next);
		ret = neigh_mac_sync(tables, mac.byte, 0) ?: ret;
	}
	ret = ret == -ENOENT ? 0 : ret;
	for (uint32_t id = 1; !ret && id < tables->config->max_next_hops; id++) {
		const struct ecmper_link *link = neigh_link(&tables->neigh[id]);

		if ((tables->neigh[id].flags & ECMPER_NEIGH_USED) && link)
			ret = neigh_mac_sync(tables, link->dst_mac, id);
	}
	return ret;
}

static int recover_neighs(const struct found *found, struct tables *tables)
{
	int ret = 0;

	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		struct ecmper_neigh *neigh = &tables->neigh[id];
		struct ecmper_hop hop = neigh_hop(neigh);

		/* Collected, but lpm could not be turned back from naming it: it is there still. */
		if (found->refs[id] && neigh->flags & ECMPER_NEIGH_RESTING)
			neigh->flags = (neigh->flags | ECMPER_NEIGH_USED) & ~ECMPER_NEIGH_RESTING;
		if (!(neigh->flags & ECMPER_NEIGH_USED))
			continue;
		neigh->refs = found->refs[id];
		if (neigh->refs || neigh->flags & ECMPER_NEIGH_STATIC)
			ret = ret ?: tables->ops->neigh_id_set(tables->arg, &hop, id);
		else
			ret = neigh_collect(tables, id) ?: ret;
	}
	return ret ?: clear_neigh_id_leftovers(tables) ?: sync_all_macs(tables);
}

int tables_recover(struct tables *tables, struct ecmper_error *err)
{
	struct found found = {
		.used = calloc(alloc_elements(tables->config), sizeof(uint64_t)),
		.refs = calloc(UINT16_MAX + 1, sizeof(uint32_t)),
		.seen = malloc(UINT16_MAX + 1),
	};
	int ret = -ENOMEM;

	if (!found.used || !found.refs || !found.seen)
		goto out;
	clear_vip_leftovers(tables);
	ret = forget_ranges(tables) ?: find_all(&found, tables);
	if (ret)
		goto out;
	ret = recover_neighs(&found, tables);
	if (ret)
		goto out;
	ranges_replace(tables, found.used);
	tables->config->prefix_count = found.prefixes;
out:
	free(found.used);
	free(found.refs);
	free(found.seen);
	return ret ? ecmper_fail(err, ret,
				 "cannot finish the change of a command that was killed: %s; try "
				 "again",
				 strerror(-ret))
		   : 0;
}
