// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c and addr.c, addresses and prefixes: every word that is one is taken, every other one is
 * refused and leaves the result untouched, and what is printed is read back as the same value.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>
#include "ecmper/ecmper.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void addresses_are_read_and_printed(void **state)
{
	static const char *const words[] = {
		"0.0.0.0",
		"10.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"2001:db8::1",
		"fe80::1:2:3",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	char buf[ECMPER_ADDR_STRLEN];
	struct ecmper_addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(ecmper_addr_parse(words[i], &addr), 0);
		assert_string_equal(ecmper_addr_format(&addr, buf), words[i]);
		assert_int_equal(ecmper_addr_is_ipv4(&addr), !strchr(words[i], ':'));
	}
}

static void words_that_are_no_address_are_refused(void **state)
{
	static const char *const words[] = {
		"",
		" ",
		"10",
		"10.0.0",
		"10.0.0.",
		"10.0.0.256",
		"10.0.0.1 ",
		" 10.0.0.1",
		"10.0.0.1.1",
		"010.0.0.1",
		"10.0.0.01",
		"0x0a.0.0.1",
		"10.0.0.-1",
		"10.0.0.+1",
		"10.0.0.1x",
		"10.0.0.1/32",
		"10.0..1",
		"a.b.c.d",
		"localhost",
		"10,0,0,1",
		"\n10.0.0.1",
		"10.0.0.1\n",
		":",
		":::",
		"1::2::3",
		"1:2:3:4:5",
		"g::",
		"::1%lo",
		"fe80::1%eth0",
		"[::1]",
		"::1 ",
		"12345::",
		"::/0",
		"1:2:3:4:5:6:7:8:9",
		"999999999999999999999.0.0.1",
	};
	struct ecmper_addr addr, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < COUNT(words); i++) {
		addr = before;
		assert_int_equal(ecmper_addr_parse(words[i], &addr), -EINVAL);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static void ipv6_spelling_of_ipv4_is_refused(void **state)
{
	static const char *const words[] = {
		"::ffff:1.2.3.4",
		"::ffff:102:304",
		"::ffff:0:0",
		"0:0:0:0:0:FFFF:1.2.3.4",
	};
	struct ecmper_addr addr;
	struct ecmper_net net;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(ecmper_addr_parse(words[i], &addr), -EINVAL);
		assert_int_equal(ecmper_net_parse(words[i], &net), -EINVAL);
	}
	assert_int_equal(ecmper_net_parse("::ffff:0:0/96", &net), -EINVAL);
	/* Near it, but another address. */
	assert_int_equal(ecmper_addr_parse("::fffe:1.2.3.4", &addr), 0);
	assert_int_equal(ecmper_addr_parse("::1.2.3.4", &addr), 0);
}

static void ipv4_goes_in_and_out_of_the_common_form(void **state)
{
	struct ecmper_addr addr = ecmper_addr_from_ipv4(htonl(0x0a000001)), parsed;

	(void)state;
	assert_int_equal(ecmper_addr_parse("10.0.0.1", &parsed), 0);
	assert_int_equal(ecmper_addr_compare(&addr, &parsed), 0);
	assert_int_equal(ecmper_addr_to_ipv4(&addr), htonl(0x0a000001));
	assert_int_equal(addr.word[2], htonl(0xffff));
}

