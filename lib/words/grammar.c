// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grammar of one change: `add`, `del`, `purge`, `neigh`, `clear`, the same words on a command
 * line and on a line of a file. Knows what a change may say, not what is there: that is change.c's.
 * Errors quote the word that does not fit and say which would.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf.h"
#include "grow.h"
#include "words.h"

static int take_hash(struct words *words, enum ecmper_hash *hash)
{
	if (*hash != ECMPER_HASH_KEEP)
		return words_given_twice(words, "hash");
	if (words_take_if(words, "maglev")) {
		*hash = ECMPER_HASH_MAGLEV;
		return 0;
	}
	if (words_take_if(words, "modulo")) {
		*hash = ECMPER_HASH_MODULO;
		return 0;
	}
	words_take(words);
	return words_expected(words, "'maglev' or 'modulo'");
}

const char *const ecmper_hash_on_names[ECMPER_HASH_ONS] = {
	[ECMPER_HASH_ON_5TUPLE] = "5tuple",
	[ECMPER_HASH_ON_SRC] = "src",
	[ECMPER_HASH_ON_SRC_DST] = "src-dst",
};

static int take_hash_on(struct words *words, int *hash_on)
{
	if (*hash_on >= 0)
		return words_given_twice(words, "hash-on");
	for (int i = 0; i < ECMPER_HASH_ONS; i++) {
		if (words_take_if(words, ecmper_hash_on_names[i])) {
			*hash_on = i;
			return 0;
		}
	}
	words_take(words);
	return words_expected(words, "'5tuple', 'src' or 'src-dst'");
}

static int take_buckets(struct words *words, int *buckets)
{
	static const char what[] = "a power of two from 16 to 65536";
	int err = words_number(words, "buckets", what, ECMPER_BUCKETS_MIN, ECMPER_BUCKETS_MAX,
			       buckets);

	if (!err && (*buckets & (*buckets - 1)))
		return words_expected(words, what);
	return err;
}

/* The words before the first `via`, in any order. */
static int take_add_options(struct words *words, struct ecmper_change *change)
{
	int err = 0;

	while (!err) {
		if (words_take_if(words, "hash"))
			err = take_hash(words, &change->hash);
		else if (words_take_if(words, "buckets"))
			err = take_buckets(words, &change->buckets);
		else if (words_take_if(words, "hash-on"))
			err = take_hash_on(words, &change->hash_on);
		else if (words_take_if(words, "depth"))
			err = words_number(words, "depth", "a number from 0 to 15", 0,
					   ECMPER_DEPTH_MAX_DSCP, &change->depth);
		else
			break;
	}
	if (!err && change->hash == ECMPER_HASH_MODULO && change->buckets >= 0)
		return ecmper_fail(words->err, -EINVAL,
				   "'buckets' does not go with 'hash modulo': "
				   "that table's size follows from the number of servers");
	return err;
}

/* One `via HOP`, behind its `via`. */
static int take_via(struct words *words, struct ecmper_change *change)
{
	struct ecmper_via via = {.weight = -1};
	struct ecmper_via *vias;
	int err = words_hop(words, &via.hop);

	while (!err && change->kind == ECMPER_ADD && words_take_if(words, "weight"))
		err = words_number(words, "weight", "a number from 0 to 10000", 0,
				   ECMPER_WEIGHT_MAX, &via.weight);
	if (err)
		return err;
	vias = array_grow(change->vias, change->via_count, sizeof(*vias));
	if (!vias)
		return ecmper_fail(words->err, -ENOMEM, "out of memory");
	change->vias = vias;
	change->vias[change->via_count++] = via;
	return 0;
}

static int compare_vias(const void *a, const void *b)
{
	const struct ecmper_via *left = a, *right = b;

	return ecmper_hop_compare(&left->hop, &right->hop);
}

/* The order of servers means nothing: sorted, a second mention of one stands beside the first. */
static int take_vias(struct words *words, struct ecmper_change *change)
{
	char hop[ECMPER_HOP_STRLEN];
	int err = 0;

	while (!err && words_take_if(words, "via"))
		err = take_via(words, change);
	if (err || change->via_count < 2)
		return err;
	qsort(change->vias, change->via_count, sizeof(*change->vias), compare_vias);
	for (unsigned int i = 1; i < change->via_count; i++)
		if (!compare_vias(&change->vias[i - 1], &change->vias[i]))
			return ecmper_fail(words->err, -EINVAL, "'via %s' is given twice",
					   ecmper_hop_format(&change->vias[i].hop, hop));
	return 0;
}

