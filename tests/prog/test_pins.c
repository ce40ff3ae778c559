// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins of another version are refused by whoever opens them, whichever map it is that differs.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "harness.h"

static struct ecmper_error err;

/* A map like the pinned one, but with one element more, takes its place. Returns the old one. */
static int exchange(const char *path)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	int fd = bpf_obj_get(path), other;

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	opts.map_flags = info.map_flags & ~BPF_F_RDONLY_PROG; /* the kernel sets that itself */
	other = bpf_map_create(info.type, info.name, info.key_size, info.value_size,
			       info.max_entries + 1, &opts);
	assert_true(other >= 0);
	unlink(path);
	assert_int_equal(bpf_obj_pin(other, path), 0);
	close(other);
	return fd;
}

static void must_be_refused(const struct lab *lab, const char *name)
{
	struct ecmper_up_options options = {.pin = lab->pin, .role = lab->role, .mark = -1};
	struct ecmper_up_report report;
	struct ecmper *ecmper;

	options.dev_count = 1;
	strcpy(options.devs[0], lab->dev);
	if (ecmper_up(&options, &report, &err) != -EPROTO || !strstr(err.text, name) ||
	    !strstr(err.text, "another version"))
		fail_msg("up with another %s: %s", name, err.text);
	/* Those that a handle of the role has open. */
	if ((lab->role == ECMPER_ROUTER ? strcmp(name, "fragments") != 0
					: !strcmp(name, "config") || !strcmp(name, "counters")) &&
	    (ecmper_open(lab->pin, lab->role, &ecmper, &err) != -EPROTO || !strstr(err.text, name)))
		fail_msg("open with another %s: %s", name, err.text);
}

static int is_map(const struct dirent *entry)
{
	return *entry->d_name != '.' && strncmp(entry->d_name, "link_", 5) &&
	       strcmp(entry->d_name, "tx_errors") && strcmp(entry->d_name, "version") &&
	       strcmp(entry->d_name, "server");
}

/* Every map of the folder. */
static void a_map_of_another_size_is_refused(void **state)
{
	const struct lab *lab = *state;
	struct dirent **entries;
	unsigned int tried = 0;
	char folder[256];
	int count;

	snprintf(folder, sizeof(folder), "%s%s", lab->pin,
		 lab->role == ECMPER_SERVER ? "/server" : "");
	count = scandir(folder, &entries, is_map, NULL);
	for (int i = 0; i < count; i++, tried++) {
		char path[600];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		fd = exchange(path);
		must_be_refused(lab, entries[i]->d_name);
		unlink(path);
		assert_int_equal(bpf_obj_pin(fd, path), 0);
		close(fd);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(tried, lab->role == ECMPER_SERVER ? 6 : 20);
}

static int server_setup(void **state)
{
	static const char *const vips[] = {VIP};

	namespace_renew();
	*state = server_up(ECMPER_MARK_DSCP, vips, 1);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_map_of_another_size_is_refused, router_dscp,
						lab_down),
		cmocka_unit_test_setup_teardown(a_map_of_another_size_is_refused, server_setup,
						lab_down),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
