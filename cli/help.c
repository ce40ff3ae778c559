// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ecmperctl says about itself, out of the command table, and how a mistyped command is
 * guessed. scripts/check-docs.sh compares this text with the man page and the completion.
 */
#include <string.h>
#include "cli.h"

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

#define NAME_MAX_LEN 15

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to insert, delete or replace to get from one word to the other (Levenshtein). */
static unsigned int distance(const char *from, const char *to)
{
	unsigned int row[NAME_MAX_LEN + 1], columns = strlen(to);

	for (unsigned int i = 0; i <= columns; i++)
		row[i] = i;
	for (unsigned int line = 1; *from; from++, line++) {
		unsigned int diagonal = row[0];

		row[0] = line;
		for (unsigned int i = 1; i <= columns; i++) {
			unsigned int replaced = diagonal + (*from != to[i - 1]);

			diagonal = row[i];
			row[i] = least(row[i] + 1, row[i - 1] + 1, replaced);
		}
	}
	return row[columns];
}

const struct command *command_nearest(const char *name)
{
	const struct command *nearest = NULL;
	unsigned int best = 3;

	if (strlen(name) < 2 || strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (const struct command *command = commands; command->name; command++) {
		bool is_start = !strncmp(command->name, name, strlen(name));
		unsigned int away = is_start ? 1 : distance(name, command->name);

		if (away < best && away < strlen(command->name) - 1) {
			best = away;
			nearest = command;
		}
	}
	return nearest;
}

void help_print(FILE *out)
{
	const char *group = "";

	fputs("Usage: ecmperctl [OPTION]... COMMAND [WORD]...\n"
	      "Prefixes and servers of the ECMP-ER router, and what becomes of its packets.\n",
	      out);
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(group, command->group))
			fprintf(out, "\n%s:\n", command->group);
		group = command->group;
		fprintf(out, "  %-8s %s\n", command->name, command->help);
	}
	fputs("\nOptions:\n"
	      "  --pin DIR      the instance: a folder of pinned maps (or $" ECMPER_PIN_ENV ";\n"
	      "                 default " ECMPER_PIN_DEFAULT ")\n"
	      "  -j, --json     print JSON\n"
	      "  -V, --version  print the version\n"
	      "  -h, --help     print this help, or that of COMMAND\n"
	      "\n"
	      "Examples:\n"
	      "  ecmperctl add 10.0.10.0/32 via 10.0.0.1 via 10.0.0.2   two servers\n"
	      "  ecmperctl del 10.0.10.0/32 via 10.0.0.2                drain one of them\n"
	      "  ecmperctl stats -i 1                                   watch the packets\n"
	      "\n"
	      "`ecmperctl help COMMAND` tells more; all of it is in ecmperctl(8).\n",
	      out);
}

/* A synopsis has one line for each form of the command. */
void help_print_command(const struct command *command)
{
	const char *form = command->synopsis, *lead = "Usage:";

	for (; form; lead = "      ") {
		const char *end = strchrnul(form, '\n');

		printf("%s ecmperctl %s%s%.*s\n", lead, command->name, *form ? " " : "",
		       (int)(end - form), form);
		form = *end ? end + 1 : NULL;
	}
	printf("\n%c%s.\n", command->help[0] & ~0x20, command->help + 1);
	if (*command->details)
		printf("\n%s", command->details);
}
