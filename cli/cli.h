/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of ecmperctl share: the command table's shape, how failures are told, and how
 * results are printed. main.c owns the table; each family of commands has a file of its own.
 */
#ifndef ECMPER_CLI_H
#define ECMPER_CLI_H

#include <jansson.h>
#include "ecmper/ecmper.h"

enum status { STATUS_DONE, STATUS_FAILED, STATUS_USAGE };

/* Options, and the command that they were given to. */
struct cli {
	const struct command *command; /* NULL before it is known */
	const char *pin;
	bool json;
	unsigned long interval, rounds; /* stats, 0 = not given */
	bool per_cpu, reset;            /* stats */
	bool check;                     /* apply */
};

struct command {
	const char *group; /* heading in `ecmperctl help` */
	const char *name;
	const char *synopsis; /* the words behind the name */
	const char *help;     /* one line */
	const char *details;  /* `ecmperctl help NAME` */
	const char *options;  /* of its own, as getopt writes them */
	/* argv[0] is the command's name. */
	enum status (*run)(const struct cli *cli, int argc, char **argv);
};

/* The table, ended by a command without a name. */
extern const struct command commands[];

/* help.c */
const struct command *command_find(const char *name);
/* The command whose name is nearest to a mistyped one, NULL when none is near. */
const struct command *command_nearest(const char *name);
void help_print(FILE *out);
void help_print_command(const struct command *command);

/* output.c: failures, one text each, on stderr. */
enum status fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wrong words: the text, and where to read what is right. */
enum status usage(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Say so on stderr when the role's programs in the kernel are of another version than this one. */
void tell_version(const struct cli *cli, enum ecmper_role role);
void die_of_memory(void) __attribute__((noreturn));

/* Cells, collected row by row; printed as aligned columns or as JSON once all are known. */
struct table {
	/* Ended by NULL. '>' starts that of a column of numbers; '~': scaled for people (12.3M). */
	const char *const *titles;
	unsigned int columns;
	char **cells;
	unsigned int count;
};
void table_begin(struct table *table, const char *const *titles);
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print, each line behind `indent`, and release. A table without rows prints nothing. */
void table_print(struct table *table, const char *indent);
/* A list of objects with the titles as keys, null for "-"; releases the table. */
json_t *table_json(struct table *table);

/* A MAC of a neighbour, "-" before it is resolved. */
const char *mac_text(const struct ecmper_neigh_view *neigh, const uint8_t mac[6],
		     char buf[ECMPER_MAC_STRLEN]);

/* Print and release. NULL, which jansson makes of a lack of memory, ends the program. */
void json_print(json_t *value);
void json_print_line(json_t *value);
json_t *json_checked(json_t *value);
json_t *json_hop(const struct ecmper_hop *hop);
json_t *json_mac(const uint8_t mac[6]);

/* edit.c, show.c, tables.c, stats.c, trace.c */
enum status command_edit(const struct cli *cli, int argc, char **argv);
enum status command_batch(const struct cli *cli, int argc, char **argv);
enum status command_apply(const struct cli *cli, int argc, char **argv);
enum status command_show(const struct cli *cli, int argc, char **argv);
enum status command_dump(const struct cli *cli, int argc, char **argv);
enum status command_tables(const struct cli *cli, int argc, char **argv);
enum status command_stats(const struct cli *cli, int argc, char **argv);
enum status command_trace(const struct cli *cli, int argc, char **argv);

#endif
