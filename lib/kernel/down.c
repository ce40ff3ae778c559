// SPDX-License-Identifier: GPL-2.0-only
/*
 * Down: takes a role off all of its devices, and its pins away, or off one device. Works on what
 * any version left.
 */
#include <errno.h>
#include <unistd.h>
#include "error.h"
#include "instance.h"
#include "pin.h"
#include "xdp.h"

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
	int ret = device_get(dev, &device);

	if (ret)
		return ecmper_fail(err, ret, "%s: no such device in this network namespace", dev);
	*left = 0;
	return xdp_detach(&device, folder, err) ?: pin_links_each(folder, count_link, left);
}

int ecmper_down(const char *pin, enum ecmper_role role, const char *dev, struct ecmper_error *err)
{
	unsigned int left = 0;
	char folder[512];
	int lock_fd, ret;

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
		return ecmper_fail(err, -ENOENT, "the %s is not up in %s", ecmper_role_names[role],
				   pin);
	}
	ret = instance_lock(folder, ECMPER_PATIENCE_DEFAULT, &lock_fd, err);
	if (ret)
		return ret;
	if (dev)
		ret = detach_one(folder, dev, &left, err);
	if (!ret && !left) {
		ret = pins_remove(folder, err);
		folder_remove_empty(pin, folder);
	}
	instance_unlock(lock_fd);
	return error_default(err, ret, "take it down");
}
