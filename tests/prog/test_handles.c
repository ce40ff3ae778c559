// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles: what was taken down is not edited, one editor at a time among threads and forks too, who
 * waits is told for whom, and counters that are read while others edit never go back.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"

static struct ecmper_error err;

static int edit(struct ecmper *ecmper, const char *text, struct ecmper_error *why)
{
	struct ecmper_changes changes = {};
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int ret = ecmper_changes_read(&changes, file, "test", false, why);

	fclose(file);
	ret = ret ?: ecmper_edit(ecmper, &changes, ECMPER_EDIT_BATCH, NULL, why);
	ecmper_changes_free(&changes);
	return ret;
}

/* ---- taken down meanwhile ---- */

static void must_be_stale(struct ecmper *ecmper, const char *text)
{
	struct ecmper_stats *stats;

	assert_int_equal(edit(ecmper, "add " VIP " via 10.0.0.1\n", &err), -ESTALE);
	if (!strstr(err.text, text) || !strstr(err.text, "open it again"))
		fail_msg("not told what to do: %s", err.text);
	assert_int_equal(ecmper_stats_read(ecmper, &stats, &err), -ESTALE);
	assert_int_equal(ecmper_stats_reset(ecmper, &err), -ESTALE);
}

static void what_was_taken_down_is_not_edited(void **state)
{
	struct ecmper_up_options options = {.pin = ECMPER_PIN_DEFAULT "-anew",
					    .role = ECMPER_ROUTER,
					    .mark = -1,
					    .dev_count = 1,
					    .devs = {"out1"}};
	struct ecmper_up_report report;
	struct ecmper *handle, *again;
	struct ecmper_stats *stats;

	(void)state; /* what the next cases want is not taken down */
	assert_int_equal(ecmper_up(&options, &report, &err), 0);
	assert_int_equal(ecmper_open(options.pin, ECMPER_ROUTER, &handle, &err), 0);
	/* In place, it is the same instance. */
	assert_int_equal(ecmper_up(&options, &report, &err), 0);
	assert_int_equal(edit(handle, "add " VIP " via 10.0.0.1\n", &err), 0);
	assert_int_equal(ecmper_down(options.pin, ECMPER_ROUTER, NULL, &err), 0);
	must_be_stale(handle, "was taken down since");
	assert_int_equal(ecmper_up(&options, &report, &err), 0);
	must_be_stale(handle, "taken down and brought up anew");
	assert_int_equal(ecmper_open(options.pin, ECMPER_ROUTER, &again, &err), 0);
	assert_int_equal(edit(again, "add " VIP " via 10.0.0.1\n", &err), 0);
	assert_int_equal(ecmper_stats_read(again, &stats, &err), 0);
	ecmper_stats_free(stats);
	ecmper_close(again);
	ecmper_close(handle);
	assert_int_equal(ecmper_down(options.pin, ECMPER_ROUTER, NULL, &err), 0);
}

static void a_servers_handle_has_counters_and_no_prefixes(void **state)
{
	struct lab *lab = *state;
	struct ecmper_prefix_view *prefixes;
	struct ecmper_neigh_view *neighs;
	struct ecmper_flow flow = {};
	struct ecmper_trace trace;
	struct ecmper_stats *stats;
	struct ecmper *router;
	unsigned int count;

	assert_int_equal(ecmper_stats_read(lab->handle, &stats, &err), 0);
	assert_int_equal(stats->reason_count, SERVER_REASONS);
	ecmper_stats_free(stats);
	assert_int_equal(edit(lab->handle, "clear\n", &err), -EINVAL);
	assert_int_equal(ecmper_prefixes_view(lab->handle, NULL, &prefixes, &count, &err), -EINVAL);
	assert_int_equal(ecmper_neighs_view(lab->handle, &neighs, &count, &err), -EINVAL);
	assert_int_equal(ecmper_trace(lab->handle, &flow, &trace, &err), -EINVAL);
	assert_int_equal(ecmper_open(lab->pin, ECMPER_ROUTER, &router, &err), -ENOENT);
}

static void no_file_is_left_to_another_program(void **state)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int maps = 0;
	struct dirent *entry;
	char what[64];

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, what, sizeof(what) - 1);

		what[length < 0 ? 0 : length] = '\0';
		if (!strstr(what, "bpf-map"))
			continue;
		assert_true(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC);
		maps++;
	}
	closedir(dir);
	assert_uint_in_range(maps, 19, 20);
}

/* ---- one at a time ---- */

