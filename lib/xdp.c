// SPDX-License-Identifier: GPL-2.0-only
/*
 * Up and down. `up` checks everything it can before it changes anything, and takes back what it
 * began when a later step fails. Used by ecmper-loader.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "error.h"
#include "icmp_source.h"
#include "instance.h"
#include "own_macs.h"
#include "pin.h"
#include "xdp.h"

#define SLOTS_MAX (1U << 30)

static const struct {
	const char *option;
	bool is_server_too;
	uint32_t fallback, min, max;
	size_t wanted, actual; /* places in the options and in the config */
} sizes[] = {
#define SIZE(name, option, is_server_too, fallback, min, max)                                      \
	{                                                                                          \
		option, is_server_too, fallback, min, max,                                         \
			offsetof(struct ecmper_up_options, name),                                  \
			offsetof(struct ecmper_config, name)                                       \
	}
	SIZE(max_prefixes, "--max-prefixes", false, 16384, 1, 1 << 24),
	SIZE(max_next_hops, "--max-next-hops", false, 4096, 2, UINT16_MAX + 1),
	SIZE(max_buckets, "--max-buckets", false, 4 << 20, 64, SLOTS_MAX),
	SIZE(max_history, "--max-history", false, 16 << 20, 64, SLOTS_MAX),
	SIZE(max_members, "--max-members", false, 256 << 10, 8, 1 << 26),
	SIZE(max_ports, "--max-ports", false, 64, 1, 4096),
	SIZE(max_fragments, "--max-fragments", true, 16384, 64, 1 << 24),
};

static int set_sizes(const struct ecmper_up_options *options, bool is_up,
		     struct ecmper_config *config, struct ecmper_error *err)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint32_t wanted = *(const uint32_t *)((const char *)options + sizes[i].wanted);
		uint32_t *actual = (uint32_t *)((char *)config + sizes[i].actual);

		if (options->role == ECMPER_SERVER && !sizes[i].is_server_too)
			continue;
		if (wanted && (wanted < sizes[i].min || wanted > sizes[i].max))
			return ecmper_fail(err, -EINVAL, "%s %u is out of range: %u to %u",
					   sizes[i].option, wanted, sizes[i].min, sizes[i].max);
		if (is_up && wanted && wanted != *actual)
			return ecmper_fail(
				err, -EBUSY,
				"%s is fixed while the program is up (%u): `down` first, "
				"or leave it out",
				sizes[i].option, *actual);
		if (!is_up)
			*actual = wanted ? wanted : sizes[i].fallback;
	}
	/* Two slots for each prefix: few find their line full. More would only fill the CPU's caches. */
	config->vip_lines = 1;
	while (config->vip_lines < config->max_prefixes / 4)
		config->vip_lines *= 2;
	return 0;
}

/* The config that the instance gets, or has. */
static int make_config(const struct ecmper_up_options *options, bool is_up,
		       struct ecmper_config *config, struct ecmper_error *err)
{
	if (!is_up)
		*config = (struct ecmper_config){.abi_version = ECMPER_ABI_VERSION,
						 .role = options->role,
						 .mark = ECMPER_MARK_DSCP,
						 .flight_ms = ECMPER_FLIGHT_MS_DEFAULT,
						 .icmp_rate = ECMPER_ICMP_RATE_DEFAULT};
	if (options->mark >= 0 && is_up && options->role == ECMPER_ROUTER &&
	    config->mark != (uint32_t)options->mark)
		return ecmper_fail(err, -EBUSY,
				   "--mark is fixed while the router is up: `down` first, or leave "
				   "it out");
	if (options->mark >= 0)
		config->mark = options->mark;
	if (options->flight_ms >= 0)
		config->flight_ms = options->flight_ms;
	if (options->icmp_rate)
		config->icmp_rate = options->icmp_rate;
	if (options->role == ECMPER_SERVER)
		return set_sizes(options, is_up, config, err);
	if (options->has_hash_key && is_up &&
	    memcmp(&options->hash_key, &config->hash_key, sizeof(config->hash_key)))
		return ecmper_fail(err, -EBUSY,
				   "--hash-key is fixed while the router is up: another one would "
				   "move every connection; `down` first, or leave it out");
	if (!is_up && options->has_hash_key)
		config->hash_key = options->hash_key;
	else if (!is_up && getrandom(&config->hash_key, sizeof(config->hash_key), 0) !=
				   sizeof(config->hash_key))
		return ecmper_fail(err, -EIO, "cannot get random bytes for the hash key");
	return set_sizes(options, is_up, config, err);
}

