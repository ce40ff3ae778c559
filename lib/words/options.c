// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `up`, by name: from the command line and from the files that the systemd units
 * read. One table for both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ecmper/ecmper.h"
#include "grow.h"

#define ROUTER (1 << ECMPER_ROUTER)
#define SERVER (1 << ECMPER_SERVER)

struct option {
	const char *word;
	int roles;
	int (*set)(struct ecmper_up_options *options, const char *value, size_t offset);
	const char *expected;
	size_t offset;
};

static int set_dev(struct ecmper_up_options *options, const char *value, size_t offset)
{
	(void)offset;
	if (!*value || strlen(value) >= IF_NAMESIZE)
		return -EINVAL;
	for (unsigned int i = 0; i < options->dev_count; i++)
		if (!strcmp(options->devs[i], value))
			return 0;
	if (options->dev_count == ECMPER_DEVS_MAX)
		return -E2BIG;
	strcpy(options->devs[options->dev_count++], value);
	return 0;
}

/* The place of a word in a list that ends with NULL, or -EINVAL. */
static int find(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -EINVAL;
}

static int set_mode(struct ecmper_up_options *options, const char *value, size_t offset)
{
	static const char *const words[] = {[ECMPER_XDP_AUTO] = "auto",
					    [ECMPER_XDP_NATIVE] = "native",
					    [ECMPER_XDP_GENERIC] = "generic",
					    NULL};
	int mode = find(words, value);

	(void)offset;
	if (mode >= 0)
		options->mode = mode;
	return mode < 0 ? mode : 0;
}

static int set_mark(struct ecmper_up_options *options, const char *value, size_t offset)
{
	static const char *const words[] = {
		[ECMPER_MARK_DSCP] = "dscp", [ECMPER_MARK_TOS] = "tos", NULL};
	int mark = find(words, value);

	(void)offset;
	if (mark >= 0)
		options->mark = mark;
	return mark < 0 ? mark : 0;
}

static int set_flight_time(struct ecmper_up_options *options, const char *value, size_t offset)
{
	unsigned long ms;
	int ret = ecmper_duration_parse(value, 0, ECMPER_FLIGHT_MS_MAX, &ms);

	(void)offset;
	if (!ret)
		options->flight_ms = ms;
	return ret;
}

static int set_also_mac(struct ecmper_up_options *options, const char *value, size_t offset)
{
	uint8_t mac[6];

	(void)offset;
	if (ecmper_mac_parse(value, mac) || mac[0] & 1 ||
	    options->also_mac_count == ECMPER_ALSO_MACS_MAX)
		return -EINVAL;
	memcpy(options->also_macs[options->also_mac_count++], mac, sizeof(mac));
	return 0;
}

static int set_icmp_source(struct ecmper_up_options *options, const char *value, size_t offset)
{
	struct ecmper_addr addr;
	int ret = ecmper_addr_parse(value, &addr);

	(void)offset;
	if (!ret)
		options->icmp_source[!ecmper_addr_is_ipv4(&addr)] = addr;
	return ret;
}

static int set_icmp_rate(struct ecmper_up_options *options, const char *value, size_t offset)
{
	unsigned long rate;
	int ret = ecmper_number_parse(value, 1, ECMPER_ICMP_RATE_MAX, &rate);

	(void)offset;
	if (!ret)
		options->icmp_rate = rate;
	return ret;
}

static int set_hash_key(struct ecmper_up_options *options, const char *value, size_t offset)
{
	(void)offset;
	options->has_hash_key = true;
	return ecmper_hash_key_parse(value, &options->hash_key);
}

