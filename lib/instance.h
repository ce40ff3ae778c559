/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open instance: the pin folder, the maps' file descriptors, the mapped arrays. Internal to lib/.
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
	MAP_COUNTERS,
	MAP_NH_COUNTERS,
	MAPS
};

struct ecmper {
	char *pin;
	int dir_fd; /* of the pin folder: what the lock is on */
	int fd[MAPS];
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
/* view.c: one neighbour, for people. */
void neigh_view(const struct ecmper *ecmper, uint32_t id, struct ecmper_neigh_view *view);
/* The folder of a role's maps: the router's is the pin folder, the server's is below it. */
int role_folder(const char *pin, enum ecmper_role role, char *path, size_t size);
/* One editor at a time. */
int instance_lock(int dir_fd, const char *pin, struct ecmper_error *err);
void instance_unlock(int dir_fd);
/* The elements of a router's map: of `counters`, as many as there are reasons. */
uint32_t map_entries(const struct ecmper_config *config, enum map_index map);
/* Open a pinned map and check the size of its values and its number of elements. -ENOENT, -EPROTO. */
int map_open(const char *folder, const char *name, uint32_t value_size, uint32_t entries, int *fd,
	     struct ecmper_error *err);

#endif
