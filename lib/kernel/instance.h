/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open instance: the pin folder, the maps' file descriptors, the mapped arrays.
 */
#ifndef ECMPER_INSTANCE_H
#define ECMPER_INSTANCE_H

#include "tables.h"

/* The maps of a router, in the order of struct ecmper's fds. */
enum map_index {
	MAP_CONFIG,
	MAP_LPM,
	MAP_LPM6,
	MAP_VIP,
	MAP_VIP6,
	MAP_CUR_NH,
	MAP_PRV_NH,
	MAP_MEMBERS,
	MAP_ALLOC,
	MAP_NEIGH,
	MAP_NEIGH_ID,
	MAP_NEIGH_MAC,
	MAP_RANGES,
	MAP_TX_PORTS,
	MAP_OWN_MACS,
	MAP_COUNTERS,
	MAP_NH_COUNTERS,
	MAPS
};

struct ecmper {
	enum ecmper_role role;
	char folder[512];      /* the role's: what the lock is on */
	unsigned int patience; /* ms to wait for the lock */
	uint32_t config_id;    /* the kernel's id of `config`: another one is another instance */
	int fd[MAPS];          /* a server has `config` and `counters`, the others are -1 */
	void *mapped[MAPS];
	size_t mapped_size[MAPS];
	uint8_t *is_touched[MAPS]; /* of the maps that are mapped window by window */
	struct tables tables;
};

extern const char *const map_names[MAPS];
extern const struct tables_ops kernel_ops;

/* instance.c: tables_ops.touch. */
int instance_touch(void *arg, enum region region, uint32_t offset, uint32_t items);
/* maps.c: a prefix as the key of lpm or vips, or of lpm6 or vips6, by its family. Returns its size. */
union any_lpm_key {
	struct ecmper_lpm_key ipv4;
	struct ecmper_lpm6_key ipv6;
};
size_t any_lpm_key(const struct ecmper_net *net, union any_lpm_key *key);
/* The longest prefix that matches an address. -ENOENT. */
int maps_lpm_match(struct ecmper *ecmper, const struct ecmper_addr *addr,
		   struct ecmper_prefix *value);
/* The folder of a role's maps: the router's is the pin folder, the server's is below it. */
int role_folder(const char *pin, enum ecmper_role role, char *path, size_t size);
/* Are the pins still those that were opened? `config` is pinned last and removed last, so it speaks
 * for all. -ESTALE. Means something for longer than a moment only under the lock. */
int instance_check(const struct ecmper *ecmper, struct ecmper_error *err);
/* Take the lock of what a handle has open. -ESTALE; -EBUSY. */
int instance_lock_own(const struct ecmper *ecmper, int *lock_fd, struct ecmper_error *err);
/* What only a router's handle can do: -EINVAL for a server's. */
int instance_is_router(const struct ecmper *ecmper, struct ecmper_error *err);
/* lock.c: one editor at a time. Waits for `patience` ms. -ENOENT; -EBUSY: err says who has it. */
int instance_lock(const char *folder, unsigned int patience, int *lock_fd,
		  struct ecmper_error *err);
void instance_unlock(int lock_fd);
/* The elements of a router's map: of `counters`, as many as there are reasons. */
uint32_t map_entries(const struct ecmper_config *config, enum map_index map);
/* The kernel's number of a map. */
int map_id(int fd, uint32_t *id);
/* Open a pinned map and check the size of its values and its number of elements. -ENOENT, -EPROTO. */
int map_open(const char *folder, const char *name, uint32_t value_size, uint32_t entries, int *fd,
	     struct ecmper_error *err);

#endif
