/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays that grow by one element at a time. Their room stands nowhere: it is the next power of two
 * of their count, so all that is ever put into one goes through here.
 */
#ifndef ECMPER_GROW_H
#define ECMPER_GROW_H

#include <stdlib.h>

/* Room for one element more than `count`. NULL: no memory, and `list` is still there. */
static inline void *array_grow(void *list, unsigned int count, size_t element_size)
{
	if (count & (count - 1))
		return list;
	return reallocarray(list, count ? 2 * (size_t)count : 1, element_size);
}

/* An array of `count` zeroed elements, which array_grow() can make larger. NULL: no memory. */
static inline void *array_new(unsigned int count, size_t element_size)
{
	size_t room = 1;

	while (room < count)
		room *= 2;
	return calloc(room, element_size);
}

#endif
