// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames through the attached program, and all that must come of them: verdict, frame, counters of
 * all reasons and next hops. See harness.h.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "harness.h"
#include "prog/front.skel.h"

static const char *verdict_name(uint32_t verdict)
{
	static const char *const names[] = {[XDP_ABORTED] = "XDP_ABORTED",
					    [XDP_DROP] = "XDP_DROP",
					    [XDP_PASS] = "XDP_PASS",
					    [XDP_TX] = "XDP_TX",
					    [XDP_REDIRECT] = "XDP_REDIRECT"};

	return verdict < ARRAY_SIZE(names) ? names[verdict] : "an unknown verdict";
}

/* The next call of the test fails it, with this before. */
static void __attribute__((format(printf, 2, 3)))
complain(const struct lab *lab, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_error("%s%s%s\n", lab->label, lab->label[0] ? ": " : "", text);
}

static void print_frame(const char *name, const struct frame *frame)
{
	char text[3 * 80 + 1] = "";

	for (uint32_t i = 0; i < frame->length && i < 80; i++)
		sprintf(text + 3 * i, "%02x%c", frame->data[i], i == 13 || i == 33 ? '|' : ' ');
	print_error("%s (%u): %s\n", name, frame->length, text);
}

static bool is_same_frame(const struct lab *lab, const struct frame *in, const struct frame *wanted,
			  const struct frame *out)
{
	uint32_t at = 0;

	if (wanted->length == out->length && !memcmp(wanted->data, out->data, out->length))
		return true;
	while (at < wanted->length && at < out->length && wanted->data[at] == out->data[at])
		at++;
	complain(lab, "the frame that came out differs from byte %u on", at);
	print_frame("in    ", in);
	print_frame("wanted", wanted);
	print_frame("out   ", out);
	return false;
}

/* The program that takes lab->front bytes in front, and then calls the one under test. */
static struct front_bpf *open_front(const struct lab *lab, const struct frame *in)
{
	struct front_bpf *skel = front_bpf__open_and_load();
	uint32_t zero = 0;

	assert_non_null(skel);
	assert_uint_in_range(lab->front, 1, FRONT_MAX);
	assert_true(in->length > lab->front + ETH_HLEN);
	skel->bss->taken = lab->front;
	memcpy(skel->bss->front, in->data, lab->front);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(skel->maps.then), &zero, &lab->prog_fd, BPF_ANY),
		0);
	return skel;
}

static uint32_t run(struct lab *lab, const struct frame *in, struct frame *out, uint32_t flags)
{
	struct front_bpf *front = lab->front ? open_front(lab, in) : NULL;
	uint32_t length = in->length - lab->front;
	struct xdp_md ctx = {.data_end = length, .ingress_ifindex = lab->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->data + lab->front,
		    .data_size_in = length, .data_out = out ? out->data : NULL,
		    .data_size_out = out ? sizeof(out->data) : 0, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1, .flags = flags);
	int prog_fd = front ? bpf_program__fd(front->progs.take_front) : lab->prog_fd;

	if (bpf_prog_test_run_opts(prog_fd, &opts))
		fail_msg("%s: cannot run the program: %s", lab->label, strerror(errno));
	front_bpf__destroy(front);
	if (out) {
		assert_uint_in_range(opts.data_size_out, 0, FRAME_MAX);
		out->length = opts.data_size_out;
		out->l3 = in->l3;
		out->l4 = in->l4;
	}
	return opts.retval;
}

uint32_t lab_run(struct lab *lab, const struct frame *in, struct frame *out)
{
	return run(lab, in, out, 0);
}

static struct ecmper_nh_counter *wanted_of(struct lab *lab, const struct ecmper_hop *hop)
{
	unsigned int i;

	for (i = 0; i < lab->wanted_hop_count; i++)
		if (!ecmper_hop_compare(&lab->wanted_hops[i].hop, hop))
			return &lab->wanted_hops[i].counter;
	assert_true(i < WANTED_HOPS_MAX);
	lab->wanted_hops[lab->wanted_hop_count++].hop = *hop;
	return &lab->wanted_hops[i].counter;
}

/* Of history, what nobody may send back any more is noted. */
static bool is_chain_last(struct lab *lab, const struct want *want)
{
	uint8_t tos = frame_get_tos(&want->frame);

	if (!want->by_history)
		return false;
	return ecmper_config_get(lab->router)->mark == ECMPER_MARK_TOS ||
	       tos >> 2 == DSCP_MARK(LAST, 0) >> 2;
}

