// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pin folder as a folder. Links are pinned by the index of their device, because bpffs takes
 * no dots and device names may have them. Used by xdp.c and stats.c.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "instance.h"
#include "pin.h"

#define BPFFS       "/sys/fs/bpf"
#define LINK_PREFIX "link_"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static bool is_mount_point(const char *path)
{
	struct stat here, above;
	char parent[600];

	snprintf(parent, sizeof(parent), "%s/..", path);
	return !stat(path, &here) && !stat(parent, &above) && here.st_dev != above.st_dev;
}

/* What systemd does at boot, for machines without it. */
static int mount_bpffs(const char *path, struct ecmper_error *err)
{
	if (strncmp(path, BPFFS, strlen(BPFFS)) || is_bpffs(BPFFS))
		return 0;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return ecmper_fail(err, -errno, "cannot mount a bpffs on " BPFFS ": %s",
				   strerror(errno));
	return 0;
}

int pin_folder_make(const char *path, struct ecmper_error *err)
{
	char part[512];
	int ret = mount_bpffs(path, err);

	if (ret)
		return ret;
	if (strlen(path) >= sizeof(part) - 64)
		return ecmper_fail(err, -ENAMETOOLONG, "the name of the pin folder is too long");
	for (const char *slash = path; slash;) {
		slash = strchr(slash + 1, '/');
		snprintf(part, sizeof(part), "%.*s",
			 (int)(slash ? slash - path : (ptrdiff_t)strlen(path)), path);
		if (access(part, F_OK) && mkdir(part, 0700) && errno != EEXIST)
			return ecmper_fail(err, -errno,
					   "cannot make the pin folder %s: %s; it must be on a "
					   "bpffs (mount -t bpf bpf FOLDER)",
					   part, strerror(errno));
	}
	if (!is_bpffs(path)) {
		rmdir(path);
		return ecmper_fail(err, -ENOTDIR,
				   "%s is not on a bpffs: name a folder below " BPFFS
				   ", or mount one (mount -t bpf bpf FOLDER)",
				   path);
	}
	return is_mount_point(path)
		       ? ecmper_fail(
				 err, -EINVAL,
				 "%s is all of a bpffs, where others may have pins, too: name a "
				 "folder below it",
				 path)
		       : 0;
}

/* link_2 is, link_to_the_past is not. */
static bool is_link(const char *name)
{
	size_t length = strlen(LINK_PREFIX);

	return !strncmp(name, LINK_PREFIX, length) && name[length] &&
	       !name[length + strspn(name + length, "0123456789")];
}

void pin_link_path(const char *folder, uint32_t ifindex, char *path, size_t size)
{
	snprintf(path, size, "%s/" LINK_PREFIX "%u", folder, ifindex);
}

int pin_links_each(const char *folder,
		   int (*each)(int fd, const char *path, uint32_t ifindex, uint32_t prog_id,
			       void *arg),
		   void *arg)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		struct bpf_link_info info = {};
		uint32_t length = sizeof(info);
		char path[1024];
		int fd;

		if (!is_link(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		fd = bpf_obj_get(path);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
			ret = -errno;
		else
			ret = each(fd, path, info.xdp.ifindex, info.prog_id, arg);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return ret;
}

static bool is_ours(const char *name)
{
	if (!strcmp(name, ECMPER_STR(ECMPER_MAP_VIPS)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_MAP_VIPS6)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_MAP_FRAGMENTS)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_MAP_OWN_MACS)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_MAP_ICMP_SOURCE)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_MAP_ICMP_WORK)) ||
	    !strcmp(name, ECMPER_STR(ECMPER_LINK_TX_ERRORS)) || !strcmp(name, PIN_NEW) ||
	    is_link(name))
		return true;
	for (enum map_index map = 0; map < MAPS; map++)
		if (!strcmp(name, map_names[map]))
			return true;
	return false;
}

bool pins_exist(const char *path)
{
	struct dirent *entry;
	bool exist = false;
	DIR *dir = is_mount_point(path) ? NULL : opendir(path);

	while (dir && !exist && (entry = readdir(dir)))
		exist = is_ours(entry->d_name);
	if (dir)
		closedir(dir);
	return exist;
}

static int remove_link(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	(void)ifindex;
	(void)prog_id;
	(void)arg;
	bpf_link_detach(fd);
	return unlink(path) ? -errno : 0;
}

int pins_remove(const char *path, struct ecmper_error *err)
{
	int ret = pin_links_each(path, remove_link, NULL);
	struct dirent *entry;
	DIR *dir;

	dir = ret ? NULL : opendir(path);
	while (dir && !ret && (entry = readdir(dir)))
		if (is_ours(entry->d_name) &&
		    strcmp(entry->d_name, ECMPER_STR(ECMPER_MAP_CONFIG)) &&
		    unlinkat(dirfd(dir), entry->d_name, 0))
			ret = -errno;
	/* Last: as long as it is there, `down` can be said again. */
	if (dir && !ret && unlinkat(dirfd(dir), ECMPER_STR(ECMPER_MAP_CONFIG), 0) &&
	    errno != ENOENT)
		ret = -errno;
	if (dir)
		closedir(dir);
	return ret ? ecmper_fail(err, ret, "cannot remove the pins in %s: %s", path, strerror(-ret))
		   : 0;
}
