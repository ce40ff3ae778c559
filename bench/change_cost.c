// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a change costs: one server removed, added or given another weight, in tables of several
 * sizes: inside the library, with opening the instance, as a process of ecmperctl, and until the
 * first packet takes the new path. The kernel's own tables take their turn in between (nexthop.c).
 * Prints medians and quartiles in microseconds.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "change.h"

#define TURNS_MAX BENCH_SERIES_MAX

extern char **environ;

static const char usage[] = "Usage: change_cost [-l] [-o FILE] [-r TURNS]\n"
			    "  -l        long: more sizes\n"
			    "  -o FILE   results as CSV\n"
			    "  -r TURNS  default 15, with -l 100\n";

/* How a change is made. */
enum way { WAY_LIBRARY, WAY_OPEN, WAY_PROCESS, WAY_PACKET, WAYS };
static const char *const ways[WAYS] = {"library", "open and library", "process",
				       "until first packet"};
enum verb { VERB_REMOVE, VERB_ADD, VERB_REWEIGHT, VERBS };
static const char *const verbs[VERBS] = {"remove", "add", "reweight"};

static char ecmperctl[512]; /* "" when it is not built */

static double by_library(struct bench_instance *router, int argc, const char *const argv[],
			 bool opens)
{
	struct ecmper_changes changes = {};
	struct ecmper *ecmper = router->ecmper;
	struct ecmper_error err;
	double start, time;

	if (ecmper_changes_add(&changes, 0, argc, (char *const *)argv, &err))
		bench_die("%s", err.text);
	start = bench_now();
	if ((opens && ecmper_open(router->pin, ECMPER_ROUTER, &ecmper, &err)) ||
	    ecmper_edit(ecmper, &changes, ECMPER_EDIT_BATCH, NULL, &err))
		bench_die("%s", err.text);
	if (opens)
		ecmper_close(ecmper);
	time = bench_now() - start;
	ecmper_changes_free(&changes);
	return time;
}

static double by_process(struct bench_instance *router, int argc, const char *const argv[])
{
	const char *words[16] = {"ecmperctl", "--pin", router->pin};
	double start = bench_now();
	int status;
	pid_t pid;

	memcpy(words + 3, argv, argc * sizeof(*argv));
	if (posix_spawn(&pid, ecmperctl, NULL, NULL, (char *const *)words, environ) ||
	    waitpid(pid, &status, 0) != pid || status)
		bench_die("%s failed", ecmperctl);
	return bench_now() - start;
}

static double until_packet(struct bench_instance *router, int argc, const char *const argv[])
{
	double start;

	watch_start(router);
	start = bench_now();
	by_library(router, argc, argv, false);
	return watch_stop() - start;
}

static double change(struct bench_instance *router, enum way way, enum verb verb,
		     const char *server)
{
	const char *words[] = {
		verb == VERB_REMOVE ? "del" : "add", BENCH_VIP, "via", server, "weight",
		verb == VERB_ADD ? "1" : "2"};
	int count = verb == VERB_REMOVE ? 4 : 6;

	switch (way) {
	case WAY_LIBRARY: return by_library(router, count, words, false);
	case WAY_OPEN: return by_library(router, count, words, true);
	case WAY_PROCESS: return by_process(router, count, words);
	default: return until_packet(router, count, words);
	}
}

static void measure_ecmper(struct bench_instance *router, struct bench_series series[WAYS][VERBS],
			   const char *server)
{
	for (enum way way = 0; way < WAYS; way++) {
		if (way == WAY_PROCESS && !ecmperctl[0])
			continue;
		for (enum verb verb = 0; verb < VERBS; verb++)
			if (way != WAY_PACKET || verb != VERB_REWEIGHT)
				bench_add(&series[way][verb], change(router, way, verb, server));
		change(router, WAY_LIBRARY, VERB_ADD, server);
	}
}

static void print_series(const char *what, const char *verb, unsigned int buckets,
			 unsigned int servers, unsigned int prefixes, struct bench_series *series,
			 FILE *csv)
{
	struct bench_summary time = bench_summarise(series->values, series->count);

	if (!series->count)
		return;
	printf("%-24s %-9s %8u %8u %8u %9.0f (%.0f..%.0f)\n", what, verb, buckets, servers,
	       prefixes, time.median * 1e6, time.low * 1e6, time.high * 1e6);
	fflush(stdout);
	if (csv)
		fprintf(csv, "%s,%s,%u,%u,%u,%.1f,%.1f,%.1f\n", what, verb, buckets, servers,
			prefixes, time.median * 1e6, time.low * 1e6, time.high * 1e6);
}

