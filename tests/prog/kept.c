// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances that outlive a case, see kept.h. All of an instance's state is in its pinned maps: when
 * these are as new, so is the instance. At the end they go with the mount namespace of the tests.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "device.h"
#include "harness.h"
#include "icmp_source.h"
#include "instance.h"
#include "kept.h"
#include "own_macs.h"
#include "pin.h"

#define KEPT_MAX 4 /* instances at a time: a router, a server, another router */
#define VIPS_MAX 8

static struct kept {
	struct ecmper_up_options options; /* of an instance that is up; pin NULL: none is */
	struct ecmper_net vips[VIPS_MAX];
	struct ecmper_config config; /* at first */
	char folder[512];
	uint32_t ifindex; /* 0: between two cases */
	int prog_fd;
} all[KEPT_MAX];

static struct kept *find(const char *pin, enum ecmper_role role)
{
	for (int i = 0; i < KEPT_MAX; i++)
		if (all[i].options.pin && all[i].options.role == role &&
		    !strcmp(all[i].options.pin, pin))
			return &all[i];
	return NULL;
}

/* Are these the options that the instance was made with, but for the device? */
static bool is_same(const struct kept *kept, const struct ecmper_up_options *wanted)
{
	const struct ecmper_up_options *had = &kept->options;

	return had->mark == wanted->mark && had->flight_ms == wanted->flight_ms &&
	       had->icmp_rate == wanted->icmp_rate &&
	       !memcmp(had->icmp_source, wanted->icmp_source, sizeof(had->icmp_source)) &&
	       had->has_hash_key == wanted->has_hash_key &&
	       !memcmp(&had->hash_key, &wanted->hash_key, sizeof(had->hash_key)) &&
	       had->vip_count == wanted->vip_count &&
	       !memcmp(kept->vips, wanted->vips, wanted->vip_count * sizeof(*kept->vips)) &&
	       had->max_prefixes == wanted->max_prefixes &&
	       had->max_next_hops == wanted->max_next_hops &&
	       had->max_buckets == wanted->max_buckets && had->max_history == wanted->max_history &&
	       had->max_members == wanted->max_members && had->max_ports == wanted->max_ports &&
	       had->max_fragments == wanted->max_fragments;
}

static int open_map(const struct kept *kept, const char *name, struct bpf_map_info *info)
{
	uint32_t length = sizeof(*info);
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", kept->folder, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, info, &length))
		fail_msg("cannot open %s: %s", path, strerror(errno));
	return fd;
}

static void config_access(struct kept *kept, bool is_write)
{
	struct bpf_map_info info = {};
	uint32_t zero = 0;
	int fd = open_map(kept, ECMPER_STR(ECMPER_MAP_CONFIG), &info);

	assert_int_equal(is_write ? bpf_map_update_elem(fd, &zero, &kept->config, BPF_ANY)
				  : bpf_map_lookup_elem(fd, &zero, &kept->config),
			 0);
	close(fd);
}

/* The device's own, and where the router answers from, as `up` would set them. */
static int take_device(struct kept *kept, const struct ecmper_up_options *options)
{
	struct bpf_map_info info = {};
	struct own_macs macs;
	struct device device;
	int fd = open_map(kept, ECMPER_STR(ECMPER_MAP_OWN_MACS), &info);
	int ret = device_get(options->devs[0], &device)
			  ?: own_macs_open(&macs, fd)
			  ?: own_macs_allow(&macs, device.mac)
			  ?: own_macs_write(&macs);

	close(fd);
	if (ret || options->role != ECMPER_ROUTER)
		return ret;
	fd = open_map(kept, ECMPER_STR(ECMPER_MAP_ICMP_SOURCE), &info);
	ret = icmp_source_set(fd, options, &device);
	close(fd);
	return ret;
}

/* The link that `up` would pin. */
static int attach(struct kept *kept, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	char path[600];
	int ret, fd = bpf_link_create(kept->prog_fd, ifindex, BPF_XDP, &opts);

	if (fd < 0)
		return fd;
	pin_link_path(kept->folder, ifindex, path, sizeof(path));
	ret = bpf_obj_pin(fd, path);
	close(fd);
	kept->ifindex = ifindex;
	return ret;
}

static int program_on(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	return bpf_xdp_query(ifindex, 0, &opts) ?: bpf_prog_get_fd_by_id(opts.prog_id);
}

