// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct tables_ops for the kernel's maps: one system call each, and the grace period. The only
 * caller of bpf_map_* for a router's state.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <stdlib.h>
#include "device.h"
#include "instance.h"

static int fd_of(void *arg, enum map_index map)
{
	return ((struct ecmper *)arg)->fd[map];
}

static struct ecmper_lpm_key lpm_key(const struct ecmper_net *net)
{
	struct ecmper_lpm_key key = {.prefixlen = net->len};
	__be32 addr = ecmper_addr_to_ipv4(&net->addr);

	memcpy(key.addr, &addr, sizeof(addr));
	return key;
}

static struct ecmper_lpm6_key lpm6_key(const struct ecmper_net *net)
{
	struct ecmper_lpm6_key key = {.prefixlen = net->len};

	memcpy(key.addr, &net->addr, sizeof(key.addr));
	return key;
}

size_t any_lpm_key(const struct ecmper_net *net, union any_lpm_key *key)
{
	if (ecmper_addr_is_ipv4(&net->addr)) {
		key->ipv4 = lpm_key(net);
		return sizeof(key->ipv4);
	}
	key->ipv6 = lpm6_key(net);
	return sizeof(key->ipv6);
}

/* A prefix's map and key, by its family. */
static int lpm_of(void *arg, const struct ecmper_net *net, union any_lpm_key *key)
{
	return fd_of(arg, any_lpm_key(net, key) == sizeof(key->ipv4) ? MAP_LPM : MAP_LPM6);
}

int maps_lpm_match(struct ecmper *ecmper, const struct ecmper_addr *addr,
		   struct ecmper_prefix *value)
{
	struct ecmper_net host = {.addr = *addr, .len = ecmper_addr_is_ipv4(addr) ? 32 : 128};
	union any_lpm_key key;
	int fd = lpm_of(ecmper, &host, &key);

	return bpf_map_lookup_elem(fd, &key, value);
}

static int lpm_get(void *arg, const struct ecmper_net *net, struct ecmper_prefix *value)
{
	union any_lpm_key key;
	int fd = lpm_of(arg, net, &key);
	int ret = bpf_map_lookup_elem(fd, &key, value);

	/* A lookup takes the longest match; this wants the prefix itself. */
	if (!ret && (value->prefixlen != net->len || ecmper_addr_compare(&value->addr, &net->addr)))
		return -ENOENT;
	return ret;
}

static int lpm_set(void *arg, const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	union any_lpm_key key;
	int fd = lpm_of(arg, net, &key);

	return bpf_map_update_elem(fd, &key, value, BPF_ANY);
}

static int lpm_delete(void *arg, const struct ecmper_net *net)
{
	union any_lpm_key key;
	int fd = lpm_of(arg, net, &key);

	return bpf_map_delete_elem(fd, &key);
}

static int lpm4_next(void *arg, const struct ecmper_net *net, struct ecmper_net *next)
{
	struct ecmper_lpm_key key, next_key;
	__be32 addr;
	int ret;

	if (net)
		key = lpm_key(net);
	ret = bpf_map_get_next_key(fd_of(arg, MAP_LPM), net ? &key : NULL, &next_key);
	if (!ret) {
		memcpy(&addr, next_key.addr, sizeof(addr));
		*next = (struct ecmper_net){.addr = ecmper_addr_from_ipv4(addr),
					    .len = next_key.prefixlen};
	}
	return ret;
}

static int lpm6_next(void *arg, const struct ecmper_net *net, struct ecmper_net *next)
{
	struct ecmper_lpm6_key key, next_key;
	int ret;

	if (net)
		key = lpm6_key(net);
	ret = bpf_map_get_next_key(fd_of(arg, MAP_LPM6), net ? &key : NULL, &next_key);
	if (!ret) {
		memcpy(&next->addr, next_key.addr, sizeof(next->addr));
		next->len = next_key.prefixlen;
	}
	return ret;
}

/* IPv4 first, then IPv6. */
static int lpm_next(void *arg, const struct ecmper_net *net, struct ecmper_net *next)
{
	int ret;

	if (net && !ecmper_addr_is_ipv4(&net->addr))
		return lpm6_next(arg, net, next);
	ret = lpm4_next(arg, net, next);
	return ret == -ENOENT ? lpm6_next(arg, NULL, next) : ret;
}

static int neigh_id_get(void *arg, const struct ecmper_hop *hop, uint32_t *id)
{
	return bpf_map_lookup_elem(fd_of(arg, MAP_NEIGH_ID), hop, id);
}

static int neigh_id_set(void *arg, const struct ecmper_hop *hop, uint32_t id)
{
	return bpf_map_update_elem(fd_of(arg, MAP_NEIGH_ID), hop, &id, BPF_ANY);
}

static int neigh_id_delete(void *arg, const struct ecmper_hop *hop)
{
	return bpf_map_delete_elem(fd_of(arg, MAP_NEIGH_ID), hop);
}

static int neigh_id_next(void *arg, const struct ecmper_hop *hop, struct ecmper_hop *next)
{
	return bpf_map_get_next_key(fd_of(arg, MAP_NEIGH_ID), hop, next);
}

static int neigh_mac_get(void *arg, const struct ecmper_mac *mac, uint32_t *id)
{
	return bpf_map_lookup_elem(fd_of(arg, MAP_NEIGH_MAC), mac, id);
}

