// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands in map config: the options of `up`, checked against what is fixed while it is up.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include "config.h"
#include "tables.h"

#define SLOTS_MAX (1U << 30)

static const struct {
	const char *option;
	bool is_server_too;
	uint32_t fallback, min, max;
	uint32_t unit;         /* a size is rounded up to a multiple of this: see region_unit */
	size_t wanted, actual; /* places in the options and in the config */
} sizes[] = {
#define SIZE(name, option, is_server_too, fallback, min, max, unit)                                \
	{                                                                                          \
		option, is_server_too, fallback, min, max, unit,                                   \
			offsetof(struct ecmper_up_options, name),                                  \
			offsetof(struct ecmper_config, name)                                       \
	}
	SIZE(max_prefixes, "--max-prefixes", false, 16384, 1, 1 << 24, 1),
	SIZE(max_next_hops, "--max-next-hops", false, 4096, 2, UINT16_MAX + 1, 1),
	SIZE(max_buckets, "--max-buckets", false, 4 << 20, 64, SLOTS_MAX, CUR_NH_UNIT),
	SIZE(max_history, "--max-history", false, 16 << 20, 64, SLOTS_MAX, PRV_NH_UNIT),
	SIZE(max_members, "--max-members", false, 256 << 10, 8, 1 << 26, MEMBERS_UNIT),
	SIZE(max_ports, "--max-ports", false, 256, 1, 4096, 1),
	SIZE(max_fragments, "--max-fragments", true, 16384, 64, 1 << 24, 1),
};

static int set_sizes(const struct ecmper_up_options *options, bool is_up,
		     struct ecmper_config *config, struct ecmper_error *err)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint32_t wanted = *(const uint32_t *)((const char *)options + sizes[i].wanted);
		uint32_t *actual = (uint32_t *)((char *)config + sizes[i].actual);

		if (options->role == ECMPER_SERVER && !sizes[i].is_server_too)
			continue;
		if (wanted && (wanted < sizes[i].min || wanted > sizes[i].max))
			return ecmper_fail(err, -EINVAL, "%s %u is out of range: %u to %u",
					   sizes[i].option, wanted, sizes[i].min, sizes[i].max);
		wanted = (wanted + sizes[i].unit - 1) / sizes[i].unit * sizes[i].unit;
		if (is_up && wanted && wanted != *actual)
			return ecmper_fail(
				err, -EBUSY,
				"%s is fixed while the program is up (%u): `down` first, "
				"or leave it out",
				sizes[i].option, *actual);
		if (!is_up)
			*actual = wanted ? wanted : sizes[i].fallback;
	}
	/* Two slots for each prefix: few find their line full. More would only fill the CPU's caches. */
	config->vip_lines = 1;
	while (config->vip_lines < config->max_prefixes / 4)
		config->vip_lines *= 2;
	return 0;
}

/* What may be another at each `up`. A file says all: what it leaves out is as at first. */
static void set_changeable(const struct ecmper_up_options *options, struct ecmper_config *config)
{
	if (options->mark >= 0)
		config->mark = options->mark;
	else if (options->is_whole && options->role == ECMPER_SERVER)
		config->mark = ECMPER_MARK_DSCP;
	if (options->flight_ms >= 0)
		config->flight_ms = options->flight_ms;
	else if (options->is_whole)
		config->flight_ms = ECMPER_FLIGHT_MS_DEFAULT;
	if (options->icmp_rate)
		config->icmp_rate = options->icmp_rate;
	else if (options->is_whole)
		config->icmp_rate = ECMPER_ICMP_RATE_DEFAULT;
	if (!options->also_mac_count && !options->is_whole)
		return;
	memset(config->also_macs, 0, sizeof(config->also_macs));
	config->also_mac_count = options->also_mac_count;
	for (unsigned int i = 0; i < options->also_mac_count; i++)
		memcpy(config->also_macs[i].byte, options->also_macs[i], 6);
}

int config_make(const struct ecmper_up_options *options, bool is_up, struct ecmper_config *config,
		struct ecmper_error *err)
{
	if (!is_up)
		*config = (struct ecmper_config){.abi_version = ECMPER_ABI_VERSION,
						 .role = options->role,
						 .mark = ECMPER_MARK_DSCP,
						 .flight_ms = ECMPER_FLIGHT_MS_DEFAULT,
						 .icmp_rate = ECMPER_ICMP_RATE_DEFAULT};
	if (options->mark >= 0 && is_up && options->role == ECMPER_ROUTER &&
	    config->mark != (uint32_t)options->mark)
		return ecmper_fail(err, -EBUSY,
				   "--mark is fixed while the router is up: `down` first, or leave "
				   "it out");
	if (options->icmp_rate > ECMPER_ICMP_RATE_MAX)
		return ecmper_fail(err, -EINVAL, "--icmp-rate %u is out of range: 1 to %u",
				   options->icmp_rate, ECMPER_ICMP_RATE_MAX);
	set_changeable(options, config);
	if (options->role == ECMPER_SERVER)
		return set_sizes(options, is_up, config, err);
	if (options->has_hash_key && is_up &&
	    memcmp(&options->hash_key, &config->hash_key, sizeof(config->hash_key)))
		return ecmper_fail(err, -EBUSY,
				   "--hash-key is fixed while the router is up: another one would "
				   "move every connection; `down` first, or leave it out");
	if (!is_up && options->has_hash_key)
		config->hash_key = options->hash_key;
	else if (!is_up && getrandom(&config->hash_key, sizeof(config->hash_key), 0) !=
				   sizeof(config->hash_key))
		return ecmper_fail(err, -EIO, "cannot get random bytes for the hash key");
	return set_sizes(options, is_up, config, err);
}
