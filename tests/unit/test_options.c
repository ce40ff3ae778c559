// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loader's options: words, values, files.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "ecmper/ecmper.h"

static struct ecmper_error err;

static int set(struct ecmper_up_options *options, const char *word, const char *value)
{
	return ecmper_option_set(options, word, value, &err);
}

static void good_values_are_taken(void **state)
{
	struct ecmper_up_options router = {.role = ECMPER_ROUTER, .mark = -1};
	struct ecmper_up_options server = {.role = ECMPER_SERVER, .mark = -1};

	(void)state;
	assert_int_equal(set(&router, "dev", "eth0"), 0);
	assert_int_equal(set(&router, "dev", "eth1.100"), 0);
	assert_int_equal(set(&router, "dev", "eth0"), 0); /* once is enough */
	assert_int_equal(router.dev_count, 2);
	assert_string_equal(router.devs[1], "eth1.100");
	assert_int_equal(set(&router, "mode", "generic"), 0);
	assert_int_equal(router.mode, ECMPER_XDP_GENERIC);
	assert_int_equal(set(&router, "mark", "tos"), 0);
	assert_int_equal(router.mark, ECMPER_MARK_TOS);
	assert_int_equal(set(&router, "max-buckets", "1024"), 0);
	assert_int_equal(router.max_buckets, 1024);
	assert_int_equal(set(&router, "max-ports", "7"), 0);
	assert_int_equal(router.max_ports, 7);
	assert_int_equal(set(&router, "hash-key", "00112233445566778899aabbccddeeff"), 0);
	assert_true(router.has_hash_key);
	assert_int_equal(set(&server, "vip", "10.0.10.0/32"), 0);
	assert_int_equal(set(&server, "vip", "10.0.11.0/24"), 0);
	assert_int_equal(set(&server, "vip", "fd00:0:10::/64"), 0);
	assert_int_equal(set(&server, "max-fragments", "77"), 0);
	assert_int_equal(server.max_fragments, 77);
	assert_int_equal(server.vip_count, 3);
	assert_int_equal(server.vips[1].len, 24);
	ecmper_options_free(&server);
}

static void bad_values_are_refused_and_quoted(void **state)
{
	static const struct {
		enum ecmper_role role;
		const char *word, *value, *message;
	} cases[] = {
		{ECMPER_ROUTER, "dev", "", "expected the name"},
		{ECMPER_ROUTER, "dev", "a-name-that-is-too-long", "\"a-name-that-is-too-long\""},
		{ECMPER_ROUTER, "mode", "fast", "auto, native or generic"},
		{ECMPER_ROUTER, "mark", "DSCP", "dscp or tos"},
		{ECMPER_ROUTER, "max-buckets", "12x", "\"12x\""},
		{ECMPER_ROUTER, "max-buckets", "0", "expected a number"},
		{ECMPER_ROUTER, "max-buckets", "-1", "expected a number"},
		{ECMPER_ROUTER, "max-buckets", "4294967296", "expected a number"},
		{ECMPER_ROUTER, "hash-key", "0011", "32 hexadecimal digits"},
		{ECMPER_ROUTER, "vip", "10.0.10.0/32", "the router has no option \"vip\""},
		{ECMPER_SERVER, "max-buckets", "64", "the server has no option"},
		{ECMPER_SERVER, "vip", "10.0.10.1/24", "\"10.0.10.1/24\""},
		{ECMPER_SERVER, "vip", "::1/64", "\"::1/64\""},
		{ECMPER_SERVER, "speed", "64", "no option \"speed\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ecmper_up_options options = {.role = cases[i].role, .mark = -1};

		assert_true(set(&options, cases[i].word, cases[i].value) < 0);
		if (!strstr(err.text, cases[i].message))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.text);
	}
}

static int read_text(struct ecmper_up_options *options, const char *text)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret = ecmper_options_read(options, file, "router.conf", &err);

	fclose(file);
	return ret;
}

static void a_file_may_hold_the_state_too(void **state)
{
	struct ecmper_up_options options = {.role = ECMPER_ROUTER, .mark = -1};

	(void)state;
	assert_int_equal(read_text(&options,
				   "# the router\n\ndev eth0 # in\n\tmark dscp\n"
				   "add 10.0.10.0/32 via 10.0.0.1\n"
				   "neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev eth0\n"),
			 0);
	assert_int_equal(options.dev_count, 1);
	assert_int_equal(options.mark, ECMPER_MARK_DSCP);
	assert_true(options.is_whole);
}

static void one_device_too_many_is_told_so(void **state)
{
	struct ecmper_up_options options = {.role = ECMPER_ROUTER, .mark = -1};
	char name[IF_NAMESIZE];

	(void)state;
	for (int i = 0; i < ECMPER_DEVS_MAX; i++) {
		snprintf(name, sizeof(name), "eth%d", i);
		assert_int_equal(set(&options, "dev", name), 0);
	}
	assert_int_equal(set(&options, "dev", "eth7"), 0); /* named before */
	assert_int_equal(set(&options, "dev", "more"), -E2BIG);
	assert_non_null(strstr(err.text, "\"more\": there are 256 already"));
	assert_false(options.is_whole);
}

static void errors_in_a_file_name_the_line(void **state)
{
	static const char *const texts[] = {"dev eth0\nmode fast\n", "dev eth0\ndev\n",
					    "dev eth0\ndev eth1 eth2\n", "dev eth0\nfoo bar\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct ecmper_up_options options = {.role = ECMPER_ROUTER, .mark = -1};

		assert_true(read_text(&options, texts[i]) < 0);
		assert_non_null(strstr(err.text, "router.conf:2: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_are_taken),
		cmocka_unit_test(bad_values_are_refused_and_quoted),
		cmocka_unit_test(a_file_may_hold_the_state_too),
		cmocka_unit_test(one_device_too_many_is_told_so),
		cmocka_unit_test(errors_in_a_file_name_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
