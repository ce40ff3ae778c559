// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that change the state: add, del, purge, neigh, clear, batch, apply. Words and
 * files become a list of changes, and the library makes them, all or none.
 */
#include <errno.h>
#include <string.h>
#include "cli.h"

static void print_report(const struct cli *cli, const struct ecmper_report *report)
{
	json_t *lines;

	if (!cli->json) {
		for (unsigned int i = 0; i < report->count; i++)
			puts(report->lines[i]);
		if (!report->count)
			puts("# no change");
		return;
	}
	lines = json_checked(json_array());
	for (unsigned int i = 0; i < report->count; i++)
		json_array_append_new(lines, json_checked(json_string(report->lines[i])));
	json_print(json_pack("{s:i, s:o}", "prefixes_changed", (int)report->prefixes_changed,
			     "changes", lines));
}

/* With -j every edit says what it did; without, only apply does. */
static enum status edit(const struct cli *cli, const struct ecmper_changes *changes,
			enum ecmper_edit_mode mode)
{
	struct ecmper_report report = {};
	struct ecmper_error err;
	struct ecmper *ecmper;
	int code;

	do { /* once more when the router was taken down and brought up in between */
		if (ecmper_open(cli->pin, ECMPER_ROUTER, &ecmper, &err))
			return fail("%s", err.text);
		code = ecmper_edit(ecmper, changes, mode, &report, &err);
		ecmper_close(ecmper);
	} while (code == -ESTALE);
	if (code)
		return fail("%s", err.text);
	if (cli->json || mode & ECMPER_EDIT_APPLY)
		print_report(cli, &report);
	ecmper_report_free(&report);
	return STATUS_DONE;
}

enum status command_edit(const struct cli *cli, int argc, char **argv)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	enum status status;
	int code = ecmper_changes_add(&changes, 0, argc, argv, &err);

	if (code == -EINVAL)
		return usage(cli, "%s", err.text);
	if (code)
		return fail("%s", err.text);
	status = edit(cli, &changes, ECMPER_EDIT_BATCH);
	ecmper_changes_free(&changes);
	return status;
}

static enum status edit_by_file(const struct cli *cli, int argc, char **argv,
				enum ecmper_edit_mode mode)
{
	struct ecmper_changes changes = {};
	struct ecmper_error err;
	enum status status;
	bool is_stdin;
	FILE *file;
	int code;

	if (argc != 2)
		return usage(cli, argc < 2 ? "expected a file, or - for standard input"
					   : "expected one file");
	is_stdin = !strcmp(argv[1], "-");
	file = is_stdin ? stdin : fopen(argv[1], "re");
	if (!file)
		return fail("cannot open '%s': %s", argv[1], strerror(errno));
	code = ecmper_changes_read(&changes, file, is_stdin ? "standard input" : argv[1],
				   mode & ECMPER_EDIT_APPLY, &err);
	if (!is_stdin)
		fclose(file);
	status = code ? fail("%s", err.text) : edit(cli, &changes, mode);
	ecmper_changes_free(&changes);
	return status;
}

enum status command_batch(const struct cli *cli, int argc, char **argv)
{
	return edit_by_file(cli, argc, argv, ECMPER_EDIT_BATCH);
}

enum status command_apply(const struct cli *cli, int argc, char **argv)
{
	return edit_by_file(cli, argc, argv,
			    ECMPER_EDIT_APPLY | (cli->check ? ECMPER_EDIT_CHECK : 0));
}
