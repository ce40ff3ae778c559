// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an edit changes, as lines of the grammar: the difference that `ecmperctl apply` prints.
 * Reads drafts and tables; used by edit.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "edit.h"

static int add_line(struct ecmper_report *report, char *line)
{
	char **grown = reallocarray(report->lines, report->count + 1, sizeof(*grown));

	if (!line || !grown) {
		free(line);
		return -ENOMEM;
	}
	report->lines = grown;
	grown[report->count++] = line;
	return 0;
}

static int __attribute__((format(printf, 2, 3)))
add(struct ecmper_report *report, const char *format, ...)
{
	char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	return add_line(report, line);
}

/* The whole prefix in one line. */
static int add_whole(struct ecmper_report *report, const struct wanted *wanted, const char *net)
{
	char hop[ECMPER_HOP_STRLEN], *line = NULL;
	size_t size;
	FILE *out;

	if (wanted->is_connected)
		return add(report, "add %s connected", net);
	out = open_memstream(&line, &size);
	if (!out)
		return -ENOMEM;
	fprintf(out, "add %s hash %s", net, wanted->is_modulo ? "modulo" : "maglev");
	if (!wanted->is_modulo)
		fprintf(out, " buckets %u", wanted->buckets);
	fprintf(out, " depth %u", wanted->depth);
	if (wanted->hash_on != ECMPER_HASH_ON_5TUPLE)
		fprintf(out, " hash-on %s", ecmper_hash_on_names[wanted->hash_on]);
	for (unsigned int i = 0; i < wanted->server_count; i++)
		fprintf(out, " via %s weight %u", ecmper_hop_format(&wanted->servers[i].hop, hop),
			wanted->servers[i].weight);
	fclose(out);
	return add_line(report, line);
}

static bool options_differ(const struct draft *draft)
{
	const struct wanted *wanted = &draft->wanted;
	const struct ecmper_prefix *old = &draft->old;

	return wanted->is_connected != !!(old->flags & ECMPER_PREFIX_CONNECTED) ||
	       wanted->is_modulo != !!(old->flags & ECMPER_PREFIX_MODULO) ||
	       (!wanted->is_connected && wanted->depth != old->depth) ||
	       (!wanted->is_connected && wanted->hash_on != old->hash_on) ||
	       (!wanted->is_connected && !wanted->is_modulo &&
		wanted->buckets != old->cur_nh_count);
}

/* Servers that come, change or go, of a prefix whose options stay. */
static int add_servers(struct ecmper_report *report, const struct tables *tables,
		       struct draft *draft, const char *net)
{
	const struct ecmper_member *members = tables->members + draft->old.members_offset;
	char text[ECMPER_HOP_STRLEN];
	uint32_t m = 0;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < draft->old.members_count; i++) {
		struct ecmper_hop old = neigh_hop(&tables->neigh[members[i].nh]);

		if (!draft_server(draft, &old))
			ret = add(report, "del %s via %s", net, ecmper_hop_format(&old, text));
	}
	for (unsigned int i = 0; !ret && i < draft->wanted.server_count; i++) {
		const struct server *server = &draft->wanted.servers[i];
		int order = 1;

		/* Both lists are sorted by name. */
		for (; m < draft->old.members_count && order > 0; m += order > 0) {
			struct ecmper_hop old = neigh_hop(&tables->neigh[members[m].nh]);

			order = ecmper_hop_compare(&server->hop, &old);
		}
		if (order || members[m].weight != server->weight)
			ret = add(report, "add %s via %s weight %u", net,
				  ecmper_hop_format(&server->hop, text), server->weight);
	}
	return ret;
}

static int add_prefix(struct ecmper_report *report, const struct tables *tables,
		      struct draft *draft)
{
	char net[ECMPER_NET_STRLEN];

	ecmper_net_format(&draft->net, net);
	if (!draft->exists)
		return draft->is_there ? add(report, "del %s", net) : 0;
	if (!draft->is_there || options_differ(draft))
		return add_whole(report, &draft->wanted, net);
	return draft->wanted.is_connected ? 0 : add_servers(report, tables, draft, net);
}

static int add_neigh(struct ecmper_report *report, const struct tables *tables,
		     const struct neigh_draft *draft)
{
	const struct ecmper_neigh *neigh = draft->id ? &tables->neigh[draft->id] : NULL;
	const struct ecmper_link *link = neigh ? neigh_link(neigh) : NULL;
	bool was_static = neigh && neigh->flags & ECMPER_NEIGH_STATIC;
	char hop[ECMPER_HOP_STRLEN], mac[ECMPER_MAC_STRLEN];

	ecmper_hop_format(&draft->hop, hop);
	if (!draft->is_static)
		return was_static ? add(report, "neigh del %s", hop) : 0;
	if (!draft->has_link || (was_static && link && !memcmp(link, &draft->link, sizeof(*link))))
		return 0;
	ecmper_mac_format(draft->link.dst_mac, mac);
	if (draft->link.vlan)
		return add(report, "neigh add %s lladdr %s dev %s vlan %u", hop, mac, draft->dev,
			   draft->link.vlan);
	return add(report, "neigh add %s lladdr %s dev %s", hop, mac, draft->dev);
}

int report_make(const struct edit *edit, struct ecmper_report *report)
{
	char hop[ECMPER_HOP_STRLEN];
	int ret = 0;

	for (unsigned int i = 0; !ret && i < edit->purged_count; i++)
		ret = add(report, "purge %s", ecmper_hop_format(&edit->purged[i], hop));
	for (unsigned int i = 0; !ret && i < edit->neigh_count; i++)
		ret = add_neigh(report, edit->tables, &edit->neighs[i]);
	for (unsigned int i = 0; !ret && i < edit->draft_count; i++)
		ret = add_prefix(report, edit->tables, edit->drafts[i]);
	return ret;
}

void ecmper_report_free(struct ecmper_report *report)
{
	for (unsigned int i = 0; i < report->count; i++)
		free(report->lines[i]);
	free(report->lines);
	*report = (struct ecmper_report){};
}
