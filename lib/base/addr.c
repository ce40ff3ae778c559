// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses, next hops, prefixes: of which family they are, their order, and how they are written.
 * Pure: no state, no allocation.
 */
#include <arpa/inet.h>
#include <string.h>
#include "ecmper/ecmper.h"

bool ecmper_addr_is_ipv4(const struct ecmper_addr *addr)
{
	return !addr->word[0] && !addr->word[1] && addr->word[2] == htonl(0xffff);
}

struct ecmper_addr ecmper_addr_from_ipv4(__be32 addr)
{
	return (struct ecmper_addr){.word = {0, 0, htonl(0xffff), addr}};
}

__be32 ecmper_addr_to_ipv4(const struct ecmper_addr *addr)
{
	return addr->word[3];
}

bool ecmper_addr_is_link_local(const struct ecmper_addr *addr)
{
	return (addr->word[0] & htonl(0xffc00000)) == htonl(0xfe800000);
}

/* Network order compares bytewise as the numbers do. */
int ecmper_addr_compare(const struct ecmper_addr *a, const struct ecmper_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

const char *ecmper_addr_format(const struct ecmper_addr *addr, char buf[ECMPER_ADDR_STRLEN])
{
	if (ecmper_addr_is_ipv4(addr))
		return inet_ntop(AF_INET, &addr->word[3], buf, ECMPER_ADDR_STRLEN);
	return inet_ntop(AF_INET6, addr, buf, ECMPER_ADDR_STRLEN);
}

int ecmper_hop_compare(const struct ecmper_hop *a, const struct ecmper_hop *b)
{
	return memcmp(a, b, sizeof(*a));
}

const char *ecmper_hop_format(const struct ecmper_hop *hop, char buf[ECMPER_HOP_STRLEN])
{
	char addr[ECMPER_ADDR_STRLEN];

	snprintf(buf, ECMPER_HOP_STRLEN, "%s%s%.*s", ecmper_addr_format(&hop->addr, addr),
		 *hop->dev ? "%" : "", ECMPER_DEV_NAMESIZE - 1, hop->dev);
	return buf;
}

int ecmper_net_compare(const struct ecmper_net *a, const struct ecmper_net *b)
{
	int order = ecmper_addr_compare(&a->addr, &b->addr);

	return order ? order : a->len - b->len;
}

const char *ecmper_net_format(const struct ecmper_net *net, char buf[ECMPER_NET_STRLEN])
{
	char addr[ECMPER_ADDR_STRLEN];

	snprintf(buf, ECMPER_NET_STRLEN, "%s/%u", ecmper_addr_format(&net->addr, addr), net->len);
	return buf;
}

const char *ecmper_mac_format(const uint8_t mac[6], char buf[ECMPER_MAC_STRLEN])
{
	snprintf(buf, ECMPER_MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return buf;
}
