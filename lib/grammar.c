// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grammar of one change: `add`, `del`, `purge`, `neigh`, `clear`, the same words on a command
 * line and on a line of a file. Knows what a change may say, not what is there: that is change.c's.
 * Errors quote the word that does not fit and say which would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf.h"

/* The words of one command, taken one after the other. */
struct words {
	char *const *argv;
	int argc;
	int next;
	struct ecmper_error *err;
};

static const char *take(struct words *words)
{
	int at = words->next++;

	return at < words->argc ? words->argv[at] : "";
}

static bool take_if(struct words *words, const char *word)
{
	if (words->next >= words->argc || strcmp(words->argv[words->next], word))
		return false;
	words->next++;
	return true;
}

/* The word taken last is not what it must be, or is missing. */
static int expected(const struct words *words, const char *what)
{
	int at = words->next - 1;

	if (at < words->argc)
		return ecmper_fail(words->err, -EINVAL, "expected %s, not '%.60s'", what,
				   words->argv[at]);
	if (!words->argc)
		return ecmper_fail(words->err, -EINVAL, "expected %s", what);
	return ecmper_fail(words->err, -EINVAL, "'%.60s' must be followed by %s",
			   words->argv[words->argc - 1], what);
}

static int check_end(struct words *words, const char *what)
{
	if (words->next >= words->argc)
		return 0;
	words->next++;
	return expected(words, what);
}

static int given_twice(const struct words *words, const char *option)
{
	return ecmper_fail(words->err, -EINVAL, "'%s' is given twice", option);
}

static int take_prefix(struct words *words, struct ecmper_net *net)
{
	if (ecmper_net_parse(take(words), net))
		return expected(words, "a prefix (ADDR, or ADDR/LEN without bits set behind LEN)");
	return 0;
}

static int take_host(struct words *words, struct ecmper_addr *addr)
{
	static const char what[] = "the address of a host, like 10.0.0.1";
	const uint8_t *byte = (const uint8_t *)addr->word;
	uint32_t ipv4;

	if (ecmper_addr_parse(take(words), addr))
		return expected(words, what);
	if (!ecmper_addr_is_ipv4(addr)) { /* neither unspecified nor multicast */
		if (byte[0] == 0xff ||
		    !(addr->word[0] | addr->word[1] | addr->word[2] | addr->word[3]))
			return expected(words, what);
		return 0;
	}
	ipv4 = ntohl(ecmper_addr_to_ipv4(addr));
	if (!ipv4 || IN_MULTICAST(ipv4) || ipv4 == INADDR_BROADCAST)
		return expected(words, what);
	return 0;
}

/* An option's number; *value is -1 until it was given. */
static int take_number(struct words *words, const char *option, const char *what, unsigned long min,
		       unsigned long max, int *value)
{
	unsigned long number;

	if (*value >= 0)
		return given_twice(words, option);
	if (ecmper_number_parse(take(words), min, max, &number))
		return expected(words, what);
	*value = number;
	return 0;
}

static int take_hash(struct words *words, enum ecmper_hash *hash)
{
	if (*hash != ECMPER_HASH_KEEP)
		return given_twice(words, "hash");
	if (take_if(words, "maglev")) {
		*hash = ECMPER_HASH_MAGLEV;
		return 0;
	}
	if (take_if(words, "modulo")) {
		*hash = ECMPER_HASH_MODULO;
		return 0;
	}
	take(words);
	return expected(words, "'maglev' or 'modulo'");
}

const char *const ecmper_hash_on_names[ECMPER_HASH_ONS] = {
	[ECMPER_HASH_ON_5TUPLE] = "5tuple",
	[ECMPER_HASH_ON_SRC] = "src",
	[ECMPER_HASH_ON_SRC_DST] = "src-dst",
};

static int take_hash_on(struct words *words, int *hash_on)
{
	if (*hash_on >= 0)
		return given_twice(words, "hash-on");
	for (int i = 0; i < ECMPER_HASH_ONS; i++) {
		if (take_if(words, ecmper_hash_on_names[i])) {
			*hash_on = i;
			return 0;
		}
	}
	take(words);
	return expected(words, "'5tuple', 'src' or 'src-dst'");
}

static int take_buckets(struct words *words, int *buckets)
{
	static const char what[] = "a power of two from 16 to 65536";
	int err = take_number(words, "buckets", what, ECMPER_BUCKETS_MIN, ECMPER_BUCKETS_MAX,
			      buckets);

	if (!err && (*buckets & (*buckets - 1)))
		return expected(words, what);
	return err;
}

