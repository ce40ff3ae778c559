// SPDX-License-Identifier: GPL-2.0-only
/*
 * VLAN tags for a device whose host knows nothing of them: two programs for tc, pinned. One pushes
 * tags (on the way out), the other takes all tags off (on the way in); where the device has VLAN
 * offload off, they are in the frames. So the lab needs no VLAN devices, which not every kernel has.
 *
 * tags PUSH_FILE POP_FILE TPID:VLAN...     the innermost tag first, for example 8100:20 88a8:10
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/ethernet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TAGS_MAX 2

#define INSN(c, d, s, o, i)                                                                        \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}
#define MOV_REG(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define CALL(helper)      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT              INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static void die(const char *what)
{
	fprintf(stderr, "tags: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void load(const struct bpf_insn *insns, int count, const char *file)
{
	static char log[4096];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (unsigned long)insns,
		.insn_cnt = count,
		.license = (unsigned long)"GPL",
		.log_level = 1,
		.log_buf = (unsigned long)log,
		.log_size = sizeof(log),
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0) {
		fputs(log, stderr);
		die(file);
	}
	attr = (union bpf_attr){.pathname = (unsigned long)file, .bpf_fd = fd};
	if (syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)))
		die(file);
}

/* As many calls of bpf_skb_vlan_push(skb, tpid, vlan) as there are tags, then TC_ACT_OK. */
static void load_push(char **tags, int count, const char *file)
{
	struct bpf_insn insns[1 + 4 * TAGS_MAX + 2] = {MOV_REG(BPF_REG_6, BPF_REG_1)};
	int n = 1;

	for (int i = 0; i < count; i++) {
		unsigned int tpid, vlan;

		if (sscanf(tags[i], "%x:%u", &tpid, &vlan) != 2)
			die(tags[i]);
		struct bpf_insn push[] = {MOV_REG(BPF_REG_1, BPF_REG_6),
					  MOV_IMM(BPF_REG_2, htons(tpid)), MOV_IMM(BPF_REG_3, vlan),
					  CALL(BPF_FUNC_skb_vlan_push)};

		memcpy(insns + n, push, sizeof(push));
		n += 4;
	}
	insns[n++] = (struct bpf_insn)MOV_IMM(BPF_REG_0, 0);
	insns[n++] = (struct bpf_insn)EXIT;
	load(insns, n, file);
}

/* bpf_skb_vlan_pop() does nothing to a frame without a tag. */
static void load_pop(const char *file)
{
	static const struct bpf_insn insns[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1), CALL(BPF_FUNC_skb_vlan_pop),
		MOV_REG(BPF_REG_1, BPF_REG_6), CALL(BPF_FUNC_skb_vlan_pop),
		MOV_IMM(BPF_REG_0, 0),         EXIT,
	};

	load(insns, sizeof(insns) / sizeof(*insns), file);
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc - 3 > TAGS_MAX) {
		fprintf(stderr, "usage: tags PUSH_FILE POP_FILE TPID:VLAN [TPID:VLAN]\n");
		return 2;
	}
	load_push(argv + 3, argc - 3, argv[1]);
	load_pop(argv[2]);
	return 0;
}
