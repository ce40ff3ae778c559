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
#include "instance.h"

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

const struct ecmper_addr *ecmper_nh_addr(const struct ecmper *ecmper, uint32_t id)
{
	if (!id || id >= ecmper->tables.config->max_next_hops ||
	    !(ecmper->tables.neigh[id].flags & ECMPER_NEIGH_USED))
		return NULL;
	return &ecmper->tables.neigh[id].addr;
}

/* The device behind a port, "" when this namespace has none such. */
static void port_name(const struct ecmper *ecmper, uint32_t port, char name[IF_NAMESIZE])
{
	uint32_t ifindex = 0;

	ecmper->tables.ops->tx_port_get((void *)ecmper, port, &ifindex);
	device_name(ifindex, name);
}

void neigh_view(const struct ecmper *ecmper, uint32_t id, struct ecmper_neigh_view *view)
{
	const struct ecmper_neigh *neigh = &ecmper->tables.neigh[id];
	const struct ecmper_link *link = neigh_link(neigh);

	*view = (struct ecmper_neigh_view){.id = id,
					   .addr = neigh->addr,
					   .is_resolved = link,
					   .is_static = neigh->flags & ECMPER_NEIGH_STATIC,
					   .refs = neigh->refs};
	if (link) {
		view->link = *link;
		port_name(ecmper, link->port, view->dev);
	}
}

static int compare_neighs(const void *a, const void *b)
{
	const struct ecmper_neigh_view *x = a, *y = b;

	return ecmper_addr_compare(&x->addr, &y->addr);
}

int ecmper_neighs_view(struct ecmper *ecmper, struct ecmper_neigh_view **views, unsigned int *count,
		       struct ecmper_error *err)
{
	uint32_t max = ecmper->tables.config->max_next_hops;

	int ret = instance_is_router(ecmper, err);

	*count = 0;
	*views = NULL;
	if (ret)
		return ret;
	*views = calloc(max, sizeof(**views));
	if (!*views)
		return ecmper_fail(err, -ENOMEM, "out of memory");
	for (uint32_t id = 1; id < max; id++)
		if (ecmper_nh_addr(ecmper, id))
			neigh_view(ecmper, id, &(*views)[(*count)++]);
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
					     struct ecmper_prefix_view *view, uint16_t *place,
					     uint16_t id)
{
	struct ecmper_server_view *server = &view->servers[view->server_count++];

	*server = (struct ecmper_server_view){.addr = ecmper->tables.neigh[id].addr,
					      .id = id,
					      .weight = -1,
					      .is_resolved = neigh_link(&ecmper->tables.neigh[id])};
	place[id] = view->server_count;
	return server;
}

static int compare_servers(const void *a, const void *b)
{
	const struct ecmper_server_view *x = a, *y = b;

	if ((x->weight < 0) != (y->weight < 0))
		return x->weight < 0 ? 1 : -1;
	return ecmper_addr_compare(&x->addr, &y->addr);
}

static int view_servers(struct ecmper *ecmper, struct ecmper_prefix_view *view)
{
	const struct ecmper_prefix *value = &view->value;
	const struct tables *tables = &ecmper->tables;
	uint16_t *place = calloc(UINT16_MAX + 1, sizeof(*place));
	struct ecmper_server_view *server;

	view->servers = calloc(tables->config->max_next_hops, sizeof(*view->servers));
	if (!place || !view->servers) {
		free(place);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < value->members_count; i++) {
		const struct ecmper_member *member = &tables->members[value->members_offset + i];

		server = add_server(ecmper, view, place, member->nh);
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

		if (!ecmper_nh_addr(ecmper, id))
			continue;
		server = server_of(view, place, id) ?: add_server(ecmper, view, place, id);
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
static int view_prefix(struct ecmper *ecmper, const struct ecmper_net *net,
		       struct ecmper_prefix_view *view)
{
	const struct tables *tables = &ecmper->tables;
	struct ecmper_prefix after;
	int ret;

	for (int tries = 0; tries < 100; tries++) {
		*view = (struct ecmper_prefix_view){.net = *net};
		ret = tables->ops->lpm_get(tables->arg, net, &view->value)
			      ?: view_servers(ecmper, view);
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
	unsigned int room = 0, unique = 0;
	struct ecmper_net net = {}, *grown;
	int ret = tables->ops->lpm_next(tables->arg, NULL, &net);

	for (; !ret; ret = tables->ops->lpm_next(tables->arg, &net, &net)) {
		if (*count == room) {
			room = room ? room * 2 : 16;
			grown = reallocarray(*nets, room, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			*nets = grown;
		}
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

static int view_all(struct ecmper *ecmper, struct ecmper_prefix_view **views, unsigned int *count)
{
	struct ecmper_net *nets = NULL;
	unsigned int net_count = 0;
	int ret = list_prefixes(&ecmper->tables, &nets, &net_count);

	if (!ret)
		*views = calloc(net_count + 1, sizeof(**views));
	if (!ret && !*views)
		ret = -ENOMEM;
	for (unsigned int i = 0; !ret && i < net_count; i++) {
		ret = view_prefix(ecmper, &nets[i], &(*views)[*count]);
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

	*count = 0;
	*views = NULL;
	if (ret)
		return ret;
	if (net) {
		*views = calloc(1, sizeof(**views));
		ret = *views ? view_prefix(ecmper, net, *views) : -ENOMEM;
		*count = !ret;
		if (ret == -ENOENT)
			ecmper_fail(err, ret, "%s: no such prefix; `ecmperctl show` lists them",
				    ecmper_net_format(net, text));
	} else {
		ret = view_all(ecmper, views, count);
	}
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
