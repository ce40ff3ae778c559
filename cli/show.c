// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that print prefixes: show for people, dump for `ecmperctl apply`. What dump prints
 * must describe the state completely: applied again, it changes nothing.
 */
#include <stdlib.h>
#include "cli.h"

static bool is_connected(const struct ecmper_prefix_view *view)
{
	return view->value.flags & ECMPER_PREFIX_CONNECTED;
}

static bool is_modulo(const struct ecmper_prefix_view *view)
{
	return view->value.flags & ECMPER_PREFIX_MODULO;
}

static const char *hash_name(const struct ecmper_prefix_view *view)
{
	return is_modulo(view) ? "modulo" : "maglev";
}

/* Rows of history that some bucket needs by now. */
static unsigned int history_rows(const struct ecmper_prefix *value)
{
	return value->cur_nh_count ? value->prv_nh_count / value->cur_nh_count : 0;
}

#define STATE_STRLEN (ECMPER_WAY_STRLEN + 16)

/* "up" is who gets new connections by a way that is as the tables say. */
static const char *server_state(const struct ecmper_server_view *server, char buf[STATE_STRLEN])
{
	const char *part = server->weight < 0 ? "history" : "drained";
	char way[ECMPER_WAY_STRLEN];

	if (server->weight > 0)
		snprintf(buf, STATE_STRLEN, "%s", ecmper_way_format(&server->way, way));
	else if (server->way.way == ECMPER_WAY_UP)
		snprintf(buf, STATE_STRLEN, "%s", part);
	else
		snprintf(buf, STATE_STRLEN, "%s, %s", part, ecmper_way_format(&server->way, way));
	return buf;
}

/* Without an owner for its buckets, a prefix only serves the connections it has. */
static bool has_owners(const struct ecmper_prefix_view *view)
{
	for (unsigned int i = 0; i < view->server_count; i++)
		if (view->servers[i].buckets)
			return true;
	return false;
}

/* Servers whose connections the history must be able to find: all, when all are drained at once. */
static bool is_deep_enough(const struct ecmper_prefix_view *view)
{
	return view->value.depth >= view->server_count || view->server_count < 2;
}

static void show_depth(const struct ecmper_prefix_view *view)
{
	if (!is_deep_enough(view))
		printf("  depth %u is less than the %u servers: a connection is lost when its bucket "
		       "had more than %u other owners since it began\n",
		       view->value.depth, view->server_count, view->value.depth);
}

static void show_servers(const struct ecmper_prefix_view *view)
{
	static const char *const titles[] = {"server",   ">weight", ">buckets", ">share",
					     ">history", "state",   NULL};
	char hop[ECMPER_HOP_STRLEN], state[STATE_STRLEN];
	struct table table;

	table_begin(&table, titles);
	for (unsigned int i = 0; i < view->server_count; i++) {
		const struct ecmper_server_view *server = &view->servers[i];

		table_cell(&table, "%s", ecmper_hop_format(&server->hop, hop));
		if (server->weight < 0)
			table_cell(&table, "-");
		else
			table_cell(&table, "%d", server->weight);
		table_cell(&table, "%u", server->buckets);
		table_cell(&table, "%.1f%%", 100.0 * server->buckets / view->value.cur_nh_count);
		table_cell(&table, "%u", server->history);
		table_cell(&table, "%s%s", server_state(server, state),
			   server->origin == ECMPER_ORIGIN_KERNEL ? ", by the kernel's route" : "");
	}
	table_print(&table, "  ");
}

static void show_text(const struct ecmper_prefix_view *views, unsigned int count)
{
	char net[ECMPER_NET_STRLEN];

	for (unsigned int i = 0; i < count; i++) {
		const struct ecmper_prefix_view *view = &views[i];

		ecmper_net_format(&view->net, net);
		if (is_connected(view)) {
			printf("%s connected\n", net);
			continue;
		}
		printf("%s hash %s on %s, %u buckets, depth %u (%u in use), generation %u%s\n", net,
		       hash_name(view), ecmper_hash_on_names[view->value.hash_on],
		       view->value.cur_nh_count, view->value.depth, history_rows(&view->value),
		       view->value.generation,
		       has_owners(view) ? "" : ", no server for new connections");
		show_depth(view);
		show_servers(view);
	}
}

static json_t *servers_json(const struct ecmper_prefix_view *view)
{
	json_t *list = json_checked(json_array());

	for (unsigned int i = 0; i < view->server_count; i++) {
		const struct ecmper_server_view *server = &view->servers[i];
		bool is_kernel = server->origin == ECMPER_ORIGIN_KERNEL;
		char state[STATE_STRLEN];
		json_t *weight = server->weight < 0 ? json_null() : json_integer(server->weight);

		json_array_append_new(
			list, json_checked(json_pack("{s:o, s:I, s:o, s:s, s:I, s:I, s:b, s:s}",
						     "address", json_hop(&server->hop), "id",
						     (json_int_t)server->id, "weight",
						     json_checked(weight), "origin",
						     is_kernel ? "kernel" : "static", "buckets",
						     (json_int_t)server->buckets, "history",
						     (json_int_t)server->history, "resolved",
						     server->way.way != ECMPER_WAY_NO_MAC, "state",
						     server_state(server, state))));
	}
	return list;
}

