// SPDX-License-Identifier: GPL-2.0-only
/*
 * `ecmperctl stats`: counters by reason, server and device, and their rates between two
 * snapshots. One report, or one every few seconds. stats_print.c has the layout.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "stats.h"

/* The role that is meant: the one that was said, or the one that is up. */
static enum status choose_role(const struct cli *cli, const char *word, enum ecmper_role *role)
{
	bool has_router, has_server;

	if (word && ecmper_role_parse(word, role))
		return usage(cli, "expected router or server, not '%s'", word);
	if (word)
		return STATUS_DONE;
	has_router = ecmper_is_up(cli->pin, ECMPER_ROUTER);
	has_server = ecmper_is_up(cli->pin, ECMPER_SERVER);
	if (has_router && has_server)
		return usage(cli, "router and server are both up in %s: say which", cli->pin);
	if (!has_router && !has_server)
		return fail("neither router nor server is up in %s; `ecmper-loader router up` or "
			    "`ecmper-loader server up` brings one up (needs root)",
			    cli->pin);
	*role = has_server ? ECMPER_SERVER : ECMPER_ROUTER;
	return STATUS_DONE;
}

/* Until a point of the monotonic clock, so that reports do not drift. */
static void sleep_until(struct timespec when)
{
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

/* A snapshot. The program may have been taken down and brought up since the one before. */
static int take_snapshot(const struct cli *cli, enum ecmper_role role, struct ecmper **ecmper,
			 struct ecmper_stats **stats, struct ecmper_error *err)
{
	int ret;

	do {
		ret = *ecmper ? 0 : ecmper_open(cli->pin, role, ecmper, err);
		ret = ret ?: ecmper_stats_read(*ecmper, stats, err);
		if (ret == -ESTALE) {
			ecmper_close(*ecmper);
			*ecmper = NULL;
		}
	} while (ret == -ESTALE);
	return ret;
}

static enum status print_once(const struct cli *cli, enum ecmper_role role, struct ecmper **ecmper)
{
	struct ecmper_stats *now;
	struct ecmper_error err;

	if (take_snapshot(cli, role, ecmper, &now, &err))
		return fail("%s", err.text);
	stats_print(cli, now, NULL);
	ecmper_stats_free(now);
	return STATUS_DONE;
}

/* Each report compares two snapshots. Ends with the last round, or when nobody reads any more. */
static enum status print_rounds(const struct cli *cli, enum ecmper_role role,
				struct ecmper **ecmper)
{
	struct ecmper_stats *before, *now;
	struct ecmper_error err;
	struct timespec next;

	if (take_snapshot(cli, role, ecmper, &before, &err))
		return fail("%s", err.text);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned long round = 0; !cli->rounds || round < cli->rounds; round++) {
		next.tv_sec += cli->interval ?: 1;
		sleep_until(next);
		if (take_snapshot(cli, role, ecmper, &now, &err)) {
			ecmper_stats_free(before);
			return fail("%s", err.text);
		}
		if (round && !cli->json)
			putchar('\n');
		stats_print(cli, now, before);
		ecmper_stats_free(before);
		before = now;
		if (fflush(stdout))
			break;
	}
	ecmper_stats_free(before);
	return STATUS_DONE;
}

static enum status reset(const struct cli *cli, enum ecmper_role role)
{
	struct ecmper_error err;
	struct ecmper *ecmper;
	int ret = ecmper_open(cli->pin, role, &ecmper, &err);

	ret = ret ?: ecmper_stats_reset(ecmper, &err);
	ecmper_close(ecmper);
	return ret ? fail("%s", err.text) : STATUS_DONE;
}

enum status command_stats(const struct cli *cli, int argc, char **argv)
{
	enum ecmper_role role = ECMPER_ROUTER;
	struct ecmper *ecmper = NULL;
	enum status status;

	if (argc > 2)
		return usage(cli, "expected one role, not '%s' as well", argv[2]);
	if (cli->reset && (cli->interval || cli->rounds || cli->per_cpu || cli->json))
		return usage(cli, "-r prints nothing: it takes no other option");
	status = choose_role(cli, argc == 2 ? argv[1] : NULL, &role);
	if (status)
		return status;
	if (cli->reset)
		return reset(cli, role);
	tell_version(cli, role);
	status = cli->interval || cli->rounds ? print_rounds(cli, role, &ecmper)
					      : print_once(cli, role, &ecmper);
	ecmper_close(ecmper);
	return status;
}