static int begin(const struct ecmper_up_options *options, struct ecmper_error *err)
{
	struct ecmper_up_report report;
	struct kept *kept = all;
	int ret;

	while (kept->options.pin)
		assert_true(++kept < all + KEPT_MAX);
	assert_uint_in_range(options->vip_count, 0, VIPS_MAX);
	ret = ecmper_up(options, &report, err);
	if (ret)
		return ret;
	kept->options = *options;
	kept->options.pin = strdup(options->pin);
	assert_non_null(kept->options.pin);
	memcpy(kept->vips, options->vips, options->vip_count * sizeof(*kept->vips));
	assert_int_equal(
		role_folder(options->pin, options->role, kept->folder, sizeof(kept->folder)), 0);
	kept->ifindex = if_nametoindex(options->devs[0]);
	kept->prog_fd = program_on(kept->ifindex);
	assert_true(kept->prog_fd >= 0);
	config_access(kept, false);
	return 0;
}

static int forget(struct kept *kept, struct ecmper_error *err)
{
	int ret = ecmper_down(kept->options.pin, kept->options.role, NULL, err);

	close(kept->prog_fd);
	free((char *)kept->options.pin);
	kept->options.pin = NULL;
	return ret;
}

int kept_up(const struct ecmper_up_options *options, struct ecmper_error *err)
{
	struct kept *kept = find(options->pin, options->role);
	int ret = 0;

	if (kept && is_same(kept, options)) {
		ret = take_device(kept, options) ?: attach(kept, if_nametoindex(options->devs[0]));
		return ret ? ecmper_fail(err, ret, "cannot attach again: %s", strerror(-ret)) : 0;
	}
	if (kept)
		ret = forget(kept, err);
	return ret ?: begin(options, err);
}

static int detach_one(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	(void)ifindex;
	(void)prog_id;
	(void)arg;
	bpf_link_detach(fd); /* fails when the device is gone: then so is the program on it */
	return unlink(path);
}

static void detach(struct kept *kept)
{
	assert_int_equal(pin_links_each(kept->folder, detach_one, NULL), 0);
	kept->ifindex = 0;
}

static void zero_elements(int fd, const struct bpf_map_info *info)
{
	size_t size = (size_t)libbpf_num_possible_cpus() * ((info->value_size + 7) & ~7U);
	void *zeros = calloc(1, size);

	assert_non_null(zeros);
	for (uint32_t i = 0; i < info->max_entries; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, zeros, BPF_ANY), 0);
	free(zeros);
}

static void zero_mapped(int fd, const struct bpf_map_info *info)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = (size_t)info->max_entries * ((info->value_size + 7) & ~7U);
	void *at;

	size = (size + page - 1) & ~(page - 1);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	memset(at, 0, size);
	munmap(at, size);
}

static void delete_elements(int fd, const struct bpf_map_info *info)
{
	void *key = malloc(info->key_size);

	assert_non_null(key);
	while (!bpf_map_get_next_key(fd, NULL, key))
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
	free(key);
}

/* A devmap has a key for every index, used or not. */
static void delete_ports(int fd, const struct bpf_map_info *info)
{
	for (uint32_t i = 0; i < info->max_entries; i++)
		assert_int_equal(bpf_map_delete_elem(fd, &i), 0);
}

static void make_as_new(const struct kept *kept, const char *name)
{
	struct bpf_map_info info = {};
	int fd = open_map(kept, name, &info);

	switch (info.type) {
	case BPF_MAP_TYPE_ARRAY: zero_mapped(fd, &info); break;
	case BPF_MAP_TYPE_PERCPU_ARRAY: zero_elements(fd, &info); break;
	case BPF_MAP_TYPE_DEVMAP: delete_ports(fd, &info); break;
	default: delete_elements(fd, &info);
	}
	close(fd);
}

void kept_down(const char *pin, enum ecmper_role role)
{
	struct kept *kept = find(pin, role);
	struct dirent *entry;
	DIR *dir;

	assert_non_null(kept);
	detach(kept);
	dir = opendir(kept->folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_REG && strncmp(entry->d_name, "vips", 4) &&
		    strcmp(entry->d_name, ECMPER_STR(ECMPER_LINK_TX_ERRORS)))
			make_as_new(kept, entry->d_name);
	closedir(dir);
	config_access(kept, true);
}
