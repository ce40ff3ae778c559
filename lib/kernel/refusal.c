// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel did not take the programs: which of the possible reasons is it? See refusal.h. Looks
 * for what is missing only after a failure, by trying, as distributions' kernels have more or less
 * than their version says.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "refusal.h"

#define LEAST_LINUX "5.18"
#define BTF_FILE    "/sys/kernel/btf/vmlinux"
#define ITEM_MAX    48

static char complaint[256];
static char verifier[400];

/* The verifier's log comes as one long message of libbpf. */
static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;

	if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
		return 0;
	if (strstr(text, "BEGIN PROG LOAD LOG")) {
		verifier_words(text, verifier, sizeof(verifier));
	} else {
		snprintf(complaint, sizeof(complaint), "%s", text);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	free(text);
	return 0;
}

void refusal_listen(void)
{
	complaint[0] = verifier[0] = '\0';
	libbpf_set_print(keep_complaint);
}

/* One line of the log, without its end. NULL behind the last one. */
static const char *next_line(const char *at, char *line, size_t size)
{
	size_t length = strcspn(at, "\n");

	if (!*at)
		return NULL;
	snprintf(line, size, "%.*s", (int)length, at);
	return at + length + (at[length] == '\n');
}

/* "123: (0f) r1 += r2", maybe with states of registers behind. */
static bool is_instruction(const char *line)
{
	size_t digits = strspn(line, "0123456789");

	return digits && !strncmp(line + digits, ": (", 3);
}

/* What stands around a complaint: source lines, states, statistics, libbpf's own lines. */
static bool is_chatter(const char *line)
{
	static const char *const beginnings[] = {
		";",       "processed ",  "verification time ", "stack depth ",
		"from ",   "R",           "libbpf: ",           "prog '",
		"-- ",     "func#",       "last_idx",           "regs=",
		"parent ", "mark_precise"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (!strncmp(line, beginnings[i], strlen(beginnings[i])))
			/* "R3 invalid mem access" is a complaint, "R3_w=..." and "R1=ctx" are not. */
			return *line != 'R' || strcspn(line, "=") < strcspn(line, " ");
	return !line[strspn(line, " \t")];
}

void verifier_words(const char *log, char *text, size_t size)
{
	char line[256], instruction[128] = "", words[sizeof(line)] = "";

	while ((log = next_line(log, line, sizeof(line)))) {
		if (is_instruction(line)) {
			line[strcspn(line, ";")] = '\0'; /* states of registers */
			snprintf(instruction, sizeof(instruction), "%.*s",
				 (int)sizeof(instruction) - 1, line);
			words[0] = '\0';
		} else if (!is_chatter(line)) {
			memcpy(words, line, sizeof(words));
		}
	}
	for (size_t end = strlen(instruction); end && instruction[end - 1] == ' '; end--)
		instruction[end - 1] = '\0';
	snprintf(text, size, "%s%s%s%s", words, words[0] && instruction[0] ? " (at " : "",
		 words[0] ? instruction : "", words[0] && instruction[0] ? ")" : "");
}

bool kernel_has_btf(void)
{
	return !access(BTF_FILE, R_OK);
}

/* ---- what is missing ---- */

/* "a", then ", b": what does not fit is left out. */
static void list(char *text, size_t size, const char *item)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s", length ? ", " : "", item);
}

static bool has_frags(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", pass, 2, &opts);

	if (fd >= 0)
		close(fd);
	return fd != -EINVAL;
}

/* What the programs use that this kernel has not: empty on 5.18 and newer. */
static void list_missing(enum ecmper_role role, char *text, size_t size)
{
	static const struct {
		enum bpf_func_id id;
		const char *name;
		bool is_server_only;
	} helpers[] = {
		{BPF_FUNC_xdp_get_buff_len, "bpf_xdp_get_buff_len (5.18)", false},
		{BPF_FUNC_xdp_load_bytes, "bpf_xdp_load_bytes (5.18)", false},
		{BPF_FUNC_skc_to_tcp_request_sock, "bpf_skc_to_tcp_request_sock (5.9)", true},
		{BPF_FUNC_skc_lookup_tcp, "bpf_skc_lookup_tcp (5.2)", true},
	};

	*text = '\0';
	if (!has_frags())
		list(text, size, "XDP programs for frames in several buffers (5.18)");
	for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++)
		if ((!helpers[i].is_server_only || role == ECMPER_SERVER) &&
		    !libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helpers[i].id, NULL))
			list(text, size, helpers[i].name);
}

