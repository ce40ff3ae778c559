// SPDX-License-Identifier: GPL-2.0-only
/*
 * Up: checks everything it can before it changes anything, and takes back what it began when a
 * later step fails. down.c is the way back.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "edit.h"
#include "error.h"
#include "instance.h"
#include "own_macs.h"
#include "pin.h"
#include "xdp.h"

#define SLOTS_MAX (1U << 30)

static const struct {
	const char *option;
	bool is_server_too;
	uint32_t fallback, min, max;
	uint32_t unit;         /* a size is rounded up to a multiple of this: see region_unit */
	size_t wanted, actual; /* places in the options and in the config */
} sizes[] = {
#define SIZE(name, option, is_server_too, fallback, min, max, unit)                                \
	{                                                                                          \
		option, is_server_too, fallback, min, max, unit,                                   \
			offsetof(struct ecmper_up_options, name),                                  \
			offsetof(struct ecmper_config, name)                                       \
	}
	SIZE(max_prefixes, "--max-prefixes", false, 16384, 1, 1 << 24, 1),
	SIZE(max_next_hops, "--max-next-hops", false, 4096, 2, UINT16_MAX + 1, 1),
	SIZE(max_buckets, "--max-buckets", false, 4 << 20, 64, SLOTS_MAX, CUR_NH_UNIT),
	SIZE(max_history, "--max-history", false, 16 << 20, 64, SLOTS_MAX, PRV_NH_UNIT),
	SIZE(max_members, "--max-members", false, 256 << 10, 8, 1 << 26, MEMBERS_UNIT),
	SIZE(max_ports, "--max-ports", false, 256, 1, 4096, 1),
	SIZE(max_fragments, "--max-fragments", true, 16384, 64, 1 << 24, 1),
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
		wanted = (wanted + sizes[i].unit - 1) / sizes[i].unit * sizes[i].unit;
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
						 .flight_ms = ECMPER_FLIGHT_MS_DEFAULT};
	if (options->mark >= 0 && is_up && options->role == ECMPER_ROUTER &&
	    config->mark != (uint32_t)options->mark)
		return ecmper_fail(err, -EBUSY,
				   "--mark is fixed while the router is up: `down` first, or leave "
				   "it out");
	if (options->mark >= 0)
		config->mark = options->mark;
	if (options->flight_ms >= 0)
		config->flight_ms = options->flight_ms;
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

/* One `up` under way. */
struct up {
	const struct ecmper_up_options *options;
	const char *folder;
	bool is_up; /* the instance was there before */
	struct device devices[ECMPER_DEVS_MAX];
	struct own_macs macs;
	struct loaded loaded;
	struct ecmper_up_report *report;
	struct ecmper_error *err;
};

static int find_devices(struct up *up)
{
	const struct ecmper_up_options *options = up->options;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < options->dev_count; i++) {
		ret = device_get(options->devs[i], &up->devices[i]);
		if (ret)
			return ecmper_fail(
				up->err, ret,
				"%s: no such device in this network namespace; `ip link` "
				"lists them",
				options->devs[i]);
		ret = xdp_check_free(&up->devices[i], up->folder, up->err);
	}
	return ret;
}

static bool is_named(const struct up *up, uint32_t ifindex)
{
	for (unsigned int i = 0; i < up->options->dev_count; i++)
		if (up->devices[i].ifindex == ifindex)
			return true;
	return false;
}

/* A device that is left out is taken for one that shall go: it must be one that we see. */
static int check_other(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	const struct up *up = arg;

	(void)fd;
	if (!ifindex || is_named(up, ifindex) || xdp_is_on(ifindex, prog_id))
		return 0;
	return ecmper_fail(up->err, -EBUSY,
			   "%s is on a device of another network namespace: name another instance "
			   "with --pin; nothing was changed",
			   path);
}

/* The router's tables become what the state says, or would; under the lock that `up` holds. */
static int apply_state(struct up *up, enum ecmper_edit_mode mode)
{
	struct ecmper *ecmper;
	int ret;

	if (!up->options->state)
		return 0;
	ecmper_report_free(&up->report->edit);
	ret = ecmper_open(up->options->pin, ECMPER_ROUTER, &ecmper, up->err);
	if (ret)
		return ret;
	ret = edit_tables(&ecmper->tables, up->options->state, mode, &up->report->edit, up->err);
	ecmper_close(ecmper);
	return ret;
}

/* All that can be refused. A new instance gets its whole state here, before any packet sees it. */
static int prepare(struct up *up)
{
	int ret = find_devices(up)
			  ?: make_config(up->options, up->is_up, &up->loaded.config, up->err);

	if (!ret && up->is_up && up->options->is_whole)
		ret = pin_links_each(up->folder, check_other, up);
	if (!ret && !up->is_up) /* an `up` that was killed left something unfinished */
		ret = pins_remove(up->folder, up->err);
	ret = ret ?: role_load(up->options, up->folder, up->is_up, &up->loaded, up->err);
	up->report->lacks = up->loaded.lacks;
	if (!ret && !up->is_up)
		ret = role_pin(up->options, up->folder, &up->loaded, up->err);
	return ret ?: apply_state(up, ECMPER_EDIT_APPLY | (up->is_up ? ECMPER_EDIT_CHECK : 0));
}

static int attach_all(struct up *up)
{
	const struct ecmper_up_options *options = up->options;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < options->dev_count; i++) {
		struct ecmper_up_port *port = &up->report->ports[i];

		memcpy(port->dev, up->devices[i].name, sizeof(port->dev));
		ret = xdp_attach(&up->devices[i], up->folder, up->loaded.prog_fd, options->mode,
				 &port->is_native, &port->was_attached, up->err);
		if (!ret)
			up->report->port_count++;
	}
	return ret;
}

