// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces, devices and packet sockets, see namespace.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "namespace.h"

#define WAIT_MS   2000
#define SILENT_MS 20

int namespace_enter(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700")) {
		print_error("cannot make a mount namespace with a bpffs: %s (this needs root)\n",
			    strerror(errno));
		return -1;
	}
	return 0;
}

void namespace_renew(void)
{
	if (unshare(CLONE_NEWNET))
		fail_msg("cannot make a network namespace: %s", strerror(errno));
	/* IPv6 sends frames of its own as soon as a device is up, and they would be counted. */
	if (!access("/proc/sys/net/ipv6", F_OK))
		sysctl_set("ipv6/conf/default/disable_ipv6", "1");
	ip_batch("link set lo up\n");
}

void ip_batch(const char *format, ...)
{
	char *const words[] = {"ip", "-batch", "-", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2], status;
	va_list args;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	if (posix_spawnp(&pid, words[0], &actions, NULL, words, environ))
		fail_msg("cannot run ip");
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	va_start(args, format);
	assert_true(vdprintf(ends[1], format, args) > 0);
	va_end(args);
	close(ends[1]);
	if (waitpid(pid, &status, 0) != pid || status)
		fail_msg("ip -batch failed, beginning with: %s", format);
}

void sysctl_set(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail_msg("cannot write %s to %s: %s", value, path, strerror(errno));
	close(fd);
}

int tap_open(const char *dev)
{
	return tap_open_for(dev, ETH_P_IP);
}

int tap_open_for(const char *dev, uint16_t ethertype)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
				   .sll_protocol = htons(ethertype),
				   .sll_ifindex = if_nametoindex(dev)};

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		fail_msg("cannot open a packet socket on %s: %s", dev, strerror(errno));
	return fd;
}

void tap_send(int fd, const struct frame *frame)
{
	assert_int_equal(send(fd, frame->data, frame->length, 0), frame->length);
}

void tap_receive(int fd, struct frame *frame)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t length;

	do {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		if (poll(&ready, 1, WAIT_MS) != 1)
			fail_msg("no frame arrived");
		length = recvfrom(fd, frame->data, sizeof(frame->data), 0, (struct sockaddr *)&from,
				  &size);
		assert_true(length > 0);
	} while (from.sll_pkttype == PACKET_OUTGOING);
	frame->length = frame->counted = length;
	frame_find_layers(frame);
}

bool tap_is_silent(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, SILENT_MS) == 0;
}
