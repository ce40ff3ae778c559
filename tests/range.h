/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * assert_uint_in_range() for every cmocka: version 2 has it, and deprecates assert_in_range(), which
 * is what older ones have. To be included after cmocka.h.
 */
#ifndef TESTS_RANGE_H
#define TESTS_RANGE_H

#ifndef assert_uint_in_range
#define assert_uint_in_range(value, minimum, maximum) assert_in_range(value, minimum, maximum)
#endif

#endif