static void add_wanted(struct lab *lab, const struct frame *in, const struct want *want)
{
	uint32_t reasons = want->reasons | (is_chain_last(lab, want) ? BIT(ROUTER_chain_last) : 0);
	struct ecmper_nh_counter *counter;
	struct ecmper_hop hop;

	lab->is_unsettled = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(lab->wanted); i++) {
		if (!(reasons & BIT(i)))
			continue;
		lab->wanted[i].packets++;
		lab->wanted[i].bytes += want->no_bytes & BIT(i) ? 0 : in->counted;
	}
	if (!want->next_hop)
		return;
	assert_int_equal(ecmper_hop_parse(want->next_hop, &hop), 0);
	counter = wanted_of(lab, &hop);
	counter->packets++;
	counter->bytes += in->counted;
	if (want->by_history) {
		counter->history_packets++;
		counter->history_bytes += in->counted;
	}
}

void lab_send_at(struct lab *lab, const struct frame *in, const struct want *want, const char *file,
		 int line)
{
	struct frame out;
	uint32_t verdict = lab_run(lab, in, &out);

	if (verdict != want->verdict) {
		complain(lab, "%s instead of %s", verdict_name(verdict),
			 verdict_name(want->verdict));
		print_frame("in    ", in);
		_fail(file, line);
	}
	if (verdict != XDP_DROP && !is_same_frame(lab, in, &want->frame, &out))
		_fail(file, line);
	add_wanted(lab, in, want);
}

void lab_send_live(struct lab *lab, const struct frame *in, const struct want *want)
{
	run(lab, in, NULL, BPF_F_TEST_XDP_LIVE_FRAMES);
	add_wanted(lab, in, want);
}

static struct ecmper_counter sum_of(const struct ecmper_stats *stats, unsigned int reason)
{
	struct ecmper_counter sum = {};

	for (unsigned int cpu = 0; cpu < stats->cpu_count; cpu++) {
		sum.packets += stats->counters[reason * stats->cpu_count + cpu].packets;
		sum.bytes += stats->counters[reason * stats->cpu_count + cpu].bytes;
	}
	return sum;
}

static bool is_counted(struct lab *lab, const struct ecmper_stats *now, unsigned int reason)
{
	struct ecmper_counter before = sum_of(lab->before, reason), after = sum_of(now, reason);
	const struct ecmper_counter *wanted = &lab->wanted[reason];

	if (after.packets - before.packets == wanted->packets &&
	    after.bytes - before.bytes == wanted->bytes)
		return true;
	complain(lab,
		 "%s counted %" PRIu64 " packets, %" PRIu64 " bytes instead of %" PRIu64
		 " packets, %" PRIu64 " bytes",
		 now->reasons[reason].name, (uint64_t)(after.packets - before.packets),
		 (uint64_t)(after.bytes - before.bytes), (uint64_t)wanted->packets,
		 (uint64_t)wanted->bytes);
	return false;
}

static struct ecmper_nh_counter counter_of(const struct ecmper_stats *stats,
					   const struct ecmper_hop *hop)
{
	for (unsigned int i = 0; i < stats->next_hop_count; i++)
		if (!ecmper_hop_compare(&stats->next_hops[i].hop, hop))
			return stats->next_hops[i].counter;
	return (struct ecmper_nh_counter){};
}

static bool is_hop_counted(struct lab *lab, const struct ecmper_stats *now,
			   const struct ecmper_hop *hop)
{
	struct ecmper_nh_counter before = counter_of(lab->before, hop);
	struct ecmper_nh_counter got = counter_of(now, hop);
	const struct ecmper_nh_counter *wanted = wanted_of(lab, hop);
	char text[ECMPER_HOP_STRLEN];

	got.packets -= before.packets;
	got.bytes -= before.bytes;
	got.history_packets -= before.history_packets;
	got.history_bytes -= before.history_bytes;
	if (!memcmp(&got, wanted, sizeof(got)))
		return true;
	complain(lab,
		 "next hop %s counted %" PRIu64 "/%" PRIu64 " packets/bytes, by history %" PRIu64
		 "/%" PRIu64 ", instead of %" PRIu64 "/%" PRIu64 ", %" PRIu64 "/%" PRIu64,
		 ecmper_hop_format(hop, text), (uint64_t)got.packets, (uint64_t)got.bytes,
		 (uint64_t)got.history_packets, (uint64_t)got.history_bytes,
		 (uint64_t)wanted->packets, (uint64_t)wanted->bytes,
		 (uint64_t)wanted->history_packets, (uint64_t)wanted->history_bytes);
	return false;
}

