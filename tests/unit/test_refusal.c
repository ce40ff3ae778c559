// SPDX-License-Identifier: GPL-2.0-only
/* What is taken from a verifier's log for a message, lib/kernel/refusal.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "refusal.h"

static void expect(const char *log, const char *wanted)
{
	char text[400];

	verifier_words(log, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void the_complaint_and_its_instruction_are_found(void **state)
{
	(void)state;
	/* Linux 6.1 */
	expect("libbpf: prog 'ecmper_router': -- BEGIN PROG LOAD LOG --\n"
	       "; if (unlikely((void *)(tcp + 1) > pkt->end))\n"
	       "122: (bf) r1 = r6                      ; R1_w=pkt(off=14,r=34,imm=0)\n"
	       "123: (0f) r1 += r2\n"
	       "math between pkt pointer and register with unbounded min value is not allowed\n"
	       "processed 124 insns (limit 1000000) max_states_per_insn 0 total_states 9\n"
	       "-- END PROG LOAD LOG --\n",
	       "math between pkt pointer and register with unbounded min value is not allowed "
	       "(at 123: (0f) r1 += r2)");
	expect("from 12 to 20: R0=inv0 R1=ctx(id=0,off=0,imm=0)\n20: (85) call unknown#188\n"
	       "invalid func unknown#188\nverification time 14 usec\nstack depth 0\n",
	       "invalid func unknown#188 (at 20: (85) call unknown#188)");
}

static void a_complaint_may_begin_with_a_register(void **state)
{
	(void)state;
	expect("R1=ctx() R10=fp0\n0: (61) r2 = *(u32 *)(r1 +0)         ; R1=ctx() R2_w=pkt(r=0)\n"
	       "1: (71) r0 = *(u8 *)(r2 +0)\n"
	       "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)\n"
	       "R2 offset is outside of the packet\nprocessed 2 insns\n",
	       "R2 offset is outside of the packet (at 1: (71) r0 = *(u8 *)(r2 +0))");
}

static void a_complaint_without_an_instruction_stands_alone(void **state)
{
	(void)state;
	expect("BPF program is too large. Processed 1000001 insn\n"
	       "processed 1000001 insns (limit 1000000)\n",
	       "BPF program is too large. Processed 1000001 insn");
}

static void what_came_before_the_last_instruction_is_no_complaint(void **state)
{
	(void)state;
	expect("func#0 @0\nsomething about an earlier path\n1: (95) exit\nprocessed 2 insns\n", "");
}

static void what_is_no_log_gives_no_words(void **state)
{
	(void)state;
	expect("", "");
	expect("\n\n", "");
	expect("12", "12");
	expect("-- BEGIN PROG LOAD LOG --\n-- END PROG LOAD LOG --\n", "");
}

/* A log may be cut off anywhere, and its lines be longer than there is room for. */
static void any_log_fits(void **state)
{
	char log[2000], text[40];

	(void)state;
	memset(log, 'x', sizeof(log) - 1);
	log[sizeof(log) - 1] = '\0';
	verifier_words(log, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
	memset(log, '7', sizeof(log) - 1);
	memcpy(log + 1500, ": (07) r1 += 1\nbad", 18);
	for (size_t length = 0; length < sizeof(log); length++) {
		char part[sizeof(log)];

		memcpy(part, log, length);
		part[length] = '\0';
		verifier_words(part, text, sizeof(text));
		assert_true(strlen(text) < sizeof(text));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_complaint_and_its_instruction_are_found),
		cmocka_unit_test(a_complaint_may_begin_with_a_register),
		cmocka_unit_test(a_complaint_without_an_instruction_stands_alone),
		cmocka_unit_test(what_came_before_the_last_instruction_is_no_complaint),
		cmocka_unit_test(what_is_no_log_gives_no_words),
		cmocka_unit_test(any_log_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
