// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening an instance: the pin folder, its maps, their memory. Refuses maps that another version
 * pinned, and says when what was opened is not what is pinned any more. What changes an open
 * instance does so under its lock.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "edit.h"
#include "error.h"
#include "instance.h"

const char *const map_names[MAPS] = {
#define X(name, value, roles, access, elements) ECMPER_STR(ECMPER_MAP_##name),
	HANDLE_MAPS(X)
#undef X
};

static const struct {
	uint32_t value_size;
	enum map_roles roles;
	enum map_access access;
} map_kinds[MAPS] = {
#define X(name, value, roles, access, elements) {sizeof(value), roles, access},
	HANDLE_MAPS(X)
#undef X
};

int role_folder(const char *pin, enum ecmper_role role, char *path, size_t size)
{
	int length = snprintf(path, size, "%s%s", pin, role == ECMPER_SERVER ? "/server" : "");

	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

bool ecmper_is_up(const char *pin, enum ecmper_role role)
{
	char folder[512], path[600];

	if (role_folder(pin, role, folder, sizeof(folder)))
		return false;
	snprintf(path, sizeof(path), "%s/" ECMPER_STR(ECMPER_MAP_CONFIG), folder);
	return !access(path, F_OK);
}

uint32_t map_entries(const struct ecmper_config *config, enum map_index map)
{
	switch (map) {
#define X(name, value, roles, access, elements)                                                    \
	case MAP_##name: return elements;
		HANDLE_MAPS(X)
#undef X
	case MAPS: break;
	}
	return 0;
}

int map_open(const char *folder, const char *name, uint32_t value_size, uint32_t entries, int *fd,
	     struct ecmper_error *err)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	char path[512];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ret = bpf_obj_get(path);
	if (ret == -ENOENT)
		return ecmper_fail(
			err, ret,
			"ecmper is not up in %s: bring it up with ecmper-loader, or name "
			"the instance with --pin",
			folder);
	if (ret == -EPERM || ret == -EACCES)
		return ecmper_fail(err, ret,
				   "no right to open %s: this needs root, or CAP_BPF and "
				   "CAP_NET_ADMIN and the folder's permission",
				   path);
	if (ret < 0)
		return ecmper_fail(err, ret, "cannot open %s: %s", path, strerror(-ret));
	*fd = ret;
	ret = bpf_obj_get_info_by_fd(*fd, &info, &length);
	if (ret)
		ecmper_fail(err, ret, "cannot ask what map %s is: %s", path, strerror(-ret));
	else if (info.value_size != value_size || info.max_entries != entries)
		ret = ecmper_fail(err, -EPROTO,
				  "%s was pinned by another version of ecmper: use that version's "
				  "programs, or `ecmper-loader ... down` and `up` to start anew",
				  path);
	if (ret) {
		close(*fd);
		*fd = -1;
	}
	return ret;
}

/* cur_nh and prv_nh are large, and mapping a BPF array fills all its page table entries at once
 * (about 0.1 us a page): only their address space is reserved, and windows of it are mapped when
 * they are touched. */
#define WINDOW (64 * 1024)

static int map_memory(struct ecmper *ecmper, enum map_index map, struct ecmper_error *err)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	size_t page = sysconf(_SC_PAGESIZE), size;
	int ret = bpf_obj_get_info_by_fd(ecmper->fd[map], &info, &length);

	if (ret)
		return ret;
	size = ((size_t)info.max_entries * info.value_size + page - 1) / page * page;
	if (map_kinds[map].access == ACCESS_WINDOWS) {
		ecmper->is_touched[map] = calloc(size / WINDOW + 1, 1);
		if (!ecmper->is_touched[map])
			return -ENOMEM;
		ecmper->mapped[map] = mmap(NULL, size, PROT_NONE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	} else {
		ecmper->mapped[map] =
			mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ecmper->fd[map], 0);
	}
	ecmper->mapped_size[map] = size;
	if (ecmper->mapped[map] != MAP_FAILED)
		return 0;
	ecmper->mapped[map] = NULL;
	return ecmper_fail(err, -errno, "cannot map %s/%s into memory: %s", ecmper->folder,
			   map_names[map], strerror(errno));
}

