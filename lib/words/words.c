// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of one command, taken one after the other, and what kinds of word there are: prefixes, next
 * hops, numbers, MACs. Errors quote the word that does not fit and say which would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "words.h"

const char *words_take(struct words *words)
{
	int at = words->next++;

	return at < words->argc ? words->argv[at] : "";
}

bool words_take_if(struct words *words, const char *word)
{
	if (words->next >= words->argc || strcmp(words->argv[words->next], word))
		return false;
	words->next++;
	return true;
}

int words_expected(const struct words *words, const char *what)
{
	int at = words->next - 1;

	if (at < words->argc)
		return ecmper_fail(words->err, -EINVAL, "expected %s, not '%.60s'", what,
				   words->argv[at]);
	if (!words->argc)
		return ecmper_fail(words->err, -EINVAL, "expected %s", what);
	return ecmper_fail(words->err, -EINVAL, "'%.60s' must be followed by %s",
			   words->argv[words->argc - 1], what);
}

int words_end(struct words *words, const char *what)
{
	if (words->next >= words->argc)
		return 0;
	words->next++;
	return words_expected(words, what);
}

int words_given_twice(const struct words *words, const char *option)
{
	return ecmper_fail(words->err, -EINVAL, "'%s' is given twice", option);
}

int words_prefix(struct words *words, struct ecmper_net *net)
{
	if (ecmper_net_parse(words_take(words), net))
		return words_expected(words,
				      "a prefix (ADDR, or ADDR/LEN without bits set behind LEN)");
	return 0;
}

/* Why packets to the prefix are none to spread or forward, NULL: they are. A prefix that also holds
 * hosts is not looked into. */
static const char *why_no_destination(const struct ecmper_net *net)
{
	static const char multicast[] = "multicast: the kernel's to forward, nothing to be spread";
	uint32_t ipv4 = ntohl(ecmper_addr_to_ipv4(&net->addr));

	if (ecmper_addr_is_ipv4(&net->addr)) {
		if (net->len >= 4 && IN_MULTICAST(ipv4))
			return multicast;
		if (ipv4 == INADDR_BROADCAST)
			return "broadcast: packets to it stay on their link";
	} else {
		if (net->len >= 8 && ntohl(net->addr.word[0]) >> 24 == 0xff)
			return multicast;
		if (net->len >= 10 && ecmper_addr_is_link_local(&net->addr))
			return "link-local: packets to it stay on their link";
	}
	return NULL;
}

int words_destination(struct words *words, struct ecmper_net *net)
{
	int err = words_prefix(words, net);
	const char *why = err ? NULL : why_no_destination(net);

	if (why)
		return ecmper_fail(words->err, -EINVAL, "'%.60s' is %s",
				   words->argv[words->next - 1], why);
	return err;
}

static bool is_host(const struct ecmper_addr *addr)
{
	uint32_t ipv4 = ntohl(ecmper_addr_to_ipv4(addr));

	if (ecmper_addr_is_ipv4(addr))
		return ipv4 && !IN_MULTICAST(ipv4) && ipv4 != INADDR_BROADCAST;
	return ntohl(addr->word[0]) >> 24 != 0xff &&
	       (addr->word[0] | addr->word[1] | addr->word[2] | addr->word[3]);
}

int words_hop(struct words *words, struct ecmper_hop *hop)
{
	char addr[ECMPER_ADDR_STRLEN];

	if (ecmper_hop_parse(words_take(words), hop) || !is_host(&hop->addr))
		return words_expected(words,
				      "the address of a host, like 10.0.0.1 or fe80::1%eth1");
	ecmper_addr_format(&hop->addr, addr);
	if (ecmper_addr_is_link_local(&hop->addr) && !*hop->dev)
		return ecmper_fail(words->err, -EINVAL,
				   "'%s' is link-local: every link may have a host of that "
				   "address; say on which device, like %s%%eth1",
				   addr, addr);
	if (!ecmper_addr_is_link_local(&hop->addr) && *hop->dev)
		return ecmper_fail(
			words->err, -EINVAL,
			"'%s' is not link-local: it means the same host on every device, "
			"so none belongs to its name; say just %s",
			addr, addr);
	return 0;
}

int words_number(struct words *words, const char *option, const char *what, unsigned long min,
		 unsigned long max, int *value)
{
	unsigned long number;

	if (*value >= 0)
		return words_given_twice(words, option);
	if (ecmper_number_parse(words_take(words), min, max, &number))
		return words_expected(words, what);
	*value = number;
	return 0;
}

/* The MAC of one host: not all zeros, not a group (the lowest bit of the first byte). */
int words_mac(struct words *words, uint8_t mac[6])
{
	static const uint8_t zero[6];

	if (ecmper_mac_parse(words_take(words), mac) || mac[0] & 1 ||
	    !memcmp(mac, zero, sizeof(zero)))
		return words_expected(words, "the MAC of a host, like 02:03:04:05:06:01");
	return 0;
}
