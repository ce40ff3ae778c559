// SPDX-License-Identifier: GPL-2.0-only
/*
 * What led from one node of the search to the next, as a line.
 */
#include <stdio.h>
#include <string.h>
#include "search.h"
#include "mark.h"

static void print_table(const struct bucket *bucket)
{
	if (bucket->cur)
		printf("%u", bucket->cur);
	else
		printf("-");
	printf(",(");
	for (int i = 0; i < SEARCH_SERVERS && bucket->chain[i]; i++)
		printf("%s%u", i ? "," : "", bucket->chain[i]);
	printf(")");
}

static void print_mark(uint8_t tos)
{
	if (!tos)
		printf("without a mark");
	else if (tos == MARK_TOS_BOUNCED)
		printf("marked");
	else if (tos >> 4 == MARK_LAST)
		printf("as LAST");
	else if (tos >> 4 == MARK_QUIET)
		printf("as QUIET");
	else
		printf("with mark %u", tos >> 4);
}

static bool is_same_table(const struct bucket *a, const struct bucket *b)
{
	return a->cur == b->cur && !memcmp(a->chain, b->chain, sizeof(a->chain));
}

static void print_change(const struct bucket *from, const struct bucket *to)
{
	printf("lpm changes: ");
	print_table(to);
	if (from->owner && !to->owner)
		printf(", server %u, which owns the connection, is forgotten", from->owner);
}

static void print_hop(const struct bucket *from, const struct bucket *to)
{
	if (to->place == PLACE_NO_OWNER) {
		printf("the router finds no current owner (with a MAC) in vip");
	} else if (from->place == PLACE_SERVER) {
		printf("server %u sends it back ", from->at);
		print_mark(to->tos);
	} else {
		printf("the router sends it to server %u ", to->at);
		print_mark(to->tos);
	}
}

void bucket_print_step(const struct bucket *from, const struct bucket *to)
{
	printf("#   ");
	if (!is_same_table(from, to))
		print_change(from, to);
	else if (from->vip != to->vip)
		printf("vip follows lpm");
	else if (from->owner != to->owner)
		printf("a connection begins, server %u owns it", to->owner);
	else if (!from->place)
		printf("a packet of %s comes to the router",
		       to->owner ? "the connection" : "no connection");
	else if (!to->place)
		printf("the packet's way ends, TCP sends it again");
	else
		print_hop(from, to);
	printf("\n");
}
