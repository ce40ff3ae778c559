/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between grammar.c (the words of one change) and conf.c (lists of changes, files).
 */
#ifndef ECMPER_CONF_H
#define ECMPER_CONF_H

#include <stdlib.h>
#include "ecmper.h"

/* Fill `change` from the words of one command. On failure it holds nothing to release. */
int change_parse(struct ecmper_change *change, int argc, char *const argv[],
		 struct ecmper_error *err);
void change_release(struct ecmper_change *change);

/* Room for one element more: arrays are as large as the next power of two. NULL: no memory, and
 * `list` is still there. */
static inline void *array_grow(void *list, unsigned int count, size_t element_size)
{
	if (count & (count - 1))
		return list;
	return reallocarray(list, count ? 2 * (size_t)count : 1, element_size);
}

#endif
