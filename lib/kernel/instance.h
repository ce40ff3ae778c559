/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open instance: the pin folder, the maps' file descriptors, the mapped arrays.
 */
#ifndef ECMPER_INSTANCE_H
#define ECMPER_INSTANCE_H

#include "tables.h"

/* How a handle reaches a map: by system calls, as memory, or as memory window by window. */
enum map_access { ACCESS_CALLS, ACCESS_MEMORY, ACCESS_WINDOWS };

/* Whose handle has it open. */
enum map_roles { OF_ROUTER = 1 << ECMPER_ROUTER, OF_BOTH = OF_ROUTER | 1 << ECMPER_SERVER };

/*
 * The maps that handles open, in the order of their fds: X(NAME, value, roles, access, elements), named
 * as in ecmper_abi.h; elements in terms of `config`. One more of lpm: before Linux 6.13, a full trie
 * refuses to replace a value, too. Of ranges, three old and three new ones of every prefix.
 */
#define HANDLE_MAPS(X)                                                                             \
	X(CONFIG, struct ecmper_config, OF_BOTH, ACCESS_MEMORY, 1)                                 \
	X(LPM, struct ecmper_prefix, OF_ROUTER, ACCESS_CALLS, config->max_prefixes + 1)            \
	X(LPM6, struct ecmper_prefix, OF_ROUTER, ACCESS_CALLS, config->max_prefixes + 1)           \
	X(VIP, struct ecmper_vip_line, OF_ROUTER, ACCESS_MEMORY, config->vip_lines)                \
	X(VIP6, struct ecmper_vip6_line, OF_ROUTER, ACCESS_MEMORY, vip6_lines(config))             \
	X(CUR_NH, struct ecmper_nh_line, OF_ROUTER, ACCESS_WINDOWS,                                \
	  config->max_buckets / ECMPER_LINE_SLOTS)                                                 \
	X(PRV_NH, struct ecmper_nh_line, OF_ROUTER, ACCESS_WINDOWS,                                \
	  config->max_history / ECMPER_LINE_SLOTS)                                                 \
	X(MEMBERS, struct ecmper_member, OF_ROUTER, ACCESS_MEMORY, config->max_members)            \
	X(ALLOC, struct ecmper_alloc, OF_ROUTER, ACCESS_MEMORY, alloc_elements(config))            \
	X(NEIGH, struct ecmper_neigh, OF_ROUTER, ACCESS_MEMORY, config->max_next_hops)             \
	X(NEIGH_ID, uint32_t, OF_ROUTER, ACCESS_CALLS, config->max_next_hops)                      \
	X(NEIGH_MAC, uint32_t, OF_ROUTER, ACCESS_CALLS, config->max_next_hops)                     \
	X(RANGES, struct ecmper_range, OF_ROUTER, ACCESS_CALLS, 6 * config->max_prefixes + 64)     \
	X(TX_PORTS, uint32_t, OF_ROUTER, ACCESS_CALLS, config->max_ports)                          \
	X(OWN_MACS, struct ecmper_own_mac_line, OF_ROUTER, ACCESS_CALLS, ECMPER_OWN_MAC_LINES)     \
	X(ICMP_SOURCE, struct ecmper_icmp_source, OF_ROUTER, ACCESS_CALLS,                         \
	  ECMPER_ICMP_SOURCES_MAX)                                                                 \
	X(ICMP_WORK, struct ecmper_icmp_work, OF_ROUTER, ACCESS_CALLS, 1)                          \
	X(COUNTERS, struct ecmper_counter, OF_BOTH, ACCESS_CALLS,                                  \
	  config->role == ECMPER_SERVER ? SERVER_REASONS : ROUTER_REASONS)                         \
	X(NH_COUNTERS, struct ecmper_nh_reasons, OF_ROUTER, ACCESS_CALLS, config->max_next_hops)

enum map_index {
#define X(name, value, roles, access, elements) MAP_##name,
	HANDLE_MAPS(X)
#undef X
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
