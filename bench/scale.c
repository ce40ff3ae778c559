// SPDX-License-Identifier: GPL-2.0-only
/*
 * How cost grows with the number of prefixes: memory of the maps, time to load them all, time of a
 * change to one and to all of them, cost of a packet. Once with a table that all share, as sites
 * with one set of servers have it, once with a table of its own for each. At the end: where it
 * stops, and what the refusal says.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"

#define SERVERS     4
#define OWN_BUCKETS 64
#define TURNS       9
#define PACKETS     200000

static const char usage[] = "Usage: scale [-l] [-o FILE]\n"
			    "  -l       long: more steps from 1 to 100 000 prefixes\n"
			    "  -o FILE  results as CSV\n";

/* Memory of one map, as the kernel accounts for it. */
static double map_bytes(const char *folder, const char *name)
{
	char path[512], line[128];
	int fd;
	double bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "memlock:", 8) && !strstr(name, "link_"))
			bytes = atof(line + 8);
	if (info)
		fclose(info);
	close(fd);
	return bytes;
}

static double all_bytes(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	double bytes = 0;

	while (dir && (entry = readdir(dir)))
		bytes += map_bytes(folder, entry->d_name);
	if (dir)
		closedir(dir);
	return bytes;
}

/* A server leaves `prefixes` of them (odd turns: comes back). Returns seconds. */
static double change(struct bench_instance *router, unsigned int prefixes, bool comes)
{
	FILE *lines = tmpfile();
	double start;

	if (!lines)
		bench_die("cannot make a temporary file: %s", strerror(errno));
	for (unsigned int i = 0; i < prefixes; i++)
		fprintf(lines, "%s %s/32 via %s\n", comes ? "add" : "del",
			bench_addr(BENCH_VIP_FIRST + i), bench_server(0));
	rewind(lines);
	start = bench_now();
	bench_edit_file(router, lines);
	return bench_now() - start;
}

static double median_change(struct bench_instance *router, unsigned int prefixes,
			    unsigned int turns)
{
	static struct bench_series series;

	series.count = 0;
	for (unsigned int turn = 0; turn < turns && !bench_is_stopped(); turn++)
		bench_add(&series, change(router, prefixes, turn & 1));
	return bench_summarise(series.values, series.count).median;
}

/* The packet's cost over that of the redirect floor, its flows spread over all prefixes. */
static double packet_ratio(const struct bench_floors *floors, int prog_fd, uint32_t flow_count,
			   unsigned int prefixes)
{
	struct bench_flows flows = bench_flows_tcp(flow_count);
	static struct bench_series ratios;

	ratios.count = 0;
	flows.dst_count = prefixes;
	for (unsigned int turn = 0; turn < 5 * TURNS && !bench_is_stopped(); turn++) {
		double empty = bench_run(floors->empty, &flows, PACKETS / 10, XDP_PASS);
		double floor = bench_run(floors->redirect, &flows, PACKETS / 10, XDP_REDIRECT);

		bench_run(prog_fd, &flows, PACKETS / 4, XDP_REDIRECT);
		bench_add(&ratios, (bench_run(prog_fd, &flows, PACKETS, XDP_REDIRECT) - empty) /
					   (floor - empty));
	}
	return bench_summarise(ratios.values, ratios.count).median;
}

static struct bench_instance *up(unsigned int prefixes, bool has_own)
{
	struct ecmper_up_options options = {.mark = -1, .flight_ms = -1};

	if (prefixes > 16384) {
		options.max_prefixes = prefixes + prefixes / 4;
		options.max_members = has_own ? 20 * prefixes : 0;
		options.max_buckets = has_own ? 4 * OWN_BUCKETS * prefixes : 0;
		options.max_history = has_own ? 8 * OWN_BUCKETS * prefixes : 0;
	}
	return bench_up("scale", ECMPER_ROUTER, &options);
}

