// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that can happen to one bucket of 2 to 5 servers, a connection and a packet of it, at any depth
 * of history: changes at every hop, every server drained, a change stopped between its two writes.
 * No living connection is reset. And the search can find what it looks for: it does with QUIET off.
 *
 * test_search SERVERS DEPTH [quiet-off] [no-mac=SERVER] [one-left] [never-dead] [tos] [lpm-ignored]
 * [passed-over-as-last] shows what one search finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mark.h"
#include "search.h"

static const char *const names[VIOLATIONS] = {
	"",
	"RST for a living connection",
	"owner not reached in an unchanged table",
	"packet of nobody without its RST",
	"endless way",
	"owner fell off the chain",
};

/* Runs a search, prints the first of each violation but one that is `wanted` elsewhere. */
static struct search *run(const struct search_options *options)
{
	struct search *search = search_run(options);

	printf("# %u servers, depth %u: %u nodes", options->servers, options->depth,
	       search_nodes(search));
	for (int i = VIOLATION_RST; i < VIOLATIONS; i++)
		if (search_count(search, i))
			printf(", %s: %u", names[i], search_count(search, i));
	printf("\n");
	return search;
}

/* Nothing but connections that fell off the chain's end, and those only where they may. */
static void assert_clean(const struct search_options *options, bool is_lost)
{
	struct search *search = run(options);

	for (int i = VIOLATION_RST; i < VIOLATION_LOST; i++) {
		search_print(search, i);
		assert_int_equal(search_count(search, i), 0);
	}
	if (!is_lost)
		search_print(search, VIOLATION_LOST);
	assert_int_equal(!!search_count(search, VIOLATION_LOST), is_lost);
	search_free(search);
}

static void assert_finds(const struct search_options *options, enum search_violation violation)
{
	struct search *search = run(options);

	search_print(search, violation);
	assert_int_not_equal(search_count(search, violation), 0);
	search_free(search);
}

static void test_no_connection_is_reset(void **state)
{
	(void)state;
	for (uint8_t servers = 2; servers <= SEARCH_SERVERS; servers++)
		for (uint8_t depth = 1; depth <= servers; depth++)
			assert_clean(&(struct search_options){.servers = servers, .depth = depth},
				     depth < servers);
}

/* The servers are alike but for the one that the bucket begins with. */
static void test_nor_is_one_while_a_server_has_no_mac(void **state)
{
	(void)state;
	for (uint8_t servers = 2; servers <= SEARCH_SERVERS; servers++)
		for (uint8_t depth = 1; depth <= servers; depth++)
			for (uint8_t no_mac = 1; no_mac <= 2; no_mac++)
				assert_clean(&(struct search_options){.servers = servers,
								      .depth = depth,
								      .no_mac = no_mac},
					     depth < servers);
	for (uint8_t no_mac = 1; no_mac <= 2; no_mac++)
		assert_clean(&(struct search_options){.servers = 4,
						      .depth = 1,
						      .no_mac = no_mac,
						      .mark = ECMPER_MARK_TOS},
			     true);
}

static void test_one_server_less_is_deep_enough_while_one_stays(void **state)
{
	(void)state;
	for (uint8_t servers = 2; servers <= SEARCH_SERVERS; servers++)
		for (uint8_t depth = 1; depth < servers; depth++)
			assert_clean(&(struct search_options){.servers = servers,
							      .depth = depth,
							      .is_one_left = true},
				     depth < servers - 1);
}

static void test_two_drained_servers_need_depth_two(void **state)
{
	struct search_options options = {.servers = 2, .depth = 1, .is_never_dead = true};

	(void)state;
	assert_finds(&options, VIOLATION_LOST);
	options.depth = 2;
	assert_clean(&options, false);
}

static void test_without_quiet_connections_are_reset(void **state)
{
	struct search_options options = {.is_quiet_off = true};

	(void)state;
	for (options.servers = 3; options.servers <= SEARCH_SERVERS; options.servers++)
		for (options.depth = 2; options.depth <= options.servers; options.depth++)
			assert_finds(&options, VIOLATION_RST);
}

/* A single server always at the top is enough for it. */
static void test_without_quiet_also_while_one_stays(void **state)
{
	(void)state;
	assert_finds(&(struct search_options){.servers = 4,
					      .depth = 4,
					      .is_quiet_off = true,
					      .is_one_left = true,
					      .is_never_dead = true},
		     VIOLATION_RST);
}

/* The mark of 1 is of the current owner, which is_on_course() knows for sure. So `tos`, whose depth
 * is 1, does without QUIET. */
static void test_depth_one_needs_no_quiet(void **state)
{
	(void)state;
	for (uint8_t servers = 2; servers <= SEARCH_SERVERS; servers++) {
		struct search_options options = {
			.servers = servers, .depth = 1, .is_quiet_off = true};

		assert_clean(&options, true);
		options.mark = ECMPER_MARK_TOS;
		assert_clean(&options, true);
	}
}