static json_t *prefix_json(const struct ecmper_prefix_view *view)
{
	char net[ECMPER_NET_STRLEN];

	ecmper_net_format(&view->net, net);
	if (is_connected(view))
		return json_checked(json_pack("{s:s, s:b}", "prefix", net, "connected", true));
	return json_checked(json_pack(
		"{s:s, s:b, s:s, s:s, s:I, s:i, s:b, s:i, s:I, s:o}", "prefix", net, "connected",
		false, "hash", hash_name(view), "hash_on",
		ecmper_hash_on_names[view->value.hash_on], "buckets",
		(json_int_t)view->value.cur_nh_count, "depth", view->value.depth, "deep_enough",
		is_deep_enough(view), "history_rows", (int)history_rows(&view->value), "generation",
		(json_int_t)view->value.generation, "servers", servers_json(view)));
}

static json_t *prefixes_json(const struct ecmper_prefix_view *views, unsigned int count)
{
	json_t *list = json_checked(json_array());

	for (unsigned int i = 0; i < count; i++)
		json_array_append_new(list, prefix_json(&views[i]));
	return list;
}

enum status command_show(const struct cli *cli, int argc, char **argv)
{
	struct ecmper_prefix_view *views;
	struct ecmper_error err;
	struct ecmper_net net;
	struct ecmper *ecmper;
	unsigned int count;
	int code;

	if (argc > 2)
		return usage(cli, "expected one prefix, not '%s' as well", argv[2]);
	if (argc == 2 && ecmper_net_parse(argv[1], &net))
		return usage(cli, "expected a prefix, not '%s'", argv[1]);
	if (ecmper_open(cli->pin, ECMPER_ROUTER, &ecmper, &err))
		return fail("%s", err.text);
	code = ecmper_prefixes_view(ecmper, argc == 2 ? &net : NULL, &views, &count, &err);
	ecmper_close(ecmper);
	if (code)
		return fail("%s", err.text);
	tell_version(cli, ECMPER_ROUTER);
	if (cli->json)
		json_print(prefixes_json(views, count));
	else
		show_text(views, count);
	ecmper_prefixes_free(views, count);
	return STATUS_DONE;
}

static void dump_prefix(const struct ecmper_prefix_view *view)
{
	char net[ECMPER_NET_STRLEN], hop[ECMPER_HOP_STRLEN];

	ecmper_net_format(&view->net, net);
	if (is_connected(view)) {
		printf("add %s connected\n", net);
		return;
	}
	printf("add %s hash %s", net, hash_name(view));
	/* The size of a modulo table follows from its servers. */
	if (!is_modulo(view))
		printf(" buckets %u", view->value.cur_nh_count);
	printf(" depth %u", view->value.depth);
	if (view->value.hash_on != ECMPER_HASH_ON_5TUPLE)
		printf(" hash-on %s", ecmper_hash_on_names[view->value.hash_on]);
	for (unsigned int i = 0; i < view->server_count; i++)
		if (view->servers[i].weight >= 0)
			printf(" via %s weight %d", ecmper_hop_format(&view->servers[i].hop, hop),
			       view->servers[i].weight);
	putchar('\n');
}

/* One that `neigh add` made, and no `neigh del` took back; a table may still need the others. */
static bool is_dumped(const struct ecmper_neigh_view *neigh)
{
	return neigh->is_resolved && neigh->is_static;
}

static void dump_text(const struct ecmper_neigh_view *neighs, unsigned int neigh_count,
		      const struct ecmper_prefix_view *views, unsigned int count)
{
	char hop[ECMPER_HOP_STRLEN], mac[ECMPER_MAC_STRLEN];

	for (unsigned int i = 0; i < neigh_count; i++)
		if (is_dumped(&neighs[i])) {
			printf("neigh add %s lladdr %s dev %s",
			       ecmper_hop_format(&neighs[i].hop, hop),
			       ecmper_mac_format(neighs[i].link.dst_mac, mac), neighs[i].dev);
			if (neighs[i].link.vlan)
				printf(" vlan %u", neighs[i].link.vlan);
			putchar('\n');
		}
	for (unsigned int i = 0; i < count; i++)
		dump_prefix(&views[i]);
}

static void dump_json(const struct ecmper_neigh_view *neighs, unsigned int neigh_count,
		      const struct ecmper_prefix_view *views, unsigned int count)
{
	json_t *list = json_checked(json_array());

	for (unsigned int i = 0; i < neigh_count; i++)
		if (is_dumped(&neighs[i]))
			json_array_append_new(
				list, json_checked(json_pack("{s:o, s:o, s:s, s:i}", "address",
							     json_hop(&neighs[i].hop), "lladdr",
							     json_mac(neighs[i].link.dst_mac),
							     "dev", neighs[i].dev, "vlan",
							     (int)neighs[i].link.vlan)));
	json_print(json_pack("{s:o, s:o}", "neighbours", list, "prefixes",
			     prefixes_json(views, count)));
}

enum status command_dump(const struct cli *cli, int argc, char **argv)
{
	struct ecmper_neigh_view *neighs = NULL;
	struct ecmper_prefix_view *views = NULL;
	unsigned int neigh_count = 0, count = 0;
	struct ecmper_error err;
	struct ecmper *ecmper;
	int code;

	if (argc > 1)
		return usage(cli, "expected nothing after dump, not '%s'", argv[1]);
	if (ecmper_open(cli->pin, ECMPER_ROUTER, &ecmper, &err))
		return fail("%s", err.text);
	code = ecmper_neighs_view(ecmper, &neighs, &neigh_count, &err);
	if (!code)
		code = ecmper_prefixes_view(ecmper, NULL, &views, &count, &err);
	ecmper_close(ecmper);
	if (code)
		fail("%s", err.text);
	else if (cli->json)
		dump_json(neighs, neigh_count, views, count);
	else
		dump_text(neighs, neigh_count, views, count);
	free(neighs);
	ecmper_prefixes_free(views, count);
	return code ? STATUS_FAILED : STATUS_DONE;
}
