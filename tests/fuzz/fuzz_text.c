// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer over words: a word that is read as a value and written again is read as the same value,
 * whatever it looked like. `scripts/eval/run.sh code` builds and runs it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "ecmper/ecmper.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void check_addr(const char *word)
{
	char text[ECMPER_ADDR_STRLEN];
	struct ecmper_addr addr, again;

	if (ecmper_addr_parse(word, &addr))
		return;
	MUST(!ecmper_addr_parse(ecmper_addr_format(&addr, text), &again));
	MUST(!ecmper_addr_compare(&addr, &again));
}

static void check_net(const char *word)
{
	char text[ECMPER_NET_STRLEN];
	struct ecmper_net net, again;

	if (ecmper_net_parse(word, &net))
		return;
	MUST(net.len <= (ecmper_addr_is_ipv4(&net.addr) ? 32 : 128));
	MUST(!ecmper_net_parse(ecmper_net_format(&net, text), &again));
	MUST(!ecmper_net_compare(&net, &again));
}

static void check_mac(const char *word)
{
	char text[ECMPER_MAC_STRLEN];
	uint8_t mac[6], again[6];

	if (ecmper_mac_parse(word, mac))
		return;
	MUST(!ecmper_mac_parse(ecmper_mac_format(mac, text), again));
	MUST(!memcmp(mac, again, sizeof(mac)));
}

static void check_number(const char *word)
{
	unsigned long value, again;
	char text[32];

	if (ecmper_number_parse(word, 16, 65536, &value))
		return;
	snprintf(text, sizeof(text), "%lu", value);
	MUST(!ecmper_number_parse(text, value, value, &again));
	MUST(value == again);
	MUST(!strcmp(word + strspn(word, "0"), text)); /* zeros in front say nothing */
}

/* Keys are never written: only the case of the digits may differ. */
static void check_hash_key(char *word)
{
	struct ecmper_hash_key key, again;

	if (ecmper_hash_key_parse(word, &key))
		return;
	for (char *at = word; *at; at++)
		*at = islower((unsigned char)*at) ? toupper(*at) : tolower(*at);
	MUST(!ecmper_hash_key_parse(word, &again));
	MUST(!memcmp(&key, &again, sizeof(key)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = strndup((const char *)data, size);

	MUST(word);
	check_addr(word);
	check_net(word);
	check_mac(word);
	check_number(word);
	check_hash_key(word);
	free(word);
	return 0;
}
