// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of either role, and of the devices: snapshots for `ecmperctl stats`. Reads maps,
 * writes only at a reset.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "device.h"
#include "error.h"
#include "grow.h"
#include "instance.h"
#include "pin.h"

#define X(name, action, text) {#name, #action, text},
const struct ecmper_reason ecmper_router_reasons[ROUTER_REASONS] = {ECMPER_ROUTER_REASONS(X)};
const struct ecmper_reason ecmper_server_reasons[SERVER_REASONS] = {ECMPER_SERVER_REASONS(X)};
#undef X

/*
 * Elements `first` and the `count` - 1 behind it of a per-CPU array, each with the values of all
 * CPUs: by one system call where the kernel has it for these arrays (Linux 5.13), else one by one.
 */
static int read_elements(int fd, uint32_t first, uint32_t count, void *values, size_t element_size)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t before = first - 1, last, read = count, *keys = calloc(count, sizeof(*keys));
	int ret;

	if (!keys)
		return -ENOMEM;
	ret = bpf_map_lookup_batch(fd, first ? &before : NULL, &last, keys, values, &read, &opts);
	free(keys);
	if ((!ret || ret == -ENOENT) && read == count) /* -ENOENT: and that was the end */
		return 0;
	for (uint32_t i = 0, key = first; i < count; i++, key++) {
		ret = bpf_map_lookup_elem(fd, &key, (char *)values + i * element_size);
		if (ret)
			return ret;
	}
	return 0;
}

/* Adds what a next hop counted to `sum`, and to the reasons' own counters. */
static void add_next_hop(struct ecmper_stats *stats, const struct ecmper_nh_reasons *counted,
			 struct ecmper_nh_counter *sum)
{
	for (unsigned int cpu = 0; cpu < stats->cpu_count; cpu++) {
		for (unsigned int reason = 0; reason < ECMPER_FORWARDS; reason++) {
			const struct ecmper_counter *from = &counted[cpu].reason[reason];
			struct ecmper_counter *to =
				&stats->counters[reason * stats->cpu_count + cpu];

			to->packets += from->packets;
			to->bytes += from->bytes;
			sum->packets += from->packets;
			sum->bytes += from->bytes;
		}
		sum->history_packets += counted[cpu].reason[ROUTER_history].packets;
		sum->history_bytes += counted[cpu].reason[ROUTER_history].bytes;
	}
}

#define CHUNK_BYTES (1 << 20)

/* Next hops that are no more count, too, until their id is given to another. */
static int read_next_hops(const struct ecmper *ecmper, struct ecmper_stats *stats)
{
	uint32_t max = ecmper->tables.config->max_next_hops, count;
	size_t element = stats->cpu_count * sizeof(struct ecmper_nh_reasons);
	uint32_t chunk = element < CHUNK_BYTES ? CHUNK_BYTES / element : 1;
	struct ecmper_nh_reasons *counted = malloc(chunk * element);
	int ret = counted ? 0 : -ENOMEM;

	stats->next_hop_count = 0;
	for (uint32_t first = 1; !ret && first < max; first += count) {
		count = max - first < chunk ? max - first : chunk;
		ret = read_elements(ecmper->fd[MAP_NH_COUNTERS], first, count, counted, element);
		for (uint32_t i = 0; !ret && i < count; i++) {
			struct ecmper_nh_stats next_hop = {};

			add_next_hop(stats, counted + i * stats->cpu_count, &next_hop.counter);
			if (ecmper_nh_hop(ecmper, first + i, &next_hop.hop))
				stats->next_hops[stats->next_hop_count++] = next_hop;
		}
	}
	free(counted);
	return ret;
}

/*
 * When an id is given to another next hop, what the one before counted goes from nh_counters into
 * `counters`, where packets do not count these reasons. Between the two it is there twice, and a
 * look at one map before it and at the other after it would miss it. So: *is_whole if no edit was
 * under way after `counters` was read, and none of this has been added there since.
 */
static int read_counters(const struct ecmper *ecmper, struct ecmper_stats *stats, bool *is_whole)
{
	size_t element = stats->cpu_count * sizeof(struct ecmper_counter);
	struct ecmper_counter *kept = calloc(2 * ECMPER_FORWARDS, element);
	int ret;

	*is_whole = true;
	if (!kept)
		return -ENOMEM;
	ret = read_elements(ecmper->fd[MAP_COUNTERS], 0, stats->reason_count, stats->counters,
			    element);
	if (!ret && ecmper->role == ECMPER_ROUTER) {
		*is_whole = !__atomic_load_n(&ecmper->tables.config->pending, __ATOMIC_SEQ_CST);
		memcpy(kept, stats->counters, ECMPER_FORWARDS * element);
		ret = read_next_hops(ecmper, stats)
			      ?: read_elements(ecmper->fd[MAP_COUNTERS], 0, ECMPER_FORWARDS,
					       kept + ECMPER_FORWARDS * stats->cpu_count, element);
		*is_whole &= !memcmp(kept, kept + ECMPER_FORWARDS * stats->cpu_count,
				     ECMPER_FORWARDS * element);
	}
	free(kept);
	return ret;
}

