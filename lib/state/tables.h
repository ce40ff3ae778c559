/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pinned state as user space sees it: mapped arrays as plain memory, and the few maps that
 * need a system call behind `struct tables_ops`. maps.c provides the real one; unit tests provide
 * one of malloc()ed memory, so that everything above (alloc, plan, edit, recover) is tested
 * without a kernel.
 */
#ifndef ECMPER_TABLES_H
#define ECMPER_TABLES_H

#include "ecmper/ecmper.h"

/* What a link takes from the device that it leaves by, and whether it can take it. */
struct device {
	char name[IF_NAMESIZE]; /* zeros behind its end */
	uint32_t ifindex;
	uint8_t mac[6];
	uint32_t mtu;
	bool is_loopback;
	bool is_ethernet; /* frames have an Ethernet header */
	bool is_up;       /* set up, and has a carrier */
};

enum region { REGION_CUR_NH, REGION_PRV_NH, REGION_MEMBERS, REGIONS };

struct tables_ops {
	/* -ENOENT when it is not there. */
	int (*lpm_get)(void *arg, const struct ecmper_net *net, struct ecmper_prefix *value);
	int (*lpm_set)(void *arg, const struct ecmper_net *net, const struct ecmper_prefix *value);
	int (*lpm_delete)(void *arg, const struct ecmper_net *net);
	/* The prefix after `net` (NULL: the first); -ENOENT at the end. */
	int (*lpm_next)(void *arg, const struct ecmper_net *net, struct ecmper_net *next);
	int (*neigh_id_get)(void *arg, const struct ecmper_hop *hop, uint32_t *id);
	int (*neigh_id_set)(void *arg, const struct ecmper_hop *hop, uint32_t id);
	int (*neigh_id_delete)(void *arg, const struct ecmper_hop *hop);
	int (*neigh_id_next)(void *arg, const struct ecmper_hop *hop, struct ecmper_hop *next);
	int (*neigh_mac_get)(void *arg, const struct ecmper_mac *mac, uint32_t *id);
	int (*neigh_mac_set)(void *arg, const struct ecmper_mac *mac, uint32_t id);
	int (*neigh_mac_delete)(void *arg, const struct ecmper_mac *mac);
	int (*neigh_mac_next)(void *arg, const struct ecmper_mac *mac, struct ecmper_mac *next);
	int (*range_get)(void *arg, const struct ecmper_range_key *key, struct ecmper_range *range);
	int (*range_set)(void *arg, const struct ecmper_range_key *key,
			 const struct ecmper_range *range);
	int (*range_delete)(void *arg, const struct ecmper_range_key *key);
	int (*range_next)(void *arg, const struct ecmper_range_key *key,
			  struct ecmper_range_key *next);
	int (*tx_port_get)(void *arg, uint32_t port, uint32_t *ifindex);
	int (*tx_port_set)(void *arg, uint32_t port, uint32_t ifindex);
	/* The id's counters start anew; what they held goes into the reasons' sums. */
	int (*nh_counter_retire)(void *arg, uint32_t id);
	/* -ENODEV when this network namespace has no such device. */
	int (*device_get)(void *arg, const char *name, struct device *device);
	/* Returns when every packet that was in a program at the call has left it. */
	int (*grace)(void *arg);
	/* Make a range of cur_nh or prv_nh readable and writable at its place; NULL: all always is. */
	int (*touch)(void *arg, enum region region, uint32_t offset, uint32_t items);
	/* Called before every step of a plan; NULL outside tests. */
	void (*on_step)(void *arg);
};

struct tables {
	struct ecmper_config *config;
	struct ecmper_vip_line *vip;
	struct ecmper_vip6_line *vip6;
	uint16_t *cur_nh;
	uint16_t *prv_nh;
	struct ecmper_member *members;
	struct ecmper_alloc *alloc;
	struct ecmper_neigh *neigh;
	uint32_t first_free_id; /* none below it is free, as far as this process knows */
	const struct tables_ops *ops;
	void *arg;
};

/* ---- alloc.c: ranges of the mapped arrays. ---- */

/* Items of each region that one bit of `alloc` stands for; its size is a multiple of it. */
#define CUR_NH_UNIT  (1U << ECMPER_VIP_CODE_BITS)
#define PRV_NH_UNIT  ECMPER_LINE_SLOTS
#define MEMBERS_UNIT 8U
extern const uint32_t region_unit[REGIONS];

