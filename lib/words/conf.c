// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of changes, and the files that hold them: one change a line, `#` comments, blank lines.
 * Files are not trusted: lines, their number and their bytes are bounded and checked. A list only
 * grows by whole, checked changes; a failure leaves it as it was. The words of a line are
 * grammar.c's.
 */
#include <errno.h>
#include <string.h>
#include "conf.h"
#include "grow.h"

/* A line has room for one prefix with 65 535 servers and their weights. */
#define LINE_BYTES_MAX (4u << 20)
#define CHANGES_MAX    (1u << 20)

struct reader {
	FILE *file;
	char *text; /* the line, without its newline */
	size_t size;
	unsigned int line;
};

static void truncate_changes(struct ecmper_changes *changes, unsigned int count)
{
	while (changes->count > count)
		change_release(&changes->list[--changes->count]);
}

void ecmper_changes_free(struct ecmper_changes *changes)
{
	truncate_changes(changes, 0);
	free(changes->list);
	changes->list = NULL;
}

int ecmper_changes_add(struct ecmper_changes *changes, unsigned int line, int argc,
		       char *const argv[], struct ecmper_error *err)
{
	struct ecmper_change change, *list;
	int code = change_parse(&change, argc, argv, err);

	if (code)
		return code;
	if (changes->count >= CHANGES_MAX) {
		change_release(&change);
		return ecmper_fail(err, -E2BIG, "more than %u changes at once", CHANGES_MAX);
	}
	list = array_grow(changes->list, changes->count, sizeof(*list));
	if (!list) {
		change_release(&change);
		return ecmper_fail(err, -ENOMEM, "out of memory");
	}
	change.line = line;
	changes->list = list;
	changes->list[changes->count++] = change;
	return 0;
}

/* Split a line at white space; a word that starts with # starts a comment. Returns the count. */
static int split(char *text, char **argv)
{
	char *save, *word = strtok_r(text, " \t\r\v\f", &save);
	int argc = 0;

	for (; word && *word != '#'; word = strtok_r(NULL, " \t\r\v\f", &save))
		argv[argc++] = word;
	return argc;
}

/* Double the room for the line, up to the limit. */
static int enlarge(struct reader *reader, struct ecmper_error *err)
{
	size_t size = reader->size ? 2 * reader->size : 256;
	char *text;

	if (size > LINE_BYTES_MAX)
		return ecmper_fail(err, -EINVAL, "the line is longer than %u bytes",
				   LINE_BYTES_MAX);
	text = realloc(reader->text, size);
	if (!text)
		return ecmper_fail(err, -ENOMEM, "out of memory");
	reader->text = text;
	reader->size = size;
	return 0;
}

/* Returns 1 when there is a line, 0 at the end of the file, or -errno. */
static int read_line(struct reader *reader, struct ecmper_error *err)
{
	size_t len = 0;
	int c, code;

	reader->line++;
	while ((c = getc_unlocked(reader->file)) != EOF && c != '\n') {
		if (!c)
			return ecmper_fail(err, -EINVAL, "a NUL byte: this is not a text file");
		if (len + 1 >= reader->size && (code = enlarge(reader, err)))
			return code;
		reader->text[len++] = c;
	}
	if (ferror(reader->file))
		return ecmper_fail(err, -EIO, "cannot read: %m");
	if (c == EOF && !len)
		return 0;
	if (!reader->size && (code = enlarge(reader, err)))
		return code;
	reader->text[len] = '\0';
	return 1;
}

/* A state describes what is there, not how to get there. */
static int check_is_state(const struct ecmper_change *change, const char *word,
			  struct ecmper_error *err)
{
	if (change->kind == ECMPER_ADD || change->kind == ECMPER_NEIGH_ADD)
		return 0;
	return ecmper_fail(err, -EINVAL,
			   "'%s' is a change: a file that describes a state holds only 'add' and "
			   "'neigh add'",
			   change->kind == ECMPER_NEIGH_DEL ? "neigh del" : word);
}

/* Append what the reader's line says: one change or none. The loader's options may stand in the
 * same file as the state. */
static int add_line(struct ecmper_changes *changes, struct reader *reader, bool only_state,
		    struct ecmper_error *err)
{
	char **argv = calloc(strlen(reader->text) / 2 + 1, sizeof(*argv));
	int argc, code = 0;

	if (!argv)
		return ecmper_fail(err, -ENOMEM, "out of memory");
	argc = split(reader->text, argv);
	if (argc && !(only_state && ecmper_option_is_known(argv[0]))) {
		code = ecmper_changes_add(changes, reader->line, argc, argv, err);
		if (!code && only_state)
			code = check_is_state(&changes->list[changes->count - 1], argv[0], err);
	}
	free(argv);
	return code;
}

int ecmper_changes_read(struct ecmper_changes *changes, FILE *file, const char *file_name,
			bool only_state, struct ecmper_error *err)
{
	struct reader reader = {.file = file};
	unsigned int before = changes->count;
	struct ecmper_error why;
	int code;

	while ((code = read_line(&reader, &why)) > 0) {
		code = add_line(changes, &reader, only_state, &why);
		if (code)
			break;
	}
	if (code) {
		truncate_changes(changes, before);
		ecmper_fail(err, code, "%s:%u: %s", file_name, reader.line, why.text);
	}
	free(reader.text);
	return code;
}
