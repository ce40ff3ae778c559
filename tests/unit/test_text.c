// SPDX-License-Identifier: GPL-2.0-only
/*
 * text.c without addresses (test_addr.c has them), error.c and role.c: numbers, MACs, hash keys and
 * roles. Every word that is a value is taken, every other one is refused and leaves the result
 * untouched.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ecmper/ecmper.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void error_text_fits_and_code_is_returned(void **state)
{
	struct ecmper_error err;
	char longer[2 * sizeof(err.text)];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(ecmper_fail(&err, -ENOENT, "%s: %d", "word", 7), -ENOENT);
	assert_string_equal(err.text, "word: 7");
	assert_int_equal(ecmper_fail(&err, -EINVAL, "%s", longer), -EINVAL);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(ecmper_fail(NULL, -EPERM, "%s", "nobody reads this"), -EPERM);
}

static void error_text_has_no_control_characters(void **state)
{
	struct ecmper_error err;

	(void)state;
	ecmper_fail(&err, -EINVAL, "not '%s'", "\033[31m\x7f|\t");
	assert_string_equal(err.text, "not '?[31m?|?'");
	ecmper_fail(&err, -EINVAL, "not '%s'", "caf\xc3\xa9");
	assert_string_equal(err.text, "not 'caf\xc3\xa9'");
}

static void numbers_are_whole_decimal_words_in_range(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"-",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1\n",
		"0x10",
		"1e3",
		"1.0",
		"1,000",
		"80x",
		"x80",
		"one",
		"1_0",
		"١",
		"10k",
		"--1",
		"1-",
		"18446744073709551616",
		"99999999999999999999999999",
	};
	unsigned long value = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(ecmper_number_parse(bad[i], 0, ULONG_MAX, &value), -EINVAL);
		assert_int_equal(value, 77);
	}
	assert_int_equal(ecmper_number_parse("0", 0, 10, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(ecmper_number_parse("007", 0, 10, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(ecmper_number_parse("18446744073709551615", 0, ULONG_MAX, &value), 0);
	assert_true(value == ULONG_MAX);
}

static void numbers_respect_both_ends_of_the_range(void **state)
{
	unsigned long value;
	char word[24];

	(void)state;
	for (unsigned long number = 0; number <= 1200; number++) {
		snprintf(word, sizeof(word), "%lu", number);
		if (number >= 16 && number <= 1010) {
			assert_int_equal(ecmper_number_parse(word, 16, 1010, &value), 0);
			assert_int_equal(value, number);
		} else {
			assert_int_equal(ecmper_number_parse(word, 16, 1010, &value), -EINVAL);
		}
	}
	assert_int_equal(ecmper_number_parse("0", 0, 0, &value), 0);
	assert_int_equal(ecmper_number_parse("1", 0, 0, &value), -EINVAL);
}

static void macs_are_read_and_printed(void **state)
{
	uint8_t mac[6];
	char buf[ECMPER_MAC_STRLEN];

	(void)state;
	assert_int_equal(ecmper_mac_parse("02:03:04:05:06:01", mac), 0);
	assert_memory_equal(mac, "\x02\x03\x04\x05\x06\x01", 6);
	assert_int_equal(ecmper_mac_parse("fF:Ee:dD:0a:A0:99", mac), 0);
	assert_string_equal(ecmper_mac_format(mac, buf), "ff:ee:dd:0a:a0:99");
}

static void words_that_are_no_mac_are_refused(void **state)
{
	static const char *const words[] = {
		"",
		"02",
		"02:",
		"02:03:04:05:06",
		"02:03:04:05:06:",
		"02:03:04:05:06:1",
		"2:3:4:5:6:1",
		"02:03:04:05:06:011",
		"02:03:04:05:06:01:",
		"02:03:04:05:06:01:02",
		"02-03-04-05-06-01",
		"020304050601",
		"0203.0405.0601",
		"0g:03:04:05:06:01",
		"02:03:04:05:06:0g",
		" 02:03:04:05:06:01",
		"02:03:04:05:06:01 ",
		"02 03 04 05 06 01",
		"+2:03:04:05:06:01",
	};
	uint8_t mac[6];

	(void)state;
	memset(mac, 0x5a, sizeof(mac));
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(ecmper_mac_parse(words[i], mac), -EINVAL);
		assert_memory_equal(mac, "\x5a\x5a\x5a\x5a\x5a\x5a", 6);
	}
}

/* Every prefix of a good word must be refused without reading behind its end. */
static void unfinished_words_are_refused(void **state)
{
	static const char mac_word[] = "02:03:04:05:06:01";
	static const char key_word[] = "0123456789abcdef0123456789abcdef";
	struct ecmper_hash_key key;
	uint8_t mac[6];

	(void)state;
	for (size_t len = 0; len < sizeof(key_word) - 1; len++) {
		char *word = strndup(key_word, len);

		assert_int_equal(ecmper_hash_key_parse(word, &key), -EINVAL);
		free(word);
		if (len >= sizeof(mac_word) - 1)
			continue;
		word = strndup(mac_word, len);
		assert_int_equal(ecmper_mac_parse(word, mac), -EINVAL);
		free(word);
	}
}