static struct ecmper_stats *read_stats(const struct lab *lab)
{
	struct ecmper_error err = {""};
	struct ecmper_stats *stats;

	if (ecmper_stats_read(lab->handle, &stats, &err))
		fail_msg("stats: %s", err.text);
	return stats;
}

static void start_from(struct lab *lab, struct ecmper_stats *stats)
{
	ecmper_stats_free(lab->before);
	lab->before = stats;
	lab->is_unsettled = false;
	memset(lab->wanted, 0, sizeof(lab->wanted));
	memset(lab->wanted_hops, 0, sizeof(lab->wanted_hops));
	lab->wanted_hop_count = 0;
}

void lab_rebase(struct lab *lab)
{
	start_from(lab, read_stats(lab));
}

void lab_rebase_hops(struct lab *lab)
{
	struct ecmper_stats *now = read_stats(lab);
	bool is_good = true;

	for (unsigned int i = 0; i < now->reason_count; i++)
		is_good &= is_counted(lab, now, i);
	start_from(lab, now);
	if (!is_good)
		fail_msg("an edit changed what packets had counted");
}

void lab_settle_at(struct lab *lab, const char *file, int line)
{
	struct ecmper_stats *now = read_stats(lab);
	bool is_good = true;

	for (unsigned int i = 0; i < now->reason_count; i++)
		is_good &= is_counted(lab, now, i);
	for (unsigned int i = 0; i < now->next_hop_count; i++)
		is_good &= is_hop_counted(lab, now, &now->next_hops[i].hop);
	for (unsigned int i = 0; i < lab->wanted_hop_count; i++)
		is_good &= is_hop_counted(lab, now, &lab->wanted_hops[i].hop);
	start_from(lab, now);
	if (!is_good)
		_fail(file, line);
}

void lab_expect_all_ids_at(struct lab *lab, struct frame *in, struct want want, const char *file,
			   int line)
{
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		lab_case(lab, "id %u", id);
		frame_ip(in)->id = frame_ip(&want.frame)->id = htons(id);
		frame_set_check(in);
		frame_set_check(&want.frame);
		lab_send_at(lab, in, &want, file, line);
	}
	lab_settle_at(lab, file, line);
}

struct want want_pass(const struct frame *in, uint32_t reason)
{
	struct want want = {.verdict = XDP_PASS, .reasons = BIT(reason)};

	frame_copy(&want.frame, in);
	return want;
}

struct want want_drop(const struct frame *in, uint32_t reason)
{
	struct want want = want_pass(in, reason);

	want.verdict = XDP_DROP;
	return want;
}

/* By the chain, from a server, with a mark that grows: it has paid for this router already. */
static bool is_bounced(const struct frame *in, uint32_t reason)
{
	uint8_t client[ETH_ALEN];

	mac_parse(CLIENT_MAC, client);
	return (reason == ROUTER_history || reason == ROUTER_chain_end) &&
	       IS_DSCP_MARK(frame_get_tos(in)) && memcmp(in->data + ETH_ALEN, client, ETH_ALEN);
}

struct want want_forward(const struct frame *in, int server, uint32_t reason)
{
	struct want want = want_pass(in, reason);

	want.verdict = XDP_REDIRECT;
	want.next_hop = server_addr(server);
	want.by_history = reason == ROUTER_history;
	frame_set_tags(&want.frame, 0, NULL);
	frame_set_macs(&want.frame, server_mac(server), way_out_mac(server));
	if (!is_bounced(in, reason))
		frame_set_ttl(&want.frame, frame_get_ttl(in) - 1);
	return want;
}

struct want want_forward6(const struct frame *in, int server, uint32_t reason)
{
	struct want want = want_forward(in, server, reason);

	want.next_hop = server_addr6(server);
	return want;
}

struct want want_noted(struct want want, uint32_t note)
{
	want.reasons |= BIT(note);
	if (note == ROUTER_restarted && want.by_history) /* what begins anew pays */
		frame_set_ttl(&want.frame, frame_get_ttl(&want.frame) - 1);
	return want;
}

struct want want_tos(struct want want, uint8_t tos)
{
	frame_set_tos(&want.frame, tos);
	return want;
}

struct want want_tag(struct want want, uint16_t tci)
{
	frame_set_tags(&want.frame, 1, &(struct tag){ETH_P_8021Q, tci});
	return want;
}
