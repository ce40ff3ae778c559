// SPDX-License-Identifier: GPL-2.0-only
/*
 * `ecmperctl tables`: what packets are looked up in, with the columns of the documents' /tables
 * first. cur_nh and prv_nh may have millions of slots: those are printed one by one.
 */
#include <stdlib.h>
#include <string.h>
#include "cli.h"

/* What the tables are printed from. */
struct state {
	bool json;
	struct ecmper *ecmper;
	struct ecmper_prefix_view *views;
	unsigned int count;
	struct ecmper_neigh_view *neighs;
	unsigned int neigh_count;
};

static void print_rows(const struct state *state, struct table *table)
{
	json_t *list;

	if (!state->json) {
		table_print(table, "");
		return;
	}
	list = table_json(table);
	json_dumpf(list, stdout, JSON_INDENT(2));
	json_decref(list);
}

static const char *kind_name(const struct ecmper_prefix *value)
{
	if (value->flags & ECMPER_PREFIX_CONNECTED)
		return "connected";
	return value->flags & ECMPER_PREFIX_MODULO ? "modulo" : "maglev";
}

static void print_lpm(const struct state *state)
{
	static const char *const titles[] = {"prefix",         ">cur_nh_offset", ">cur_nh_count",
					     ">prv_nh_offset", ">prv_nh_count",  ">depth",
					     ">generation",    "kind",           NULL};
	char net[ECMPER_NET_STRLEN];
	struct table table;

	table_begin(&table, titles);
	for (unsigned int i = 0; i < state->count; i++) {
		const struct ecmper_prefix *value = &state->views[i].value;

		table_cell(&table, "%s", ecmper_net_format(&state->views[i].net, net));
		table_cell(&table, "%u", value->cur_nh_offset);
		table_cell(&table, "%u", value->cur_nh_count);
		table_cell(&table, "%u", value->prv_nh_offset);
		table_cell(&table, "%u", value->prv_nh_count);
		table_cell(&table, "%u", value->depth);
		table_cell(&table, "%u", value->generation);
		table_cell(&table, "%s", kind_name(value));
	}
	print_rows(state, &table);
}

static void print_neigh(const struct state *state)
{
	static const char *const titles[] = {">index", "address", "mac",  "dev",
					     ">port",  ">vlan",   ">mtu", "src_mac",
					     ">refs",  "state",   NULL};
	char hop[ECMPER_HOP_STRLEN], mac[ECMPER_MAC_STRLEN], way[ECMPER_WAY_STRLEN];
	struct table table;

	table_begin(&table, titles);
	for (unsigned int i = 0; i < state->neigh_count; i++) {
		const struct ecmper_neigh_view *neigh = &state->neighs[i];
		const struct ecmper_link *link = &neigh->link;

		table_cell(&table, "%u", neigh->id);
		table_cell(&table, "%s", ecmper_hop_format(&neigh->hop, hop));
		table_cell(&table, "%s", mac_text(neigh, link->dst_mac, mac));
		table_cell(&table, "%s", *neigh->dev ? neigh->dev : "-");
		table_cell(&table, "%u", link->port);
		table_cell(&table, "%u", link->vlan);
		table_cell(&table, "%u", link->mtu);
		table_cell(&table, "%s", mac_text(neigh, link->src_mac, mac));
		table_cell(&table, "%u", neigh->refs);
		table_cell(&table, "%s%s%s", neigh->is_static ? "static" : "dynamic",
			   neigh->way.way == ECMPER_WAY_UP ? "" : ", ",
			   neigh->way.way == ECMPER_WAY_UP ? ""
							   : ecmper_way_format(&neigh->way, way));
	}
	print_rows(state, &table);
}

