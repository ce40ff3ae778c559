// SPDX-License-Identifier: GPL-2.0-only
/*
 * Up: checks everything it can before it changes anything, and takes back what it began when a
 * later step fails. down.c is the way back.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "edit.h"
#include "error.h"
#include "icmp_source.h"
#include "instance.h"
#include "own_macs.h"
#include "pin.h"
#include "xdp.h"

/* The MACs of all devices that have the program, for own_macs. */
struct mac_list {
	uint8_t mac[ECMPER_UP_PORTS_MAX + ECMPER_ALSO_MACS_MAX][6];
	unsigned int count;
	bool is_whole; /* no device is out of sight */
};

/* One `up` under way. */
struct up {
	const struct ecmper_up_options *options;
	const char *folder;
	bool is_up; /* the instance was there before */
	struct device devices[ECMPER_DEVS_MAX];
	struct own_macs macs;
	struct mac_list mac_list;
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
			  ?: config_make(up->options, up->is_up, &up->loaded.config, up->err);

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

static void list_mac(struct mac_list *list, const uint8_t mac[6])
{
	if (list->count < sizeof(list->mac) / sizeof(*list->mac))
		memcpy(list->mac[list->count++], mac, 6);
}

static int list_other(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	struct mac_list *list = arg;
	struct device device;
	char name[IF_NAMESIZE];

	(void)fd;
	(void)path;
	if (!ifindex) /* its device is gone */
		return 0;
	if (xdp_is_on(ifindex, prog_id) && if_indextoname(ifindex, name) &&
	    !device_get(name, &device))
		list_mac(list, device.mac);
	else
		list->is_whole = false;
	return 0;
}

static int mac_failed(struct up *up, int ret)
{
	if (ret == -ENOSPC)
		return ecmper_fail(up->err, ret,
				   "map own_macs has room for %u MACs that end in the same byte: "
				   "leave out an --also-mac; nothing was changed",
				   ECMPER_OWN_MAC_SLOTS);
	return ret ? ecmper_fail(up->err, ret, "cannot set the devices' MACs (map own_macs): %s",
				 strerror(-ret))
		   : 0;
}

/* Those and no others. Of devices that are out of sight, in another network namespace, nothing is
 * forgotten. */
static int set_macs(struct up *up)
{
	const struct mac_list *list = &up->mac_list;
	int ret = list->is_whole ? own_macs_set(&up->macs, list->mac, list->count) : 0;

	return mac_failed(up, ret ?: own_macs_write(&up->macs));
}

/* Which frames are this host's: those to its devices' MACs, and those that are said to be its own. Others
 * are forgotten when all is done, unless there is no room for both. */
static int allow_macs(struct up *up)
{
	const struct ecmper_config *config = &up->loaded.config;
	struct mac_list *list = &up->mac_list;
	int ret;

	list->is_whole = true;
	ret = up->is_up && !up->options->is_whole ? pin_links_each(up->folder, list_other, list)
						  : 0;
	for (unsigned int i = 0; i < up->options->dev_count; i++)
		list_mac(list, up->devices[i].mac);
	for (unsigned int i = 0; i < config->also_mac_count; i++)
		list_mac(list, config->also_macs[i].byte);
	for (unsigned int i = 0; !ret && i < list->count; i++)
		ret = own_macs_allow(&up->macs, list->mac[i]);
	if (ret == -ENOSPC && list->is_whole)
		return set_macs(up);
	return mac_failed(up, ret ?: own_macs_write(&up->macs));
}

static int set_icmp_source(struct up *up)
{
	int ret = up->options->role == ECMPER_ROUTER
			  ? icmp_source_set(up->loaded.icmp_source_fd, up->options, up->devices)
			  : 0;

	return ret ? ecmper_fail(up->err, ret,
				 "cannot set where ICMP errors come from (map icmp_source): %s",
				 strerror(-ret))
		   : 0;
}

/* On devices that it is not on yet. */
static int attach_new(struct up *up)
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

static void detach_new(const struct up *up)
{
	for (unsigned int i = 0; i < up->report->port_count; i++) {
		char path[600];

		pin_link_path(up->folder, up->devices[i].ifindex, path, sizeof(path));
		if (!up->report->ports[i].was_attached)
			unlink(path);
	}
}

/* The new program in place of the old one, on all devices; or, where those that are named are all that
 * shall be, none on the others. */
static int replace(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	struct up *up = arg;
	struct ecmper_up_port *port = &up->report->ports[up->report->port_count];

	(void)prog_id;
	if (!ifindex) /* its device is gone */
		return unlink(path) ? -errno : 0;
	if (!up->options->is_whole || is_named(up, ifindex))
		return bpf_link_update(fd, up->loaded.prog_fd, NULL)
			       ? ecmper_fail(up->err, -errno,
					     "cannot replace the XDP program of %s: %s; other "
					     "devices may have the new one, all work on: try again",
					     path, strerror(errno))
			       : 0;
	if (up->report->port_count < ECMPER_UP_PORTS_MAX) {
		if_indextoname(ifindex, port->dev);
		port->is_detached = true;
		up->report->port_count++;
	}
	return bpf_link_detach(fd) || unlink(path)
		       ? ecmper_fail(up->err, -errno, "cannot take the XDP program off %s: %s",
				     path, strerror(errno))
		       : 0;
}

/* What can fail comes first, and is taken back; then the programs, which work on the same maps. */
static int commit(struct up *up)
{
	int ret = own_macs_open(&up->macs, up->loaded.own_macs_fd);

	if (ret)
		return ecmper_fail(up->err, ret, "cannot read map own_macs: %s", strerror(-ret));
	ret = allow_macs(up) ?: set_icmp_source(up) ?: attach_new(up);
	ret = ret ?: role_finish(up->options, up->folder, &up->loaded, up->err);
	if (!ret && up->is_up)
		ret = apply_state(up, ECMPER_EDIT_APPLY);
	if (ret) {
		detach_new(up);
		own_macs_undo(&up->macs);
		return ret;
	}
	return role_tell(up->options, &up->loaded, up->err)
		       ?: pin_links_each(up->folder, replace, up)
		       ?: set_macs(up)
		       ?: pin_version_write(up->folder, up->err);
}

static int up_locked(const struct ecmper_up_options *options, const char *folder,
		     struct ecmper_up_report *report, struct ecmper_error *err)
{
	struct up up = {.options = options, .folder = folder, .report = report, .err = err};
	int ret = role_config_read(folder, &up.loaded.config, err);

	if (ret && ret != -ENOENT)
		return ret;
	/* Without `config`, or without a device and a version, an `up` or a `down` was killed. */
	up.is_up = report->was_up = !ret && pins_are_finished(folder);
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