/* Of the rights that loading takes, those that this process has not. CAP_SYS_ADMIN has CAP_BPF and
 * CAP_PERFMON in it. */
static void list_rights(char *text, size_t size)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};
	static const struct {
		int cap;
		const char *name;
	} wanted[] = {
		{CAP_BPF, "CAP_BPF"},
		{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		{CAP_PERFMON, "CAP_PERFMON"},
	};

	*text = '\0';
	if (syscall(SYS_capget, &header, data))
		return;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		int cap = wanted[i].cap;

		if (cap != CAP_NET_ADMIN && data[0].effective & CAP_TO_MASK(CAP_SYS_ADMIN))
			continue;
		if (!(data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap)))
			list(text, size, wanted[i].name);
	}
}

/* MiB that the maps take at once, by their sizes. */
static unsigned int maps_size(const struct bpf_object *object)
{
	uint64_t bytes = 0;
	const struct bpf_map *map;

	if (!object)
		return 0;
	bpf_object__for_each_map(map, object)
	{
		enum bpf_map_type type = bpf_map__type(map);
		uint64_t item = (bpf_map__value_size(map) + 7) & ~7U;

		if (bpf_map__map_flags(map) & BPF_F_NO_PREALLOC)
			continue;
		if (type == BPF_MAP_TYPE_PERCPU_ARRAY)
			item *= libbpf_num_possible_cpus();
		else if (type != BPF_MAP_TYPE_ARRAY)
			item += ITEM_MAX + bpf_map__key_size(map);
		bytes += item * bpf_map__max_entries(map);
	}
	return (bytes >> 20) + 1;
}

int refusal_explain(int code, enum ecmper_role role, const struct bpf_object *object,
		    struct ecmper_error *err)
{
	const char *name = ecmper_role_names[role];
	struct utsname system = {};
	char missing[300];

	uname(&system);
	list_rights(missing, sizeof(missing));
	if ((code == -EPERM || code == -EACCES) && missing[0])
		return ecmper_fail(err, code,
				   "no right to load XDP programs: this needs root, or CAP_BPF, "
				   "CAP_NET_ADMIN and CAP_PERFMON; missing: %s",
				   missing);
	if (code == -ENOMEM)
		return ecmper_fail(err, code,
				   "not enough memory for the %s: its maps take some %u MiB; the "
				   "limit may be the machine's or that of the memory cgroup (of a "
				   "service, MemoryMax=): raise it, or make the maps smaller "
				   "(--max-...)",
				   name, maps_size(object));
	list_missing(role, missing, sizeof(missing));
	if (missing[0])
		return ecmper_fail(err, code,
				   "Linux %s is too old for the %s program: it lacks %s; ecmper "
				   "needs Linux " LEAST_LINUX " or newer",
				   system.release, name, missing);
	if (role == ECMPER_SERVER && !kernel_has_btf())
		return ecmper_fail(err, code,
				   "this kernel (Linux %s) lacks BTF (" BTF_FILE
				   "), by which the server program finds its way in the kernel's "
				   "sockets: take one that is built with CONFIG_DEBUG_INFO_BTF",
				   system.release);
	if (verifier[0])
		return ecmper_fail(err, code,
				   "the verifier of this kernel (Linux %s) refused the %s program: "
				   "%s; docs/kernels.md names the kernels that ecmper was tested "
				   "on",
				   system.release, name, verifier);
	return ecmper_fail(err, code, "Linux %s did not take the %s program: %s%s%s%s",
			   system.release, name, strerror(-code), complaint[0] ? " (" : "",
			   complaint, complaint[0] ? ")" : "");
}
