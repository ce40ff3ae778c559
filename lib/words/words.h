/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between words.c (what a word is) and grammar.c (which words make a change). All return 0 or -errno, and
 * say in words->err what was expected.
 */
#ifndef ECMPER_WORDS_H
#define ECMPER_WORDS_H

#include "ecmper/ecmper.h"

/* The words of one command, taken one after the other. */
struct words {
	char *const *argv;
	int argc;
	int next;
	struct ecmper_error *err;
};

/* The next word, "" behind the last one. */
const char *words_take(struct words *words);
/* Take the next word if it is this one. */
bool words_take_if(struct words *words, const char *word);
/* The word taken last is not what it must be, or is missing. */
int words_expected(const struct words *words, const char *what);
/* There must be no more words but `what`. */
int words_end(struct words *words, const char *what);
int words_given_twice(const struct words *words, const char *option);

int words_prefix(struct words *words, struct ecmper_net *net);
/* A prefix that the router can spread or forward packets to. */
int words_destination(struct words *words, struct ecmper_net *net);
/* A next hop by its name: an address, and with it the device where the address needs one. */
int words_hop(struct words *words, struct ecmper_hop *hop);
/* An option's number; *value is -1 until it was given. */
int words_number(struct words *words, const char *option, const char *what, unsigned long min,
		 unsigned long max, int *value);
/* The MAC of one host: not all zeros, not a group. */
int words_mac(struct words *words, uint8_t mac[6]);

#endif
