// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world that benchmarks run in: a network namespace, devices, instances of the two programs,
 * all brought up by the library as ecmper-loader and ecmperctl do it. Nothing of it outlives the
 * process: instances go down at exit, and when a signal ends it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "own_macs.h"
#include "pin.h"

static struct bench_instance instances[BENCH_INSTANCES_MAX];

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void bench_netns(void)
{
	if (unshare(CLONE_NEWNET))
		bench_die("cannot make a network namespace: %s; this needs root", strerror(errno));
	bench_shell("ip link set lo up && sysctl -qw net.ipv4.ip_forward=1");
}

void bench_shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		bench_die("failed: %s", command);
}

unsigned int bench_veth(const char *name)
{
	bench_shell("ip link add %s type veth peer name %sp && ip link set %s up && "
		    "ip link set %sp up",
		    name, name, name, name);
	return if_nametoindex(name);
}

static int take_prog(int fd, const char *path, uint32_t ifindex, uint32_t prog_id, void *arg)
{
	(void)fd;
	(void)path;
	(void)ifindex;
	*(int *)arg = bpf_prog_get_fd_by_id(prog_id);
	return 0;
}

void bench_down(struct bench_instance *instance)
{
	struct ecmper_error err;

	if (!instance->pin[0])
		return;
	ecmper_close(instance->ecmper);
	if (instance->prog_fd > 0)
		close(instance->prog_fd);
	if (ecmper_is_up(instance->pin, instance->role) &&
	    ecmper_down(instance->pin, instance->role, NULL, &err))
		fprintf(stderr, "bench: %s\n", err.text);
	rmdir(instance->pin);
	bench_shell("ip link del %s", instance->dev);
	*instance = (struct bench_instance){};
}

static void all_down(void)
{
	for (unsigned int i = 0; i < BENCH_INSTANCES_MAX; i++)
		bench_down(&instances[i]);
}

static struct bench_instance *free_instance(void)
{
	static bool is_registered;

	if (!is_registered)
		atexit(all_down);
	is_registered = true;
	for (unsigned int i = 0; i < BENCH_INSTANCES_MAX; i++)
		if (!instances[i].pin[0])
			return &instances[i];
	bench_die("too many instances");
}

/* Frames of a test run are sent to this MAC. */
static void take_test_frames(const char *folder)
{
	const struct bench_flows flows = bench_flows_tcp(1);
	struct own_macs macs;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" ECMPER_STR(ECMPER_MAP_OWN_MACS), folder);
	fd = bpf_obj_get(path);
	if (fd < 0 || own_macs_open(&macs, fd) || own_macs_allow(&macs, flows.dst_mac) ||
	    own_macs_write(&macs))
		bench_die("cannot set the MAC of test frames in %s", folder);
	close(fd);
}

struct bench_instance *bench_up(const char *name, enum ecmper_role role,
				const struct ecmper_up_options *options)
{
	struct bench_instance *instance = free_instance();
	struct ecmper_up_options up = {.mark = -1, .flight_ms = -1};
	struct ecmper_up_report report;
	struct ecmper_error err;
	char folder[192];

	if (options)
		up = *options;
	snprintf(instance->dev, sizeof(instance->dev), "%s", name);
	bench_veth(name);
	snprintf(instance->pin, sizeof(instance->pin), "/sys/fs/bpf/ecmper-bench-%d-%s", getpid(),
		 name);
	instance->role = role;
	up.pin = instance->pin;
	up.role = role;
	up.mode = ECMPER_XDP_NATIVE;
	memcpy(up.devs[0], instance->dev, IF_NAMESIZE);
	up.dev_count = 1;
	if (ecmper_up(&up, &report, &err))
		bench_die("%s", err.text);
	if (role == ECMPER_ROUTER &&
	    ecmper_open(instance->pin, ECMPER_ROUTER, &instance->ecmper, &err))
		bench_die("%s", err.text);
	snprintf(folder, sizeof(folder), "%s%s", instance->pin,
		 role == ECMPER_SERVER ? "/server" : "");
	take_test_frames(folder);
	instance->prog_fd = -1;
	pin_links_each(folder, take_prog, &instance->prog_fd);
	if (instance->prog_fd < 0)
		bench_die("cannot get the program of %s", folder);
	return instance;
}

