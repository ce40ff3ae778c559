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
#include "instance.h"
#include "pin.h"

#define X(name, action, text) {#name, #action, text},
const struct ecmper_reason ecmper_router_reasons[ROUTER_REASONS] = {ECMPER_ROUTER_REASONS(X)};
const struct ecmper_reason ecmper_server_reasons[SERVER_REASONS] = {ECMPER_SERVER_REASONS(X)};
#undef X

static const unsigned int reason_counts[] = {
	[ECMPER_ROUTER] = ROUTER_REASONS, [ECMPER_SERVER] = SERVER_REASONS};

bool ecmper_is_up(const char *pin, enum ecmper_role role)
{
	char folder[512], path[600];

	if (role_folder(pin, role, folder, sizeof(folder)))
		return false;
	snprintf(path, sizeof(path), "%s/" ECMPER_STR(ECMPER_MAP_CONFIG), folder);
	return !access(path, F_OK);
}

/* Open the counters of a role; *cpus is the number of values in an element. */
static int open_counters(const char *pin, enum ecmper_role role, int *cpus, int *fd,
			 struct ecmper_error *err)
{
	char folder[512];
	int ret = role_folder(pin, role, folder, sizeof(folder));

	*cpus = libbpf_num_possible_cpus();
	if (ret || *cpus < 0)
		return ecmper_fail(err, ret ?: *cpus, "cannot read the counters in %s", pin);
	return map_open(folder, ECMPER_STR(ECMPER_MAP_COUNTERS), sizeof(struct ecmper_counter),
			reason_counts[role], fd, err);
}

static int read_reasons(const char *pin, struct ecmper_stats *stats, struct ecmper_error *err)
{
	int cpus, fd, ret = open_counters(pin, stats->role, &cpus, &fd, err);

	if (ret)
		return ret;
	stats->cpu_count = cpus;
	stats->reason_count = reason_counts[stats->role];
	stats->reasons =
		stats->role == ECMPER_ROUTER ? ecmper_router_reasons : ecmper_server_reasons;
	stats->counters = calloc((size_t)stats->reason_count * cpus, sizeof(*stats->counters));
	if (!stats->counters)
		ret = -ENOMEM;
	for (uint32_t i = 0; !ret && i < stats->reason_count; i++)
		ret = bpf_map_lookup_elem(fd, &i, stats->counters + (size_t)i * cpus);
	close(fd);
	return ret ? ecmper_fail(err, ret, "cannot read the counters: %s", strerror(-ret)) : 0;
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

/* Next hops that are no more count, too, until their id is given to another. */
static int read_next_hops(struct ecmper *ecmper, struct ecmper_stats *stats)
{
	uint32_t count = ecmper->tables.config->max_next_hops;
	struct ecmper_nh_reasons counted[stats->cpu_count];
	int ret = 0;

	stats->next_hops = calloc(count, sizeof(*stats->next_hops));
	if (!stats->next_hops)
		return -ENOMEM;
	for (uint32_t id = 1; !ret && id < count; id++) {
		struct ecmper_nh_stats next_hop = {};
		const struct ecmper_addr *addr = ecmper_nh_addr(ecmper, id);

		ret = bpf_map_lookup_elem(ecmper->fd[MAP_NH_COUNTERS], &id, counted);
		if (!ret)
			add_next_hop(stats, counted, &next_hop.counter);
		if (addr) {
			next_hop.addr = *addr;
			stats->next_hops[stats->next_hop_count++] = next_hop;
		}
	}
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
	grown = reallocarray(stats->ports, stats->port_count + 1, sizeof(*grown));
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

static int read_ports(const char *pin, const struct ecmper *ecmper, struct ecmper_stats *stats)
{
	char folder[512];
	int ret = role_folder(pin, stats->role, folder, sizeof(folder));

	ret = ret ?: pin_links_each(folder, add_linked_port, stats);
	for (uint32_t port = 0; !ret && ecmper && port < ecmper->tables.config->max_ports; port++) {
		uint32_t ifindex;

		if (!kernel_ops.tx_port_get((void *)ecmper, port, &ifindex))
			ret = add_port(stats, ifindex);
	}
	if (stats->port_count)
		qsort(stats->ports, stats->port_count, sizeof(*stats->ports), compare_ports);
	return ret;
}

int ecmper_stats_read(const char *pin, enum ecmper_role role, struct ecmper_stats **result,
		      struct ecmper_error *err)
{
	struct ecmper_stats *stats = calloc(1, sizeof(*stats));
	struct ecmper *ecmper = NULL;
	struct timespec now;
	int ret;

	*result = NULL;
	error_clear(err);
	if (!stats)
		return ecmper_fail(err, -ENOMEM, "out of memory");
	stats->role = role;
	clock_gettime(CLOCK_MONOTONIC, &now);
	stats->time = now.tv_sec + now.tv_nsec / 1e9;
	ret = read_reasons(pin, stats, err);
	if (!ret && role == ECMPER_ROUTER)
		ret = ecmper_open(pin, &ecmper, err);
	if (!ret) {
		ret = ecmper ? read_next_hops(ecmper, stats) : 0;
		ret = ret ?: read_ports(pin, ecmper, stats);
		if (ret)
			ecmper_fail(err, ret, "cannot read the counters in %s: %s", pin,
				    strerror(-ret));
	}
	ecmper_close(ecmper);
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

int ecmper_stats_reset(const char *pin, enum ecmper_role role, struct ecmper_error *err)
{
	struct ecmper *ecmper = NULL;
	int cpus, fd, ret;

	error_clear(err);
	ret = open_counters(pin, role, &cpus, &fd, err);
	if (ret)
		return error_default(err, ret, "reset the counters");
	ret = clear(fd, reason_counts[role], sizeof(struct ecmper_counter), cpus);
	close(fd);
	if (!ret && role == ECMPER_ROUTER) {
		ret = ecmper_open(pin, &ecmper, err);
		if (ret)
			return ret;
		ret = clear(ecmper->fd[MAP_NH_COUNTERS], ecmper->tables.config->max_next_hops,
			    sizeof(struct ecmper_nh_reasons), cpus);
		ecmper_close(ecmper);
	}
	return ret ? ecmper_fail(err, ret, "cannot reset the counters: %s", strerror(-ret)) : 0;
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