static void run_size(unsigned int buckets, unsigned int servers, unsigned int turns, FILE *csv)
{
	static struct bench_series series[WAYS][VERBS], kernel[2][2], parts[PARTS];
	struct bench_instance *router = bench_up("change", ECMPER_ROUTER, NULL);
	bool has_kernel = buckets < 65536; /* a group's size is 16 bits wide */
	char last[ECMPER_ADDR_STRLEN];

	memset(series, 0, sizeof(series));
	memset(kernel, 0, sizeof(kernel));
	memset(parts, 0, sizeof(parts));
	snprintf(last, sizeof(last), "%s", bench_server(servers - 1));
	bench_routes(router,
		     &(struct bench_routes){
			     .count = 1, .len = 32, .buckets = buckets, .servers = servers});
	watch_choose(router, servers - 1);
	for (unsigned int turn = 0; turn < turns && !bench_is_stopped(); turn++)
		measure_ecmper(router, series, last);
	for (enum nexthop_kind kind = 0; kind < 2 && has_kernel; kind++) {
		nexthop_make(kind, buckets, servers);
		for (unsigned int turn = 0; turn < turns && !bench_is_stopped(); turn++) {
			bench_add(&kernel[kind][VERB_REMOVE], nexthop_replace(servers - 1));
			bench_add(&kernel[kind][VERB_ADD], nexthop_replace(servers));
		}
		nexthop_remove();
	}
	parts_measure(buckets, servers, turns, parts);
	for (enum way way = 0; way < WAYS; way++)
		for (enum verb verb = 0; verb < VERBS; verb++)
			print_series(ways[way], verbs[verb], buckets, servers, 1,
				     &series[way][verb], csv);
	for (enum part part = 0; part < PARTS; part++)
		print_series(part_names[part], verbs[VERB_REMOVE], buckets, servers, 1,
			     &parts[part], csv);
	for (enum verb verb = VERB_REMOVE; verb <= VERB_ADD; verb++) {
		print_series("kernel resilient group", verbs[verb], buckets, servers, 1,
			     &kernel[NEXTHOP_RESILIENT][verb], csv);
		print_series("kernel multipath", verbs[verb], 0, servers, 1,
			     &kernel[NEXTHOP_MULTIPATH][verb], csv);
	}
	bench_down(router);
}

/* One server leaves every prefix, and comes back, in one batch. */
static double batch(struct bench_instance *router, const char *verb, unsigned int prefixes,
		    const char *server)
{
	FILE *lines = tmpfile();
	double start;

	if (!lines)
		bench_die("cannot make a temporary file: %s", strerror(errno));
	for (unsigned int i = 0; i < prefixes; i++)
		fprintf(lines, "%s %s/32 via %s\n", verb, bench_addr(BENCH_VIP_FIRST + i), server);
	rewind(lines);
	start = bench_now();
	bench_edit_file(router, lines);
	return bench_now() - start;
}

static void run_batch(unsigned int prefixes, unsigned int buckets, bool has_own, unsigned int turns,
		      FILE *csv)
{
	static struct bench_series series[2];
	const char *what = has_own ? "batch own tables" : "batch shared table";
	struct bench_instance *router = bench_up("batch", ECMPER_ROUTER, NULL);
	enum { SERVERS = 100 };
	char first[ECMPER_ADDR_STRLEN];

	memset(series, 0, sizeof(series));
	snprintf(first, sizeof(first), "%s", bench_server(0)); /* all prefixes have it */
	bench_routes(router, &(struct bench_routes){.count = prefixes,
						    .len = 32,
						    .buckets = buckets,
						    .servers = SERVERS,
						    .has_own = has_own});
	for (unsigned int turn = 0; turn < turns && !bench_is_stopped(); turn++) {
		bench_add(&series[VERB_REMOVE], batch(router, "del", prefixes, first));
		bench_add(&series[VERB_ADD], batch(router, "add", prefixes, first));
	}
	for (enum verb verb = VERB_REMOVE; verb <= VERB_ADD; verb++)
		print_series(what, verbs[verb], buckets, SERVERS, prefixes, &series[verb], csv);
	bench_down(router);
}

/* ecmperctl beside the folder that this program is in. */
static void find_ecmperctl(void)
{
	ssize_t length = readlink("/proc/self/exe", ecmperctl, sizeof(ecmperctl) - 32);

	for (int up = 0; up < 2 && length > 0; up++)
		while (length > 0 && ecmperctl[--length] != '/')
			;
	snprintf(ecmperctl + (length > 0 ? length : 0), 32, "/ecmperctl");
	if (length > 0 && !access(ecmperctl, X_OK))
		return;
	fprintf(stderr, "change cost: %s is not built: no times of processes\n", ecmperctl);
	ecmperctl[0] = '\0';
}

static void run_all(unsigned int turns, bool is_long, FILE *csv)
{
	static const struct {
		unsigned int buckets, servers;
		bool only_long;
	} sizes[] = {{256, 4, false},     {4096, 4, false},     {4096, 100, false},
		     {32768, 4, false},   {32768, 100, false},  {65536, 4, true},
		     {65536, 100, false}, {65536, 1000, false}, {4096, 1000, true},
		     {16384, 100, true},  {1024, 100, true}};

	printf("%-24s %-9s %8s %8s %8s %9s\n", "change", "", "buckets", "servers", "prefixes",
	       "us");
	for (size_t i = 0; i < ARRAY_SIZE(sizes) && !bench_is_stopped(); i++) {
		if (is_long || !sizes[i].only_long)
			run_size(sizes[i].buckets, sizes[i].servers, turns, csv);
		bench_progress("change cost: size", i + 1, ARRAY_SIZE(sizes));
	}
	run_batch(1000, 1024, false, turns / 3, csv);
	run_batch(1000, 1024, true, turns / 3, csv);
}

int main(int argc, char *argv[])
{
	const char *output = NULL;
	unsigned int turns = 0;
	bool is_long = false;
	int option;
	FILE *csv;

	while ((option = getopt(argc, argv, "lo:r:h")) != -1) {
		switch (option) {
		case 'l': is_long = true; break;
		case 'o': output = optarg; break;
		case 'r': turns = strtoul(optarg, NULL, 10); break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (!turns)
		turns = is_long ? 100 : 15;
	if (optind != argc || turns > TURNS_MAX) {
		fputs(usage, stderr);
		return 2;
	}
	csv = bench_csv(output, "what,change,buckets,servers,prefixes,us,us_q1,us_q3");
	find_ecmperctl();
	bench_netns();
	run_all(turns, is_long, csv);
	if (csv && fclose(csv))
		bench_die("cannot write %s: %s", output, strerror(errno));
	return 0;
}