static int try_edit_file(struct bench_instance *instance, FILE *lines, struct ecmper_error *err)
{
	struct ecmper_changes changes = {};
	int ret = ecmper_changes_read(&changes, lines, "bench", false, err);

	if (!ret)
		ret = ecmper_edit(instance->ecmper, &changes, ECMPER_EDIT_BATCH, NULL, err);
	ecmper_changes_free(&changes);
	fclose(lines);
	return ret;
}

void bench_edit_file(struct bench_instance *instance, FILE *lines)
{
	struct ecmper_error err;

	if (try_edit_file(instance, lines, &err))
		bench_die("%s", err.text);
}

void bench_edit(struct bench_instance *instance, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		bench_die("out of memory");
	bench_edit_file(instance, fmemopen(text, length, "r"));
	free(text);
}

/* Every prefix takes another three of the pool: 161 700 different sets. */
#define OWN 3

static void next_own(unsigned int own[OWN])
{
	unsigned int i = OWN - 1;

	while (i && own[i] == BENCH_OWN_POOL - OWN + i)
		i--;
	own[i]++;
	while (++i < OWN)
		own[i] = own[i - 1] + 1;
}

static void print_route(FILE *lines, const struct bench_routes *routes, unsigned int i,
			const unsigned int own[OWN])
{
	unsigned int shared = routes->has_own ? routes->servers - OWN : routes->servers;
	uint32_t first = routes->first ?: BENCH_VIP_FIRST;

	first += i << (32 - routes->len);
	if (routes->is_ipv6)
		fprintf(lines, "add %x:%x::%x:%x/%u", BENCH_DST6 >> 16, BENCH_DST6 & 0xffff,
			first >> 16, first & 0xffff, routes->len + 96);
	else
		fprintf(lines, "add %s/%u", bench_addr(first), routes->len);
	fprintf(lines, " buckets %u", routes->buckets);
	for (unsigned int s = 0; s < routes->servers; s++)
		fprintf(lines, " via %s", bench_server(s < shared ? s : shared + own[s - shared]));
	fputc('\n', lines);
}

int bench_try_routes(struct bench_instance *instance, const struct bench_routes *routes,
		     struct ecmper_error *err)
{
	unsigned int own[OWN] = {0, 1, 2};
	FILE *lines = tmpfile();

	if (!lines)
		bench_die("cannot make a temporary file: %s", strerror(errno));
	bench_servers(instance, 0, routes->servers + (routes->has_own ? BENCH_OWN_POOL - OWN : 0));
	for (unsigned int i = 0; i < routes->count; i++) {
		print_route(lines, routes, i, own);
		next_own(own);
	}
	rewind(lines);
	return try_edit_file(instance, lines, err);
}

void bench_routes(struct bench_instance *instance, const struct bench_routes *routes)
{
	struct ecmper_error err;

	if (bench_try_routes(instance, routes, &err))
		bench_die("%s", err.text);
}

const char *bench_addr(uint32_t addr)
{
	static char text[8][ECMPER_ADDR_STRLEN];
	static unsigned int next;
	char *buffer = text[next++ % ARRAY_SIZE(text)];

	snprintf(buffer, ECMPER_ADDR_STRLEN, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
		 addr >> 8 & 255, addr & 255);
	return buffer;
}

const char *bench_server(unsigned int i)
{
	return bench_addr((10U << 24) + 1 + i);
}

void bench_servers(struct bench_instance *instance, unsigned int first, unsigned int count)
{
	FILE *lines = tmpfile();

	if (!lines)
		bench_die("cannot make a temporary file: %s", strerror(errno));
	for (unsigned int i = first; i < first + count; i++)
		fprintf(lines, "neigh add %s lladdr 02:00:00:00:%02x:%02x dev %s\n",
			bench_server(i), i >> 8 & 255, i & 255, instance->dev);
	rewind(lines);
	bench_edit_file(instance, lines);
}
