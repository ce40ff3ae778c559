// SPDX-License-Identifier: GPL-2.0-only
/*
 * How ecmperctl speaks: failures on stderr, results as aligned columns or as JSON on stdout. The
 * other files decide what is said. Running out of memory while printing ends the program here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define SCALED_STRLEN 24

static void say(const char *format, va_list args)
{
	fflush(stdout); /* what was printed before the failure stays before it */
	fputs("ecmperctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

enum status fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return STATUS_FAILED;
}

enum status usage(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	if (cli->command)
		fprintf(stderr, "See: ecmperctl help %s\n", cli->command->name);
	else
		fputs("See: ecmperctl help\n", stderr);
	return STATUS_USAGE;
}

void tell_version(const struct cli *cli, enum ecmper_role role)
{
	const char *name = ecmper_role_names[role];
	char version[ECMPER_VERSION_STRLEN];
	int ret = ecmper_version_read(cli->pin, role, version);

	if (ret == -ENOENT)
		strcpy(version, "an earlier version");
	else if (ret || !strcmp(version, ECMPER_VERSION))
		return;
	fflush(stdout);
	fprintf(stderr,
		"ecmperctl: note: the %s's program is that of %s, this is %s: `systemctl reload "
		"ecmper-%s` or `ecmper-loader %s up` replaces it without a gap\n",
		name, version, ECMPER_VERSION, name, name);
}

void die_of_memory(void)
{
	fail("out of memory");
	exit(STATUS_FAILED);
}

void table_begin(struct table *table, const char *const *titles)
{
	*table = (struct table){.titles = titles};
	while (titles[table->columns])
		table->columns++;
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;

	if (!(table->count & (table->count - 1))) {
		size_t room = table->count ? 2 * (size_t)table->count : 1;

		table->cells = reallocarray(table->cells, room, sizeof(*table->cells));
		if (!table->cells)
			die_of_memory();
	}
	va_start(args, format);
	if (vasprintf(&table->cells[table->count++], format, args) < 0)
		die_of_memory();
	va_end(args);
}

static bool is_scaled(const struct table *table, unsigned int column)
{
	return table->titles[column][0] == '~';
}

static bool is_number(const struct table *table, unsigned int column)
{
	return table->titles[column][0] == '>' || is_scaled(table, column);
}

static const char *title(const struct table *table, unsigned int column)
{
	return table->titles[column] + is_number(table, column);
}

/* One cell, filled up to its width; nothing behind the last one. */
static void print_cell(const struct table *table, unsigned int column, const char *text, int width)
{
	bool is_last = column + 1 == table->columns;

	if (is_number(table, column))
		printf("%*s", width, text);
	else
		printf("%-*s", is_last ? 0 : width, text);
	fputs(is_last ? "\n" : "  ", stdout);
}

/* "12.3M": three digits and a power of 1000. */
static void scale(const char *cell, char buf[SCALED_STRLEN])
{
	const char *power = " kMGTPE";
	double value = strtod(cell, NULL);
	bool is_plain = value < 1000;

	/* 999.5 would be printed as 1000 */
	for (; !is_plain && value >= 999.5; power++)
		value /= 1000;
	if (is_plain)
		snprintf(buf, SCALED_STRLEN, "%s", cell);
	else
		snprintf(buf, SCALED_STRLEN, "%.*f%c", value < 9.995 ? 2 : value < 99.95, value,
			 *power);
}

static void scale_cells(struct table *table)
{
	char buf[SCALED_STRLEN];

	for (unsigned int i = 0; i < table->count; i++) {
		if (!is_scaled(table, i % table->columns))
			continue;
		scale(table->cells[i], buf);
		free(table->cells[i]);
		table->cells[i] = strdup(buf);
		if (!table->cells[i])
			die_of_memory();
	}
}

static void table_release(struct table *table)
{
	for (unsigned int i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
}

static int *measure(const struct table *table)
{
	int *widths = calloc(table->columns, sizeof(*widths));

	if (!widths)
		die_of_memory();
	for (unsigned int i = 0; i < table->columns; i++)
		widths[i] = strlen(title(table, i));
	for (unsigned int i = 0; i < table->count; i++) {
		int width = strlen(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	return widths;
}

void table_print(struct table *table, const char *indent)
{
	int *widths;

	scale_cells(table);
	widths = measure(table);
	if (table->count)
		fputs(indent, stdout);
	for (unsigned int i = 0; table->count && i < table->columns; i++)
		print_cell(table, i, title(table, i), widths[i]);
	for (unsigned int i = 0; i < table->count; i++) {
		unsigned int column = i % table->columns;

		if (!column)
			fputs(indent, stdout);
		print_cell(table, column, table->cells[i], widths[column]);
	}
	free(widths);
	table_release(table);
}

/* "-" stands for what is not known. */
static json_t *cell_json(const struct table *table, unsigned int i)
{
	const char *cell = table->cells[i];

	if (!strcmp(cell, "-"))
		return json_null();
	if (is_number(table, i % table->columns))
		return json_checked(json_integer(strtoll(cell, NULL, 10)));
	return json_checked(json_string(cell));
}

json_t *table_json(struct table *table)
{
	json_t *list = json_checked(json_array()), *row = NULL;

	for (unsigned int i = 0; i < table->count; i++) {
		unsigned int column = i % table->columns;

		if (!column) {
			row = json_checked(json_object());
			json_array_append_new(list, row);
		}
		json_object_set_new(row, title(table, column), cell_json(table, i));
	}
	table_release(table);
	return list;
}

const char *mac_text(const struct ecmper_neigh_view *neigh, const uint8_t mac[6],
		     char buf[ECMPER_MAC_STRLEN])
{
	return neigh->is_resolved ? ecmper_mac_format(mac, buf) : "-";
}

json_t *json_checked(json_t *value)
{
	if (!value)
		die_of_memory();
	return value;
}

void json_print(json_t *value)
{
	json_dumpf(json_checked(value), stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(value);
}

void json_print_line(json_t *value)
{
	json_dumpf(json_checked(value), stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(value);
}

json_t *json_hop(const struct ecmper_hop *hop)
{
	char text[ECMPER_HOP_STRLEN];

	return json_checked(json_string(ecmper_hop_format(hop, text)));
}

json_t *json_mac(const uint8_t mac[6])
{
	char text[ECMPER_MAC_STRLEN];

	return json_checked(json_string(ecmper_mac_format(mac, text)));
}