/* The devices' own MACs, and those that are said to be this host's, too. */
static int set_macs(struct up *up)
{
	const struct ecmper_up_options *options = up->options;
	uint8_t list[1 + ECMPER_ALSO_MACS_MAX][6];
	int ret;

	memcpy(list + 1, options->also_macs, sizeof(options->also_macs));
	for (unsigned int i = 0; i < options->dev_count; i++) {
		memcpy(list[0], up->devices[i].mac, sizeof(list[0]));
		ret = own_macs_set(&up->macs, up->devices[i].ifindex, list,
				   1 + options->also_mac_count);
		if (ret)
			return ecmper_fail(up->err, ret,
					   "%s: map own_macs has room for %u MACs of all devices "
					   "whose index is the same modulo %u: leave out an "
					   "--also-mac; nothing was changed",
					   up->devices[i].name, ECMPER_OWN_MAC_SLOTS,
					   ECMPER_OWN_MAC_LINES);
	}
	ret = own_macs_write(&up->macs);
	return ret ? ecmper_fail(up->err, ret, "cannot set the devices' MACs (map own_macs): %s",
				 strerror(-ret))
		   : 0;
}

/* Devices of an instance that this `up` does not name get the new program, too; and the MAC that
 * they have now is theirs, besides what was said of them. */
static int replace_other(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	struct up *up = arg;
	struct device device;
	char name[IF_NAMESIZE];
	int ret;

	(void)prog_id;
	if (is_named(up, ifindex))
		return 0;
	if (!ifindex) /* its device is gone */
		return unlink(path) ? -errno : 0;
	if (up->options->is_whole)
		return 0;
	if (!device_get(if_indextoname(ifindex, name) ?: "", &device)) {
		ret = own_macs_allow(&up->macs, ifindex, device.mac) ?: own_macs_write(&up->macs);
		if (ret)
			return ret;
	}
	return bpf_link_update(fd, up->loaded.prog_fd, NULL);
}

/* Or, where those that it names are all that shall be, no program at all. */
static int detach_other(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	struct up *up = arg;
	struct ecmper_up_port *port = &up->report->ports[up->report->port_count];

	(void)prog_id;
	if (is_named(up, ifindex))
		return 0;
	if (up->report->port_count < ECMPER_UP_PORTS_MAX) {
		if_indextoname(ifindex, port->dev);
		port->is_detached = true;
		up->report->port_count++;
	}
	if (bpf_link_detach(fd) || unlink(path))
		return -errno;
	return own_macs_set(&up->macs, ifindex, NULL, 0) ?: own_macs_write(&up->macs);
}

/* Links that this `up` made are taken back; the ones that were there keep the old program or the new. */
static void detach_new(const struct up *up)
{
	for (unsigned int i = 0; i < up->report->port_count; i++) {
		char path[600];

		pin_link_path(up->folder, up->devices[i].ifindex, path, sizeof(path));
		if (!up->report->ports[i].was_attached)
			unlink(path);
	}
}

static int commit(struct up *up)
{
	int ret = own_macs_open(&up->macs, up->loaded.own_macs_fd);

	if (ret)
		return ecmper_fail(up->err, ret, "cannot read map own_macs: %s", strerror(-ret));
	ret = set_macs(up) ?: attach_all(up);

	if (!ret && up->is_up)
		ret = pin_links_each(up->folder, replace_other, up)
			      ?: apply_state(up, ECMPER_EDIT_APPLY);
	ret = ret ?: role_finish(up->options, up->folder, &up->loaded, up->err);
	if (ret) {
		detach_new(up);
		own_macs_undo(&up->macs);
		return ret;
	}
	if (up->options->is_whole)
		ret = pin_links_each(up->folder, detach_other, up);
	return ret ?: pin_version_write(up->folder, up->err);
}

static int up_locked(const struct ecmper_up_options *options, const char *folder,
		     struct ecmper_up_report *report, struct ecmper_error *err)
{
	struct up up = {.options = options, .folder = folder, .report = report, .err = err};
	int ret = role_config_read(folder, &up.loaded.config, err);

	if (ret && ret != -ENOENT)
		return ret;
	up.is_up = report->was_up = !ret;
	if (ret)
		error_clear(err);
	ret = prepare(&up);
	if (!ret && !options->is_check)
		ret = commit(&up);
	if (!up.is_up && (ret || options->is_check))
		pins_remove(folder, NULL);
	role_unload(&up.loaded);
	return ret;
}

int ecmper_up(const struct ecmper_up_options *options, struct ecmper_up_report *report,
	      struct ecmper_error *err)
{
	char folder[512];
	int lock_fd, ret;

	*report = (struct ecmper_up_report){};
	error_clear(err);
	ret = role_folder(options->pin, options->role, folder, sizeof(folder) - 64);
	if (ret)
		return ecmper_fail(err, ret, "the name of the pin folder is too long");
	do {
		ret = pin_folder_make(folder, err);
		if (ret)
			return ret;
		ret = instance_lock(folder, ECMPER_PATIENCE_DEFAULT, &lock_fd, err);
	} while (ret == -ENOENT); /* a `down` has just taken the folder away */
	if (ret)
		return ret;
	error_clear(err);
	ret = up_locked(options, folder, report, err);
	if (ret)
		ecmper_report_free(&report->edit);
	if (ret || (options->is_check && !report->was_up))
		folder_remove_empty(options->pin, folder);
	instance_unlock(lock_fd);
	return error_default(err, ret, "bring it up");
}