static void who_waits_is_told_who_holds_the_lock(void **state)
{
	struct lab *lab = *state;
	int ready[2], status, ret;
	char text[64], byte;
	pid_t holder;

	assert_int_equal(pipe(ready), 0);
	holder = fork();
	if (!holder) {
		int fd = open(lab->pin, O_RDONLY | O_DIRECTORY);

		if (!flock(fd, LOCK_EX) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	ecmper_patience_set(lab->handle, 20);
	ret = edit(lab->handle, "add " VIP " via 10.0.0.1\n", &err);
	kill(holder, SIGKILL);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(ret, -EBUSY);
	snprintf(text, sizeof(text), "held by process %d since 20", holder);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
	assert_int_equal(edit(lab->handle, "add " VIP " via 10.0.0.1\n", &err), 0);
	close(ready[0]);
	close(ready[1]);
}

#define EDITORS 3
#define EDITS   300

struct editor {
	struct ecmper *ecmper;
	int number;
	struct ecmper_error err;
	int ret;
};

/* Prefixes and servers of its own come and go; the last ones stay. */
static void *edit_often(void *arg)
{
	struct editor *editor = arg;
	char text[128];

	for (int i = 0; !editor->ret && i < EDITS; i++) {
		snprintf(text, sizeof(text), "add 10.%d.0.%d buckets 64 via 10.0.0.%d weight %d\n",
			 20 + editor->number, i % 5, 1 + editor->number, 1 + i % 7);
		editor->ret = edit(editor->ecmper, text, &editor->err);
		snprintf(text, sizeof(text), "del 10.%d.0.%d\n", 20 + editor->number, i % 5);
		if (!editor->ret && i + 5 < EDITS)
			editor->ret = edit(editor->ecmper, text, &editor->err);
	}
	return NULL;
}

/* All that they left is there, once, and what counts it agrees. */
static void check_all(struct lab *lab)
{
	const struct ecmper_config *config = ecmper_config_get(lab->router);
	struct ecmper_prefix_view *views;
	unsigned int count;

	assert_int_equal(ecmper_prefixes_view(lab->router, NULL, &views, &count, &err), 0);
	assert_int_equal(count, 5 * EDITORS);
	assert_int_equal(config->prefix_count, count);
	assert_int_equal(config->pending, 0);
	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(views[i].server_count, 1);
		assert_int_equal(views[i].servers[0].buckets, 64);
	}
	ecmper_prefixes_free(views, count);
}

static void threads_with_one_handle_edit_one_at_a_time(void **state)
{
	struct lab *lab = *state;
	struct editor editors[EDITORS] = {};
	pthread_t threads[EDITORS];

	for (int i = 0; i < EDITORS; i++) {
		editors[i] = (struct editor){.ecmper = lab->handle, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, edit_often, &editors[i]), 0);
	}
	for (int i = 0; i < EDITORS; i++) {
		pthread_join(threads[i], NULL);
		if (editors[i].ret)
			fail_msg("%s", editors[i].err.text);
	}
	check_all(lab);
}

