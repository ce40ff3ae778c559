// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf.c, lists and files: comments, where an error was, what a file may not be, and that a
 * failure leaves the list as it was. test_conf.c has the grammar of a line.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ecmper/ecmper.h"

static int read_bytes(struct ecmper_changes *changes, const char *bytes, size_t len,
		      bool only_state, struct ecmper_error *err)
{
	FILE *file = fmemopen((void *)bytes, len, "r");
	int code;

	assert_non_null(file);
	code = ecmper_changes_read(changes, file, "FILE", only_state, err);
	fclose(file);
	return code;
}

static int read_text(struct ecmper_changes *changes, const char *text, bool only_state,
		     struct ecmper_error *err)
{
	return read_bytes(changes, text, strlen(text), only_state, err);
}

static void command_line_words_are_a_change_of_line_zero(void **state)
{
	char *const words[] = {"del", "10.0.10.0/32", "via", "10.0.0.1"};
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(ecmper_changes_add(&changes, 0, 4, words, &err), 0);
	assert_int_equal(changes.count, 1);
	assert_int_equal(changes.list[0].kind, ECMPER_DEL);
	assert_int_equal(changes.list[0].line, 0);
	ecmper_changes_free(&changes);
}

static void command_line_errors_name_no_line(void **state)
{
	char *const words[] = {"del", ""};
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(ecmper_changes_add(&changes, 0, 2, words, &err), -EINVAL);
	assert_string_equal(err.text, "expected a prefix (ADDR, or ADDR/LEN without bits set "
				      "behind LEN), not ''");
	assert_int_equal(ecmper_changes_add(&changes, 0, 0, words, &err), -EINVAL);
	assert_string_equal(err.text, "expected 'add', 'del', 'purge', 'neigh' or 'clear'");
	assert_int_equal(ecmper_changes_add(&changes, 0, 2, words, NULL), -EINVAL);
	assert_int_equal(changes.count, 0);
}

static void comments_and_blank_lines_are_skipped(void **state)
{
	static const char text[] =
		"# a comment\n"
		"\n"
		"  \t \r\n"
		"clear # the rest: add nonsense\n"
		"   # indented\n"
		"neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth#1 #comment\n"
		"#\n"
		"purge 10.0.0.1";
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(read_text(&changes, text, false, &err), 0);
	assert_int_equal(changes.count, 3);
	assert_int_equal(changes.list[0].line, 4);
	assert_int_equal(changes.list[1].line, 6);
	assert_string_equal(changes.list[1].dev, "eth#1");
	assert_int_equal(changes.list[2].line, 8);
	ecmper_changes_free(&changes);
}

static void an_empty_file_changes_nothing(void **state)
{
	static const char *const files[] = {"\n", "#", "\n\n\n", " "};
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	FILE *file = fopen("/dev/null", "r");

	(void)state;
	assert_int_equal(ecmper_changes_read(&changes, file, "FILE", true, &err), 0);
	fclose(file);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		assert_int_equal(read_text(&changes, files[i], true, &err), 0);
	assert_int_equal(changes.count, 0);
	ecmper_changes_free(&changes);
}

static void a_failure_leaves_the_list_as_it_was(void **state)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(
		read_text(&changes, "add 10.0.0.0 via 1.0.0.1\npurge 1.0.0.1\n", false, &err), 0);
	for (int i = 0; i < 20; i++) {
		char text[2048] = "";

		for (int line = 0; line < i; line++)
			strcat(text, "add 10.0.0.9 via 1.0.0.1 via 1.0.0.2 via 1.0.0.3\n");
		strcat(text, "add 10.0.0.9 via 1.0.0.1 via nobody\nclear\n");
		assert_int_equal(read_text(&changes, text, false, &err), -EINVAL);
		assert_int_equal(changes.count, 2);
		assert_int_equal(changes.list[0].kind, ECMPER_ADD);
		assert_int_equal(changes.list[0].via_count, 1);
		assert_int_equal(changes.list[1].kind, ECMPER_PURGE);
	}
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(read_text(&changes, "del 10.0.0.0 via 1.0.0.1\n", false, &err), 0);
	assert_int_equal(changes.count, 42);
	ecmper_changes_free(&changes);
	assert_int_equal(changes.count, 0);
	assert_null(changes.list);
}

static void errors_name_the_file_and_the_line(void **state)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(read_text(&changes, "clear\n\n# x\npurge\nclear\n", false, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"FILE:4: 'purge' must be followed by the address of a host, like 10.0.0.1 "
		"or fe80::1%eth1");
	ecmper_changes_free(&changes);
}

