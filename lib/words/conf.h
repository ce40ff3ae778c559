/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between grammar.c (the words of one change), format.c (the way back) and conf.c (lists of
 * changes, files).
 */
#ifndef ECMPER_CONF_H
#define ECMPER_CONF_H

#include "ecmper/ecmper.h"

/* Fill `change` from the words of one command. On failure it holds nothing to release. */
int change_parse(struct ecmper_change *change, int argc, char *const argv[],
		 struct ecmper_error *err);
void change_release(struct ecmper_change *change);
/* A change that says nothing yet. */
#define CHANGE_EMPTY .buckets = -1, .depth = -1, .hash_on = -1
/* The line that change_parse() reads as this change; to be freed. NULL: no memory. */
char *change_format(const struct ecmper_change *change);

#endif