static void run_size(const struct bench_floors *floors, unsigned int prefixes, bool has_own,
		     FILE *csv)
{
	struct bench_instance *router = up(prefixes, has_own);
	double start, load, one, all, few_flows, many_flows, bytes;

	bench_servers(router, 0, SERVERS + (has_own ? BENCH_OWN_POOL : 0));
	start = bench_now();
	bench_routes(router, &(struct bench_routes){.count = prefixes,
						    .len = 32,
						    .buckets = has_own ? OWN_BUCKETS : 4096,
						    .servers = SERVERS,
						    .has_own = has_own});
	load = bench_now() - start;
	bytes = all_bytes(router->pin);
	few_flows = packet_ratio(floors, router->prog_fd, 1 << 10, prefixes);
	many_flows = packet_ratio(floors, router->prog_fd, 1 << 20, prefixes);
	one = median_change(router, 1, 2 * TURNS);
	all = median_change(router, prefixes, prefixes > 10000 ? 2 : 4);
	printf("%-7s %8u %10.1f %10.2f %12.0f %12.2f %11.2f %11.2f\n", has_own ? "own" : "shared",
	       prefixes, bytes / (1 << 20), load * 1e3, one * 1e6, all * 1e3, few_flows,
	       many_flows);
	fflush(stdout);
	if (csv)
		fprintf(csv, "%s,%u,%.0f,%.3f,%.1f,%.3f,%.3f,%.3f\n", has_own ? "own" : "shared",
			prefixes, bytes, load * 1e3, one * 1e6, all * 1e3, few_flows, many_flows);
	bench_down(router);
}

/* More prefixes than the defaults hold: the edit must say which map is full, and change nothing. */
static void show_limit(const char *what, const struct bench_routes *routes)
{
	struct bench_instance *router = bench_up("limit", ECMPER_ROUTER, NULL);
	struct ecmper_error err;

	printf("%s: ", what);
	if (bench_try_routes(router, routes, &err))
		printf("%s\n", err.text);
	else
		printf("fits\n");
	if (ecmper_config_get(router->ecmper)->prefix_count % routes->count)
		printf("  but %u were added: WRONG\n",
		       ecmper_config_get(router->ecmper)->prefix_count);
	bench_down(router);
}

static void show_limits(void)
{
	puts("\nWhere it stops, with the default sizes:");
	show_limit("20 000 prefixes",
		   &(struct bench_routes){
			   .count = 20000, .len = 32, .buckets = 64, .servers = SERVERS});
	show_limit("2 000 prefixes with tables of their own of 4 096 buckets",
		   &(struct bench_routes){.count = 2000,
					  .len = 32,
					  .buckets = 4096,
					  .servers = SERVERS,
					  .has_own = true});
}

int main(int argc, char *argv[])
{
	static const unsigned int steps[] = {1, 10, 100, 1000, 3000, 10000, 30000, 100000};
	struct bench_floors floors;
	const char *output = NULL;
	bool is_long = false;
	int option;
	FILE *csv;

	while ((option = getopt(argc, argv, "lo:h")) != -1) {
		switch (option) {
		case 'l': is_long = true; break;
		case 'o': output = optarg; break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	csv = bench_csv(output, "tables,prefixes,bytes,load_ms,change_one_us,change_all_ms,"
				"ratio_1k_flows,ratio_1m_flows");
	bench_netns();
	bench_outer_open(bench_veth("floor"), &floors);
	printf("%-7s %8s %10s %10s %12s %12s %11s %11s\n", "tables", "prefixes", "maps MiB",
	       "load ms", "one change us", "all change ms", "1k flows", "1M flows");
	for (unsigned int own = 0; own < 2; own++) {
		for (size_t i = 0; i < ARRAY_SIZE(steps) && !bench_is_stopped(); i++) {
			if (is_long || (steps[i] != 3000 && steps[i] != 30000))
				run_size(&floors, steps[i], own, csv);
			bench_progress("scale: step", own * ARRAY_SIZE(steps) + i + 1,
				       2 * ARRAY_SIZE(steps));
		}
	}
	if (!bench_is_stopped())
		show_limits();
	if (csv && fclose(csv))
		bench_die("cannot write %s: %s", output, strerror(errno));
	return 0;
}
