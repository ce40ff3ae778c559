// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back from grammar.c: the line of a change, which is read as the same change again. Pure.
 */
#include <stdlib.h>
#include "conf.h"

static void format_add(FILE *out, const struct ecmper_change *change)
{
	if (change->connected)
		fprintf(out, " connected");
	if (change->hash != ECMPER_HASH_KEEP)
		fprintf(out, " hash %s", change->hash == ECMPER_HASH_MODULO ? "modulo" : "maglev");
	if (change->buckets >= 0)
		fprintf(out, " buckets %d", change->buckets);
	if (change->depth >= 0)
		fprintf(out, " depth %d", change->depth);
	if (change->hash_on >= 0)
		fprintf(out, " hash-on %s", ecmper_hash_on_names[change->hash_on]);
}

static void format_vias(FILE *out, const struct ecmper_change *change)
{
	char hop[ECMPER_HOP_STRLEN];

	for (unsigned int i = 0; i < change->via_count; i++) {
		fprintf(out, " via %s", ecmper_hop_format(&change->vias[i].hop, hop));
		if (change->vias[i].weight >= 0)
			fprintf(out, " weight %d", change->vias[i].weight);
	}
}

static void format_link(FILE *out, const struct ecmper_change *change)
{
	char mac[ECMPER_MAC_STRLEN];

	fprintf(out, " lladdr %s dev %s", ecmper_mac_format(change->mac, mac), change->dev);
	if (change->vlan)
		fprintf(out, " vlan %d", change->vlan);
}

char *change_format(const struct ecmper_change *change)
{
	char net[ECMPER_NET_STRLEN], hop[ECMPER_HOP_STRLEN], *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return NULL;
	ecmper_net_format(&change->net, net);
	ecmper_hop_format(&change->hop, hop);
	switch (change->kind) {
	case ECMPER_ADD:
		fprintf(out, "add %s", net);
		format_add(out, change);
		format_vias(out, change);
		break;
	case ECMPER_DEL:
		fprintf(out, "del %s", net);
		format_vias(out, change);
		break;
	case ECMPER_PURGE: fprintf(out, "purge %s", hop); break;
	case ECMPER_NEIGH_ADD:
		fprintf(out, "neigh add %s", hop);
		format_link(out, change);
		break;
	case ECMPER_NEIGH_DEL: fprintf(out, "neigh del %s", hop); break;
	case ECMPER_CLEAR: fprintf(out, "clear"); break;
	}
	if (!fclose(out))
		return line;
	free(line);
	return NULL;
}
