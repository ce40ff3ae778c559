/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct tables without a kernel: arrays and simple lists in one structure, so that a copy of it
 * is what a process leaves that ends there. `observe` is called before every step of a plan and
 * every operation on a map.
 */
#ifndef FAKE_TABLES_H
#define FAKE_TABLES_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "../range.h"
#include "edit.h"

#define FAKE_PREFIXES  48
#define FAKE_NEXT_HOPS 24
#define FAKE_BUCKETS   8192
#define FAKE_HISTORY   16384
#define FAKE_MEMBERS   512
#define FAKE_LINES     16
#define FAKE_PORTS     4
#define FAKE_ALLOC     64
#define FAKE_MTU       1500

struct fake {
	struct tables tables;
	struct ecmper_config config;
	struct ecmper_vip_line vip[FAKE_LINES];
	struct ecmper_vip6_line vip6[2 * FAKE_LINES];
	uint16_t cur_nh[FAKE_BUCKETS];
	uint16_t prv_nh[FAKE_HISTORY];
	struct ecmper_member members[FAKE_MEMBERS];
	struct ecmper_alloc alloc[FAKE_ALLOC];
	struct ecmper_neigh neigh[FAKE_NEXT_HOPS];
	struct {
		bool is_there;
		struct ecmper_net net;
		struct ecmper_prefix value;
	} lpm[FAKE_PREFIXES];
	struct {
		bool is_there;
		struct ecmper_hop hop;
		uint32_t id;
	} ids[FAKE_NEXT_HOPS];
	struct {
		bool is_there;
		struct ecmper_mac mac;
		uint32_t id;
	} macs[FAKE_NEXT_HOPS];
	struct {
		bool is_there;
		struct ecmper_range_key key;
		struct ecmper_range range;
	} ranges[6 * FAKE_PREFIXES];
	uint32_t ports[FAKE_PORTS];
	char gone; /* digit of a device that is not there, 0: all are */
	unsigned int graces;
	int lpm_set_fails_after; /* this many calls succeed, then -ENOMEM; -1: never */
	int fails_in;            /* the so manieth operation on a map from now on fails; 0: none */
	void (*observe)(struct fake *fake);
};

/* The place of a key in one of the lists, or of a free one with key == NULL; -1. */
#define FAKE_FIND(list, field, key)                                                                \
	({                                                                                         \
		int found_at = -1;                                                                 \
		for (size_t i_ = 0; i_ < sizeof(list) / sizeof(*(list)) && found_at < 0; i_++)     \
			if ((list)[i_].is_there &&                                                 \
			    !memcmp(&(list)[i_].field, key, sizeof(*(key))))                       \
				found_at = i_;                                                     \
		found_at;                                                                          \
	})
#define FAKE_FREE(list)                                                                            \
	({                                                                                         \
		int found_at = -1;                                                                 \
		for (size_t i_ = 0; i_ < sizeof(list) / sizeof(*(list)) && found_at < 0; i_++)     \
			if (!(list)[i_].is_there)                                                  \
				found_at = i_;                                                     \
		found_at;                                                                          \
	})
/* The entry behind `key` in the list's order; -ENOENT. */
#define FAKE_NEXT(list, field, key, next)                                                          \
	({                                                                                         \
		int at_ = (key) ? FAKE_FIND(list, field, key) + 1 : 0, ret_ = -ENOENT;             \
		for (; at_ < (int)(sizeof(list) / sizeof(*(list))) && ret_; at_++)                 \
			if ((list)[at_].is_there) {                                                \
				*(next) = (list)[at_].field;                                       \
				ret_ = 0;                                                          \
			}                                                                          \
		ret_;                                                                              \
	})

/* The same for prefixes, whose structure has a hole. */
static int fake_find_net(const struct fake *fake, const struct ecmper_net *net)
{
	for (int i = 0; i < FAKE_PREFIXES; i++)
		if (fake->lpm[i].is_there && !ecmper_net_compare(&fake->lpm[i].net, net))
			return i;
	return -1;
}

static struct fake *fake_of(void *arg)
{
	struct fake *fake = arg;

	if (fake->observe)
		fake->observe(fake);
	return fake;
}

static void fake_on_step(void *arg)
{
	fake_of(arg);
}

/* Does the kernel refuse this operation? */
static bool fake_refuses(struct fake *fake)
{
	return fake->fails_in && !--fake->fails_in;
}

static int fake_lpm_get(void *arg, const struct ecmper_net *net, struct ecmper_prefix *value)
{
	struct fake *fake = fake_of(arg);
	int at = fake_find_net(fake, net);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		*value = fake->lpm[at].value;
	return at < 0 ? -ENOENT : 0;
}

