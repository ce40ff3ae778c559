// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a router instance as the model wants it, read by the library's views: prefixes, and
 * which next hop's number stands in which bucket and in its history. See world_router.h.
 */
#include <stdlib.h>
#include <string.h>
#include "../prog/harness.h"
#include "world_router.h"

static struct model_addr model_addr(const struct ecmper_addr *addr)
{
	struct model_addr result;

	memcpy(result.byte, addr, sizeof(result.byte));
	return result;
}

static void read_hop(const struct ecmper_neigh_view *view, hop_find *find, struct model_hop *hop)
{
	hop->is_used = true;
	hop->addr = model_addr(&view->hop.addr);
	find(&view->hop, hop);
}

static void read_prefix(struct lab *lab, const struct ecmper_prefix_view *view,
			struct model_router *router)
{
	struct model_prefix *prefix = &router->prefix[router->prefix_count++];
	const struct ecmper_prefix *value = &view->value;

	assert_true(router->prefix_count <= MODEL_PREFIXES_MAX);
	prefix->addr = model_addr(&view->net.addr);
	prefix->is_ipv6 = !ecmper_addr_is_ipv4(&view->net.addr);
	prefix->length = view->net.len + (prefix->is_ipv6 ? 0 : 96);
	prefix->is_connected = value->flags & ECMPER_PREFIX_CONNECTED;
	prefix->hash_on = value->hash_on;
	/* Worlds do not get as old as their flight time, which is long, or 0. */
	prefix->is_young = value->changed_ns &&
			   ecmper_config_get(lab->router)->flight_ms == ECMPER_FLIGHT_MS_MAX;
	prefix->buckets = value->cur_nh_count;
	prefix->rows = value->cur_nh_count ? value->prv_nh_count / value->cur_nh_count : 0;
	prefix->owners = calloc(value->cur_nh_count + value->prv_nh_count + 1, sizeof(uint16_t));
	for (uint32_t i = 0; i < value->cur_nh_count; i++)
		prefix->owners[i] = ecmper_cur_nh_at(lab->router, value->cur_nh_offset + i);
	for (uint32_t i = 0; i < value->prv_nh_count; i++)
		prefix->owners[prefix->buckets + i] =
			ecmper_prv_nh_at(lab->router, value->prv_nh_offset + i);
	for (unsigned int i = 0; i < view->server_count; i++)
		router->hop[view->servers[i].id].may_mark = true;
}

void router_world_free(struct model_router *router)
{
	for (uint32_t i = 0; i < router->prefix_count; i++)
		free(router->prefix[i].owners);
	router->prefix_count = 0;
}

void router_world_read(struct lab *lab, hop_find *find, struct model_router *router)
{
	struct ecmper_prefix_view *views;
	struct ecmper_neigh_view *neighs;
	struct ecmper_error err;
	unsigned int count;

	router_world_free(router);
	memset(router->hop, 0, sizeof(router->hop));
	if (ecmper_neighs_view(lab->router, &neighs, &count, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < count; i++)
		read_hop(&neighs[i], find, &router->hop[neighs[i].id]);
	free(neighs);
	if (ecmper_prefixes_view(lab->router, NULL, &views, &count, &err))
		fail_msg("%s", err.text);
	for (unsigned int i = 0; i < count; i++)
		read_prefix(lab, &views[i], router);
	ecmper_prefixes_free(views, count);
}
