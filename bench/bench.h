/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share: a private network namespace with routers in it (world.c), the wrapper
 * that runs a program over packets of random flows (run.c), medians and output (sample.c). These
 * are programs for people: a failure here prints what was tried and exits.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include "ecmper/ecmper.h"
#include "flows.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

/* ---- world.c ---- */

/* Print and exit with status 1, leaving no pins behind. */
void bench_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* A network namespace for this process; it ends with it, however it ends. */
void bench_netns(void);
/* Run a command line with sh; dies when it fails. */
void bench_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A pair of veth devices, NAME and NAMEp, up. Returns the index of NAME. */
unsigned int bench_veth(const char *name);

#define BENCH_INSTANCES_MAX 24

/* One instance of the router or of the server program, with a device of its own. */
struct bench_instance {
	char pin[128];
	char dev[IF_NAMESIZE];
	enum ecmper_role role;
	struct ecmper *ecmper; /* router only */
	int prog_fd;
};

/* Bring one up; `options` (may be NULL) gives sizes and VIPs. Goes down at exit. */
struct bench_instance *bench_up(const char *name, enum ecmper_role role,
				const struct ecmper_up_options *options);
void bench_down(struct bench_instance *instance);
/* Lines of the grammar of ecmperctl as one change. Dies when it fails. */
void bench_edit(struct bench_instance *instance, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void bench_edit_file(struct bench_instance *instance, FILE *lines);
/* Neighbours 10.0.0.1 + first... as servers on the instance's device; server i has MAC 02:00:00:00:i. */
void bench_servers(struct bench_instance *instance, unsigned int first, unsigned int count);
/* Host prefixes are given out from here on. */
#define BENCH_VIP       "198.18.0.0/32"
#define BENCH_VIP_FIRST 0xc6120000

#define BENCH_OWN_POOL  100 /* servers that routes with tables of their own choose from */

struct bench_routes {
	uint32_t first;     /* address of the first, default BENCH_VIP_FIRST */
	unsigned int count; /* 2^(32 - len) apart */
	unsigned int len;
	unsigned int buckets;
	unsigned int servers; /* each goes to all of them */
	bool is_ipv6;         /* addresses are the last word of BENCH_DST6:: */
	bool has_own; /* each has other servers, all but servers - 3 of them: no table is shared */
};

/* Add routes and the servers that they name. */
void bench_routes(struct bench_instance *instance, const struct bench_routes *routes);
/* The same, but a refusal is returned: 0 or -errno. */
int bench_try_routes(struct bench_instance *instance, const struct bench_routes *routes,
		     struct ecmper_error *err);
/* Text of the address of server i (from 0), in one of a few static buffers. */
const char *bench_server(unsigned int i);
/* Text of an IPv4 address in host order, likewise. */
const char *bench_addr(uint32_t addr);

/* ---- run.c ---- */

/* Programs of outer.bpf.c, as what to run. */
struct bench_floors {
	int empty, tx, redirect, read, kernel_fib;
};

/* Load the wrapper. `ifindex`: where the redirect floor sends to. */
void bench_outer_open(unsigned int ifindex, struct bench_floors *floors);
/* Where kernel_fib says packets come from. */
void bench_outer_fib(unsigned int ifindex);
/* TCP packets with an ACK of `count` flows (a power of two) to 198.18.0.0. */
struct bench_flows bench_flows_tcp(uint32_t count);
/* Run a program over `repeat` packets; nanoseconds of CPU time a packet. `action`: what XDP must say. */
double bench_run(int prog_fd, const struct bench_flows *flows, unsigned int repeat, int action);

/* Send frames for real; nanoseconds of wall time a frame. They end at the veth's other end. */
double bench_run_live(int prog_fd, const struct bench_flows *flows, unsigned int frames);
/* Drop what arrives at a device. */
void bench_drop_at(const char *dev);
/* The packet that outer.bpf.c builds of flow 0, IPv4. */
void bench_frame(const struct bench_flows *flows, uint8_t frame[BENCH_FRAME]);

/* ---- sample.c ---- */

#define BENCH_SERIES_MAX 1000

struct bench_series {
	unsigned int count;
	double values[BENCH_SERIES_MAX];
};

void bench_add(struct bench_series *series, double value);

struct bench_summary {
	double median, low, high; /* quartiles */
};

struct bench_summary bench_summarise(double *values, unsigned int count);
double bench_now(void);
/* Was ^C pressed? Then stop measuring, print what there is. */
bool bench_is_stopped(void);
/* `-o FILE`: opens it; NULL when not asked for. */
FILE *bench_csv(const char *path, const char *header);
/* One line on stderr that overwrites itself; nothing when stderr is no terminal but every tenth step. */
void bench_progress(const char *what, unsigned int done, unsigned int total);

#endif
