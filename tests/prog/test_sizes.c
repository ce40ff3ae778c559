// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes of a router, odd ones above all: whatever `up` takes must hold what it says, up to the last
 * element, and what does not fit is refused with the option that helps.
 */
#include <errno.h>
#include <string.h>
#include "harness.h"

static const char *const words[] = {"max-prefixes", "max-next-hops", "max-buckets",  "max-history",
				    "max-members",  "max-ports",     "max-fragments"};
/* No size was added without its word here. */
_Static_assert(offsetof(struct ecmper_up_options, max_fragments) + sizeof(uint32_t) -
			       offsetof(struct ecmper_up_options, max_prefixes) ==
		       ARRAY_SIZE(words) * sizeof(uint32_t),
	       "every size option is tried");

static struct ecmper_error err;

/* 0, or the reason to stop: something is full. */
static int edit(struct ecmper *router, const char *text)
{
	struct ecmper_changes changes = {};
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret;

	assert_int_equal(ecmper_changes_read(&changes, file, "test", false, &err), 0);
	fclose(file);
	ret = ecmper_edit(router, &changes, ECMPER_EDIT_BATCH, NULL, &err);
	ecmper_changes_free(&changes);
	if (ret && (ret != -ENOSPC || !strstr(err.text, "larger --max-")))
		fail_msg("%s: %s", text, err.text);
	return ret;
}

/* Prefixes with tables, members and a history of their own, until one is refused. */
static unsigned int fill(struct ecmper *router)
{
	unsigned int count = 0;
	char text[256];

	for (int ret = 0; !ret && count < 150; count += !ret) {
		snprintf(text, sizeof(text), "add 10.1.0.%u buckets 64 via 10.0.0.1 weight %u\n",
			 count, count + 1);
		ret = edit(router, text);
		snprintf(text, sizeof(text), "add 10.1.0.%u via 10.0.0.2 weight %u\n", count,
			 count % 7 + 1);
		ret = ret ?: edit(router, text);
	}
	return count;
}

/* All of it can be read, and every bucket has an owner. */
static void check(struct ecmper *router, unsigned int filled)
{
	struct ecmper_prefix_view *views;
	unsigned int count;

	if (ecmper_prefixes_view(router, NULL, &views, &count, &err))
		fail_msg("view: %s", err.text);
	assert_uint_in_range(count, filled, filled + 1);
	for (unsigned int i = 0; i < count; i++)
		for (uint32_t b = 0; b < views[i].value.cur_nh_count; b++)
			assert_int_not_equal(
				ecmper_cur_nh_at(router, views[i].value.cur_nh_offset + b), 0);
	ecmper_prefixes_free(views, count);
}

/* Returns the prefixes that fit. */
static unsigned int try_size(const char *word, const char *value)
{
	/* The others are small, to be quick. */
	struct ecmper_up_options options = {.pin = ECMPER_PIN_DEFAULT,
					    .role = ECMPER_ROUTER,
					    .mark = -1,
					    .dev_count = 1,
					    .max_buckets = 1 << 16,
					    .max_history = 1 << 16,
					    .max_members = 1 << 12,
					    .max_fragments = 64};
	struct ecmper_up_report report;
	struct ecmper *router;
	char option[64];
	unsigned int count;
	int ret;

	strcpy(options.devs[0], "in0");
	snprintf(option, sizeof(option), "--%s", word);
	assert_int_equal(ecmper_option_set(&options, word, value, &err), 0);
	ret = ecmper_up(&options, &report, &err);
	if (ret) {
		if (ret != -EINVAL || !strstr(err.text, option))
			fail_msg("%s %s: %s", option, value, err.text);
		assert_false(ecmper_is_up(options.pin, ECMPER_ROUTER));
		return 0;
	}
	/* Said again, it is the same size. */
	if (!strcmp(value, "4100") && ecmper_up(&options, &report, &err))
		fail_msg("%s %s: %s", option, value, err.text);
	if (ecmper_open(options.pin, ECMPER_ROUTER, &router, &err))
		fail_msg("%s %s: %s", option, value, err.text);
	edit(router, "neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev in0\n");
	count = fill(router);
	check(router, count);
	ecmper_close(router);
	if (ecmper_down(options.pin, ECMPER_ROUTER, NULL, &err))
		fail_msg("%s %s: %s", option, value, err.text);
	return count;
}

static void every_size_at_odd_values(void **state)
{
	static const char *const values[] = {"1", "2", "9", "65", "1001", "4100", "12289"};
	unsigned int full = 0;

	(void)state;
	namespace_renew();
	ip_batch("link add in0 type veth peer in0-end\nlink set in0 up\nlink set in0-end up\n");
	for (size_t w = 0; w < ARRAY_SIZE(words); w++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			unsigned int count = try_size(words[w], values[v]);

			full += count > 0 && count < 150;
		}
	assert_true(full > 9); /* some were filled to the end */
}

static void what_is_rounded_up_holds_as_much_as_was_asked_for(void **state)
{
	(void)state;
	namespace_renew();
	ip_batch("link add in0 type veth peer in0-end\nlink set in0 up\nlink set in0-end up\n");
	/* 65 tables of 64 buckets: one in use, and one on the way there, at a time for each. */
	assert_int_equal(try_size("max-buckets", "4100"), try_size("max-buckets", "4160"));
	assert_int_equal(try_size("max-members", "9"), try_size("max-members", "16"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_at_odd_values),
		cmocka_unit_test(what_is_rounded_up_holds_as_much_as_was_asked_for),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