/* Mostly nobody edits; if somebody does, once more when nobody can. */
static int read_whole(const struct ecmper *ecmper, struct ecmper_stats *stats,
		      struct ecmper_error *err)
{
	bool is_whole;
	int lock_fd, ret = instance_check(ecmper, err) ?: read_counters(ecmper, stats, &is_whole);

	if (ret || is_whole)
		return ret;
	ret = instance_lock_own(ecmper, &lock_fd, err);
	if (ret)
		return ret;
	ret = read_counters(ecmper, stats, &is_whole);
	instance_unlock(lock_fd);
	return ret;
}

static int add_port(struct ecmper_stats *stats, uint32_t ifindex)
{
	struct ecmper_port_stats *grown, port;

	if (device_stats(ifindex, &port))
		return 0; /* gone, or of another namespace */
	for (unsigned int i = 0; i < stats->port_count; i++)
		if (!strcmp(stats->ports[i].dev, port.dev))
			return 0;
	grown = array_grow(stats->ports, stats->port_count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	stats->ports = grown;
	stats->ports[stats->port_count++] = port;
	return 0;
}

static int add_linked_port(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	(void)fd;
	(void)path;
	(void)prog_id;
	return ifindex ? add_port(arg, ifindex) : 0;
}

static int compare_ports(const void *a, const void *b)
{
	const struct ecmper_port_stats *x = a, *y = b;

	return strverscmp(x->dev, y->dev);
}

static int read_ports(const struct ecmper *ecmper, struct ecmper_stats *stats)
{
	int ret = pin_links_each(ecmper->folder, add_linked_port, stats);

	for (uint32_t port = 0; !ret && port < ecmper->tables.config->max_ports; port++) {
		uint32_t ifindex;

		if (!kernel_ops.tx_port_get((void *)ecmper, port, &ifindex))
			ret = add_port(stats, ifindex);
	}
	if (stats->port_count)
		qsort(stats->ports, stats->port_count, sizeof(*stats->ports), compare_ports);
	return ret;
}

static struct ecmper_stats *stats_new(const struct ecmper *ecmper, int cpus)
{
	struct ecmper_stats *stats = calloc(1, sizeof(*stats));
	struct timespec now;

	if (!stats)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &now);
	stats->time = now.tv_sec + now.tv_nsec / 1e9;
	stats->role = ecmper->role;
	stats->cpu_count = cpus;
	stats->reason_count = map_entries(ecmper->tables.config, MAP_COUNTERS);
	stats->reasons =
		stats->role == ECMPER_ROUTER ? ecmper_router_reasons : ecmper_server_reasons;
	stats->counters = calloc((size_t)stats->reason_count * cpus, sizeof(*stats->counters));
	stats->next_hops =
		calloc(ecmper->tables.config->max_next_hops + 1, sizeof(*stats->next_hops));
	if (stats->counters && stats->next_hops)
		return stats;
	ecmper_stats_free(stats);
	return NULL;
}

int ecmper_stats_read(struct ecmper *ecmper, struct ecmper_stats **result, struct ecmper_error *err)
{
	int cpus = libbpf_num_possible_cpus(), ret;
	struct ecmper_stats *stats;

	*result = NULL;
	error_clear(err);
	stats = cpus > 0 ? stats_new(ecmper, cpus) : NULL;
	ret = cpus < 0 ? cpus : -ENOMEM;
	if (stats)
		ret = read_whole(ecmper, stats, err) ?: read_ports(ecmper, stats);
	if (ret)
		ecmper_stats_free(stats);
	else
		*result = stats;
	return error_default(err, ret, "read the counters");
}

/* All elements of a per-CPU array become zero. */
static int clear(int fd, uint32_t elements, size_t element_size, int cpus)
{
	void *zeros = calloc(cpus, element_size);
	int ret = zeros ? 0 : -ENOMEM;

	for (uint32_t i = 0; !ret && i < elements; i++)
		ret = bpf_map_update_elem(fd, &i, zeros, BPF_ANY);
	free(zeros);
	return ret;
}

int ecmper_stats_reset(struct ecmper *ecmper, struct ecmper_error *err)
{
	const struct ecmper_config *config = ecmper->tables.config;
	int cpus = libbpf_num_possible_cpus(), lock_fd, ret;

	error_clear(err);
	ret = cpus < 0 ? cpus : instance_lock_own(ecmper, &lock_fd, err);
	if (ret)
		return error_default(err, ret, "reset the counters");
	ret = clear(ecmper->fd[MAP_COUNTERS], map_entries(config, MAP_COUNTERS),
		    sizeof(struct ecmper_counter), cpus);
	if (!ret && ecmper->role == ECMPER_ROUTER)
		ret = clear(ecmper->fd[MAP_NH_COUNTERS], config->max_next_hops,
			    sizeof(struct ecmper_nh_reasons), cpus);
	instance_unlock(lock_fd);
	return error_default(err, ret, "reset the counters");
}

void ecmper_stats_free(struct ecmper_stats *stats)
{
	if (!stats)
		return;
	free(stats->counters);
	free(stats->next_hops);
	free(stats->ports);
	free(stats);
}
