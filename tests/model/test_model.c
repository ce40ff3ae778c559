// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loaded programs against the reference model: the same frames, and the same verdict, bytes and
 * counters wanted. A short run with a seed of the clock, unless options say otherwise:
 *
 *   test_model [--role router|server] [--seed N] [--seconds S] [--frames N] [--frame M]
 *
 * `--frame M` shows frame M of that seed, after those of its epoch that come before.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../prog/harness.h"
#include "run.h"

#define SHORT_RUN 7.0

static struct run_options options = {.frames = UINT64_MAX, .seconds = SHORT_RUN};
static const char *only_role;

static void usage(void)
{
	fprintf(stderr, "usage: test_model [--role router|server] [--seed N] [--seconds S] "
			"[--frames N] [--frame M]\n");
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end)
		usage();
	return value;
}

static void read_options(int argc, char *argv[])
{
	static const struct option names[] = {
		{"role", required_argument, NULL, 'r'},    {"seed", required_argument, NULL, 's'},
		{"seconds", required_argument, NULL, 't'}, {"frames", required_argument, NULL, 'n'},
		{"frame", required_argument, NULL, 'f'},   {}};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (option) {
		case 'r': only_role = optarg; break;
		case 's': options.seed = number(optarg); break;
		case 't': options.seconds = number(optarg); break;
		case 'n':
			options.frames = number(optarg);
			options.seconds = 1e9;
			break;
		case 'f':
			options.frame = number(optarg);
			options.has_frame = true;
			break;
		default: usage();
		}
	if (optind < argc)
		usage();
}

static void print_result(const struct model_role *role, const struct run_result *result)
{
	printf("# %s: seed %" PRIu64 ", %" PRIu64 " frames in %.1f s (%.0f a second)\n", role->name,
	       options.seed, result->frames, result->seconds, result->frames / result->seconds);
	printf("# %s: %" PRIu64 " differences, %" PRIu64 " spoilt checksums\n", role->name,
	       result->differences, result->bad_checksums);
	printf("# %s:", role->name);
	for (uint32_t i = 0; i < role->reason_count; i++)
		if (result->by_reason[i])
			printf(" %s %" PRIu64, role->reasons[i].name, result->by_reason[i]);
	printf("\n");
}

static void run(const struct model_role *role)
{
	struct run_result result;

	if (only_role && strcmp(only_role, role->name))
		skip();
	printf("# %s: seed %" PRIu64 "\n", role->name, options.seed);
	fflush(stdout);
	run_role(role, &options, &result);
	if (!options.has_frame)
		print_result(role, &result);
	fflush(stdout);
	if (result.differences || result.bad_checksums)
		fail_msg("program and model differ about frames of seed %" PRIu64, options.seed);
}

static void the_router_does_what_the_model_says(void **state)
{
	(void)state;
	run(&model_router_role);
}

static void the_server_program_does_what_the_model_says(void **state)
{
	(void)state;
	run(&model_server_role);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_router_does_what_the_model_says),
		cmocka_unit_test(the_server_program_does_what_the_model_says),
	};

	options.seed = (uint64_t)time(NULL) * 1000003 % 1000000007;
	read_options(argc, argv);
	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
