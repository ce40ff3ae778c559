// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the skeletons to loaded programs with pinned maps. The only user of the skeletons. Used by
 * xdp.c.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "flow_hash.h"
#include "instance.h"
#include "pin.h"
#include "router.skel.h"
#include "server.skel.h"
#include "xdp.h"

/* The last complaint of libbpf or the verifier: for our error message, instead of stderr. */
static char complaint[256];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !strstr(format, "BEGIN PROG LOAD LOG"))
		vsnprintf(complaint, sizeof(complaint), format, args);
	complaint[strcspn(complaint, "\n")] = '\0';
	return 0;
}

static int load_failed(int code, struct ecmper_error *err)
{
	struct utsname system = {};

	uname(&system);
	if (code == -EPERM && geteuid())
		return ecmper_fail(err, code,
				   "no right to load XDP programs: this needs root, or CAP_BPF, "
				   "CAP_NET_ADMIN and CAP_PERFMON");
	return ecmper_fail(
		err, code,
		"the kernel (%s) refused the program: %s (%s); ecmper needs Linux 5.18 or "
		"newer with BTF (/sys/kernel/btf/vmlinux)",
		system.release, strerror(-code), complaint);
}

int role_config_read(const char *folder, struct ecmper_config *config, struct ecmper_error *err)
{
	uint32_t key = 0;
	int fd, ret;

	ret = map_open(folder, ECMPER_STR(ECMPER_MAP_CONFIG), sizeof(*config), &fd, err);
	if (ret)
		return ret;
	ret = bpf_map_lookup_elem(fd, &key, config);
	close(fd);
	if (!ret && config->abi_version != ECMPER_ABI_VERSION)
		return ecmper_fail(
			err, -EPROTO,
			"%s was made by ABI version %u of ecmper, this is version %u: use "
			"that version's programs, or `down` and `up` to start anew",
			folder, config->abi_version, ECMPER_ABI_VERSION);
	return ret;
}

/* Every map of the object has the name of its pin. `.rodata` and the like are not pinned. */
static int reuse_maps(struct bpf_object *object, const char *folder, struct ecmper_error *err)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int fd, ret;

		if (bpf_map__is_internal(map))
			continue;
		ret = map_open(folder, bpf_map__name(map), bpf_map__value_size(map), &fd, err);
		if (ret)
			return ret;
		ret = bpf_map__reuse_fd(map, fd);
		close(fd);
		if (ret)
			return ecmper_fail(err, ret, "cannot use the pinned map %s/%s: %s", folder,
					   bpf_map__name(map), strerror(-ret));
	}
	return 0;
}

/* `config` is pinned last: a folder without it is unfinished. */
static int pin_maps(struct bpf_object *object, const char *folder, struct ecmper_error *err)
{
	for (int last = 0; last < 2; last++) {
		struct bpf_map *map;

		bpf_object__for_each_map(map, object)
		{
			const char *name = bpf_map__name(map);
			char path[600];
			int ret;

			if (bpf_map__is_internal(map) ||
			    last != !strcmp(name, ECMPER_STR(ECMPER_MAP_CONFIG)))
				continue;
			snprintf(path, sizeof(path), "%s/%s", folder, name);
			ret = bpf_obj_pin(bpf_map__fd(map), path);
			if (ret)
				return ecmper_fail(err, ret, "cannot pin %s: %s", path,
						   strerror(-ret));
		}
	}
	return 0;
}

static int write_config(struct bpf_map *map, const struct ecmper_config *config)
{
	uint32_t key = 0;

	return bpf_map_update_elem(bpf_map__fd(map), &key, config, BPF_ANY);
}

static void set_router_sizes(struct router_bpf *skel, const struct ecmper_config *config)
{
	/* One more: before Linux 6.13, a full trie refuses to replace a value, too. */
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_LPM, config->max_prefixes + 1);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_LPM6, config->max_prefixes + 1);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_FRAGMENTS, config->max_fragments);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_VIP, config->vip_lines);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_VIP6, vip6_lines(config));
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_CUR_NH,
				 config->max_buckets / ECMPER_LINE_SLOTS);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_PRV_NH,
				 config->max_history / ECMPER_LINE_SLOTS);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_MEMBERS, config->max_members);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_ALLOC, alloc_elements(config));
	/* Three old and three new ones of every prefix. */
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_RANGES, 6 * config->max_prefixes + 64);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_NEIGH, config->max_next_hops);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_NEIGH_ID, config->max_next_hops);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_NEIGH_MAC, config->max_next_hops);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_NH_COUNTERS, config->max_next_hops);
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_TX_PORTS, config->max_ports);
}

/* Put the program that counts failed redirects on its tracepoint, in place of an earlier one. */
static int attach_tx_errors(const struct router_bpf *skel, const char *folder,
			    struct ecmper_error *err)
{
	char path[600], new_path[600];
	int ret, fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.ecmper_tx_errors));

	if (fd < 0)
		return ecmper_fail(err, fd, "cannot attach to tracepoint xdp_redirect_err: %s",
				   strerror(-fd));
	snprintf(path, sizeof(path), "%s/" ECMPER_STR(ECMPER_LINK_TX_ERRORS), folder);
	snprintf(new_path, sizeof(new_path), "%s/" PIN_NEW, folder);
	unlink(new_path); /* left by an `up` that was killed */
	ret = bpf_obj_pin(fd, new_path);
	if (!ret && rename(new_path, path))
		ret = -errno;
	close(fd);
	return ret ? ecmper_fail(err, ret, "cannot pin %s: %s", path, strerror(-ret)) : 0;
}

static int map_id(const struct bpf_map *map, uint32_t *id)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int ret = bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &length);

	*id = info.id;
	return ret;
}