/* The array may end within the last window: less than a window is mapped there. */
static size_t window_size(const struct ecmper *ecmper, enum map_index map, size_t start)
{
	size_t left = ecmper->mapped_size[map] - start;

	return left < WINDOW ? left : WINDOW;
}

int instance_touch(void *arg, enum region region, uint32_t offset, uint32_t items)
{
	struct ecmper *ecmper = arg;
	enum map_index map = region == REGION_CUR_NH ? MAP_CUR_NH : MAP_PRV_NH;
	size_t first = (size_t)offset * sizeof(uint16_t) / WINDOW;
	size_t last = ((size_t)offset + items - 1) * sizeof(uint16_t) / WINDOW;

	if (region != REGION_CUR_NH && region != REGION_PRV_NH)
		return 0;
	for (size_t window = first; window <= last; window++) {
		void *at = (char *)ecmper->mapped[map] + window * WINDOW;

		if (__atomic_load_n(&ecmper->is_touched[map][window], __ATOMIC_ACQUIRE))
			continue;
		if (mmap(at, window_size(ecmper, map, window * WINDOW), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, ecmper->fd[map], window * WINDOW) == MAP_FAILED)
			return -errno;
		/* Another thread may have done the same meanwhile: the same memory, at the same place. */
		__atomic_store_n(&ecmper->is_touched[map][window], true, __ATOMIC_RELEASE);
	}
	return 0;
}

static int check_version(const struct ecmper *ecmper, struct ecmper_error *err)
{
	const struct ecmper_config *config = ecmper->mapped[MAP_CONFIG];

	if (config->abi_version == ECMPER_ABI_VERSION && config->role == ecmper->role)
		return 0;
	return ecmper_fail(err, -EPROTO,
			   "%s was made by ABI version %u of ecmper, this is version %u: use that "
			   "version's programs, or `ecmper-loader %s down` and `up` to start anew",
			   ecmper->folder, config->abi_version, ECMPER_ABI_VERSION,
			   ecmper_role_names[ecmper->role]);
}

int map_id(int fd, uint32_t *id)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int ret = bpf_obj_get_info_by_fd(fd, &info, &length);

	*id = info.id;
	return ret;
}

int instance_check(const struct ecmper *ecmper, struct ecmper_error *err)
{
	char path[600];
	uint32_t id;
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", ecmper->folder, map_names[MAP_CONFIG]);
	fd = bpf_obj_get(path);
	ret = fd < 0 ? fd : map_id(fd, &id);
	if (fd >= 0)
		close(fd);
	if (ret && ret != -ENOENT)
		return ecmper_fail(err, ret, "cannot open %s: %s", path, strerror(-ret));
	if (!ret && id == ecmper->config_id)
		return 0;
	return ecmper_fail(
		err, -ESTALE,
		"%s was taken down%s since it was opened: nothing was done; open it again",
		ecmper->folder, ret ? "" : " and brought up anew");
}

int instance_lock_own(const struct ecmper *ecmper, int *lock_fd, struct ecmper_error *err)
{
	int ret = instance_lock(ecmper->folder, ecmper->patience, lock_fd, err);

	if (ret == -ENOENT) /* without the folder, there is no pin */
		return instance_check(ecmper, err) ?: -ESTALE;
	if (ret)
		return ret;
	ret = instance_check(ecmper, err);
	if (ret)
		instance_unlock(*lock_fd);
	return ret;
}

int instance_is_router(const struct ecmper *ecmper, struct ecmper_error *err)
{
	if (ecmper->role == ECMPER_ROUTER)
		return 0;
	return ecmper_fail(err, -EINVAL, "%s is a server's: it has counters, but no prefixes",
			   ecmper->folder);
}