static int find_devices(const struct ecmper_up_options *options, const char *folder,
			struct device *devices, struct ecmper_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < options->dev_count; i++) {
		ret = device_get(options->devs[i], &devices[i]);
		if (ret)
			return ecmper_fail(
				err, ret,
				"%s: no such device in this network namespace; `ip link` "
				"lists them",
				options->devs[i]);
		ret = xdp_check_free(&devices[i], folder, err);
	}
	return ret;
}

static int attach_all(const struct ecmper_up_options *options, const struct device *devices,
		      const char *folder, int prog_fd, struct ecmper_up_report *report,
		      struct ecmper_error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < options->dev_count; i++) {
		memcpy(report->ports[i].dev, devices[i].name, sizeof(report->ports[i].dev));
		ret = xdp_attach(&devices[i], folder, prog_fd, options->mode,
				 &report->ports[i].is_native, &report->ports[i].was_attached, err);
		if (!ret)
			report->port_count++;
	}
	return ret;
}

struct replacement {
	const struct ecmper_up_options *options;
	const struct device *devices;
	struct own_macs *macs;
	int prog_fd;
};

/* The devices' own MACs, and those that are said to be this host's, too. */
static int set_macs(const struct ecmper_up_options *options, const struct device *devices,
		    struct own_macs *macs, struct ecmper_error *err)
{
	uint8_t list[1 + ECMPER_ALSO_MACS_MAX][6];
	int ret;

	memcpy(list + 1, options->also_macs, sizeof(options->also_macs));
	for (unsigned int i = 0; i < options->dev_count; i++) {
		memcpy(list[0], devices[i].mac, sizeof(list[0]));
		ret = own_macs_set(macs, devices[i].ifindex, list, 1 + options->also_mac_count);
		if (ret)
			return ecmper_fail(err, ret,
					   "%s: map own_macs has room for %u MACs of all devices "
					   "whose index is the same modulo %u: leave out an "
					   "--also-mac; nothing was changed",
					   devices[i].name, ECMPER_OWN_MAC_SLOTS,
					   ECMPER_OWN_MAC_LINES);
	}
	ret = own_macs_write(macs);
	return ret ? ecmper_fail(err, ret, "cannot set the devices' MACs (map own_macs): %s",
				 strerror(-ret))
		   : 0;
}

/* Devices of an instance that this `up` does not name get the new program, too; and the MAC that
 * they have now is theirs, besides what was said of them. */
static int replace_other(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	const struct replacement *replacement = arg;
	struct device device;
	char name[IF_NAMESIZE];
	int ret;

	(void)prog_id;
	for (unsigned int i = 0; i < replacement->options->dev_count; i++)
		if (replacement->devices[i].ifindex == ifindex)
			return 0;
	if (!ifindex) /* its device is gone */
		return unlink(path) ? -errno : 0;
	if (!device_get(if_indextoname(ifindex, name) ?: "", &device)) {
		ret = own_macs_allow(replacement->macs, ifindex, device.mac)
			      ?: own_macs_write(replacement->macs);
		if (ret)
			return ret;
	}
	return bpf_link_update(fd, replacement->prog_fd, NULL);
}

/* Links that this `up` made are taken back; the ones that were there keep the old program or the new. */
static void detach_new(const struct device *devices, const struct ecmper_up_report *report,
		       const char *folder)
{
	for (unsigned int i = 0; i < report->port_count; i++) {
		char path[600];

		pin_link_path(folder, devices[i].ifindex, path, sizeof(path));
		if (!report->ports[i].was_attached)
			unlink(path);
	}
}

static int set_icmp_source(const struct ecmper_up_options *options, const struct device *devices,
			   const struct loaded *loaded, struct ecmper_error *err)
{
	int ret = icmp_source_set(loaded->icmp_source_fd, options, devices);

	return ret ? ecmper_fail(err, ret,
				 "cannot set where ICMP errors come from (map icmp_source): %s",
				 strerror(-ret))
		   : 0;
}

/* The loaded program onto all devices, all or none of them. */
static int take_over(const struct ecmper_up_options *options, const struct device *devices,
		     const char *folder, bool is_up, const struct loaded *loaded,
		     struct ecmper_up_report *report, struct ecmper_error *err)
{
	struct own_macs macs;
	struct replacement replacement = {
		.options = options, .devices = devices, .macs = &macs, .prog_fd = loaded->prog_fd};
	int ret = own_macs_open(&macs, loaded->own_macs_fd);

