// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading while somebody writes: each prefix is listed once, as it was before or after the change.
 */
#include "fake_tables.h"
#include "instance.h"

static struct ecmper_error err;
static const char *to_delete;
static unsigned int operations_left;

/* What a kernel's trie does with a key that is gone: the next one is the first of all. */
static void delete_meanwhile(struct fake *fake)
{
	struct ecmper_net net;
	int at;

	if (operations_left-- || ecmper_net_parse(to_delete, &net))
		return;
	at = fake_find_net(fake, &net);
	if (at >= 0)
		fake->lpm[at].is_there = false;
}

static void a_prefix_is_listed_once_whoever_goes_meanwhile(void **state)
{
	static const char *const nets[] = {"10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24",
					   "10.0.4.0/24"};
	unsigned int hits = 0;

	(void)state;
	for (unsigned int at = 0; at < 24; at++) {
		for (int gone = 0; gone < 4; gone++) {
			struct fake *fake = fake_new();
			struct ecmper ecmper = {.tables = fake->tables};
			struct ecmper_prefix_view *views;
			unsigned int count;

			for (int i = 0; i < 4; i++) {
				char text[64];

				snprintf(text, sizeof(text), "add %s buckets 16 via 10.0.0.1\n",
					 nets[i]);
				assert_int_equal(
					fake_edit(fake, text, ECMPER_EDIT_BATCH, NULL, &err), 0);
			}
			to_delete = nets[gone];
			operations_left = at;
			fake->observe = delete_meanwhile;
			assert_int_equal(ecmper_prefixes_view(&ecmper, NULL, &views, &count, &err),
					 0);
			fake->observe = NULL;
			assert_uint_in_range(count, 3, 4);
			hits += count == 3;
			for (unsigned int i = 1; i < count; i++)
				assert_true(ecmper_net_compare(&views[i - 1].net, &views[i].net) <
					    0);
			ecmper_prefixes_free(views, count);
			fake_free(fake);
		}
	}
	assert_true(hits > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_listed_once_whoever_goes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
