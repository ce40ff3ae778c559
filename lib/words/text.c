// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words to values: addresses, prefixes, numbers, MACs, hash keys (the way back is addr.c's). Strict:
 * the whole word or nothing, and one value has one family (IPv4 is stored as ::ffff:a.b.c.d, so that
 * spelling is no IPv6 address here). Pure: no state, no allocation.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "ecmper/ecmper.h"

int ecmper_addr_parse(const char *text, struct ecmper_addr *addr)
{
	struct ecmper_addr ipv6;
	__be32 ipv4;

	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		*addr = ecmper_addr_from_ipv4(ipv4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &ipv6) != 1 || ecmper_addr_is_ipv4(&ipv6))
		return -EINVAL;
	*addr = ipv6;
	return 0;
}

/* What the kernel takes for a name, and no more. */
int ecmper_dev_parse(const char *text, char dev[ECMPER_DEV_NAMESIZE])
{
	size_t len = strlen(text);

	if (!len || len >= ECMPER_DEV_NAMESIZE || strpbrk(text, "/:% \t\r\n\v\f") ||
	    !strcmp(text, ".") || !strcmp(text, ".."))
		return -EINVAL;
	memset(dev, 0, ECMPER_DEV_NAMESIZE);
	memcpy(dev, text, len);
	return 0;
}

int ecmper_hop_parse(const char *text, struct ecmper_hop *hop)
{
	const char *percent = strchrnul(text, '%');
	struct ecmper_hop parsed = {};
	char addr[ECMPER_ADDR_STRLEN];

	if ((size_t)(percent - text) >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, percent - text);
	addr[percent - text] = '\0';
	if (ecmper_addr_parse(addr, &parsed.addr) ||
	    (*percent && ecmper_dev_parse(percent + 1, parsed.dev)))
		return -EINVAL;
	*hop = parsed;
	return 0;
}

/* Is every bit from `first` on, counted from the left of all 128, 0? */
static bool is_zero_from(const struct ecmper_addr *addr, unsigned int first)
{
	for (unsigned int bit = first; bit < 128; bit++)
		if (ntohl(addr->word[bit / 32]) & (1u << (31 - bit % 32)))
			return false;
	return true;
}

int ecmper_net_parse(const char *text, struct ecmper_net *net)
{
	const char *slash = strchrnul(text, '/');
	char host[ECMPER_ADDR_STRLEN];
	struct ecmper_addr addr;
	unsigned long len, family_bits;

	if ((size_t)(slash - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, slash - text);
	host[slash - text] = '\0';
	if (ecmper_addr_parse(host, &addr))
		return -EINVAL;

	family_bits = ecmper_addr_is_ipv4(&addr) ? 32 : 128;
	len = family_bits;
	if (*slash && ecmper_number_parse(slash + 1, 0, family_bits, &len))
		return -EINVAL;
	if (!is_zero_from(&addr, 128 - family_bits + len))
		return -EINVAL;
	net->addr = addr;
	net->len = len;
	return 0;
}

int ecmper_number_parse(const char *text, unsigned long min, unsigned long max,
			unsigned long *value)
{
	unsigned long sum = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned long digit = *text - '0';

		if (*text < '0' || *text > '9' || digit > max || sum > (max - digit) / 10)
			return -EINVAL;
		sum = sum * 10 + digit;
	}
	if (sum < min)
		return -EINVAL;
	*value = sum;
	return 0;
}

/* The value of one hexadecimal digit, -1 for anything else. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ecmper_duration_parse(const char *text, unsigned long min_ms, unsigned long max_ms,
			  unsigned long *ms)
{
	char digits[16];
	size_t length = strspn(text, "0123456789");
	unsigned long number, unit = 1000;
	int ret;

	if (length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (!strcmp(text + length, "ms"))
		unit = 1;
	else if (text[length] && strcmp(text + length, "s"))
		return -EINVAL;
	ret = ecmper_number_parse(digits, 0, max_ms / unit, &number);
	if (ret || number * unit < min_ms)
		return -EINVAL;
	*ms = number * unit;
	return 0;
}

int ecmper_mac_parse(const char *text, uint8_t mac[6])
{
	uint8_t bytes[6];

	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		bytes[i] = high << 4 | low;
	}
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
}

/* The finalizer of splitmix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection in which every
 * input bit reaches every output bit. */
static uint64_t mix64(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

/*
 * The digits are two 64-bit numbers, high and low, most significant digit first. Word i (from 0)
 * is mix64(mix64(high + s) ^ (low + s)) with s = (i + 1) * 0x9e3779b97f4a7c15: every word depends
 * on all 128 bits. Routers that share a key rely on it: changing this changes their tables.
 */
int ecmper_hash_key_parse(const char *text, struct ecmper_hash_key *key)
{
	const uint64_t golden = 0x9e3779b97f4a7c15;
	uint64_t half[2] = {0, 0};
	int i;

	for (i = 0; i < 32; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -EINVAL;
		half[i / 16] = half[i / 16] << 4 | digit;
	}
	if (text[i])
		return -EINVAL;
	for (i = 0; i < (int)(sizeof(key->word) / sizeof(*key->word)); i++) {
		uint64_t step = (i + 1) * golden;

		key->word[i] = mix64(mix64(half[0] + step) ^ (half[1] + step));
	}
	return 0;
}
