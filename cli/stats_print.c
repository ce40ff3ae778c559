// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of `ecmperctl stats`. One set of tables serves both formats: people get large numbers
 * scaled, JSON has them raw. Rates (pps: packets, bps: bits a second) need an earlier snapshot.
 */
#include <inttypes.h>
#include <string.h>
#include "stats.h"

/* Two snapshots; `before` may be NULL, then `seconds` is 0 and tables have no rates. */
struct span {
	const struct ecmper_stats *now, *before;
	double seconds;
};

/* Cells of a counter's two rates. Less than before: it was reset in between. */
static void rate_cells(struct table *table, const struct span *span,
		       const struct ecmper_counter *now, const struct ecmper_counter *before)
{
	bool is_reset = now->packets < before->packets || now->bytes < before->bytes;

	if (!span->before)
		return;
	table_cell(table, "%.0f", is_reset ? 0 : (now->packets - before->packets) / span->seconds);
	table_cell(table, "%.0f", is_reset ? 0 : 8 * (now->bytes - before->bytes) / span->seconds);
}

static void number_cell(struct table *table, uint64_t number)
{
	table_cell(table, "%" PRIu64, number);
}

static void counter_cells(struct table *table, const struct ecmper_counter *counter)
{
	number_cell(table, counter->packets);
	number_cell(table, counter->bytes);
}

static struct ecmper_counter on_cpu(const struct ecmper_stats *stats, unsigned int reason,
				    unsigned int cpu)
{
	return stats ? stats->counters[(size_t)reason * stats->cpu_count + cpu]
		     : (struct ecmper_counter){};
}

static struct ecmper_counter on_all_cpus(const struct ecmper_stats *stats, unsigned int reason)
{
	struct ecmper_counter sum = {};

	for (unsigned int cpu = 0; stats && cpu < stats->cpu_count; cpu++) {
		struct ecmper_counter counter = on_cpu(stats, reason, cpu);

		sum.packets += counter.packets;
		sum.bytes += counter.bytes;
	}
	return sum;
}

static void reasons_table(const struct span *span, struct table *table)
{
	static const char *const once[] = {"reason", ">packets", "~bytes",
					   "action", "meaning",  NULL};
	static const char *const rates[] = {"reason", ">packets", "~bytes",  "~pps",
					    "~bps",   "action",   "meaning", NULL};

	table_begin(table, span->before ? rates : once);
	for (unsigned int i = 0; i < span->now->reason_count; i++) {
		const struct ecmper_reason *reason = &span->now->reasons[i];
		struct ecmper_counter now = on_all_cpus(span->now, i);
		struct ecmper_counter before = on_all_cpus(span->before, i);

		table_cell(table, "%s", reason->name);
		counter_cells(table, &now);
		rate_cells(table, span, &now, &before);
		table_cell(table, "%s", reason->action);
		table_cell(table, "%s", reason->text);
	}
}

/* What each CPU counted, without the zeros. */
static void cpus_table(const struct span *span, struct table *table)
{
	static const char *const once[] = {"reason", ">cpu", ">packets", "~bytes", NULL};
	static const char *const rates[] = {"reason", ">cpu", ">packets", "~bytes",
					    "~pps",   "~bps", NULL};

	table_begin(table, span->before ? rates : once);
	for (unsigned int i = 0; i < span->now->reason_count; i++)
		for (unsigned int cpu = 0; cpu < span->now->cpu_count; cpu++) {
			struct ecmper_counter now = on_cpu(span->now, i, cpu);
			struct ecmper_counter before = on_cpu(span->before, i, cpu);

			if (!now.packets)
				continue;
			table_cell(table, "%s", span->now->reasons[i].name);
			table_cell(table, "%u", cpu);
			counter_cells(table, &now);
			rate_cells(table, span, &now, &before);
		}
}

/* What a server had counted. `place`: where to look first; few come or go between two reports. */
static struct ecmper_nh_counter of_server(const struct ecmper_stats *stats,
					  const struct ecmper_hop *hop, unsigned int place)
{
	for (unsigned int i = 0; stats && i < stats->next_hop_count; i++) {
		const struct ecmper_nh_stats *server =
			&stats->next_hops[(place + i) % stats->next_hop_count];

		if (!ecmper_hop_compare(&server->hop, hop))
			return server->counter;
	}
	return (struct ecmper_nh_counter){};
}

