// SPDX-License-Identifier: GPL-2.0-only
/*
 * One program, one device: checking that the device is free, attaching by a pinned bpf_link,
 * replacing in place.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "pin.h"
#include "xdp.h"

/* Ids of the programs on a device, in the order native, generic, offloaded. */
static int query(uint32_t ifindex, uint32_t ids[3])
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int ret = bpf_xdp_query(ifindex, 0, &opts);

	ids[0] = opts.drv_prog_id;
	ids[1] = opts.skb_prog_id;
	ids[2] = opts.hw_prog_id;
	return ret;
}

bool xdp_is_on(uint32_t ifindex, uint32_t prog_id)
{
	uint32_t ids[3];

	return !query(ifindex, ids) &&
	       (ids[0] == prog_id || ids[1] == prog_id || ids[2] == prog_id);
}

/* What a program is called, for a message. Its name may be asked for with more rights only than
 * attaching needs. */
static void describe_program(uint32_t id, char text[BPF_OBJ_NAME_LEN + 32])
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) && info.name[0])
		sprintf(text, "\"%.*s\" (id %u)", BPF_OBJ_NAME_LEN, info.name, id);
	else
		sprintf(text, "with id %u", id);
	if (fd >= 0)
		close(fd);
}

/* Our link on a device: its fd; -ENOENT: there is none. *prog_id: the program it holds. */
static int find_link(const struct device *device, const char *folder, uint32_t *prog_id)
{
	struct bpf_link_info info = {};
	uint32_t length = sizeof(info);
	char path[600];
	int fd, ret;

	pin_link_path(folder, device->ifindex, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	ret = bpf_obj_get_info_by_fd(fd, &info, &length);
	if (!ret && info.xdp.ifindex == device->ifindex) {
		*prog_id = info.prog_id;
		return fd;
	}
	close(fd);
	if (ret)
		return ret;
	/* Left from a device of that index which is gone. */
	unlink(path);
	return -ENOENT;
}

int xdp_check_free(const struct device *device, const char *folder, struct ecmper_error *err)
{
	char program[BPF_OBJ_NAME_LEN + 32];
	uint32_t ids[3], ours = 0;
	int fd, ret = query(device->ifindex, ids);

	if (ret)
		return ecmper_fail(err, ret, "cannot ask for the XDP program of %s: %s",
				   device->name, strerror(-ret));
	fd = find_link(device, folder, &ours);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && ids[0] != ours && ids[1] != ours && ids[2] != ours)
		return ecmper_fail(
			err, -EBUSY,
			"%s is used in another network namespace, for a device of the "
			"same index as %s: name another instance with --pin; nothing was "
			"changed",
			folder, device->name);
	if (fd < 0 && fd != -ENOENT)
		return ecmper_fail(err, fd,
				   "cannot look at the link of %s in %s: %s; nothing was changed",
				   device->name, folder, strerror(-fd));
	for (int i = 0; i < 3; i++) {
		if (!ids[i] || ids[i] == ours)
			continue;
		describe_program(ids[i], program);
		return ecmper_fail(err, -EBUSY,
				   "%s already has the XDP program %s; detach it (bpftool "
				   "net detach xdp dev %s, or ip link set dev %s xdp off) or take "
				   "another device; nothing was changed",
				   device->name, program, device->name, device->name);
	}
	return 0;
}

static int create_link(const struct device *device, int prog_fd, bool is_native)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = is_native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

	return bpf_link_create(prog_fd, device->ifindex, BPF_XDP, &opts);
}

int xdp_attach(const struct device *device, const char *folder, int prog_fd,
	       enum ecmper_xdp_mode mode, bool *is_native, bool *was_attached,
	       struct ecmper_error *err)
{
	uint32_t prog_id;
	char path[600];
	int ret, fd = find_link(device, folder, &prog_id);

	*was_attached = fd >= 0;
	if (fd < 0 && fd != -ENOENT)
		return ecmper_fail(err, fd, "cannot look at the link of %s in %s: %s", device->name,
				   folder, strerror(-fd));
	if (fd >= 0) {
		uint32_t ids[3];

		*is_native = query(device->ifindex, ids) || ids[0] || ids[2];
		close(fd);
		return 0;
	}
	*is_native = mode != ECMPER_XDP_GENERIC;
	fd = create_link(device, prog_fd, *is_native);
	if (fd < 0 && fd != -EBUSY && fd != -EPERM && mode == ECMPER_XDP_AUTO) {
		*is_native = false;
		fd = create_link(device, prog_fd, false);
	}
	if (fd < 0)
		return ecmper_fail(err, fd, "cannot attach to %s in %s mode: %s%s", device->name,
				   *is_native ? "native" : "generic", strerror(-fd),
				   mode == ECMPER_XDP_NATIVE
					   ? "; its driver may lack XDP, then --mode generic works"
					   : "");
	pin_link_path(folder, device->ifindex, path, sizeof(path));
	ret = bpf_obj_pin(fd, path);
	if (ret)
		ecmper_fail(err, ret, "cannot pin the link of %s: %s", device->name,
			    strerror(-ret));
	close(fd); /* without the pin this detaches */
	return ret;
}

int xdp_detach(const struct device *device, const char *folder, struct ecmper_error *err)
{
	uint32_t prog_id = 0; /* gcc 16 at -O3 does not see that fd >= 0 has set it */
	char path[600];
	int ret, fd = find_link(device, folder, &prog_id);

	if (fd == -ENOENT)
		return ecmper_fail(err, fd, "ecmper of %s is not on %s", folder, device->name);
	if (fd < 0)
		return ecmper_fail(err, fd, "cannot look at the link of %s in %s: %s", device->name,
				   folder, strerror(-fd));
	pin_link_path(folder, device->ifindex, path, sizeof(path));
	if (!xdp_is_on(device->ifindex, prog_id))
		ret = ecmper_fail(err, -ENOENT,
				  "ecmper of %s is not on %s, but on a device of the same index in "
				  "another network namespace; nothing was changed",
				  folder, device->name);
	else if (bpf_link_detach(fd) || unlink(path))
		ret = ecmper_fail(err, -errno, "cannot take the XDP program off %s: %s",
				  device->name, strerror(errno));
	else
		ret = 0;
	close(fd);
	return ret;
}
