// SPDX-License-Identifier: GPL-2.0-only
/*
 * Medians, CSV files, progress, ^C.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

static volatile sig_atomic_t is_stopped;

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

struct bench_summary bench_summarise(double *values, unsigned int count)
{
	if (!count)
		return (struct bench_summary){};
	qsort(values, count, sizeof(*values), compare);
	return (struct bench_summary){.median = values[count / 2],
				      .low = values[count / 4],
				      .high = values[count - 1 - count / 4]};
}

void bench_add(struct bench_series *series, double value)
{
	if (series->count < BENCH_SERIES_MAX)
		series->values[series->count++] = value;
}

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

static void stop(int signal)
{
	(void)signal;
	is_stopped = 1;
}

bool bench_is_stopped(void)
{
	static bool is_set;

	if (!is_set) {
		signal(SIGINT, stop);
		signal(SIGTERM, stop);
		signal(SIGHUP, stop);
		signal(SIGPIPE, SIG_IGN);
		is_set = true;
	}
	return is_stopped;
}

FILE *bench_csv(const char *path, const char *header)
{
	FILE *file;

	if (!path)
		return NULL;
	file = fopen(path, "w");
	if (!file)
		bench_die("cannot write %s: %s", path, strerror(errno));
	fprintf(file, "%s\n", header);
	return file;
}

void bench_progress(const char *what, unsigned int done, unsigned int total)
{
	bool is_terminal = isatty(STDERR_FILENO);

	if (is_terminal)
		fprintf(stderr, "\r%s %u/%u%s", what, done, total, done == total ? "\n" : "");
	else if (done == total || done % (total / 4 + 1) == 0)
		fprintf(stderr, "%s %u/%u\n", what, done, total);
}