/* One slot: where it is, whom it names, and whose bucket it is. */
static void print_slot(const struct state *state, bool is_first, uint32_t index, uint16_t id,
		       const char *net, uint32_t bucket)
{
	char buf[ECMPER_HOP_STRLEN];
	struct ecmper_hop hop;
	const char *text =
		ecmper_nh_hop(state->ecmper, id, &hop) ? ecmper_hop_format(&hop, buf) : "drop";

	if (!state->json) {
		printf("%8u  %-15s  %-18s  %6u\n", index, text, net, bucket);
		return;
	}
	printf("%s\n  {\"index\": %u, \"address\": \"%s\", \"prefix\": \"%s\", \"bucket\": %u}",
	       is_first ? "" : ",", index, text, net, bucket);
}

/* The slots of cur_nh or prv_nh that some prefix has. */
static void print_slots(const struct state *state, bool is_current)
{
	bool is_first = true;

	if (state->json)
		putchar('[');
	else
		printf("%8s  %-15s  %-18s  %6s\n", "index", "address", "prefix", "bucket");
	for (unsigned int i = 0; i < state->count; i++) {
		const struct ecmper_prefix *value = &state->views[i].value;
		uint32_t count = is_current ? value->cur_nh_count : value->prv_nh_count;
		uint32_t offset = is_current ? value->cur_nh_offset : value->prv_nh_offset;
		char net[ECMPER_NET_STRLEN];

		ecmper_net_format(&state->views[i].net, net);
		for (uint32_t slot = 0; slot < count; slot++) {
			uint32_t index = offset + slot;
			uint16_t id = is_current ? ecmper_cur_nh_at(state->ecmper, index)
						 : ecmper_prv_nh_at(state->ecmper, index);

			print_slot(state, is_first, index, id, net, slot % value->cur_nh_count);
			is_first = false;
		}
	}
	if (state->json)
		fputs(is_first ? "]" : "\n]", stdout);
}

static void print_cur_nh(const struct state *state)
{
	print_slots(state, true);
}

static void print_prv_nh(const struct state *state)
{
	print_slots(state, false);
}

static const struct {
	const char *name;
	void (*print)(const struct state *state);
} tables[] = {
	{"lpm", print_lpm},
	{"cur_nh", print_cur_nh},
	{"prv_nh", print_prv_nh},
	{"neigh", print_neigh},
};

#define TABLES (sizeof(tables) / sizeof(*tables))

/* One table, or all of them (NULL), each under its name. */
static void print_tables(const struct state *state, const char *name)
{
	const char *before = "";

	if (state->json)
		putchar('{');
	for (size_t i = 0; i < TABLES; i++) {
		if (name && strcmp(name, tables[i].name))
			continue;
		if (state->json)
			printf("%s\n\"%s\": ", before, tables[i].name);
		else if (!name)
			printf("%s%s:\n", before, tables[i].name);
		tables[i].print(state);
		before = state->json ? "," : "\n";
	}
	if (state->json)
		puts("\n}");
}

static bool is_table(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		if (!strcmp(name, tables[i].name))
			return true;
	return false;
}

enum status command_tables(const struct cli *cli, int argc, char **argv)
{
	struct state state = {.json = cli->json};
	struct ecmper_error err;
	int code;

	if (argc > 2)
		return usage(cli, "expected one table, not '%s' as well", argv[2]);
	if (argc == 2 && !is_table(argv[1]))
		return usage(cli, "expected lpm, cur_nh, prv_nh or neigh, not '%s'", argv[1]);
	if (ecmper_open(cli->pin, ECMPER_ROUTER, &state.ecmper, &err))
		return fail("%s", err.text);
	code = ecmper_neighs_view(state.ecmper, &state.neighs, &state.neigh_count, &err);
	if (!code)
		code = ecmper_prefixes_view(state.ecmper, NULL, &state.views, &state.count, &err);
	if (code)
		fail("%s", err.text);
	else
		print_tables(&state, argc == 2 ? argv[1] : NULL);
	free(state.neighs);
	ecmper_prefixes_free(state.views, state.count);
	ecmper_close(state.ecmper);
	return code ? STATUS_FAILED : STATUS_DONE;
}
