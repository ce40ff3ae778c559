// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the state for people and programs: prefixes, servers, neighbours, the path of a flow.
 * Takes no lock and changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "device.h"
#include "flow_hash.h"
#include "grow.h"
#include "view.h"

static uint16_t slot_at(struct ecmper *ecmper, enum region region, const uint16_t *slots,
			uint32_t slot)
{
	if (slot >= region_size(ecmper->tables.config, region) ||
	    tables_touch(&ecmper->tables, region, slot, 1))
		return 0;
	return slots[slot];
}

uint16_t ecmper_cur_nh_at(struct ecmper *ecmper, uint32_t slot)
{
	return slot_at(ecmper, REGION_CUR_NH, ecmper->tables.cur_nh, slot);
}

uint16_t ecmper_prv_nh_at(struct ecmper *ecmper, uint32_t slot)
{
	return slot_at(ecmper, REGION_PRV_NH, ecmper->tables.prv_nh, slot);
}

bool ecmper_nh_hop(const struct ecmper *ecmper, uint32_t id, struct ecmper_hop *hop)
{
	if (!id || id >= ecmper->tables.config->max_next_hops ||
	    !(ecmper->tables.neigh[id].flags & ECMPER_NEIGH_USED))
		return false;
	*hop = neigh_hop(&ecmper->tables.neigh[id]);
	return true;
}

int ports_look(const struct ecmper *ecmper, struct device **ports, struct ecmper_error *err)
{
	uint32_t count = ecmper->tables.config->max_ports;
	struct devices devices;
	int ret = devices_read(&devices);

	*ports = ret ? NULL : calloc(count, sizeof(**ports));
	if (!*ports)
		ret = ecmper_fail(err, ret ?: -ENOMEM, "cannot read the network devices: %s",
				  strerror(ret ? -ret : ENOMEM));
	for (uint32_t port = 0; !ret && port < count; port++) {
		const struct device *device = NULL;
		uint32_t ifindex;

		if (!ecmper->tables.ops->tx_port_get(ecmper->tables.arg, port, &ifindex))
			device = devices_find(&devices, ifindex);
		if (device)
			(*ports)[port] = *device;
	}
	devices_free(&devices);
	return ret;
}

static enum ecmper_way compare_link(const struct ecmper_link *link, const struct device *device)
{
	uint32_t mtu = device->mtu < UINT16_MAX ? device->mtu : UINT16_MAX;

	if (!device->ifindex)
		return ECMPER_WAY_DEVICE_GONE;
	if (!device->is_up)
		return ECMPER_WAY_DEVICE_DOWN;
	if (memcmp(link->src_mac, device->mac, sizeof(device->mac)))
		return ECMPER_WAY_MAC_CHANGED;
	return link->mtu == mtu ? ECMPER_WAY_UP : ECMPER_WAY_MTU_CHANGED;
}

static struct ecmper_way_view view_way(const struct ecmper_neigh *neigh, const struct device *ports)
{
	const struct ecmper_link *link = neigh_link(neigh);
	struct ecmper_hop hop = neigh_hop(neigh);
	struct ecmper_way_view view = {.way = ECMPER_WAY_NO_MAC};
	const struct device *device;

	memcpy(view.dev, neigh->dev, sizeof(view.dev));
	if (!link)
		return view;
	device = &ports[link->port];
	view.way = compare_link(link, device);
	view.mtu = device->mtu;
	view.table_mtu = link->mtu;
	if (device->ifindex)
		memcpy(view.dev, device->name, sizeof(view.dev));
	if (*hop.dev && strcmp(hop.dev, view.dev))
		view.way = ECMPER_WAY_DEVICE_RENAMED;
	return view;
}

const char *ecmper_way_format(const struct ecmper_way_view *way, char buf[ECMPER_WAY_STRLEN])
{
	switch (way->way) {
	case ECMPER_WAY_UP: return "up";
	case ECMPER_WAY_NO_MAC: return "no MAC";
	case ECMPER_WAY_DEVICE_GONE: return "device gone";
	case ECMPER_WAY_DEVICE_DOWN: return "device down";
	case ECMPER_WAY_MAC_CHANGED: return "mac changed";
	case ECMPER_WAY_DEVICE_RENAMED:
		snprintf(buf, ECMPER_WAY_STRLEN, "device renamed %s", way->dev);
		break;
	case ECMPER_WAY_MTU_CHANGED:
		snprintf(buf, ECMPER_WAY_STRLEN, "mtu %u, table %u", way->mtu, way->table_mtu);
		break;
	}
	return buf;
}