/* Items that the region holds. */
uint32_t region_size(const struct ecmper_config *config, enum region region);
/* Elements that map `alloc` needs for all regions. */
uint32_t alloc_elements(const struct ecmper_config *config);
/* First fit of `items` items; -ENOSPC. */
int range_take(struct tables *tables, enum region region, uint32_t items, uint32_t *offset);
/* Not in use by a table any more, but perhaps still read by a packet: rests until a grace period. */
void range_rest(struct tables *tables, enum region region, uint32_t offset, uint32_t items);
/* Taken, but never published: free at once. */
void range_give_back(struct tables *tables, enum region region, uint32_t offset, uint32_t items);
/* Wait for a grace period: then everything that rests is free, next-hop ids too. */
int tables_grace(struct tables *tables);
/* For recovery: `used` holds alloc_elements() words; what was taken and is not in it rests. */
void ranges_replace(struct tables *tables, const uint64_t *used);
void range_mark(const struct ecmper_config *config, uint64_t *used, enum region region,
		uint32_t offset, uint32_t items);

/* ---- share.c: equal ranges are stored once. ---- */

/* The key of some content. `data` holds `items` items of the region. */
struct ecmper_range_key range_key(enum region region, const void *data, uint32_t items);
/* Where the region's items are in memory, and how many bytes each has. */
void *region_data(const struct tables *tables, enum region region, uint32_t offset);
size_t region_item(enum region region);
/* Is this content there already? *offset: where. -ENOENT: no. */
int range_find(struct tables *tables, enum region region, const void *data, uint32_t items,
	       uint64_t hash, uint32_t *offset);
/* One prefix more (+1) or less (-1) refers to the range with this content's hash. The first
 * reference of a range enters it; when none is left, it rests. When that fails, nothing was counted. */
int range_ref(struct tables *tables, enum region region, uint32_t offset, uint32_t items,
	      uint64_t hash, int step);
/* The hash of a prefix's members, which stands nowhere: they are few. */
uint64_t members_hash(const struct tables *tables, const struct ecmper_prefix *value);

/* Before a range of cur_nh or prv_nh is read or written for the first time. -ENOMEM. */
int tables_touch(struct tables *tables, enum region region, uint32_t offset, uint32_t items);
/* The same for all that a prefix's table and history occupy. */
int tables_touch_prefix(struct tables *tables, const struct ecmper_prefix *value);

/* ---- neigh.c: next-hop ids. ---- */

/* The name of a next hop. */
struct ecmper_hop neigh_hop(const struct ecmper_neigh *neigh);
/* The id of a next hop. -ENOENT: it has none. */
int neigh_find(const struct tables *tables, const struct ecmper_hop *hop, uint32_t *id);
/* The id of a next hop, taken newly when it has none (then *is_new). -ENOSPC. */
int neigh_take(struct tables *tables, const struct ecmper_hop *hop, uint32_t *id, bool *is_new);
/* Forget an id that nothing refers to. It rests until a grace period, also when neigh_id could not
 * be brought in line. */
int neigh_collect(struct tables *tables, uint32_t id);
/* The link in use, NULL when the neighbour is not resolved. */
const struct ecmper_link *neigh_link(const struct ecmper_neigh *neigh);
/* Make `link` the one in use, by one byte's store. A packet may still read the copy that was
 * replaced before: where there is a link already, a grace period must have passed since. */
int neigh_link_set(struct tables *tables, uint32_t id, const struct ecmper_link *link);
/* Back to "not resolved". */
int neigh_link_clear(struct tables *tables, uint32_t id);
/* neigh_mac holds a MAC exactly when a next hop of a prefix has it. Make it so for this one, after `id`
 * got it or lost it. */
int neigh_mac_sync(struct tables *tables, const uint8_t mac[6], uint32_t id);
/* One reference more (+1) or less (-1) from a prefix. */
int neigh_ref(struct tables *tables, uint32_t id, int step);

/* ---- port.c: places in tx_ports. ---- */

/* The place of an egress device. -ENOENT: it has none. */
int port_find(const struct tables *tables, uint32_t ifindex, uint16_t *port);
/* A place for one that has none: a free one, or one that no neighbour names any more, to which packets that
 * are under way still have a grace period; and that to the caller is not `is_wanted` for one of those
 * that come. Writes nothing. -ENOSPC. */
int port_choose(struct tables *tables, bool (*is_wanted)(const void *arg, uint32_t port),
		const void *arg, uint16_t *port);

/* ---- vip.c: the exact-match lines in front of lpm and lpm6. ---- */

/* Lines of vip6. */
static inline uint32_t vip6_lines(const struct ecmper_config *config)
{
	return config->vip_lines * 2;
}

/* The slot of a prefix with this value. */
uint64_t vip_slot(const struct ecmper_net *net, const struct ecmper_prefix *value);
/* Does this prefix belong there? A host with a table. */
bool vip_wants(const struct ecmper_net *net, const struct ecmper_prefix *value);
/* Make the host prefix's slot agree with `value`; a full line leaves it to lpm. */
void vip_set(struct tables *tables, const struct ecmper_net *net,
	     const struct ecmper_prefix *value);
void vip_clear(struct tables *tables, const struct ecmper_net *net);

/* ---- recover.c ---- */

/* Bring everything that is derived from lpm in line with it, after an editor was killed. */
int tables_recover(struct tables *tables, struct ecmper_error *err);

#endif