/* history: packets that a server bounced, and that this one got as a previous owner. */
static void servers_table(const struct span *span, struct table *table)
{
	static const char *const once[] = {"server",           ">packets",       "~bytes",
					   ">history_packets", "~history_bytes", NULL};
	static const char *const rates[] = {
		"server", ">packets", "~bytes",       ">history_packets", "~history_bytes",
		"~pps",   "~bps",     "~history_pps", "~history_bps",     NULL};
	char hop[ECMPER_HOP_STRLEN];

	table_begin(table, span->before ? rates : once);
	for (unsigned int i = 0; i < span->now->next_hop_count; i++) {
		const struct ecmper_nh_stats *server = &span->now->next_hops[i];
		struct ecmper_nh_counter before = of_server(span->before, &server->hop, i);
		struct ecmper_counter all = {server->counter.packets, server->counter.bytes};
		struct ecmper_counter all_before = {before.packets, before.bytes};
		struct ecmper_counter history = {server->counter.history_packets,
						 server->counter.history_bytes};
		struct ecmper_counter history_before = {before.history_packets,
							before.history_bytes};

		table_cell(table, "%s", ecmper_hop_format(&server->hop, hop));
		counter_cells(table, &all);
		counter_cells(table, &history);
		rate_cells(table, span, &all, &all_before);
		rate_cells(table, span, &history, &history_before);
	}
}

static struct ecmper_port_stats of_port(const struct ecmper_stats *stats, const char *dev)
{
	for (unsigned int i = 0; stats && i < stats->port_count; i++)
		if (!strcmp(stats->ports[i].dev, dev))
			return stats->ports[i];
	return (struct ecmper_port_stats){};
}

/* The kernel's own counters of the devices. */
static void ports_table(const struct span *span, struct table *table)
{
	static const char *const once[] = {"dev",       ">rx_packets", "~rx_bytes",   ">tx_packets",
					   "~tx_bytes", ">rx_dropped", ">tx_dropped", NULL};
	static const char *const rates[] = {"dev",         ">rx_packets", "~rx_bytes",
					    ">tx_packets", "~tx_bytes",   ">rx_dropped",
					    ">tx_dropped", "~rx_pps",     "~rx_bps",
					    "~tx_pps",     "~tx_bps",     NULL};

	table_begin(table, span->before ? rates : once);
	for (unsigned int i = 0; i < span->now->port_count; i++) {
		const struct ecmper_port_stats *port = &span->now->ports[i];
		struct ecmper_port_stats before = of_port(span->before, port->dev);
		struct ecmper_counter rx = {port->rx_packets, port->rx_bytes};
		struct ecmper_counter tx = {port->tx_packets, port->tx_bytes};
		struct ecmper_counter rx_before = {before.rx_packets, before.rx_bytes};
		struct ecmper_counter tx_before = {before.tx_packets, before.tx_bytes};

		table_cell(table, "%s", port->dev);
		counter_cells(table, &rx);
		counter_cells(table, &tx);
		number_cell(table, port->rx_dropped);
		number_cell(table, port->tx_dropped);
		rate_cells(table, span, &rx, &rx_before);
		rate_cells(table, span, &tx, &tx_before);
	}
}

static const struct {
	const char *name;
	void (*make)(const struct span *span, struct table *table);
	bool is_verbose; /* only with -v */
} sections[] = {
	{"reasons", reasons_table, false},
	{"cpus", cpus_table, true},
	{"servers", servers_table, false},
	{"ports", ports_table, false},
};

void stats_print(const struct cli *cli, const struct ecmper_stats *now,
		 const struct ecmper_stats *before)
{
	struct span span = {now, before, before ? now->time - before->time : 0};
	const char *role = ecmper_role_names[now->role];
	json_t *report = json_checked(json_pack("{s:s, s:f}", "role", role, "time", now->time));
	struct table table;

	if (before)
		json_object_set_new(report, "seconds", json_checked(json_real(span.seconds)));
	if (!cli->json)
		printf("%s\n", role);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		if (sections[i].is_verbose && !cli->per_cpu)
			continue;
		sections[i].make(&span, &table);
		if (cli->json) {
			json_object_set_new(report, sections[i].name, table_json(&table));
		} else {
			if (i && table.count)
				putchar('\n');
			table_print(&table, "");
		}
	}
	if (cli->json && before)
		json_print_line(report);
	else if (cli->json)
		json_print(report);
	else
		json_decref(report);
}