static int fake_lpm_set(void *arg, const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	struct fake *fake = fake_of(arg);
	int at = fake_find_net(fake, net);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (!fake->lpm_set_fails_after)
		return -ENOMEM;
	if (fake->lpm_set_fails_after > 0)
		fake->lpm_set_fails_after--;
	if (at < 0)
		at = FAKE_FREE(fake->lpm);
	if (at < 0)
		return -ENOSPC;
	fake->lpm[at].net = *net;
	fake->lpm[at].value = *value;
	fake->lpm[at].is_there = true;
	return 0;
}

static int fake_lpm_delete(void *arg, const struct ecmper_net *net)
{
	struct fake *fake = fake_of(arg);
	int at = fake_find_net(fake, net);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		fake->lpm[at].is_there = false;
	return at < 0 ? -ENOENT : 0;
}

static int fake_lpm_next(void *arg, const struct ecmper_net *net, struct ecmper_net *next)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	for (int at = net ? fake_find_net(fake, net) + 1 : 0; at < FAKE_PREFIXES; at++)
		if (fake->lpm[at].is_there) {
			*next = fake->lpm[at].net;
			return 0;
		}
	return -ENOENT;
}

static int fake_neigh_id_get(void *arg, const struct ecmper_hop *hop, uint32_t *id)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ids, hop, hop);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		*id = fake->ids[at].id;
	return at < 0 ? -ENOENT : 0;
}

static int fake_neigh_id_set(void *arg, const struct ecmper_hop *hop, uint32_t id)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ids, hop, hop);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at < 0)
		at = FAKE_FREE(fake->ids);
	if (at < 0)
		return -ENOSPC;
	fake->ids[at].hop = *hop;
	fake->ids[at].id = id;
	fake->ids[at].is_there = true;
	return 0;
}

static int fake_neigh_id_delete(void *arg, const struct ecmper_hop *hop)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ids, hop, hop);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		fake->ids[at].is_there = false;
	return 0;
}

static int fake_neigh_id_next(void *arg, const struct ecmper_hop *hop, struct ecmper_hop *next)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	return FAKE_NEXT(fake->ids, hop, hop, next);
}

static int fake_neigh_mac_get(void *arg, const struct ecmper_mac *mac, uint32_t *id)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->macs, mac, mac);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		*id = fake->macs[at].id;
	return at < 0 ? -ENOENT : 0;
}

static int fake_neigh_mac_set(void *arg, const struct ecmper_mac *mac, uint32_t id)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->macs, mac, mac);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at < 0)
		at = FAKE_FREE(fake->macs);
	if (at < 0)
		return -ENOSPC;
	fake->macs[at].mac = *mac;
	fake->macs[at].id = id;
	fake->macs[at].is_there = true;
	return 0;
}

static int fake_neigh_mac_delete(void *arg, const struct ecmper_mac *mac)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->macs, mac, mac);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		fake->macs[at].is_there = false;
	return 0;
}

static int fake_neigh_mac_next(void *arg, const struct ecmper_mac *mac, struct ecmper_mac *next)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	return FAKE_NEXT(fake->macs, mac, mac, next);
}

static int fake_range_get(void *arg, const struct ecmper_range_key *key, struct ecmper_range *range)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ranges, key, key);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		*range = fake->ranges[at].range;
	return at < 0 ? -ENOENT : 0;
}

static int fake_range_set(void *arg, const struct ecmper_range_key *key,
			  const struct ecmper_range *range)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ranges, key, key);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at < 0)
		at = FAKE_FREE(fake->ranges);
	if (at < 0)
		return -ENOSPC;
	fake->ranges[at].key = *key;
	fake->ranges[at].range = *range;
	fake->ranges[at].is_there = true;
	return 0;
}

static int fake_range_delete(void *arg, const struct ecmper_range_key *key)
{
	struct fake *fake = fake_of(arg);
	int at = FAKE_FIND(fake->ranges, key, key);

	if (fake_refuses(fake))
		return -ENOMEM;
	if (at >= 0)
		fake->ranges[at].is_there = false;
	return 0;
}

static int fake_range_next(void *arg, const struct ecmper_range_key *key,
			   struct ecmper_range_key *next)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	return FAKE_NEXT(fake->ranges, key, key, next);
}

static int fake_tx_port_get(void *arg, uint32_t port, uint32_t *ifindex)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	*ifindex = fake->ports[port];
	return *ifindex ? 0 : -ENOENT;
}