	if (ret)
		return ecmper_fail(err, ret, "cannot read map own_macs: %s", strerror(-ret));
	ret = set_macs(options, devices, &macs, err);
	if (!ret && options->role == ECMPER_ROUTER)
		ret = set_icmp_source(options, devices, loaded, err);
	ret = ret ?: attach_all(options, devices, folder, loaded->prog_fd, report, err);
	if (!ret && is_up)
		ret = pin_links_each(folder, replace_other, &replacement);
	if (ret)
		detach_new(devices, report, folder);
	else
		ret = role_finish(options, loaded);
	if (ret)
		own_macs_undo(&macs);
	return ret;
}

static int up(const struct ecmper_up_options *options, const char *folder, bool is_up,
	      struct ecmper_config *config, struct ecmper_up_report *report,
	      struct ecmper_error *err)
{
	struct device devices[ECMPER_DEVS_MAX];
	struct loaded loaded = {};
	int ret;

	ret = find_devices(options, folder, devices, err)
		      ?: make_config(options, is_up, config, err);
	if (ret)
		return ret;
	if (!is_up) /* an `up` that was killed left something unfinished */
		ret = pins_remove(folder, err);
	loaded.config = *config;
	ret = ret ?: role_load(options, folder, is_up, &loaded, err);
	ret = ret ?: take_over(options, devices, folder, is_up, &loaded, report, err);
	if (ret && !is_up)
		pins_remove(folder, NULL);
	role_unload(&loaded);
	return ret;
}

/* The role's folder, and the instance's when the other role is not in it. */
static void remove_empty(const char *pin, const char *folder)
{
	rmdir(folder);
	rmdir(pin);
}

int ecmper_up(const struct ecmper_up_options *options, struct ecmper_up_report *report,
	      struct ecmper_error *err)
{
	struct ecmper_config config;
	char folder[512];
	int dir_fd, ret;

	*report = (struct ecmper_up_report){};
	error_clear(err);
	ret = role_folder(options->pin, options->role, folder, sizeof(folder) - 64);
	if (ret)
		return ecmper_fail(err, ret, "the name of the pin folder is too long");
	ret = pin_folder_make(folder, err);
	if (ret)
		return ret;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return ecmper_fail(err, -errno, "cannot open %s: %s", folder, strerror(errno));
	ret = instance_lock(dir_fd, folder, err);
	if (!ret) {
		ret = role_config_read(folder, &config, err);
		report->was_up = !ret;
		if (ret == -ENOENT)
			error_clear(err);
		if (!ret || ret == -ENOENT)
			ret = up(options, folder, report->was_up, &config, report, err);
	}
	close(dir_fd);
	if (ret)
		remove_empty(options->pin, folder);
	return error_default(err, ret, "bring it up");
}

static int count_link(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	unsigned int *count = arg;

	(void)fd;
	(void)path;
	(void)prog_id;
	*count += ifindex != 0;
	return 0;
}

/* Take the program off one device. *left: devices that still have it. */
static int detach_one(const char *folder, const char *dev, unsigned int *left,
		      struct ecmper_error *err)
{
	struct device device;
	char path[600];
	int ret = device_get(dev, &device);

	if (ret)
		return ecmper_fail(err, ret, "%s: no such device in this network namespace", dev);
	pin_link_path(folder, device.ifindex, path, sizeof(path));
	if (unlink(path))
		return ecmper_fail(err, -errno, "ecmper of %s is not on %s", folder, dev);
	*left = 0;
	return pin_links_each(folder, count_link, left);
}

int ecmper_down(const char *pin, enum ecmper_role role, const char *dev, struct ecmper_error *err)
{
	unsigned int left = 0;
	char folder[512];
	int dir_fd, ret;

	error_clear(err);
	ret = role_folder(pin, role, folder, sizeof(folder) - 64);
	if (ret)
		return ecmper_fail(err, ret, "the name of the pin folder is too long");
	/* An empty folder is what is left of a `down` that was killed at its end; pins without
	 * `config`, of an `up` that was killed. */
	if (!ecmper_is_up(pin, role) && !pins_exist(folder)) {
		if (!rmdir(folder)) {
			rmdir(pin);
			return 0;
		}
		return ecmper_fail(err, -ENOENT, "the %s is not up in %s",
				   role == ECMPER_SERVER ? "server" : "router", pin);
	}
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return ecmper_fail(err, -errno, "cannot open %s: %s", folder, strerror(errno));
	ret = instance_lock(dir_fd, folder, err);
	if (!ret && dev)
		ret = detach_one(folder, dev, &left, err);
	if (!ret && !left) {
		ret = pins_remove(folder, err);
		remove_empty(pin, folder);
	}
	close(dir_fd);
	return error_default(err, ret, "take it down");
}
