// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock of an instance: a flock on its folder, which ends with its holder. Each time it is taken
 * by an open file description of its own, so that threads of one process, and processes after a
 * fork, exclude each other as strangers do. When it was taken stands in the folder's time of
 * change; by whom, the kernel knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "instance.h"

#define FIRST_WAIT_NS 1000000L /* doubled each time */
#define LAST_WAIT_NS  32000000L

/* Whoever waited for a `down` has the lock of a folder that is no more: another may be there. */
static bool is_there_still(const char *folder, int fd)
{
	struct stat locked, there;

	return !fstat(fd, &locked) && !stat(folder, &there) && locked.st_dev == there.st_dev &&
	       locked.st_ino == there.st_ino;
}

/* -EWOULDBLOCK: somebody else has it. */
static int try_lock(const char *folder, int *lock_fd)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		ret = -errno;
	else if (!is_there_still(folder, fd))
		ret = -EWOULDBLOCK;
	if (ret) {
		close(fd);
		return ret;
	}
	/* For who waits; without the right to, he is told an earlier time. */
	futimens(fd, times);
	*lock_fd = fd;
	return 0;
}

/* The process that has the lock; 0: none, or one of a PID namespace that cannot be seen from here. */
static int find_holder(const struct stat *folder)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	int holder = 0;

	while (locks && !holder && fgets(line, sizeof(line), locks)) {
		unsigned int major, minor;
		unsigned long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &major, &minor,
			   &inode) == 4 &&
		    makedev(major, minor) == folder->st_dev && inode == folder->st_ino)
			holder = pid;
	}
	if (locks)
		fclose(locks);
	return holder;
}

static int held(const char *folder, struct ecmper_error *err)
{
	char who[64] = "a process that cannot be seen from here", since[64] = "";
	struct stat stat_now;
	struct tm time;
	int pid;

	if (!stat(folder, &stat_now)) {
		pid = find_holder(&stat_now);
		if (pid)
			snprintf(who, sizeof(who), "process %d", pid);
		if (localtime_r(&stat_now.st_mtime, &time))
			strftime(since, sizeof(since), " since %F %T", &time);
	}
	return ecmper_fail(
		err, -EBUSY,
		"cannot lock %s: it is held by %s%s; try again when that is done, or end "
		"it",
		folder, who, since);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

/* There is no flock with a time-out, and an alarm is not a library's to set: so it is tried again. */
int instance_lock(const char *folder, unsigned int patience, int *lock_fd, struct ecmper_error *err)
{
	struct timespec wait = {.tv_nsec = FIRST_WAIT_NS};
	long start = now_ms();
	int ret;

	while ((ret = try_lock(folder, lock_fd)) == -EWOULDBLOCK) {
		if (now_ms() - start >= (long)patience)
			return held(folder, err);
		nanosleep(&wait, NULL);
		if (wait.tv_nsec < LAST_WAIT_NS)
			wait.tv_nsec *= 2;
	}
	return ret ? ecmper_fail(err, ret, "cannot lock %s: %s", folder, strerror(-ret)) : 0;
}

void instance_unlock(int lock_fd)
{
	/* Said, because a child that another thread forked may have this file open, too. */
	flock(lock_fd, LOCK_UN);
	close(lock_fd);
}