/* Options alone change a prefix that is there, and describe one that has lost its last server. */
static int parse_add(struct words *words, struct ecmper_change *change)
{
	int err = words_destination(words, &change->net);

	if (err)
		return err;
	if (words_take_if(words, "connected")) {
		change->connected = true;
		return words_end(words, "nothing after 'connected'");
	}
	err = take_add_options(words, change);
	if (!err)
		err = take_vias(words, change);
	if (err)
		return err;
	if (change->via_count)
		return words_end(words, "'weight' or 'via' (options stand before the first 'via')");
	if (change->hash != ECMPER_HASH_KEEP || change->buckets >= 0 || change->depth >= 0 ||
	    change->hash_on >= 0)
		return words_end(words, "'via', 'hash', 'buckets', 'hash-on' or 'depth'");
	words_take(words);
	return words_expected(words, "'via', 'connected', 'hash', 'buckets', 'hash-on' or 'depth'");
}

static int parse_del(struct words *words, struct ecmper_change *change)
{
	int err = words_prefix(words, &change->net);

	if (!err)
		err = take_vias(words, change);
	return err ? err : words_end(words, "'via' or nothing more");
}

static int parse_hop_only(struct words *words, struct ecmper_change *change)
{
	int err = words_hop(words, &change->hop);

	return err ? err : words_end(words, "nothing after the address");
}

/* `dev IF`, which a device in the next hop's name stands for, too. */
static int take_dev(struct words *words, struct ecmper_change *change)
{
	const struct ecmper_hop *hop = &change->hop;
	char name[ECMPER_HOP_STRLEN];

	if (!words_take_if(words, "dev")) {
		if (*hop->dev) {
			memcpy(change->dev, hop->dev, sizeof(change->dev));
			return 0;
		}
		words_take(words);
		return words_expected(words, "'dev'");
	}
	if (ecmper_dev_parse(words_take(words), change->dev))
		return words_expected(words, "the name of a device, like eth0");
	if (*hop->dev && strcmp(hop->dev, change->dev))
		return ecmper_fail(words->err, -EINVAL,
				   "'dev %s' contradicts %s: leave it out, or say the same device "
				   "twice",
				   change->dev, ecmper_hop_format(hop, name));
	return 0;
}

static int parse_clear(struct words *words, struct ecmper_change *change)
{
	(void)change;
	return words_end(words, "nothing after 'clear'");
}

static int parse_neigh_add(struct words *words, struct ecmper_change *change)
{
	int err = words_hop(words, &change->hop);

	if (err)
		return err;
	if (!words_take_if(words, "lladdr")) {
		words_take(words);
		return words_expected(words, "'lladdr'");
	}
	err = words_mac(words, change->mac);
	if (err)
		return err;
	err = take_dev(words, change);
	if (err || !words_take_if(words, "vlan"))
		return err ? err : words_end(words, "'vlan' or nothing after the device");
	change->vlan = -1;
	err = words_number(words, "vlan", "a VLAN number from 1 to 4094", 1, 4094, &change->vlan);
	return err ? err : words_end(words, "nothing after the VLAN");
}

/* What a change begins with, and how it goes on. */
static const struct {
	const char *first, *second;
	enum ecmper_change_kind kind;
	int (*parse)(struct words *words, struct ecmper_change *change);
} grammar[] = {
	{"add", NULL, ECMPER_ADD, parse_add},
	{"del", NULL, ECMPER_DEL, parse_del},
	{"purge", NULL, ECMPER_PURGE, parse_hop_only},
	{"neigh", "add", ECMPER_NEIGH_ADD, parse_neigh_add},
	{"neigh", "del", ECMPER_NEIGH_DEL, parse_hop_only},
	{"clear", NULL, ECMPER_CLEAR, parse_clear},
};

static int parse_words(struct words *words, struct ecmper_change *change)
{
	for (size_t i = 0; i < sizeof(grammar) / sizeof(*grammar); i++) {
		words->next = 0;
		if (!words_take_if(words, grammar[i].first) ||
		    (grammar[i].second && !words_take_if(words, grammar[i].second)))
			continue;
		change->kind = grammar[i].kind;
		return grammar[i].parse(words, change);
	}
	words->next = 0;
	if (words_take_if(words, "neigh")) {
		words_take(words);
		return words_expected(words, "'add' or 'del'");
	}
	words_take(words);
	return words_expected(words, "'add', 'del', 'purge', 'neigh' or 'clear'");
}

int change_parse(struct ecmper_change *change, int argc, char *const argv[],
		 struct ecmper_error *err)
{
	struct words words = {.argv = argv, .argc = argc, .err = err};
	int code;

	*change = (struct ecmper_change){CHANGE_EMPTY};
	code = parse_words(&words, change);
	if (code)
		change_release(change);
	return code;
}

void change_release(struct ecmper_change *change)
{
	free(change->vias);
	change->vias = NULL;
	change->via_count = 0;
}
