// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each word of the grammar means for the drafts. Of the maps it writes only a place in tx_ports,
 * which no packet uses yet (see state/port.c): an edit that fails here has changed nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "draft.h"
#include "grow.h"

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
			draft_server(draft, &via->hop) ?: draft_server_add(draft, &via->hop);

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
	char net[ECMPER_NET_STRLEN], text[ECMPER_HOP_STRLEN + 64];
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
		struct server *server = draft_server(draft, &change->vias[i].hop);

		if (!server) {
			ecmper_hop_format(&change->vias[i].hop, text);
			strcat(text, " is not among its servers; `ecmperctl show` lists them");
			return fail(edit, change, -ENOENT, text, net);
		}
		draft_server_remove(draft, server);
	}
	return 0;
}

static int change_purge(struct edit *edit, const struct ecmper_change *change)
{
	char hop[ECMPER_HOP_STRLEN];
	struct ecmper_hop *grown;
	uint32_t id;
	int ret;

	ecmper_hop_format(&change->hop, hop);
	ret = neigh_find(edit->tables, &change->hop, &id);
	if (ret == -ENOENT)
		return fail(edit, change, ret, "no such server; `ecmperctl show` lists them", hop);
	ret = ret ?: draft_all(edit);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < edit->draft_count; i++) {
		struct server *server = draft_server(edit->drafts[i], &change->hop);

		if (server)
			draft_server_remove(edit->drafts[i], server);
	}
	grown = array_grow(edit->purged, edit->purged_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	edit->purged = grown;
	edit->purged[edit->purged_count++] = change->hop;
	if (!edit->is_purged)
		edit->is_purged = calloc(UINT16_MAX + 1, sizeof(bool));
	if (!edit->is_purged)
		return -ENOMEM;
	edit->is_purged[id] = true;
	return 0;
}

/* Does the device lead to a neighbour that has a MAC, and is it the one that its name is made of? */
static int check_device(const struct edit *edit, const struct ecmper_change *change,
			const struct device *device)
{
	if (device->is_loopback)
		return fail(edit, change, -EINVAL,
			    "is the loopback device, which leads back to this host; say the device "
			    "that leads to the server",
			    change->dev);
	if (!device->is_ethernet)
		return fail(edit, change, -EINVAL,
			    "is no Ethernet device, and servers are found by their MAC; say the "
			    "Ethernet device that leads to the server",
			    change->dev);
	if (*change->hop.dev && strcmp(device->name, change->dev))
		return fail(edit, change, -EINVAL,
			    "is only another name of a device; a link-local address goes with the "
			    "name that `ip link` shows first",
			    change->dev);
	return 0;
}

/* Is this what the tables say of a neighbour? Of one whose device is gone, too: what `dump` prints
 * must not be refused by `apply` because of it. */
static bool is_as_before(const struct edit *edit, const struct ecmper_change *change, uint32_t id)
{
	const struct ecmper_neigh *neigh = &edit->tables->neigh[id];
	const struct ecmper_link *link = neigh_link(neigh);

	return id && neigh->flags & ECMPER_NEIGH_STATIC && link &&
	       !memcmp(link->dst_mac, change->mac, sizeof(link->dst_mac)) &&
	       link->vlan == change->vlan && !memcmp(neigh->dev, change->dev, sizeof(neigh->dev));
}

/* Is one of this edit's neighbours going to name the port? */
static bool is_port_wanted(const void *arg, uint32_t port)
{
	const struct edit *edit = arg;

	for (unsigned int i = 0; i < edit->neigh_count; i++)
		if (edit->neighs[i].has_link && edit->neighs[i].link.port == port)
			return true;
	return false;
}

/* The device's place in tx_ports, taken newly when it has none. A mere check takes none. */
static int find_port(struct edit *edit, uint32_t ifindex, uint16_t *port)
{
	struct tables *tables = edit->tables;
	int ret = port_find(tables, ifindex, port);

	if (ret != -ENOENT)
		return ret;
	ret = port_choose(tables, is_port_wanted, edit, port);
	if (ret || edit->is_check)
		return ret;
	return tables->ops->tx_port_set(tables->arg, *port, ifindex);
}

static int change_neigh_add(struct edit *edit, const struct ecmper_change *change)
{
	struct neigh_draft *neigh;
	struct device device;
	int ret = neigh_draft_get(edit, &change->hop, &neigh);

	if (ret)
		return ret;
	ret = edit->tables->ops->device_get(edit->tables->arg, change->dev, &device);
	if (ret == -ENODEV && edit->mode == ECMPER_EDIT_APPLY &&
	    is_as_before(edit, change, neigh->id)) {
		neigh->is_static = true;
		return 0;
	}
	if (ret)
		return fail(edit, change, ret,
			    "no such device in this network namespace; `ip link` lists them",
			    change->dev);
	ret = check_device(edit, change, &device);
	if (ret)
		return ret;
	neigh->link = (struct ecmper_link){
		.vlan = change->vlan,
		.mtu = device.mtu < UINT16_MAX ? device.mtu : UINT16_MAX,
	};
	memcpy(neigh->link.dst_mac, change->mac, sizeof(change->mac));
	memcpy(neigh->link.src_mac, device.mac, sizeof(device.mac));
	memcpy(neigh->dev, device.name, sizeof(neigh->dev));
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
	char hop[ECMPER_HOP_STRLEN];
	int ret = neigh_draft_get(edit, &change->hop, &neigh);

	if (ret)
		return ret;
	if (!neigh->is_static)
		return fail(edit, change, -ENOENT,
			    "no such neighbour; `ecmperctl tables neigh` lists them",
			    ecmper_hop_format(&change->hop, hop));
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
		struct ecmper_hop hop;
		int ret;

		if (!(tables->neigh[id].flags & ECMPER_NEIGH_STATIC))
			continue;
		hop = neigh_hop(&tables->neigh[id]);
		ret = neigh_draft_get(edit, &hop, &neigh);
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
