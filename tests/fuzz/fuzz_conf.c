// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer over the reader of files: any bytes are either a list of sound changes or refused with
 * a text and an empty list. Build and run by hand, from the top of the tree:
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Ibpf -Ilib -o /tmp/fuzz_conf \
 *	    tests/fuzz/fuzz_conf.c lib/conf.c lib/grammar.c lib/words.c lib/options.c lib/text.c lib/error.c
 *	/tmp/fuzz_conf -max_total_time=60 -dict=tests/fuzz/conf.dict
 */
#include <stdlib.h>
#include <string.h>
#include "ecmper.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void check_add(const struct ecmper_change *change)
{
	bool has_option =
		change->hash != ECMPER_HASH_KEEP || change->buckets >= 0 || change->depth >= 0;

	MUST(!change->connected || (!change->via_count && !has_option));
	MUST(change->connected || change->via_count || has_option);
	MUST(change->depth >= -1 && change->depth <= ECMPER_DEPTH_MAX_DSCP);
	MUST(change->buckets == -1 ||
	     (change->buckets >= ECMPER_BUCKETS_MIN && change->buckets <= ECMPER_BUCKETS_MAX &&
	      !(change->buckets & (change->buckets - 1))));
	MUST(change->buckets == -1 || change->hash != ECMPER_HASH_MODULO);
}

/* A name that is read back as the same, with a device exactly where it means something. */
static void check_hop(const struct ecmper_hop *hop)
{
	char text[ECMPER_HOP_STRLEN];
	struct ecmper_hop again;

	MUST(!ecmper_hop_parse(ecmper_hop_format(hop, text), &again));
	MUST(!ecmper_hop_compare(hop, &again));
	MUST(ecmper_addr_is_link_local(&hop->addr) == !!*hop->dev);
}

/* What edit.c may rely on. */
static void check(const struct ecmper_change *change)
{
	char text[ECMPER_NET_STRLEN];
	struct ecmper_net net;

	if (change->kind == ECMPER_ADD)
		check_add(change);
	if (change->kind == ECMPER_ADD || change->kind == ECMPER_DEL) {
		MUST(!ecmper_net_parse(ecmper_net_format(&change->net, text), &net));
		MUST(!ecmper_net_compare(&change->net, &net));
	}
	if (change->kind == ECMPER_PURGE || change->kind == ECMPER_NEIGH_ADD ||
	    change->kind == ECMPER_NEIGH_DEL)
		check_hop(&change->hop);
	if (change->kind == ECMPER_NEIGH_ADD)
		MUST(*change->dev && !(change->mac[0] & 1) &&
		     (!*change->hop.dev || !strcmp(change->dev, change->hop.dev)));
	for (unsigned int i = 0; i < change->via_count; i++) {
		check_hop(&change->vias[i].hop);
		MUST(change->vias[i].weight >= -1 && change->vias[i].weight <= ECMPER_WEIGHT_MAX);
		MUST(!i || ecmper_hop_compare(&change->vias[i - 1].hop, &change->vias[i].hop) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err = {""};
	FILE *file;
	int code;

	if (size < 2)
		return 0;
	file = fmemopen((void *)(data + 1), size - 1, "r");
	MUST(file);
	code = ecmper_changes_read(&changes, file, "FILE", data[0] & 1, &err);
	fclose(file);
	MUST(code ? !changes.count && *err.text : !*err.text);
	for (unsigned int i = 0; i < changes.count; i++)
		check(&changes.list[i]);
	ecmper_changes_free(&changes);
	return 0;
}
