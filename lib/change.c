// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each word of the grammar means for the drafts. Writes no map but tx_ports, where a new
 * device takes a place that no packet is sent to: an edit that fails here has changed nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "edit.h"

static uint32_t max_depth(const struct edit *edit)
{
	return edit->tables->config->mark == ECMPER_MARK_TOS ? ECMPER_DEPTH_MAX_TOS
							     : ECMPER_DEPTH_MAX_DSCP;
}

static void set_defaults(const struct edit *edit, struct draft *draft)
{
	struct wanted *wanted = &draft->wanted;
	uint32_t limit = max_depth(edit);

	wanted->is_connected = false;
	wanted->is_modulo = false;
	wanted->hash_on = ECMPER_HASH_ON_5TUPLE;
	wanted->buckets = ECMPER_BUCKETS_DEFAULT;
	wanted->depth = ECMPER_DEPTH_DEFAULT < limit ? ECMPER_DEPTH_DEFAULT : limit;
	wanted->server_count = 0;
	draft->exists = true;
}

/* Error messages say from which line of a file they come. */
static int fail(const struct edit *edit, const struct ecmper_change *change, int code,
		const char *text, const char *what)
{
	if (change->line)
		return ecmper_fail(edit->err, code, "line %u: %s: %s", change->line, what, text);
	return ecmper_fail(edit->err, code, "%s: %s", what, text);
}

static int set_options(const struct edit *edit, const struct ecmper_change *change,
		       struct wanted *wanted, const char *net)
{
	if (change->hash != ECMPER_HASH_KEEP && wanted->is_modulo &&
	    change->hash == ECMPER_HASH_MAGLEV && change->buckets < 0 &&
	    wanted->buckets < ECMPER_BUCKETS_DEFAULT)
		wanted->buckets = ECMPER_BUCKETS_DEFAULT;
	if (change->hash_on >= 0)
		wanted->hash_on = change->hash_on;
	if (change->hash != ECMPER_HASH_KEEP)
		wanted->is_modulo = change->hash == ECMPER_HASH_MODULO;
	if (change->buckets >= 0) {
		if (wanted->is_modulo)
			return fail(edit, change, -EINVAL,
				    "the size of a modulo table follows from its servers; leave "
				    "out `buckets`, or say `hash maglev`",
				    net);
		wanted->buckets = change->buckets;
	}
	if (change->depth >= 0) {
		if ((uint32_t)change->depth > max_depth(edit))
			return fail(edit, change, -EINVAL,
				    "the `tos` mark has room for depth 1; bring the router and "
				    "the servers up with --mark dscp for more",
				    net);
		wanted->depth = change->depth;
	}
	return 0;
}

static int change_add(struct edit *edit, const struct ecmper_change *change)
{
	char net[ECMPER_NET_STRLEN];
	struct draft *draft;
	int ret = draft_get(edit, &change->net, &draft);

	if (ret)
		return ret;
	ecmper_net_format(&change->net, net);
	if (draft->exists && draft->wanted.is_connected != change->connected)
		return fail(edit, change, -EEXIST,
			    change->connected ? "has servers; del it first"
					      : "is a connected route; del it first",
			    net);
	if (!draft->exists)
		set_defaults(edit, draft);
	draft->wanted.is_connected = change->connected;
	if (change->connected)
		return 0;
	ret = set_options(edit, change, &draft->wanted, net);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < change->via_count; i++) {
		const struct ecmper_via *via = &change->vias[i];
		struct server *server =
			draft_server(draft, &via->addr) ?: draft_server_add(draft, &via->addr);

		if (!server)
			return -ENOMEM;
		if (via->weight >= 0)
			server->weight = via->weight;
	}
	return 0;
}

/* What is added after this need not fit what was there. */
static void forget(struct draft *draft)
{
	draft->exists = false;
	draft->wanted.is_anew = true;
}

static int change_del(struct edit *edit, const struct ecmper_change *change)
{
	char net[ECMPER_NET_STRLEN], text[ECMPER_ADDR_STRLEN + 64];
	struct draft *draft;
	int ret = draft_get(edit, &change->net, &draft);

	if (ret)
		return ret;
	ecmper_net_format(&change->net, net);
	if (!draft->exists)
		return fail(edit, change, -ENOENT, "no such prefix; `ecmperctl show` lists them",
			    net);
	if (!change->via_count)
		forget(draft);
	for (unsigned int i = 0; i < change->via_count; i++) {
		struct server *server = draft_server(draft, &change->vias[i].addr);

		if (!server) {
			ecmper_addr_format(&change->vias[i].addr, text);
			strcat(text, " is not among its servers; `ecmperctl show` lists them");
			return fail(edit, change, -ENOENT, text, net);
		}
		draft_server_remove(draft, server);
	}
	return 0;
}

static int change_purge(struct edit *edit, const struct ecmper_change *change)
{
	char addr[ECMPER_ADDR_STRLEN];
	struct ecmper_addr *grown;
	uint32_t id;
	int ret;

	ecmper_addr_format(&change->addr, addr);
	ret = neigh_find(edit->tables, &change->addr, &id);
	if (ret == -ENOENT)
		return fail(edit, change, ret, "no such server; `ecmperctl show` lists them", addr);
	ret = ret ?: draft_all(edit);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < edit->draft_count; i++) {
		struct server *server = draft_server(edit->drafts[i], &change->addr);

		if (server)
			draft_server_remove(edit->drafts[i], server);
	}
	grown = reallocarray(edit->purged, edit->purged_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	edit->purged = grown;
	edit->purged[edit->purged_count++] = change->addr;
	if (!edit->is_purged)
		edit->is_purged = calloc(UINT16_MAX + 1, sizeof(bool));
	if (!edit->is_purged)
		return -ENOMEM;
	edit->is_purged[id] = true;
	return 0;
}