static int set_vip(struct ecmper_up_options *options, const char *value, size_t offset)
{
	struct ecmper_net net, *grown;
	int ret = ecmper_net_parse(value, &net);

	(void)offset;
	if (ret)
		return ret;
	grown = array_grow(options->vips, options->vip_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	options->vips = grown;
	options->vips[options->vip_count++] = net;
	return 0;
}

static int set_size(struct ecmper_up_options *options, const char *value, size_t offset)
{
	unsigned long number;
	int ret = ecmper_number_parse(value, 1, UINT32_MAX, &number);

	if (!ret)
		*(uint32_t *)((char *)options + offset) = number;
	return ret;
}

#define SIZE(word, roles, field)                                                                   \
	{                                                                                          \
		word, roles, set_size, "a number", offsetof(struct ecmper_up_options, field)       \
	}

static const struct option table[] = {
	{"dev", ROUTER | SERVER, set_dev, "the name of a network device", 0},
	{"mode", ROUTER | SERVER, set_mode, "auto, native or generic", 0},
	{"mark", ROUTER | SERVER, set_mark, "dscp or tos", 0},
	{"flight-time", ROUTER, set_flight_time, "0 to 60s, such as 1s or 500ms", 0},
	{"also-mac", ROUTER | SERVER, set_also_mac,
	 "a unicast MAC, such as 00:00:5e:00:01:07, eight times at most", 0},
	{"icmp-source", ROUTER, set_icmp_source, "an address of this host, IPv4 or IPv6", 0},
	{"icmp-rate", ROUTER, set_icmp_rate, "1 to 1000000 a second", 0},
	{"hash-key", ROUTER, set_hash_key, "32 hexadecimal digits", 0},
	{"vip", SERVER, set_vip, "a prefix, such as 10.0.10.0/32 or fd00::10/128", 0},
	SIZE("max-prefixes", ROUTER, max_prefixes),
	SIZE("max-next-hops", ROUTER, max_next_hops),
	SIZE("max-buckets", ROUTER, max_buckets),
	SIZE("max-history", ROUTER, max_history),
	SIZE("max-members", ROUTER, max_members),
	SIZE("max-ports", ROUTER, max_ports),
	SIZE("max-fragments", ROUTER | SERVER, max_fragments),
};

static const struct option *find_option(const char *word)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!strcmp(table[i].word, word))
			return &table[i];
	return NULL;
}

bool ecmper_option_is_known(const char *word)
{
	return find_option(word);
}

int ecmper_option_set(struct ecmper_up_options *options, const char *word, const char *value,
		      struct ecmper_error *err)
{
	const struct option *option = find_option(word);
	int ret;

	if (!option || !(option->roles & 1 << options->role))
		return ecmper_fail(err, -ENOENT, "the %s has no option \"%s\"",
				   ecmper_role_names[options->role], word);
	ret = option->set(options, value, option->offset);
	if (ret == -E2BIG)
		return ecmper_fail(err, ret,
				   "%s \"%s\": there are %u already, and no more can be named",
				   word, value, ECMPER_DEVS_MAX);
	return ret ? ecmper_fail(err, ret, "%s \"%s\": expected %s", word, value, option->expected)
		   : 0;
}

static int read_line(struct ecmper_up_options *options, char *line, struct ecmper_error *err)
{
	const char *blanks = " \t\r\n";
	char *word, *value, *rest;

	word = strtok_r(line, blanks, &rest);
	if (!word || *word == '#' || !strcmp(word, "add") || !strcmp(word, "neigh"))
		return 0;
	value = strtok_r(NULL, blanks, &rest);
	if (!value || *value == '#')
		return ecmper_fail(err, -EINVAL, "%s: a value is missing", word);
	rest = strtok_r(NULL, blanks, &rest);
	if (rest && *rest != '#')
		return ecmper_fail(err, -EINVAL, "%s: one value expected", word);
	return ecmper_option_set(options, word, value, err);
}

int ecmper_options_read(struct ecmper_up_options *options, FILE *file, const char *file_name,
			struct ecmper_error *err)
{
	struct ecmper_error reason;
	unsigned int number = 0;
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	options->is_whole = true;
	while (!ret && getline(&line, &room, file) >= 0) {
		number++;
		ret = read_line(options, line, &reason);
	}
	if (ret)
		ecmper_fail(err, ret, "%s:%u: %.400s", file_name, number, reason.text);
	else if (ferror(file))
		ret = ecmper_fail(err, -EIO, "cannot read %s", file_name);
	free(line);
	return ret;
}

void ecmper_options_free(struct ecmper_up_options *options)
{
	free(options->vips);
	options->vips = NULL;
	options->vip_count = 0;
}
