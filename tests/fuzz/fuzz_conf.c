// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer over the reader of files: any bytes are refused with a text and an empty list, or are
 * changes that, written as lines, are read as the same changes again. So what this knows of the
 * grammar is lib/'s, but for the names of next hops: a device stands exactly where it means
 * something. `scripts/eval/run.sh code` builds and runs it.
 */
#include <stdlib.h>
#include <string.h>
#include "conf.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* The list as a file, to be freed. */
static char *write_all(const struct ecmper_changes *changes)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	MUST(out);
	for (unsigned int i = 0; i < changes->count; i++) {
		char *line = change_format(&changes->list[i]);

		MUST(line);
		MUST(fprintf(out, "%s\n", line) > 0);
		free(line);
	}
	MUST(!fclose(out));
	return text;
}

/* A device exactly where it means something, and the one that the link leaves by. */
static void check_hop(const struct ecmper_hop *hop, const char *dev)
{
	MUST(ecmper_addr_is_link_local(&hop->addr) == !!*hop->dev);
	MUST(!*hop->dev || !*dev || !strcmp(hop->dev, dev));
}

static int read_all(struct ecmper_changes *changes, const void *data, size_t size, bool only_state,
		    struct ecmper_error *err)
{
	FILE *file = fmemopen((void *)data, size, "r");
	int code;

	MUST(file);
	code = ecmper_changes_read(changes, file, "FILE", only_state, err);
	fclose(file);
	return code;
}

static void check_same(const struct ecmper_change *a, const struct ecmper_change *b)
{
	struct ecmper_change one = *a, other = *b;

	check_hop(&one.hop, one.dev);
	MUST(one.via_count == other.via_count);
	for (unsigned int i = 0; i < one.via_count; i++) {
		check_hop(&one.vias[i].hop, "");
		MUST(!i || ecmper_hop_compare(&one.vias[i - 1].hop, &one.vias[i].hop) < 0);
		MUST(!ecmper_hop_compare(&one.vias[i].hop, &other.vias[i].hop));
		MUST(one.vias[i].weight == other.vias[i].weight);
	}
	/* Every other field, also one that is added to the structure. */
	one.vias = other.vias = NULL;
	one.line = other.line = 0;
	MUST(!memcmp(&one, &other, sizeof(one)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecmper_changes changes = {}, again = {};
	struct ecmper_error err = {""};
	bool only_state;
	char *text;
	int code;

	if (size < 2)
		return 0;
	only_state = data[0] & 1;
	code = read_all(&changes, data + 1, size - 1, only_state, &err);
	MUST(code ? !changes.count && *err.text : !*err.text);
	if (changes.count) {
		text = write_all(&changes);
		MUST(!read_all(&again, text, strlen(text), only_state, &err));
		MUST(changes.count == again.count);
		for (unsigned int i = 0; i < changes.count; i++)
			check_same(&changes.list[i], &again.list[i]);
		free(text);
	}
	ecmper_changes_free(&changes);
	ecmper_changes_free(&again);
	return 0;
}
