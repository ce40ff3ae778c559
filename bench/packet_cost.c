// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one packet costs, by the method of docs/evaluation.md: every case runs over packets of
 * random flows under the wrapper of outer.bpf.c, all cases in turn, turn after turn; an empty
 * program under the same wrapper is subtracted. A round is TURNS turns, of which each case keeps
 * its lower quartile, because other work on the machine only ever adds time. Prints the ratio to the
 * redirect floor of the same round (median and quartiles over the rounds), then nanoseconds. Ratios
 * hold from machine to machine, times do not.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "packet_cases.h"

#define ROUNDS_MAX  1000
#define LIVE_TURNS  21
#define LIVE_FRAMES 100000
#define TURNS       12 /* of a round */

struct result {
	double time[ROUNDS_MAX];
	double ratio[ROUNDS_MAX];
};

static const char usage[] =
	"Usage: packet_cost [-l] [-o FILE] [-r ROUNDS] [-f TEXT]\n"
	"  -l         long: every number of flows with every number of prefixes\n"
	"  -o FILE    results as CSV\n"
	"  -r ROUNDS  default 8, with -l 40\n"
	"  -f TEXT    only the cases whose name contains TEXT (and the floors)\n";

/* One turn: each case once. Raw times, with the wrapper's. */
static void run_turn(const struct packet_cases *cases, double (*raw)[TURNS], unsigned int turn)
{
	for (unsigned int i = 0; i < cases->count && !bench_is_stopped(); i++) {
		const struct packet_case *one = &cases->list[i];

		/* Unmeasured packets first: the cases before this one used the caches. */
		bench_run(one->prog_fd, &one->flows, one->packets / 4, one->action);
		raw[i][turn] = bench_run(one->prog_fd, &one->flows, one->packets, one->action);
	}
}

static void run_round(const struct packet_cases *cases, struct result *results, unsigned int round)
{
	double raw[ARRAY_SIZE(cases->list)][TURNS];
	double quiet[ARRAY_SIZE(cases->list)], floor;

	for (unsigned int turn = 0; turn < TURNS; turn++)
		run_turn(cases, raw, turn);
	for (unsigned int i = 0; i < cases->count; i++)
		quiet[i] = bench_summarise(raw[i], TURNS).low;
	floor = quiet[CASE_REDIRECT] - quiet[CASE_EMPTY];
	for (unsigned int i = 0; i < cases->count; i++) {
		results[i].time[round] = quiet[i] - quiet[cases->list[i].empty];
		results[i].ratio[round] = results[i].time[round] / floor;
	}
}

static void print_results(const struct packet_cases *cases, struct result *results,
			  unsigned int rounds, FILE *csv)
{
	printf("%-28s %8s %8s %8s  %-21s %s\n", "case", "flows", "prefixes", "servers",
	       "x redirect floor", "ns");
	for (unsigned int i = CASE_EMPTY + 1; i < cases->count; i++) {
		const struct packet_case *one = &cases->list[i];
		struct bench_summary ratio, time;

		if (one->empty == i)
			continue;
		ratio = bench_summarise(results[i].ratio, rounds);
		time = bench_summarise(results[i].time, rounds);
		printf("%-28s %8u %8u %8u  %6.2f (%.2f..%.2f)%*s %6.1f (%.1f..%.1f)\n", one->name,
		       one->flows.mask + 1, one->prefixes, one->servers, ratio.median, ratio.low,
		       ratio.high, ratio.high < 10 ? 2 : 0, "", time.median, time.low, time.high);
		if (csv)
			fprintf(csv, "%s,%u,%u,%u,%.3f,%.3f,%.3f,%.2f,%.2f,%.2f\n", one->name,
				one->flows.mask + 1, one->prefixes, one->servers, ratio.median,
				ratio.low, ratio.high, time.median, time.low, time.high);
	}
}

/* End to end: frames that are really sent, through a veth pair to a program that drops them at the
 * other end. Wall time, because both ends share it. */
struct live_case {
	const char *name;
	uint32_t flows;
	struct bench_series series;
};

static const struct packet_case *find_case(const struct packet_cases *cases, const char *name,
					   uint32_t flows)
{
	for (unsigned int i = 0; i < cases->count; i++)
		if (!strcmp(cases->list[i].name, name) && cases->list[i].flows.mask + 1 == flows)
			return &cases->list[i];
	return NULL;
}

static void run_live(const struct packet_cases *cases, FILE *csv)
{
	static struct live_case list[] = {{.name = "floor redirect", .flows = 1},
					  {.name = "router plain", .flows = 1 << 10},
					  {.name = "router plain", .flows = 1 << 20},
					  {.name = "kernel fib", .flows = 1 << 20}};

	for (unsigned int turn = 0; turn < LIVE_TURNS; turn++)
		for (unsigned int i = 0; i < ARRAY_SIZE(list) && !bench_is_stopped(); i++) {
			const struct packet_case *one =
				find_case(cases, list[i].name, list[i].flows);

			if (one)
				bench_add(&list[i].series,
					  bench_run_live(one->prog_fd, &one->flows, LIVE_FRAMES));
		}
	printf("\n%-28s %8s %14s %s\n", "end to end through veth", "flows", "packets/s", "ns");
	for (unsigned int i = 0; i < ARRAY_SIZE(list); i++) {
		struct bench_summary ns =
			bench_summarise(list[i].series.values, list[i].series.count);

		if (!list[i].series.count)
			continue;
		printf("%-28s %8u %14.0f %.1f (%.1f..%.1f)\n", list[i].name, list[i].flows,
		       1e9 / ns.median, ns.median, ns.low, ns.high);
		if (csv)
			fprintf(csv, "veth %s,%u,1,4,,,,%.2f,%.2f,%.2f\n", list[i].name,
				list[i].flows, ns.median, ns.low, ns.high);
	}
}

int main(int argc, char *argv[])
{
	static struct packet_cases cases;
	struct result *results;
	const char *output = NULL, *filter = NULL;
	unsigned int rounds = 0, done = 0;
	bool is_long = false;
	FILE *csv;
	int option;

	while ((option = getopt(argc, argv, "lo:r:f:h")) != -1) {
		switch (option) {
		case 'l': is_long = true; break;
		case 'o': output = optarg; break;
		case 'r': rounds = strtoul(optarg, NULL, 10); break;
		case 'f': filter = optarg; break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (!rounds)
		rounds = is_long ? 40 : 8;
	if (optind != argc || rounds > ROUNDS_MAX) {
		fputs(usage, stderr);
		return 2;
	}
	csv = bench_csv(output,
			"case,flows,prefixes,servers,ratio,ratio_q1,ratio_q3,ns,ns_q1,ns_q3");
	packet_cases_make(&cases, is_long, filter);
	results = calloc(cases.count, sizeof(*results));
	if (!results)
		bench_die("out of memory");
	while (done < rounds && !bench_is_stopped()) {
		run_round(&cases, results, done);
		if (!bench_is_stopped())
			bench_progress("packet cost: round", ++done, rounds);
	}
	print_results(&cases, results, done, csv);
	if (!filter && !bench_is_stopped())
		run_live(&cases, csv);
	if (csv && fclose(csv))
		bench_die("cannot write %s: %s", output, strerror(errno));
	free(results);
	return 0;
}