static int neigh_mac_set(void *arg, const struct ecmper_mac *mac, uint32_t id)
{
	return bpf_map_update_elem(fd_of(arg, MAP_NEIGH_MAC), mac, &id, BPF_ANY);
}

static int neigh_mac_delete(void *arg, const struct ecmper_mac *mac)
{
	return bpf_map_delete_elem(fd_of(arg, MAP_NEIGH_MAC), mac);
}

static int neigh_mac_next(void *arg, const struct ecmper_mac *mac, struct ecmper_mac *next)
{
	return bpf_map_get_next_key(fd_of(arg, MAP_NEIGH_MAC), mac, next);
}

static int range_get(void *arg, const struct ecmper_range_key *key, struct ecmper_range *range)
{
	return bpf_map_lookup_elem(fd_of(arg, MAP_RANGES), key, range);
}

static int range_set(void *arg, const struct ecmper_range_key *key,
		     const struct ecmper_range *range)
{
	return bpf_map_update_elem(fd_of(arg, MAP_RANGES), key, range, BPF_ANY);
}

static int range_delete(void *arg, const struct ecmper_range_key *key)
{
	return bpf_map_delete_elem(fd_of(arg, MAP_RANGES), key);
}

static int range_next(void *arg, const struct ecmper_range_key *key, struct ecmper_range_key *next)
{
	return bpf_map_get_next_key(fd_of(arg, MAP_RANGES), key, next);
}

static int tx_port_get(void *arg, uint32_t port, uint32_t *ifindex)
{
	return bpf_map_lookup_elem(fd_of(arg, MAP_TX_PORTS), &port, ifindex);
}

static int tx_port_set(void *arg, uint32_t port, uint32_t ifindex)
{
	if (!ifindex)
		return bpf_map_delete_elem(fd_of(arg, MAP_TX_PORTS), &port);
	return bpf_map_update_elem(fd_of(arg, MAP_TX_PORTS), &port, &ifindex, BPF_ANY);
}

/* What the next hop that had this id counted stays in the sums. Packets never write these. */
static int retire_count(int fd, uint32_t reason, const struct ecmper_nh_reasons *counted, int cpus)
{
	struct ecmper_counter sums[cpus];
	int ret = bpf_map_lookup_elem(fd, &reason, sums);

	for (int cpu = 0; !ret && cpu < cpus; cpu++) {
		sums[cpu].packets += counted[cpu].reason[reason].packets;
		sums[cpu].bytes += counted[cpu].reason[reason].bytes;
	}
	return ret ?: bpf_map_update_elem(fd, &reason, sums, BPF_ANY);
}

static int nh_counter_retire(void *arg, uint32_t id)
{
	int cpus = libbpf_num_possible_cpus(), ret;
	struct ecmper_nh_reasons *counted;

	if (cpus < 0)
		return cpus;
	counted = calloc(cpus, sizeof(*counted));
	if (!counted)
		return -ENOMEM;
	ret = bpf_map_lookup_elem(fd_of(arg, MAP_NH_COUNTERS), &id, counted);
	for (uint32_t reason = 0; !ret && reason < ECMPER_FORWARDS; reason++)
		ret = retire_count(fd_of(arg, MAP_COUNTERS), reason, counted, cpus);
	memset(counted, 0, cpus * sizeof(*counted));
	ret = ret ?: bpf_map_update_elem(fd_of(arg, MAP_NH_COUNTERS), &id, counted, BPF_ANY);
	free(counted);
	return ret;
}

static int kernel_device_get(void *arg, const char *name, struct device *device)
{
	(void)arg;
	return device_get(name, device);
}

/* Replacing a map inside a map returns after a grace period (kernel/bpf/syscall.c,
 * maybe_wait_bpf_programs): for kernels whose membarrier does not do it, with nohz_full. */
static int grace_by_map_in_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	uint32_t key = 0;
	int inner, outer = -1, ret;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace", sizeof(key), sizeof(key), 1, NULL);
	if (inner < 0)
		return inner;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace", sizeof(key), sizeof(key), 1,
			       &opts);
	ret = outer < 0 ? outer : bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
	close(inner);
	if (outer >= 0)
		close(outer);
	return ret;
}

static int grace(void *arg)
{
	(void)arg;
	if (!syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	return grace_by_map_in_map();
}

const struct tables_ops kernel_ops = {
	.lpm_get = lpm_get,
	.lpm_set = lpm_set,
	.lpm_delete = lpm_delete,
	.lpm_next = lpm_next,
	.neigh_id_get = neigh_id_get,
	.neigh_id_set = neigh_id_set,
	.neigh_id_delete = neigh_id_delete,
	.neigh_id_next = neigh_id_next,
	.neigh_mac_get = neigh_mac_get,
	.neigh_mac_set = neigh_mac_set,
	.neigh_mac_delete = neigh_mac_delete,
	.neigh_mac_next = neigh_mac_next,
	.range_get = range_get,
	.range_set = range_set,
	.range_delete = range_delete,
	.range_next = range_next,
	.tx_port_get = tx_port_get,
	.tx_port_set = tx_port_set,
	.nh_counter_retire = nh_counter_retire,
	.device_get = kernel_device_get,
	.grace = grace,
	.touch = instance_touch,
};