void neigh_view(const struct ecmper *ecmper, const struct device *ports, uint32_t id,
		struct ecmper_neigh_view *view)
{
	const struct ecmper_neigh *neigh = &ecmper->tables.neigh[id];
	const struct ecmper_link *link = neigh_link(neigh);

	*view = (struct ecmper_neigh_view){.id = id,
					   .hop = neigh_hop(neigh),
					   .is_resolved = link,
					   .is_static = neigh->flags & ECMPER_NEIGH_STATIC,
					   .refs = neigh->refs,
					   .way = view_way(neigh, ports)};
	if (link)
		view->link = *link;
	/* A link-local one must be called by its name. */
	memcpy(view->dev, *view->hop.dev ? view->hop.dev : view->way.dev, sizeof(view->dev));
}

static int compare_neighs(const void *a, const void *b)
{
	const struct ecmper_neigh_view *x = a, *y = b;

	return ecmper_hop_compare(&x->hop, &y->hop);
}

int ecmper_neighs_view(struct ecmper *ecmper, struct ecmper_neigh_view **views, unsigned int *count,
		       struct ecmper_error *err)
{
	uint32_t max = ecmper->tables.config->max_next_hops;
	int ret = instance_is_router(ecmper, err);
	struct ecmper_hop hop;
	struct device *ports;

	*count = 0;
	*views = NULL;
	ret = ret ?: ports_look(ecmper, &ports, err);
	if (ret)
		return ret;
	*views = calloc(max, sizeof(**views));
	if (!*views) {
		free(ports);
		return ecmper_fail(err, -ENOMEM, "out of memory");
	}
	for (uint32_t id = 1; id < max; id++)
		if (ecmper_nh_hop(ecmper, id, &hop))
			neigh_view(ecmper, ports, id, &(*views)[(*count)++]);
	free(ports);
	qsort(*views, *count, sizeof(**views), compare_neighs);
	return 0;
}

static struct ecmper_server_view *server_of(struct ecmper_prefix_view *view, uint16_t *place,
					    uint16_t id)
{
	return place[id] ? &view->servers[place[id] - 1] : NULL;
}

/* The servers in view->servers, `place` says which of them has an id (plus one). */
static struct ecmper_server_view *add_server(const struct ecmper *ecmper,
					     const struct device *ports,
					     struct ecmper_prefix_view *view, uint16_t *place,
					     uint16_t id)
{
	const struct ecmper_neigh *neigh = &ecmper->tables.neigh[id];
	struct ecmper_server_view *server = &view->servers[view->server_count++];

	*server = (struct ecmper_server_view){
		.hop = neigh_hop(neigh), .id = id, .weight = -1, .way = view_way(neigh, ports)};
	place[id] = view->server_count;
	return server;
}

static int compare_servers(const void *a, const void *b)
{
	const struct ecmper_server_view *x = a, *y = b;

	if ((x->weight < 0) != (y->weight < 0))
		return x->weight < 0 ? 1 : -1;
	return ecmper_hop_compare(&x->hop, &y->hop);
}

static int view_servers(struct ecmper *ecmper, const struct device *ports,
			struct ecmper_prefix_view *view)
{
	const struct ecmper_prefix *value = &view->value;
	const struct tables *tables = &ecmper->tables;
	uint16_t *place = calloc(UINT16_MAX + 1, sizeof(*place));
	struct ecmper_server_view *server;
	struct ecmper_hop hop;

	view->servers = calloc(tables->config->max_next_hops, sizeof(*view->servers));
	if (!place || !view->servers) {
		free(place);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < value->members_count; i++) {
		const struct ecmper_member *member = &tables->members[value->members_offset + i];

		server = add_server(ecmper, ports, view, place, member->nh);
		server->weight = member->weight;
		server->origin = member->origin;
	}
	for (uint32_t i = 0; i < value->cur_nh_count; i++) {
		server = server_of(view, place, ecmper_cur_nh_at(ecmper, value->cur_nh_offset + i));
		if (server)
			server->buckets++;
	}
	for (uint32_t i = 0; i < value->prv_nh_count; i++) {
		uint16_t id = ecmper_prv_nh_at(ecmper, value->prv_nh_offset + i);

		if (!ecmper_nh_hop(ecmper, id, &hop))
			continue;
		server = server_of(view, place, id) ?: add_server(ecmper, ports, view, place, id);
		server->history++;
	}
	free(place);
	/* Most prefixes have few of all servers. */
	view->servers = reallocarray(view->servers, view->server_count + 1, sizeof(*view->servers))
				?: view->servers;
	qsort(view->servers, view->server_count, sizeof(*view->servers), compare_servers);
	return 0;
}

