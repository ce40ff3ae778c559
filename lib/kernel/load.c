// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the skeletons to loaded programs with pinned maps. The only user of the skeletons.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "flow_hash.h"
#include "instance.h"
#include "pin.h"
#include "refusal.h"
#include "router.skel.h"
#include "server.skel.h"
#include "xdp.h"

int role_config_read(const char *folder, struct ecmper_config *config, struct ecmper_error *err)
{
	uint32_t key = 0;
	int fd, ret;

	ret = map_open(folder, ECMPER_STR(ECMPER_MAP_CONFIG), sizeof(*config), 1, &fd, err);
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
		ret = map_open(folder, bpf_map__name(map), bpf_map__value_size(map),
			       bpf_map__max_entries(map), &fd, err);
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
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_FRAGMENTS, config->max_fragments);
	for (enum map_index map = 0; map < MAPS; map++)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(skel->obj, map_names[map]),
					 map_entries(config, map));
}

/* Put the program that counts failed redirects on its tracepoint, in place of an earlier one. */
static int attach_tx_errors(const struct router_bpf *skel, const char *folder,
			    struct ecmper_error *err)
{
	char path[600], new_path[600];
	int ret, fd;

	if (!bpf_program__autoload(skel->progs.ecmper_tx_errors))
		return 0;
	fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.ecmper_tx_errors));

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

static int load_router(const struct ecmper_config *config, const char *folder, bool is_up,
		       struct loaded *loaded, struct ecmper_error *err)
{
	struct router_bpf *skel = router_bpf__open();
	int ret;

	if (!skel)
		return refusal_explain(-errno, ECMPER_ROUTER, NULL, err);
	loaded->skeleton = skel;
	loaded->destroy = (void (*)(void *))router_bpf__destroy;
	skel->rodata->hash_key = config->hash_key;
	skel->rodata->vip_lines = config->vip_lines;
	skel->rodata->vip_shift = ecmper_vip_shift(config->vip_lines);
	skel->rodata->mark_format = config->mark;
	skel->rodata->flight_ns = config->flight_ms * 1000000ull;
	skel->rodata->icmp_interval_ns = 1000000000ull / config->icmp_rate;
	set_router_sizes(skel, config);
	if (!kernel_has_btf()) {
		bpf_program__set_autoload(skel->progs.ecmper_tx_errors, false);
		loaded->lacks = "tx_error: the kernel has no BTF (/sys/kernel/btf/vmlinux), so "
				"what a device did not take is not counted";
	}
	ret = is_up ? reuse_maps(skel->obj, folder, err) : 0;
	if (ret)
		return ret;
	ret = router_bpf__load(skel);
	if (ret)
		return refusal_explain(ret, ECMPER_ROUTER, skel->obj, err);
	loaded->prog_fd = bpf_program__fd(skel->progs.ecmper_router);
	loaded->own_macs_fd = bpf_map__fd(skel->maps.ECMPER_MAP_OWN_MACS);
	loaded->icmp_source_fd = bpf_map__fd(skel->maps.ECMPER_MAP_ICMP_SOURCE);
	return 0;
}

static int pin_router(struct loaded *loaded, const char *folder, struct ecmper_error *err)
{
	const struct router_bpf *skel = loaded->skeleton;

	return map_id(bpf_map__fd(skel->maps.ECMPER_MAP_TX_PORTS), &loaded->config.tx_ports_id) ?:
	       write_config(skel->maps.ECMPER_MAP_CONFIG, &loaded->config) ?:
	       pin_maps(skel->obj, folder, err);
}

/* The VIPs in one of the maps are appended to a list. */
static int read_vips(int fd, bool is_ipv4, struct ecmper_net **vips, unsigned int *count)
{
	union any_lpm_key key;
	int ret = bpf_map_get_next_key(fd, NULL, &key);

	for (; !ret; ret = bpf_map_get_next_key(fd, &key, &key)) {
		struct ecmper_net *grown = reallocarray(*vips, *count + 1, sizeof(*grown));
		__be32 ipv4;

		if (!grown)
			return -ENOMEM;
		*vips = grown;
		memcpy(&ipv4, key.ipv4.addr, sizeof(ipv4));
		grown[*count].len = is_ipv4 ? key.ipv4.prefixlen : key.ipv6.prefixlen;
		if (is_ipv4)
			grown[*count].addr = ecmper_addr_from_ipv4(ipv4);
		else
			memcpy(&grown[*count].addr, key.ipv6.addr, sizeof(key.ipv6.addr));
		++*count;
	}
	return ret == -ENOENT ? 0 : ret;
}

/* Keys of that size which are not among the VIPs go. */
static void remove_other_vips(int fd, const struct ecmper_net *vips, unsigned int count,
			      size_t size)
{
	union any_lpm_key key, next, vip;
	int ret = bpf_map_get_next_key(fd, NULL, &next);

	while (!ret) {
		bool is_wanted = false;

		key = next;
		ret = bpf_map_get_next_key(fd, &key, &next);
		for (unsigned int i = 0; i < count; i++)
			is_wanted |=
				any_lpm_key(&vips[i], &vip) == size && !memcmp(&vip, &key, size);
		if (!is_wanted)
			bpf_map_delete_elem(fd, &key);
	}
}