static void a_state_holds_only_add_and_neigh_add(void **state)
{
	static const struct {
		const char *line, *word;
	} cases[] = {
		{"del 10.0.10.0/32", "del"},
		{"purge 10.0.0.1", "purge"},
		{"neigh del 10.0.0.1", "neigh del"},
		{"clear", "clear"},
	};
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	char want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_text(&changes, cases[i].line, true, &err), -EINVAL);
		snprintf(want, sizeof(want),
			 "FILE:1: '%s' is a change: a file that describes a state holds only 'add' "
			 "and 'neigh add'",
			 cases[i].word);
		assert_string_equal(err.text, want);
		assert_int_equal(changes.count, 0);
	}
	assert_int_equal(read_text(&changes,
				   "neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth0\n"
				   "add 10.0.10.0/32 via 10.0.0.1\nadd 10.1.0.0/16 connected\n",
				   true, &err),
			 0);
	assert_int_equal(changes.count, 3);
	ecmper_changes_free(&changes);
}

/* router.conf has both: what the loader brings up, and the state. */
static void a_state_may_stand_among_options_of_the_loader(void **state)
{
	static const char text[] = "dev eth0\nmax-buckets 64\nhash-key nobody-looks\n"
				   "add 10.0.10.0/32 via 10.0.0.1\n";
	struct ecmper_changes changes = {};
	struct ecmper_error err;

	(void)state;
	assert_int_equal(read_text(&changes, text, true, &err), 0);
	assert_int_equal(changes.count, 1);
	assert_int_equal(changes.list[0].line, 4);
	ecmper_changes_free(&changes);
	assert_int_equal(read_text(&changes, text, false, &err), -EINVAL);
	assert_string_equal(err.text, "FILE:1: expected 'add', 'del', 'purge', 'neigh' or 'clear', "
				      "not 'dev'");
}

static void nul_bytes_are_refused_wherever_they_stand(void **state)
{
	static const char text[] = "clear\nadd 10.0.0.0 via 10.0.0.1\nclear\n";
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	char bytes[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		memcpy(bytes, text, sizeof(text));
		bytes[i] = '\0';
		assert_int_equal(read_bytes(&changes, bytes, sizeof(text) - 1, false, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, ": a NUL byte: this is not a text file"));
		assert_int_equal(changes.count, 0);
	}
	ecmper_changes_free(&changes);
}

/* One prefix with 65 535 servers and their weights fits a line; so does no more than 4 MiB. */
static void lines_are_long_but_bounded(void **state)
{
	const unsigned int servers = 65535;
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	char *text = malloc((size_t)5 << 20);
	size_t len = sprintf(text, "add 100.100.100.100/32 hash maglev buckets 65536 depth 15");

	(void)state;
	for (unsigned int i = servers; i > 0; i--)
		len += sprintf(text + len, " via 203.100.%u.%u weight 10000", i / 256, i % 256);
	assert_int_equal(read_bytes(&changes, text, len, true, &err), 0);
	assert_int_equal(changes.list[0].via_count, servers);
	ecmper_changes_free(&changes);

	memset(text, ' ', (size_t)5 << 20);
	assert_int_equal(read_bytes(&changes, text, (4 << 20) - 1, true, &err), 0);
	assert_int_equal(read_bytes(&changes, text, (size_t)4 << 20, true, &err), -EINVAL);
	assert_string_equal(err.text, "FILE:1: the line is longer than 4194304 bytes");
	free(text);
	ecmper_changes_free(&changes);
}

static void an_unreadable_file_says_why(void **state)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	FILE *file = fopen("/", "r");

	(void)state;
	assert_non_null(file);
	assert_int_equal(ecmper_changes_read(&changes, file, "/", false, &err), -EIO);
	assert_string_equal(err.text, "/:1: cannot read: Is a directory");
	fclose(file);
	ecmper_changes_free(&changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_words_are_a_change_of_line_zero),
		cmocka_unit_test(command_line_errors_name_no_line),
		cmocka_unit_test(comments_and_blank_lines_are_skipped),
		cmocka_unit_test(an_empty_file_changes_nothing),
		cmocka_unit_test(a_failure_leaves_the_list_as_it_was),
		cmocka_unit_test(errors_name_the_file_and_the_line),
		cmocka_unit_test(a_state_holds_only_add_and_neigh_add),
		cmocka_unit_test(a_state_may_stand_among_options_of_the_loader),
		cmocka_unit_test(nul_bytes_are_refused_wherever_they_stand),
		cmocka_unit_test(lines_are_long_but_bounded),
		cmocka_unit_test(an_unreadable_file_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