static int fake_tx_port_set(void *arg, uint32_t port, uint32_t ifindex)
{
	struct fake *fake = fake_of(arg);

	if (fake_refuses(fake))
		return -ENOMEM;
	fake->ports[port] = ifindex;
	return 0;
}

static int fake_nh_counter_retire(void *arg, uint32_t id)
{
	(void)id;
	return fake_refuses(fake_of(arg)) ? -ENOMEM : 0;
}

/* Devices "d1" to "d9", with their digit as index and last byte of the MAC, and, also called "alias1"
 * and so on; "lo"; and "tunnel". */
static int fake_device_get(void *arg, const char *name, struct device *device)
{
	const char *digit = name + (strncmp(name, "alias", 5) ? 1 : 5);
	struct fake *fake = fake_of(arg);
	bool is_other = !strcmp(name, "lo") || !strcmp(name, "tunnel");

	*device = (struct device){.is_up = true, .is_loopback = !strcmp(name, "lo")};
	strcpy(device->name, name);
	if (is_other)
		return 0;
	if ((name[0] != 'd' && name[0] != 'a') || *digit < '1' || *digit > '9' || digit[1] ||
	    *digit == fake->gone)
		return -ENODEV;
	device->ifindex = *digit - '0';
	device->mac[0] = 2;
	device->mac[5] = device->ifindex;
	device->mtu = FAKE_MTU;
	device->is_ethernet = true;
	sprintf(device->name, "d%c", *digit);
	memset(device->name + 2, 0, sizeof(device->name) - 2);
	return 0;
}

static int fake_grace(void *arg)
{
	fake_of(arg)->graces++;
	return 0;
}

static const struct tables_ops fake_ops = {
	.lpm_get = fake_lpm_get,
	.lpm_set = fake_lpm_set,
	.lpm_delete = fake_lpm_delete,
	.lpm_next = fake_lpm_next,
	.neigh_id_get = fake_neigh_id_get,
	.neigh_id_set = fake_neigh_id_set,
	.neigh_id_delete = fake_neigh_id_delete,
	.neigh_id_next = fake_neigh_id_next,
	.neigh_mac_get = fake_neigh_mac_get,
	.neigh_mac_set = fake_neigh_mac_set,
	.neigh_mac_delete = fake_neigh_mac_delete,
	.neigh_mac_next = fake_neigh_mac_next,
	.range_get = fake_range_get,
	.range_set = fake_range_set,
	.range_delete = fake_range_delete,
	.range_next = fake_range_next,
	.tx_port_get = fake_tx_port_get,
	.tx_port_set = fake_tx_port_set,
	.nh_counter_retire = fake_nh_counter_retire,
	.device_get = fake_device_get,
	.grace = fake_grace,
	.on_step = fake_on_step,
};

static struct fake *fake_new(void)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->lpm_set_fails_after = -1;
	fake->config = (struct ecmper_config){
		.abi_version = ECMPER_ABI_VERSION,
		.max_prefixes = FAKE_PREFIXES,
		.max_next_hops = FAKE_NEXT_HOPS,
		.max_buckets = FAKE_BUCKETS,
		.max_history = FAKE_HISTORY,
		.max_members = FAKE_MEMBERS,
		.max_ports = FAKE_PORTS,
		.vip_lines = FAKE_LINES,
	};
	assert_true(alloc_elements(&fake->config) <= FAKE_ALLOC);
	fake->tables = (struct tables){
		.config = &fake->config,
		.vip = fake->vip,
		.vip6 = fake->vip6,
		.cur_nh = fake->cur_nh,
		.prv_nh = fake->prv_nh,
		.members = fake->members,
		.alloc = fake->alloc,
		.neigh = fake->neigh,
		.ops = &fake_ops,
		.arg = fake,
	};
	return fake;
}

/* The maps as they are now, with no one to watch them. */
static void __attribute__((unused)) fake_copy(struct fake *to, const struct fake *from)
{
	struct tables tables = to->tables;

	*to = *from;
	to->tables = tables;
	to->observe = NULL;
}

static void fake_free(struct fake *fake)
{
	free(fake);
}

/* Do the lines ("add ...\nneigh ...") in one edit. 0 or the error of the parser or the edit. */
static int __attribute__((unused))
fake_edit(struct fake *fake, const char *text, enum ecmper_edit_mode mode,
	  struct ecmper_report *report, struct ecmper_error *err)
{
	struct ecmper_changes changes = {};
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret = ecmper_changes_read(&changes, file, "test", false, err);

	fclose(file);
	ret = ret ?: edit_tables(&fake->tables, &changes, mode, report, err);
	ecmper_changes_free(&changes);
	return ret;
}

#endif