/* A consistent look needs a value that stays while its ranges are read: else once more. */
static int view_prefix(struct ecmper *ecmper, const struct device *ports,
		       const struct ecmper_net *net, struct ecmper_prefix_view *view)
{
	const struct tables *tables = &ecmper->tables;
	struct ecmper_prefix after;
	int ret;

	for (int tries = 0; tries < 100; tries++) {
		*view = (struct ecmper_prefix_view){.net = *net};
		ret = tables->ops->lpm_get(tables->arg, net, &view->value)
			      ?: view_servers(ecmper, ports, view);
		if (ret || (!tables->ops->lpm_get(tables->arg, net, &after) &&
			    after.generation == view->value.generation))
			return ret;
		free(view->servers);
	}
	view->servers = NULL;
	return -EAGAIN;
}

static int compare_nets(const void *a, const void *b)
{
	return ecmper_net_compare(a, b);
}

/* The prefixes there are, in order. The key after one that went meanwhile is the first: what was
 * seen is seen again then, and counts once. */
static int list_prefixes(const struct tables *tables, struct ecmper_net **nets, unsigned int *count)
{
	unsigned int unique = 0;
	struct ecmper_net net = {}, *grown;
	int ret = tables->ops->lpm_next(tables->arg, NULL, &net);

	for (; !ret; ret = tables->ops->lpm_next(tables->arg, &net, &net)) {
		grown = array_grow(*nets, *count, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*nets = grown;
		(*nets)[(*count)++] = net;
	}
	if (ret != -ENOENT)
		return ret;
	if (*count)
		qsort(*nets, *count, sizeof(**nets), compare_nets);
	for (unsigned int i = 0; i < *count; i++)
		if (!i || compare_nets(&(*nets)[i], &(*nets)[unique - 1]))
			(*nets)[unique++] = (*nets)[i];
	*count = unique;
	return 0;
}

static int view_all(struct ecmper *ecmper, const struct device *ports,
		    struct ecmper_prefix_view **views, unsigned int *count)
{
	struct ecmper_net *nets = NULL;
	unsigned int net_count = 0;
	int ret = list_prefixes(&ecmper->tables, &nets, &net_count);

	if (!ret)
		*views = calloc(net_count + 1, sizeof(**views));
	if (!ret && !*views)
		ret = -ENOMEM;
	for (unsigned int i = 0; !ret && i < net_count; i++) {
		ret = view_prefix(ecmper, ports, &nets[i], &(*views)[*count]);
		if (!ret)
			(*count)++;
		else if (ret == -ENOENT) /* gone since */
			ret = 0;
	}
	free(nets);
	return ret;
}

int ecmper_prefixes_view(struct ecmper *ecmper, const struct ecmper_net *net,
			 struct ecmper_prefix_view **views, unsigned int *count,
			 struct ecmper_error *err)
{
	int ret = instance_is_router(ecmper, err);
	char text[ECMPER_NET_STRLEN];
	struct device *ports;

	*count = 0;
	*views = NULL;
	ret = ret ?: ports_look(ecmper, &ports, err);
	if (ret)
		return ret;
	if (net) {
		*views = calloc(1, sizeof(**views));
		ret = *views ? view_prefix(ecmper, ports, net, *views) : -ENOMEM;
		*count = !ret;
		if (ret == -ENOENT)
			ecmper_fail(err, ret, "%s: no such prefix; `ecmperctl show` lists them",
				    ecmper_net_format(net, text));
	} else {
		ret = view_all(ecmper, ports, views, count);
	}
	free(ports);
	if (ret && ret != -ENOENT)
		ecmper_fail(err, ret, "cannot read the prefixes: %s", strerror(-ret));
	if (ret) {
		ecmper_prefixes_free(*views, *count);
		*views = NULL;
		*count = 0;
	}
	return ret;
}

void ecmper_prefixes_free(struct ecmper_prefix_view *views, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		free(views[i].servers);
	free(views);
}