/* Does a neighbour still name the port, or is one of this edit going to? The kernel empties one
 * whose device is gone; another device there would get the packets of that neighbour. */
static bool is_port_named(const struct edit *edit, uint32_t port)
{
	const struct tables *tables = edit->tables;

	for (unsigned int i = 0; i < edit->neigh_count; i++)
		if (edit->neighs[i].has_link && edit->neighs[i].link.port == port)
			return true;
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		const struct ecmper_link *link = neigh_link(&tables->neigh[id]);

		if ((tables->neigh[id].flags & ECMPER_NEIGH_USED) && link && link->port == port)
			return true;
	}
	return false;
}

/* A place in tx_ports for a new device: a free one, or one that no neighbour names any more, to which
 * packets that are under way still have a grace period. -ENOSPC. */
static int choose_port(struct edit *edit, uint16_t *port)
{
	struct tables *tables = edit->tables;
	int left = -1;

	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;
		int ret = tables->ops->tx_port_get(tables->arg, i, &there);

		if (ret && ret != -ENOENT)
			return ret;
		if ((there && left >= 0) || is_port_named(edit, i))
			continue;
		if (there) {
			left = i;
			continue;
		}
		*port = i;
		return 0;
	}
	if (left < 0)
		return -ENOSPC;
	*port = left;
	/* Not tables_grace(): what rests is looked after only while an edit is pending. */
	return tables->ops->grace(tables->arg);
}

/* The port of an egress device: its place in tx_ports, taken newly when it has none. */
static int find_port(struct edit *edit, uint32_t ifindex, uint16_t *port)
{
	struct tables *tables = edit->tables;
	int ret;

	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;

		ret = tables->ops->tx_port_get(tables->arg, i, &there);
		if (ret && ret != -ENOENT)
			return ret;
		if (there && there == ifindex) {
			*port = i;
			return 0;
		}
	}
	ret = choose_port(edit, port);
	return ret ?: tables->ops->tx_port_set(tables->arg, *port, ifindex);
}

static int change_neigh_add(struct edit *edit, const struct ecmper_change *change)
{
	struct neigh_draft *neigh;
	struct device device;
	int ret = neigh_draft_get(edit, &change->addr, &neigh);

	if (ret)
		return ret;
	ret = edit->tables->ops->device_get(edit->tables->arg, change->dev, &device);
	if (ret)
		return fail(edit, change, ret,
			    "no such device in this network namespace; `ip link` lists them",
			    change->dev);
	neigh->link = (struct ecmper_link){
		.vlan = change->vlan,
		.mtu = device.mtu < UINT16_MAX ? device.mtu : UINT16_MAX,
	};
	memcpy(neigh->link.dst_mac, change->mac, sizeof(change->mac));
	memcpy(neigh->link.src_mac, device.mac, sizeof(device.mac));
	memcpy(neigh->dev, change->dev, sizeof(neigh->dev));
	ret = find_port(edit, device.ifindex, &neigh->link.port);
	if (ret == -ENOSPC)
		return fail(edit, change, ret,
			    "map tx_ports is full; bring the router up anew with a larger "
			    "--max-ports",
			    change->dev);
	if (ret)
		return fail(edit, change, ret,
			    "the kernel does not take the device as a way out for XDP",
			    change->dev);
	neigh->has_link = true;
	neigh->is_static = true;
	return 0;
}

static int change_neigh_del(struct edit *edit, const struct ecmper_change *change)
{
	struct neigh_draft *neigh;
	char addr[ECMPER_ADDR_STRLEN];
	int ret = neigh_draft_get(edit, &change->addr, &neigh);

	if (ret)
		return ret;
	if (!neigh->is_static)
		return fail(edit, change, -ENOENT,
			    "no such neighbour; `ecmperctl tables neigh` lists them",
			    ecmper_addr_format(&change->addr, addr));
	neigh->is_static = false;
	neigh->has_link = false;
	return 0;
}

/* Neighbours that were added by hand are forgotten, unless the edit adds them again. */
static int forget_neighs(struct edit *edit)
{
	const struct tables *tables = edit->tables;

	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		struct neigh_draft *neigh;
		int ret;

		if (!(tables->neigh[id].flags & ECMPER_NEIGH_STATIC))
			continue;
		ret = neigh_draft_get(edit, &tables->neigh[id].addr, &neigh);
		if (ret)
			return ret;
		neigh->is_static = false;
		neigh->has_link = false;
	}
	return 0;
}

static int change_clear(struct edit *edit)
{
	int ret = draft_all(edit);

	for (unsigned int i = 0; !ret && i < edit->draft_count; i++)
		forget(edit->drafts[i]);
	return ret ?: forget_neighs(edit);
}

int change_all(struct edit *edit, const struct ecmper_changes *changes)
{
	int ret = 0;

	if (edit->mode == ECMPER_EDIT_APPLY)
		ret = draft_all(edit) ?: forget_neighs(edit);
	for (unsigned int i = 0; !ret && i < changes->count; i++) {
		const struct ecmper_change *change = &changes->list[i];

		switch (change->kind) {
		case ECMPER_ADD: ret = change_add(edit, change); break;
		case ECMPER_DEL: ret = change_del(edit, change); break;
		case ECMPER_PURGE: ret = change_purge(edit, change); break;
		case ECMPER_NEIGH_ADD: ret = change_neigh_add(edit, change); break;
		case ECMPER_NEIGH_DEL: ret = change_neigh_del(edit, change); break;
		case ECMPER_CLEAR: ret = change_clear(edit); break;
		}
	}
	return ret;
}