static void hash_keys_are_thirty_two_digits(void **state)
{
	static const char *const words[] = {
		"0123456789abcdef0123456789abcdef0", "0x0123456789abcdef0123456789abcd",
		"0123456789abcdef 123456789abcdef",  "0123456789abcdef0123456789abcdeg",
		"0123456789abcdef0123456789abcdef ", "-123456789abcdef0123456789abcdef",
	};
	struct ecmper_hash_key lower, upper;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_int_equal(ecmper_hash_key_parse(words[i], &lower), -EINVAL);
	assert_int_equal(ecmper_hash_key_parse("0123456789abcdef0123456789abcdef", &lower), 0);
	assert_int_equal(ecmper_hash_key_parse("0123456789ABCDEF0123456789ABCDEF", &upper), 0);
	assert_memory_equal(&lower, &upper, sizeof(lower));
}

/* Routers that share a key must agree for ever: the derivation is pinned, digit by digit. */
static void hash_key_words_never_change(void **state)
{
	static const struct ecmper_hash_key want = {
		.word = {0x548a23cde4dc6a68, 0x03649ded0eaf602a, 0xda374ad5ec7909c5,
			 0xea2ad443c4f9ff23, 0xb7bcb94d32ea658d, 0x4e379f1a28aeec8b,
			 0x093f6671ea09e908, 0xef7311eff6f150ad, 0x6233e3dd247b6678,
			 0x4e8794f943926daa, 0x9904c905cc340671, 0xb4709656376cd2f4},
	};
	struct ecmper_hash_key key;

	(void)state;
	assert_int_equal(ecmper_hash_key_parse("000102030405060708090a0b0c0d0e0f", &key), 0);
	assert_memory_equal(&key, &want, sizeof(key));
}

/* A key that is wrong in one digit is another key in every word. */
static void hash_key_every_digit_reaches_every_word(void **state)
{
	char word[] = "00000000000000000000000000000000";
	struct ecmper_hash_key zero, other;

	(void)state;
	assert_int_equal(ecmper_hash_key_parse(word, &zero), 0);
	for (int digit = 0; digit < 32; digit++) {
		word[digit] = '1';
		assert_int_equal(ecmper_hash_key_parse(word, &other), 0);
		for (int i = 0; i < 8; i++) {
			assert_true(zero.word[i] != 0);
			assert_true(zero.word[i] != other.word[i]);
		}
		word[digit] = '0';
	}
}

static void roles_are_their_whole_names(void **state)
{
	static const char *const bad[] = {"", "r", "route", "routers", "Router", "server ", "both"};
	enum ecmper_role role = ECMPER_ROUTER;

	(void)state;
	assert_int_equal(ecmper_role_parse("server", &role), 0);
	assert_int_equal(role, ECMPER_SERVER);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ecmper_role_parse(bad[i], &role), -EINVAL);
	assert_int_equal(role, ECMPER_SERVER);
	assert_int_equal(ecmper_role_parse("router", &role), 0);
	assert_int_equal(role, ECMPER_ROUTER);
	assert_string_equal(ecmper_role_names[ECMPER_ROUTER], "router");
	assert_string_equal(ecmper_role_names[ECMPER_SERVER], "server");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_text_fits_and_code_is_returned),
		cmocka_unit_test(error_text_has_no_control_characters),
		cmocka_unit_test(numbers_are_whole_decimal_words_in_range),
		cmocka_unit_test(numbers_respect_both_ends_of_the_range),
		cmocka_unit_test(macs_are_read_and_printed),
		cmocka_unit_test(words_that_are_no_mac_are_refused),
		cmocka_unit_test(unfinished_words_are_refused),
		cmocka_unit_test(hash_keys_are_thirty_two_digits),
		cmocka_unit_test(hash_key_words_never_change),
		cmocka_unit_test(hash_key_every_digit_reaches_every_word),
		cmocka_unit_test(roles_are_their_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