static void addresses_are_in_numeric_order(void **state)
{
	static const char *const words[] = {
		"0.0.0.1",   "9.255.255.255", "10.0.0.1", "10.0.0.2",
		"128.0.0.0", "255.0.0.0",     "2001::",   "2001::1",
	};
	struct ecmper_addr a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t k = 0; k < COUNT(words); k++) {
			int order;

			assert_int_equal(ecmper_addr_parse(words[i], &a), 0);
			assert_int_equal(ecmper_addr_parse(words[k], &b), 0);
			order = ecmper_addr_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

static void prefixes_are_read_and_printed(void **state)
{
	static const struct {
		const char *word, *printed;
	} cases[] = {
		{"10.0.10.0", "10.0.10.0/32"},
		{"10.0.10.0/32", "10.0.10.0/32"},
		{"10.0.10.0/24", "10.0.10.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"128.0.0.0/1", "128.0.0.0/1"},
		{"10.0.0.254/31", "10.0.0.254/31"},
		{"10.0.0.255/32", "10.0.0.255/32"},
		{"2001:db8::", "2001:db8::/128"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"::/0", "::/0"},
		{"8000::/1", "8000::/1"},
		{"::1/128", "::1/128"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
	};
	char buf[ECMPER_NET_STRLEN];
	struct ecmper_net net;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(ecmper_net_parse(cases[i].word, &net), 0);
		assert_string_equal(ecmper_net_format(&net, buf), cases[i].printed);
	}
}

static void words_that_are_no_prefix_are_refused(void **state)
{
	static const char *const words[] = {
		"",
		"/",
		"/24",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/ 8",
		"10.0.0.0/8 ",
		"10.0.0.0/8x",
		"10.0.0.0/0x8",
		"10.0.0.0//8",
		"10.0.0.0/8/8",
		"10.0.0/24",
		"10/8",
		"10.0.0.0/255.0.0.0",
		"10.0.0.0/18446744073709551624",
		"default",
		"::/129",
		"::/",
		"2001:db8::/-1",
		"10.0.0.0 /8",
		"11111111111111111111111111111111111111111111111111111111/8",
	};
	struct ecmper_net net, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < COUNT(words); i++) {
		net = before;
		assert_int_equal(ecmper_net_parse(words[i], &net), -EINVAL);
		assert_memory_equal(&net, &before, sizeof(net));
	}
}

/* For every length: the lowest bit inside may be set, the highest one outside may not. */
static void bits_behind_the_length_are_refused(void **state)
{
	char word[64], addr[INET_ADDRSTRLEN];
	struct ecmper_net net;
	__be32 bit;

	(void)state;
	for (int len = 0; len <= 32; len++) {
		if (len > 0) {
			bit = htonl(1u << (32 - len));
			inet_ntop(AF_INET, &bit, addr, sizeof(addr));
			snprintf(word, sizeof(word), "%s/%d", addr, len);
			assert_int_equal(ecmper_net_parse(word, &net), 0);
			assert_int_equal(net.len, len);
		}
		if (len < 32) {
			bit = htonl(1u << (31 - len));
			inet_ntop(AF_INET, &bit, addr, sizeof(addr));
			snprintf(word, sizeof(word), "%s/%d", addr, len);
			assert_int_equal(ecmper_net_parse(word, &net), -EINVAL);
		}
	}
	assert_int_equal(ecmper_net_parse("2001:db8::1/64", &net), -EINVAL);
	assert_int_equal(ecmper_net_parse("2001:db8::/28", &net), -EINVAL);
	assert_int_equal(ecmper_net_parse("2001:db8::/29", &net), 0);
}

static void prefixes_are_ordered_by_address_then_length(void **state)
{
	struct ecmper_net wide, narrow, next;

	(void)state;
	assert_int_equal(ecmper_net_parse("10.0.0.0/8", &wide), 0);
	assert_int_equal(ecmper_net_parse("10.0.0.0/24", &narrow), 0);
	assert_int_equal(ecmper_net_parse("10.0.1.0/24", &next), 0);
	assert_true(ecmper_net_compare(&wide, &narrow) < 0);
	assert_true(ecmper_net_compare(&narrow, &wide) > 0);
	assert_true(ecmper_net_compare(&narrow, &next) < 0);
	assert_int_equal(ecmper_net_compare(&wide, &wide), 0);
}

static void next_hops_are_read_and_printed(void **state)
{
	static const char *const words[] = {"10.0.0.1",
					    "2001:db8::1",
					    "fe80::1",
					    "fe80::1%e",
					    "fe80::1:2:3:4%fifteen-letters",
					    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff%eth0.7"};
	static const char *const others[] = {
		"",           "%",           "%eth0",
		"fe80::1%",   "fe80::1%a%b", "fe80::1%a/b",
		"fe80::1%..", "fe80::1% ",   "fe80::1%sixteen-letters-",
		"fe80::%a:b", "10.0.0%eth0", "fe80::1/64"};
	struct ecmper_hop hop, before;
	char buf[ECMPER_HOP_STRLEN];

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		memset(&hop, 0xff, sizeof(hop));
		assert_int_equal(ecmper_hop_parse(words[i], &hop), 0);
		assert_string_equal(ecmper_hop_format(&hop, buf), words[i]);
		/* Names are compared and hashed whole. */
		for (size_t at = strlen(hop.dev); at < sizeof(hop.dev); at++)
			assert_int_equal(hop.dev[at], 0);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		memset(&hop, 0x5a, sizeof(hop));
		before = hop;
		assert_int_equal(ecmper_hop_parse(others[i], &hop), -EINVAL);
		assert_memory_equal(&hop, &before, sizeof(hop));
	}
}

static void fe80_slash_10_is_link_local_and_nothing_else(void **state)
{
	static const char *const inside[] = {"fe80::", "fe80::1", "febf:ffff::1"};
	static const char *const outside[] = {
		"fe7f:ffff::", "fec0::", "169.254.0.1", "::", "ff02::1", "8000::1", "254.128.0.1"};
	struct ecmper_addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(inside); i++) {
		assert_int_equal(ecmper_addr_parse(inside[i], &addr), 0);
		assert_true(ecmper_addr_is_link_local(&addr));
	}
	for (size_t i = 0; i < COUNT(outside); i++) {
		assert_int_equal(ecmper_addr_parse(outside[i], &addr), 0);
		assert_false(ecmper_addr_is_link_local(&addr));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed),
		cmocka_unit_test(words_that_are_no_address_are_refused),
		cmocka_unit_test(ipv6_spelling_of_ipv4_is_refused),
		cmocka_unit_test(ipv4_goes_in_and_out_of_the_common_form),
		cmocka_unit_test(addresses_are_in_numeric_order),
		cmocka_unit_test(next_hops_are_read_and_printed),
		cmocka_unit_test(fe80_slash_10_is_link_local_and_nothing_else),
		cmocka_unit_test(prefixes_are_read_and_printed),
		cmocka_unit_test(words_that_are_no_prefix_are_refused),
		cmocka_unit_test(bits_behind_the_length_are_refused),
		cmocka_unit_test(prefixes_are_ordered_by_address_then_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
