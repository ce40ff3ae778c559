/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that depend on nothing but their seed, so that a frame can be made again from
 * the run's seed and its own number. For whatever makes worlds and frames; the model itself
 * has no use for chance.
 */
#ifndef MODEL_RANDOM_H
#define MODEL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t random_64(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A stream of its own for everything that has a number: a frame, an epoch, an instance. */
static inline struct random random_of(uint64_t seed, uint64_t kind, uint64_t number)
{
	struct random random = {seed ^ kind << 56};

	random.state = random_64(&random) + number;
	random.state = random_64(&random);
	return random;
}

/* 0 .. below - 1 */
static inline uint32_t random_below(struct random *random, uint32_t below)
{
	return (random_64(random) >> 32) * below >> 32;
}

static inline uint32_t random_between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random_below(random, high - low + 1);
}

/* True once in `times`. */
static inline bool one_in(struct random *random, uint32_t times)
{
	return !random_below(random, times);
}

#define random_of_array(random, array)                                                             \
	((array)[random_below(random, sizeof(array) / sizeof(*(array)))])

#endif