int ecmper_edit(struct ecmper *ecmper, const struct ecmper_changes *changes,
		enum ecmper_edit_mode mode, struct ecmper_report *report, struct ecmper_error *err)
{
	int lock_fd, ret;

	ret = instance_is_router(ecmper, err) ?: instance_lock_own(ecmper, &lock_fd, err);
	if (ret)
		return ret;
	ret = edit_tables(&ecmper->tables, changes, mode, report, err);
	instance_unlock(lock_fd);
	return ret;
}

static int open_maps(struct ecmper *ecmper, struct ecmper_error *err)
{
	int ret = 0;

	for (enum map_index map = 0; !ret && map < MAPS; map++) {
		if (!(map_kinds[map].roles & 1 << ecmper->role))
			continue;
		ret = map_open(ecmper->folder, map_names[map], map_kinds[map].value_size,
			       map_entries(ecmper->mapped[MAP_CONFIG], map), &ecmper->fd[map], err);
		if (!ret && map_kinds[map].access != ACCESS_CALLS)
			ret = map_memory(ecmper, map, err);
		if (!ret && map == MAP_CONFIG)
			ret = check_version(ecmper, err)
				      ?: map_id(ecmper->fd[map], &ecmper->config_id);
	}
	/* A `down` and an `up` meanwhile: some are maps of the one, some of the other. */
	return ret ?: instance_check(ecmper, err);
}

static int open_once(const char *pin, enum ecmper_role role, struct ecmper **result,
		     struct ecmper_error *err)
{
	struct ecmper *ecmper = calloc(1, sizeof(*ecmper));
	int ret;

	*result = NULL;
	error_clear(err);
	if (!ecmper)
		return ecmper_fail(err, -ENOMEM, "out of memory");
	memset(ecmper->fd, -1, sizeof(ecmper->fd));
	ecmper->role = role;
	ecmper->patience = ECMPER_PATIENCE_DEFAULT;
	ret = role_folder(pin, role, ecmper->folder, sizeof(ecmper->folder));
	ret = ret ?: open_maps(ecmper, err);
	if (ret)
		goto out;
	ecmper->tables = (struct tables){
		.config = ecmper->mapped[MAP_CONFIG],
		.vip = ecmper->mapped[MAP_VIP],
		.vip6 = ecmper->mapped[MAP_VIP6],
		.cur_nh = ecmper->mapped[MAP_CUR_NH],
		.prv_nh = ecmper->mapped[MAP_PRV_NH],
		.members = ecmper->mapped[MAP_MEMBERS],
		.alloc = ecmper->mapped[MAP_ALLOC],
		.neigh = ecmper->mapped[MAP_NEIGH],
		.ops = &kernel_ops,
		.arg = ecmper,
	};
	*result = ecmper;
	return 0;
out:
	ecmper_close(ecmper);
	return error_default(err, ret, "open the instance");
}

int ecmper_open(const char *pin, enum ecmper_role role, struct ecmper **ecmper,
		struct ecmper_error *err)
{
	int ret;

	do
		ret = open_once(pin, role, ecmper, err);
	while (ret == -ESTALE);
	return ret;
}

void ecmper_close(struct ecmper *ecmper)
{
	if (!ecmper)
		return;
	for (enum map_index map = 0; map < MAPS; map++) {
		if (ecmper->mapped[map])
			munmap(ecmper->mapped[map], ecmper->mapped_size[map]);
		free(ecmper->is_touched[map]);
		if (ecmper->fd[map] >= 0)
			close(ecmper->fd[map]);
	}
	free(ecmper);
}

void ecmper_patience_set(struct ecmper *ecmper, unsigned int milliseconds)
{
	ecmper->patience = milliseconds;
}

const struct ecmper_config *ecmper_config_get(const struct ecmper *ecmper)
{
	return ecmper->tables.config;
}