static int load_router(struct ecmper_config *config, const char *folder, bool is_up,
		       struct loaded *loaded, struct ecmper_error *err)
{
	struct router_bpf *skel = router_bpf__open();
	int ret;

	if (!skel)
		return load_failed(-errno, err);
	loaded->skeleton = skel;
	loaded->destroy = (void (*)(void *))router_bpf__destroy;
	skel->rodata->hash_key = config->hash_key;
	skel->rodata->vip_lines = config->vip_lines;
	skel->rodata->vip_shift = ecmper_vip_shift(config->vip_lines);
	skel->rodata->mark_format = config->mark;
	skel->rodata->flight_ns = config->flight_ms * 1000000ull;
	skel->rodata->icmp_interval_ns = 1000000000ull / config->icmp_rate;
	set_router_sizes(skel, config);
	ret = is_up ? reuse_maps(skel->obj, folder, err) : 0;
	if (ret)
		return ret;
	ret = router_bpf__load(skel);
	if (ret)
		return load_failed(ret, err);
	loaded->prog_fd = bpf_program__fd(skel->progs.ecmper_router);
	loaded->own_macs_fd = bpf_map__fd(skel->maps.ECMPER_MAP_OWN_MACS);
	loaded->icmp_source_fd = bpf_map__fd(skel->maps.ECMPER_MAP_ICMP_SOURCE);
	if (!is_up)
		ret = map_id(skel->maps.ECMPER_MAP_TX_PORTS, &config->tx_ports_id) ?:
		      write_config(skel->maps.ECMPER_MAP_CONFIG, config) ?:
		      pin_maps(skel->obj, folder, err);
	return ret ?: attach_tx_errors(skel, folder, err);
}

/* Keys of that size which are not among the VIPs go. */
static void remove_other_vips(int fd, const struct ecmper_up_options *options, size_t size)
{
	union any_lpm_key key, next, vip;
	int ret = bpf_map_get_next_key(fd, NULL, &next);

	while (!ret) {
		bool is_wanted = false;

		key = next;
		ret = bpf_map_get_next_key(fd, &key, &next);
		for (unsigned int i = 0; i < options->vip_count; i++)
			is_wanted |= any_lpm_key(&options->vips[i], &vip) == size &&
				     !memcmp(&vip, &key, size);
		if (!is_wanted)
			bpf_map_delete_elem(fd, &key);
	}
}

static int add_vips(const struct server_bpf *skel, const struct ecmper_up_options *options,
		    struct ecmper_error *err)
{
	int fd4 = bpf_map__fd(skel->maps.ECMPER_MAP_VIPS);
	int fd6 = bpf_map__fd(skel->maps.ECMPER_MAP_VIPS6);
	union any_lpm_key key;
	uint32_t one = 1;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < options->vip_count; i++) {
		bool is_ipv4 = any_lpm_key(&options->vips[i], &key) == sizeof(key.ipv4);

		ret = bpf_map_update_elem(is_ipv4 ? fd4 : fd6, &key, &one, BPF_ANY);
	}
	if (ret)
		return ecmper_fail(err, ret, "cannot set the VIPs (maps vips, vips6): %s",
				   strerror(-ret));
	return 0;
}

int role_finish(const struct ecmper_up_options *options, const struct loaded *loaded)
{
	const struct router_bpf *router = loaded->skeleton;
	const struct server_bpf *skel = loaded->skeleton;

	if (options->role == ECMPER_ROUTER)
		return write_config(router->maps.ECMPER_MAP_CONFIG, &loaded->config);
	remove_other_vips(bpf_map__fd(skel->maps.ECMPER_MAP_VIPS), options,
			  sizeof(struct ecmper_lpm_key));
	remove_other_vips(bpf_map__fd(skel->maps.ECMPER_MAP_VIPS6), options,
			  sizeof(struct ecmper_lpm6_key));
	return write_config(skel->maps.ECMPER_MAP_CONFIG, &loaded->config);
}

static int load_server(const struct ecmper_up_options *options, const struct ecmper_config *config,
		       const char *folder, bool is_up, struct loaded *loaded,
		       struct ecmper_error *err)
{
	struct server_bpf *skel = server_bpf__open();
	int ret;

	if (!skel)
		return load_failed(-errno, err);
	loaded->skeleton = skel;
	loaded->destroy = (void (*)(void *))server_bpf__destroy;
	skel->rodata->mark_format = config->mark;
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_FRAGMENTS, config->max_fragments);
	ret = is_up ? reuse_maps(skel->obj, folder, err) : 0;
	if (ret)
		return ret;
	ret = server_bpf__load(skel);
	if (ret)
		return load_failed(ret, err);
	loaded->prog_fd = bpf_program__fd(skel->progs.ecmper_server);
	loaded->own_macs_fd = bpf_map__fd(skel->maps.ECMPER_MAP_OWN_MACS);
	ret = add_vips(skel, options, err);
	if (!ret && !is_up)
		ret = write_config(skel->maps.ECMPER_MAP_CONFIG, config)
			      ?: pin_maps(skel->obj, folder, err);
	return ret;
}

int role_load(const struct ecmper_up_options *options, const char *folder, bool is_up,
	      struct loaded *loaded, struct ecmper_error *err)
{
	complaint[0] = '\0';
	libbpf_set_print(keep_complaint);
	if (options->role == ECMPER_ROUTER)
		return load_router(&loaded->config, folder, is_up, loaded, err);
	return load_server(options, &loaded->config, folder, is_up, loaded, err);
}

void role_unload(struct loaded *loaded)
{
	if (loaded->skeleton)
		loaded->destroy(loaded->skeleton);
	loaded->skeleton = NULL;
}