/* A chain's end is the end only when everybody was asked. */
static void test_a_server_without_a_mac_may_be_the_owner(void **state)
{
	(void)state;
	for (uint8_t no_mac = 1; no_mac <= 2; no_mac++)
		assert_finds(&(struct search_options){.servers = 2,
						      .depth = 2,
						      .no_mac = no_mac,
						      .is_passed_over_as_last = true},
			     VIOLATION_RST);
}

/* ---- known ways ---- */

static void step(const struct search_options *options, struct bucket *bucket)
{
	struct bucket next;

	assert_int_equal(bucket_step(options, bucket, (struct chance){}, &next), END_NOT);
	*bucket = next;
}

/* A whole change. */
static void change(const struct search_options *options, struct bucket *bucket, uint8_t cur)
{
	struct bucket next;

	bucket_change(options, bucket, cur, 0, &next);
	bucket_finish(&next, bucket);
}

static void assert_packet(const struct bucket *bucket, enum search_place place, uint8_t at,
			  uint8_t mark)
{
	assert_int_equal(bucket->place, place);
	assert_int_equal(bucket->at, at);
	assert_int_equal(bucket->tos, mark_set(ECMPER_MARK_DSCP, 0, mark));
}

/* Servers 1, which owns, 3, 4 are drained; a packet comes back from 3; 1 is added again. */
static struct bucket overtake(const struct search_options *options)
{
	struct bucket bucket = {.cur = 1, .vip = 1, .owner = 1};

	change(options, &bucket, 4);
	change(options, &bucket, 3);
	change(options, &bucket, 0);
	bucket.place = PLACE_ROUTER;
	step(options, &bucket);
	step(options, &bucket);
	assert_packet(&bucket, PLACE_SERVER, 3, 1);
	step(options, &bucket);
	assert_packet(&bucket, PLACE_ROUTER, 3, 2);
	change(options, &bucket, 1);
	assert_int_equal(bucket.owner, 1);
	step(options, &bucket);
	return bucket;
}

static void test_an_overtaken_packet_is_not_answered(void **state)
{
	struct search_options options = {.servers = 4, .depth = 3};
	struct bucket bucket, end;
	struct search *search;

	(void)state;
	bucket = overtake(&options);
	assert_packet(&bucket, PLACE_SERVER, 4, MARK_QUIET);
	assert_int_equal(bucket_step(&options, &bucket, (struct chance){}, &end), END_RACED);
	search = search_run(&options);
	assert_true(search_has(search, &bucket));
	search_free(search);

	options.is_quiet_off = true;
	bucket = overtake(&options);
	assert_packet(&bucket, PLACE_SERVER, 4, MARK_LAST);
	assert_int_equal(bucket_step(&options, &bucket, (struct chance){}, &end), END_RST);
	search = search_run(&options);
	assert_true(search_has(search, &bucket));
	assert_int_not_equal(search_count(search, VIOLATION_RST), 0);
	search_free(search);
}

/* A command is stopped between its write of lpm and that of vip, for as long as one likes. */
static void test_lpm_alone_decides_once_it_was_read(void **state)
{
	struct search_options options = {.servers = 3, .depth = 3, .is_lpm_ignored = true};

	(void)state;
	assert_finds(&options, VIOLATION_RST);
	assert_finds(&options, VIOLATION_MISSED);
}

/* ---- one search, for people ---- */

static int show(int argc, char *argv[])
{
	struct search_options options = {.servers = atoi(argv[1]), .depth = atoi(argv[2])};
	struct search *search;

	if (options.servers < 1 || options.servers > SEARCH_SERVERS || options.depth < 1 ||
	    options.depth > SEARCH_SERVERS)
		return 2;
	for (int i = 3; i < argc; i++) {
		options.is_quiet_off |= !strcmp(argv[i], "quiet-off");
		options.is_lpm_ignored |= !strcmp(argv[i], "lpm-ignored");
		options.is_passed_over_as_last |= !strcmp(argv[i], "passed-over-as-last");
		if (!strncmp(argv[i], "no-mac=", 7))
			options.no_mac = atoi(argv[i] + 7);
		options.is_one_left |= !strcmp(argv[i], "one-left");
		options.is_never_dead |= !strcmp(argv[i], "never-dead");
		if (!strcmp(argv[i], "tos"))
			options.mark = ECMPER_MARK_TOS;
	}
	search = run(&options);
	for (int i = VIOLATION_RST; i < VIOLATIONS; i++)
		if (search_count(search, i)) {
			printf("# %s:\n", names[i]);
			search_print(search, i);
		}
	search_free(search);
	return 0;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_connection_is_reset),
		cmocka_unit_test(test_nor_is_one_while_a_server_has_no_mac),
		cmocka_unit_test(test_one_server_less_is_deep_enough_while_one_stays),
		cmocka_unit_test(test_two_drained_servers_need_depth_two),
		cmocka_unit_test(test_without_quiet_connections_are_reset),
		cmocka_unit_test(test_without_quiet_also_while_one_stays),
		cmocka_unit_test(test_depth_one_needs_no_quiet),
		cmocka_unit_test(test_a_server_without_a_mac_may_be_the_owner),
		cmocka_unit_test(test_an_overtaken_packet_is_not_answered),
		cmocka_unit_test(test_lpm_alone_decides_once_it_was_read),
	};

	if (argc > 2)
		return show(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