static void forks_with_one_handle_edit_one_at_a_time(void **state)
{
	struct lab *lab = *state;
	pid_t children[EDITORS];
	int status;

	for (int i = 0; i < EDITORS; i++) {
		children[i] = fork();
		if (!children[i]) {
			struct editor editor = {.ecmper = lab->handle, .number = i};

			edit_often(&editor);
			_exit(editor.ret != 0);
		}
	}
	for (int i = 0; i < EDITORS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	check_all(lab);
}

/* ---- counters ---- */

/* Reading the counters of so many next hops takes long enough for others to do something meanwhile. */
#define MANY ECMPER_PIN_DEFAULT "-many"

static struct ecmper *many_up(void)
{
	struct ecmper_up_options options = {.pin = MANY,
					    .mark = -1,
					    .max_next_hops = 4096,
					    .max_ports = 8,
					    .dev_count = 1,
					    .devs = {"out1"}};
	struct ecmper_up_report report;
	struct ecmper *many;

	if (ecmper_up(&options, &report, &err) ||
	    ecmper_open(options.pin, ECMPER_ROUTER, &many, &err))
		fail_msg("%s", err.text);
	return many;
}

static void many_down(struct ecmper *many)
{
	ecmper_close(many);
	assert_int_equal(ecmper_down(MANY, ECMPER_ROUTER, NULL, &err), 0);
}

static uint64_t forwarded(const struct ecmper_stats *stats)
{
	uint64_t packets = 0;

	for (unsigned int cpu = 0; cpu < stats->cpu_count; cpu++)
		packets += stats->counters[ROUTER_forward * stats->cpu_count + cpu].packets;
	return packets;
}

/* Servers that count something, go, and leave their id to others. */
static void *recycle_ids(void *arg)
{
	struct editor *editor = arg;
	uint32_t ids = ecmper_config_get(editor->ecmper)->max_next_hops;
	int cpus = libbpf_num_possible_cpus();
	int fd = bpf_obj_get(MANY "/nh_counters");
	struct ecmper_nh_reasons *counted = calloc(cpus, sizeof(*counted));
	char text[128];

	counted[0].reason[ROUTER_forward].packets = 1000000;
	for (int i = 0; !editor->ret && i < 400; i++) {
		snprintf(text, sizeof(text), "add " VIP " buckets 16 depth 0 via 10.9.%d.%d\n",
			 i / 200, i % 200 + 1);
		editor->ret = edit(editor->ecmper, text, &editor->err);
		for (uint32_t id = 1; !editor->ret && id < ids; id++) {
			struct ecmper_hop hop;

			if (ecmper_nh_hop(editor->ecmper, id, &hop) &&
			    ntohl(ecmper_addr_to_ipv4(&hop.addr)) >> 16 == 0x0a09)
				bpf_map_update_elem(fd, &id, counted, BPF_ANY);
		}
		snprintf(text, sizeof(text), "del " VIP "\n");
		editor->ret = editor->ret ?: edit(editor->ecmper, text, &editor->err);
	}
	free(counted);
	close(fd);
	__atomic_store_n(&editor->number, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void counters_never_go_back_while_others_edit(void **state)
{
	struct ecmper *many = many_up();
	struct editor editor = {.ecmper = many};
	size_t size = 1 << 17, length;
	char *text = malloc(size);
	struct ecmper_stats *stats;
	uint64_t before = 0, now = 0;
	pthread_t thread;
	int ret = 0;

	(void)state;
	/* Those that come and go share the few ids that are left, which are read last. */
	length = snprintf(text, size, "add 10.7.0.1");
	for (int i = 0; i < 4080; i++)
		length += snprintf(text + length, size - length, " via 10.8.%d.%d", i / 250,
				   i % 250 + 1);
	snprintf(text + length, size - length, "\n");
	assert_int_equal(edit(many, text, &err), 0);
	free(text);

	assert_int_equal(pthread_create(&thread, NULL, recycle_ids, &editor), 0);
	while (!ret && now >= before && !__atomic_load_n(&editor.number, __ATOMIC_SEQ_CST)) {
		before = now;
		ret = ecmper_stats_read(many, &stats, &err);
		if (!ret)
			now = forwarded(stats);
		ecmper_stats_free(ret ? NULL : stats);
	}
	pthread_join(thread, NULL);
	if (ret || editor.ret)
		fail_msg("%s", ret ? err.text : editor.err.text);
	assert_uint_in_range(now, before, UINT64_MAX);
	/* Each was counted once. */
	assert_int_equal(ecmper_stats_read(many, &stats, &err), 0);
	assert_int_equal(forwarded(stats), 400 * 1000000ULL);
	ecmper_stats_free(stats);
	many_down(many);
}

/* A counter of this thread's system calls, or -1 where the kernel has none for us. */
static int count_syscalls(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	unsigned int id = 0;
	FILE *file;

	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL); /* for this test only */
	file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
	if (!file || fscanf(file, "%u", &id) != 1)
		id = 0;
	if (file)
		fclose(file);
	attr.config = id;
	return id ? syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) : -1;
}

static uint64_t syscalls_of_a_report(struct ecmper *ecmper, int counter)
{
	struct ecmper_stats *stats;
	uint64_t before, after;

	assert_int_equal(read(counter, &before, sizeof(before)), sizeof(before));
	assert_int_equal(ecmper_stats_read(ecmper, &stats, &err), 0);
	assert_int_equal(read(counter, &after, sizeof(after)), sizeof(after));
	ecmper_stats_free(stats);
	return after - before;
}

static void a_report_needs_no_system_call_for_each_next_hop(void **state)
{
	struct lab *lab = *state; /* 64 next hops */
	int counter = count_syscalls();
	uint64_t few_calls, many_calls;
	struct ecmper *many;

	if (counter < 0)
		skip();
	many = many_up();
	few_calls = syscalls_of_a_report(lab->handle, counter);
	many_calls = syscalls_of_a_report(many, counter);
	close(counter);
	many_down(many);
	assert_true(few_calls > 10);
	assert_uint_in_range(many_calls, 1, few_calls + 64);
}

static int server_setup(void **state)
{
	static const char *const vips[] = {VIP};

	namespace_renew();
	*state = server_up(ECMPER_MARK_DSCP, vips, 1);
	return 0;
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		/* First: no router is up, nor kept for the next case. */
		cmocka_unit_test_setup_teardown(a_servers_handle_has_counters_and_no_prefixes,
						server_setup, lab_down),
		with_router(what_was_taken_down_is_not_edited),
		with_router(no_file_is_left_to_another_program),
		with_router(who_waits_is_told_who_holds_the_lock),
		with_router(threads_with_one_handle_edit_one_at_a_time),
		with_router(forks_with_one_handle_edit_one_at_a_time),
		with_router(counters_never_go_back_while_others_edit),
		with_router(a_report_needs_no_system_call_for_each_next_hop),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