static int add_vips(int fd4, int fd6, const struct ecmper_up_options *options,
		    struct ecmper_error *err)
{
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

/* The VIPs become those given; when they do not all fit, they stay as they were. */
static int set_vips(const struct server_bpf *skel, const struct ecmper_up_options *options,
		    struct ecmper_error *err)
{
	int fd4 = bpf_map__fd(skel->maps.ECMPER_MAP_VIPS);
	int fd6 = bpf_map__fd(skel->maps.ECMPER_MAP_VIPS6);
	struct ecmper_net *before = NULL;
	const struct ecmper_net *vips;
	unsigned int count = 0;
	int ret;

	ret = read_vips(fd4, true, &before, &count) ?: read_vips(fd6, false, &before, &count);
	if (!ret) {
		ret = add_vips(fd4, fd6, options, err);
		vips = ret ? before : options->vips;
		count = ret ? count : options->vip_count;
		remove_other_vips(fd4, vips, count, sizeof(struct ecmper_lpm_key));
		remove_other_vips(fd6, vips, count, sizeof(struct ecmper_lpm6_key));
	}
	free(before);
	return ret;
}

static int load_server(const struct ecmper_config *config, const char *folder, bool is_up,
		       struct loaded *loaded, struct ecmper_error *err)
{
	struct server_bpf *skel = server_bpf__open();
	int ret;

	if (!skel)
		return refusal_explain(-errno, ECMPER_SERVER, NULL, err);
	loaded->skeleton = skel;
	loaded->destroy = (void (*)(void *))server_bpf__destroy;
	skel->rodata->mark_format = config->mark;
	bpf_map__set_max_entries(skel->maps.ECMPER_MAP_FRAGMENTS, config->max_fragments);
	ret = is_up ? reuse_maps(skel->obj, folder, err) : 0;
	if (ret)
		return ret;
	ret = server_bpf__load(skel);
	if (ret)
		return refusal_explain(ret, ECMPER_SERVER, skel->obj, err);
	loaded->prog_fd = bpf_program__fd(skel->progs.ecmper_server);
	loaded->own_macs_fd = bpf_map__fd(skel->maps.ECMPER_MAP_OWN_MACS);
	return 0;
}

static int pin_server(const struct loaded *loaded, const char *folder, struct ecmper_error *err)
{
	const struct server_bpf *skel = loaded->skeleton;

	return write_config(skel->maps.ECMPER_MAP_CONFIG, &loaded->config)
		       ?: pin_maps(skel->obj, folder, err);
}

int role_load(const struct ecmper_up_options *options, const char *folder, bool is_up,
	      struct loaded *loaded, struct ecmper_error *err)
{
	refusal_listen();
	if (options->role == ECMPER_ROUTER)
		return load_router(&loaded->config, folder, is_up, loaded, err);
	return load_server(&loaded->config, folder, is_up, loaded, err);
}

int role_pin(const struct ecmper_up_options *options, const char *folder, struct loaded *loaded,
	     struct ecmper_error *err)
{
	return options->role == ECMPER_ROUTER ? pin_router(loaded, folder, err)
					      : pin_server(loaded, folder, err);
}

int role_finish(const struct ecmper_up_options *options, const char *folder,
		const struct loaded *loaded, struct ecmper_error *err)
{
	return options->role == ECMPER_ROUTER ? attach_tx_errors(loaded->skeleton, folder, err)
					      : set_vips(loaded->skeleton, options, err);
}

int role_tell(const struct ecmper_up_options *options, const struct loaded *loaded,
	      struct ecmper_error *err)
{
	const struct router_bpf *router = loaded->skeleton;
	const struct server_bpf *server = loaded->skeleton;
	struct bpf_map *map = options->role == ECMPER_ROUTER ? router->maps.ECMPER_MAP_CONFIG
							     : server->maps.ECMPER_MAP_CONFIG;
	const struct ecmper_config *wanted = &loaded->config;
	struct ecmper_config config;
	uint32_t key = 0;
	int ret = bpf_map_lookup_elem(bpf_map__fd(map), &key, &config);

	/* Edits write the rest of a router's. */
	config.mark = wanted->mark;
	config.flight_ms = wanted->flight_ms;
	config.icmp_rate = wanted->icmp_rate;
	config.also_mac_count = wanted->also_mac_count;
	memcpy(config.also_macs, wanted->also_macs, sizeof(config.also_macs));
	ret = ret ?: write_config(map, &config);
	return ret ? ecmper_fail(err, ret, "cannot write map config: %s", strerror(-ret)) : 0;
}

void role_unload(struct loaded *loaded)
{
	if (loaded->skeleton)
		loaded->destroy(loaded->skeleton);
	loaded->skeleton = NULL;
}