/* The words before the first `via`, in any order. */
static int take_add_options(struct words *words, struct ecmper_change *change)
{
	int err = 0;

	while (!err) {
		if (take_if(words, "hash"))
			err = take_hash(words, &change->hash);
		else if (take_if(words, "buckets"))
			err = take_buckets(words, &change->buckets);
		else if (take_if(words, "hash-on"))
			err = take_hash_on(words, &change->hash_on);
		else if (take_if(words, "depth"))
			err = take_number(words, "depth", "a number from 0 to 15", 0,
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

/* One `via ADDR`, behind its `via`. */
static int take_via(struct words *words, struct ecmper_change *change)
{
	struct ecmper_via via = {.weight = -1};
	struct ecmper_via *vias;
	int err = take_host(words, &via.addr);

	while (!err && change->kind == ECMPER_ADD && take_if(words, "weight"))
		err = take_number(words, "weight", "a number from 0 to 10000", 0, ECMPER_WEIGHT_MAX,
				  &via.weight);
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

	return ecmper_addr_compare(&left->addr, &right->addr);
}

/* The order of servers means nothing: sorted, a second mention of one stands beside the first. */
static int take_vias(struct words *words, struct ecmper_change *change)
{
	char addr[ECMPER_ADDR_STRLEN];
	int err = 0;

	while (!err && take_if(words, "via"))
		err = take_via(words, change);
	if (err || change->via_count < 2)
		return err;
	qsort(change->vias, change->via_count, sizeof(*change->vias), compare_vias);
	for (unsigned int i = 1; i < change->via_count; i++)
		if (!compare_vias(&change->vias[i - 1], &change->vias[i]))
			return ecmper_fail(words->err, -EINVAL, "'via %s' is given twice",
					   ecmper_addr_format(&change->vias[i].addr, addr));
	return 0;
}

/* Options alone change a prefix that is there, and describe one that has lost its last server. */
static int parse_add(struct words *words, struct ecmper_change *change)
{
	int err = take_prefix(words, &change->net);

	if (err)
		return err;
	if (take_if(words, "connected")) {
		change->connected = true;
		return check_end(words, "nothing after 'connected'");
	}
	err = take_add_options(words, change);
	if (!err)
		err = take_vias(words, change);
	if (err)
		return err;
	if (change->via_count)
		return check_end(words, "'weight' or 'via' (options stand before the first 'via')");
	if (change->hash != ECMPER_HASH_KEEP || change->buckets >= 0 || change->depth >= 0 ||
	    change->hash_on >= 0)
		return check_end(words, "'via', 'hash', 'buckets', 'hash-on' or 'depth'");
	take(words);
	return expected(words, "'via', 'connected', 'hash', 'buckets', 'hash-on' or 'depth'");
}

static int parse_del(struct words *words, struct ecmper_change *change)
{
	int err = take_prefix(words, &change->net);

	if (!err)
		err = take_vias(words, change);
	return err ? err : check_end(words, "'via' or nothing more");
}

static int parse_host_only(struct words *words, struct ecmper_change *change)
{
	int err = take_host(words, &change->addr);

	return err ? err : check_end(words, "nothing after the address");
}

/* The MAC of one host: not all zeros, not a group (the lowest bit of the first byte). */
static int take_mac(struct words *words, uint8_t mac[6])
{
	static const uint8_t zero[6];

	if (ecmper_mac_parse(take(words), mac) || mac[0] & 1 || !memcmp(mac, zero, sizeof(zero)))
		return expected(words, "the MAC of a host, like 02:03:04:05:06:01");
	return 0;
}

/* What the kernel takes for a device's name, so that errors come with a line number. */
static int take_dev(struct words *words, char dev[IF_NAMESIZE])
{
	const char *word = take(words);
	size_t len = strlen(word);

	if (!len || len >= IF_NAMESIZE || strpbrk(word, "/: \t\r\n\v\f") || !strcmp(word, ".") ||
	    !strcmp(word, ".."))
		return expected(words, "the name of a device, like eth0");
	memcpy(dev, word, len + 1);
	return 0;
}

static int parse_clear(struct words *words, struct ecmper_change *change)
{
	(void)change;
	return check_end(words, "nothing after 'clear'");
}

static int parse_neigh_add(struct words *words, struct ecmper_change *change)
{
	int err = take_host(words, &change->addr);

	if (err)
		return err;
	if (!take_if(words, "lladdr")) {
		take(words);
		return expected(words, "'lladdr'");
	}
	err = take_mac(words, change->mac);
	if (err)
		return err;
	if (!take_if(words, "dev")) {
		take(words);
		return expected(words, "'dev'");
	}
	err = take_dev(words, change->dev);
	if (err || !take_if(words, "vlan"))
		return err ? err : check_end(words, "'vlan' or nothing after the device");
	change->vlan = -1;
	err = take_number(words, "vlan", "a VLAN number from 1 to 4094", 1, 4094, &change->vlan);
	return err ? err : check_end(words, "nothing after the VLAN");
}

/* What a change begins with, and how it goes on. */
static const struct {
	const char *first, *second;
	enum ecmper_change_kind kind;
	int (*parse)(struct words *words, struct ecmper_change *change);
} grammar[] = {
	{"add", NULL, ECMPER_ADD, parse_add},
	{"del", NULL, ECMPER_DEL, parse_del},
	{"purge", NULL, ECMPER_PURGE, parse_host_only},
	{"neigh", "add", ECMPER_NEIGH_ADD, parse_neigh_add},
	{"neigh", "del", ECMPER_NEIGH_DEL, parse_host_only},
	{"clear", NULL, ECMPER_CLEAR, parse_clear},
};

static int parse_words(struct words *words, struct ecmper_change *change)
{
	for (size_t i = 0; i < sizeof(grammar) / sizeof(*grammar); i++) {
		words->next = 0;
		if (!take_if(words, grammar[i].first) ||
		    (grammar[i].second && !take_if(words, grammar[i].second)))
			continue;
		change->kind = grammar[i].kind;
		return grammar[i].parse(words, change);
	}
	words->next = 0;
	if (take_if(words, "neigh")) {
		take(words);
		return expected(words, "'add' or 'del'");
	}
	take(words);
	return expected(words, "'add', 'del', 'purge', 'neigh' or 'clear'");
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
