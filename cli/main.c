// SPDX-License-Identifier: GPL-2.0-only
/*
 * ecmperctl: prefixes, servers and neighbours of a running router, counters of a router or a
 * server. This file has the command table and the options; each family of commands has a file of
 * its own, and all work is done by libecmper. Exit status: 0 done, 1 failed, 2 wrong usage.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

static enum status command_help(const struct cli *cli, int argc, char **argv);

#define CHANGE "Change prefixes and neighbours"
#define WHOLE  "Whole states"
#define LOOK   "Look"

const struct command commands[] = {
	{CHANGE, "add",
	 "PREFIX [hash maglev|modulo] [hash-on 5tuple|src|src-dst] [buckets N] [depth D] "
	 "via ADDR [weight W]...\n"
	 "PREFIX connected",
	 "add a prefix, or servers to one; change weights and options",
	 "Options stand before the first via. What is not said stays as it is; for a new\n"
	 "prefix it is hash maglev, buckets 4096, depth 4, and weight 1 for a new server.\n"
	 "\n"
	 "  hash-on     src: all of a client goes to one server; src-dst: one for each VIP\n"
	 "  buckets N   slots of the hash table: a power of two, 16 to 65536\n"
	 "  depth D     previous servers that each bucket remembers: 0 to 15\n"
	 "  weight W    share of the buckets: 0 (drained) to 10000\n"
	 "  connected   packets go to their own destination, a known neighbour\n"
	 "\n"
	 "ADDR is an IPv4 or IPv6 address; a link-local one (fe80::/10) goes with its device.\n"
	 "\n"
	 "  ecmperctl add 10.0.10.0/32 via 10.0.0.1 via 10.0.0.2 weight 3\n"
	 "  ecmperctl add fd00:0:10:: via fe80::1%eth1 via fe80::1%eth2\n",
	 "", command_edit},
	{CHANGE, "del", "PREFIX [via ADDR]...", "drain servers of a prefix, or forget the prefix",
	 "With via: the servers get no new connections; those they have live on. Without:\n"
	 "the prefix is forgotten, and its packets go to the kernel.\n"
	 "\n"
	 "  ecmperctl del 10.0.10.0/32 via 10.0.0.2\n",
	 "", command_edit},
	{CHANGE, "purge", "ADDR", "forget a dead server: its connections end at once",
	 "The server leaves all prefixes and every history. Clients of its connections get\n"
	 "a reset from another server, instead of a time-out.\n"
	 "\n"
	 "  ecmperctl purge 10.0.0.2\n",
	 "", command_edit},
	{CHANGE, "neigh", "add ADDR lladdr MAC dev IF [vlan ID]\ndel ADDR", "say where a server is",
	 "Frames to it leave with the tag vlan ID, or without a tag. Say it again when `show`\n"
	 "says that the device was made anew, or has another MTU or MAC.\n"
	 "A link-local address (fe80::/10) is known with its device, which need not be said\n"
	 "again by dev.\n"
	 "A neighbour that is deleted is forgotten once no table and no history has it.\n"
	 "\n"
	 "  ecmperctl neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth1\n"
	 "  ecmperctl neigh add fe80::1%eth1 lladdr 02:03:04:05:06:01\n",
	 "", command_edit},
	{CHANGE, "clear", "", "forget all prefixes and neighbours",
	 "Packets to the prefixes go to the kernel from then on.\n", "", command_edit},
	{WHOLE, "batch", "FILE|-", "do the lines of a file, all or nothing",
	 "A line is an add, del, purge, neigh or clear command. Each prefix changes once,\n"
	 "from its state before the file to that after it. - reads standard input.\n",
	 "", command_batch},
	{WHOLE, "apply", "[-n] FILE|-",
	 "make the whole state equal to a file; print the difference",
	 "A line is an add or neigh add command, as `ecmperctl dump` prints them. What the\n"
	 "file does not have is deleted; what is the same is not touched. Options of\n"
	 "ecmper-loader may stand in the same file: they are skipped.\n"
	 "\n"
	 "  -n, --check   only find out whether it can be done, and print the difference\n"
	 "\n"
	 "  ecmperctl dump > state; vi state; ecmperctl apply state\n",
	 "n", command_apply},
	{WHOLE, "dump", "", "print the whole state, as apply reads it", "", "", command_dump},
	{LOOK, "show", "[PREFIX]", "prefixes: options, servers, their shares and history",
	 "share: part of the buckets; history: buckets that the server owned before, and\n"
	 "whose old connections are still sent to it. state: up, or what is wrong with the\n"
	 "way to the server; ecmperctl(8) says what to do then.\n",
	 "", command_show},
	{LOOK, "tables", "[lpm|cur_nh|prv_nh|neigh]", "the tables that packets are looked up in",
	 "lpm: prefixes, with the place of their slots; cur_nh: owners of the buckets;\n"
	 "prv_nh: previous owners, newest first; neigh: MACs and devices.\n",
	 "", command_tables},
	{LOOK, "stats", "[router|server] [-i SEC] [-c COUNT] [-v] [-r]",
	 "counters and rates: reasons, servers, devices",
	 "  -i, --interval SEC   again every SEC seconds, with rates\n"
	 "  -c, --count COUNT    stop after COUNT reports; SEC is 1 if not given\n"
	 "  -v, --verbose        for each CPU\n"
	 "  -r, --reset          set the counters to 0\n"
	 "\n"
	 "router or server needs to be said only where both are up.\n",
	 "i:c:vr", command_stats},
	{LOOK, "trace", "PROTO SRC[:PORT] DST[:PORT]", "where the packets of one flow go, and why",
	 "PROTO is tcp, udp, icmp, icmp6 or a number; ports belong to tcp and udp only.\n"
	 "\n"
	 "  ecmperctl trace tcp 192.0.2.7:40000 10.0.10.0:80\n"
	 "  ecmperctl trace tcp [2001:db8::7]:40000 [fd00:0:10::]:80\n",
	 "", command_trace},
	{LOOK, "help", "[COMMAND]", "this help, or that of one command", "", "", command_help},
	{},
};

static enum status command_help(const struct cli *cli, int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return usage(cli, "help takes one command, not '%s' as well", argv[2]);
	if (argc < 2) {
		help_print(stdout);
		return STATUS_DONE;
	}
	command = command_find(argv[1]);
	if (!command)
		return usage(&(struct cli){}, "there is no command '%s' to explain", argv[1]);
	help_print_command(command);
	return STATUS_DONE;
}

static const struct option long_options[] = {
	{"pin", required_argument, NULL, 'p'},      {"json", no_argument, NULL, 'j'},
	{"version", no_argument, NULL, 'V'},        {"help", no_argument, NULL, 'h'},
	{"interval", required_argument, NULL, 'i'}, {"count", required_argument, NULL, 'c'},
	{"verbose", no_argument, NULL, 'v'},        {"reset", no_argument, NULL, 'r'},
	{"check", no_argument, NULL, 'n'},          {},
};

static enum status take_number(const struct cli *cli, const char *what, unsigned long *number)
{
	if (ecmper_number_parse(optarg, 1, 86400, number))
		return usage(cli, "%s must be a number from 1 to 86400, not '%s'", what, optarg);
	return STATUS_DONE;
}

/* One option; `wants_help` and `wants_version` are for the caller to fulfil. */
static enum status take_option(struct cli *cli, int option, bool *wants_help, bool *wants_version)
{
	switch (option) {
	case 'p': cli->pin = optarg; return STATUS_DONE;
	case 'j': cli->json = true; return STATUS_DONE;
	case 'h': *wants_help = true; return STATUS_DONE;
	case 'V': *wants_version = true; return STATUS_DONE;
	case 'i': return take_number(cli, "SEC", &cli->interval);
	case 'c': return take_number(cli, "COUNT", &cli->rounds);
	case 'v': cli->per_cpu = true; return STATUS_DONE;
	case 'r': cli->reset = true; return STATUS_DONE;
	case 'n': cli->check = true; return STATUS_DONE;
	}
	return STATUS_DONE;
}

/* No option is a digit: "-1" is a word, and its command says what it wants there instead. */
static bool is_word(const char *arg)
{
	return arg[0] != '-' || !arg[1] || isdigit((unsigned char)arg[1]);
}

/* Words from argv[optind] on, up to the next option, go to the others behind argv[0]. */
static void take_words(int argc, char **argv, int *words)
{
	for (; optind < argc && is_word(argv[optind]); optind++)
		argv[++*words] = argv[optind];
	if (optind >= argc || strcmp(argv[optind], "--"))
		return;
	for (optind++; optind < argc; optind++)
		argv[++*words] = argv[optind];
}

/* Options before the first word behind argv[0]; or, with `words`, between all words, which then stand
 * together behind argv[0], *words of them. Returns STATUS_DONE and *is_over when help or the
 * version was all that was wanted. */
static void print_attached(const struct cli *cli, enum ecmper_role role)
{
	char version[ECMPER_VERSION_STRLEN];

	if (ecmper_is_up(cli->pin, role))
		printf("%s in %s: %s\n", ecmper_role_names[role], cli->pin,
		       ecmper_version_read(cli->pin, role, version) ? "an earlier version"
								    : version);
}

/* Of this program, and of the programs in the kernel. */
static void print_versions(const struct cli *cli)
{
	puts("ecmperctl " ECMPER_VERSION);
	for (int role = 0; role < ECMPER_ROLES; role++)
		print_attached(cli, role);
}

/* Options up to the first other word, with `shorts` "+:...", or between all words. Returns
 * STATUS_DONE and *is_over when help or the version was all that was wanted. */
static enum status take_options(struct cli *cli, int argc, char **argv, const char *shorts,
				int *words, bool *is_over)
{
	bool wants_help = false, wants_version = false;
	enum status status = STATUS_DONE;
	int option;

	opterr = 0;
	optind = 1;
	while (!status) {
		if (words)
			take_words(argc, argv, words);
		option = getopt_long(argc, argv, shorts, long_options, NULL);
		if (option == -1)
			break;
		if (option == ':')
			return usage(cli, "option '%s' needs a value", argv[optind - 1]);
		if (option == '?' && !optopt)
			return usage(cli, "unknown option '%s'", argv[optind - 1]);
		if (option == '?' || (option != 'p' && !strchr(shorts, option)))
			return usage(cli, "unknown option '-%c'", option == '?' ? optopt : option);
		status = take_option(cli, option, &wants_help, &wants_version);
	}
	if (status)
		return status;
	*is_over = wants_help || wants_version;
	if (wants_version)
		print_versions(cli);
	else if (wants_help && cli->command)
		help_print_command(cli->command);
	else if (wants_help)
		help_print(stdout);
	if (!*is_over && !*cli->pin)
		return usage(cli, "--pin needs the name of a folder on a bpf file system");
	return STATUS_DONE;
}

static enum status run(int argc, char **argv)
{
	struct cli cli = {.pin = getenv(ECMPER_PIN_ENV) ?: ECMPER_PIN_DEFAULT};
	const struct command *near;
	enum status status;
	bool is_over;
	char shorts[32];
	int words = 0;

	status = take_options(&cli, argc, argv, "+:jVh", NULL, &is_over);
	if (status || is_over)
		return status;
	argc -= optind;
	argv += optind;
	if (!argc) {
		help_print(stderr);
		return STATUS_USAGE;
	}
	cli.command = command_find(argv[0]);
	if (!cli.command) {
		near = command_nearest(argv[0]);
		return usage(&cli,
			     near ? "unknown command '%s'; did you mean '%s'?"
				  : "unknown command '%s'",
			     argv[0], near ? near->name : "");
	}
	snprintf(shorts, sizeof(shorts), "+:jVh%s", cli.command->options);
	status = take_options(&cli, argc, argv, shorts, &words, &is_over);
	if (status || is_over)
		return status;
	return cli.command->run(&cli, 1 + words, argv);
}

/* A closed stdin, stdout or stderr must not become the number of a map's file: nothing but an
 * error may come of reading or writing it. */
static void reserve_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	enum status status;

	reserve_standard_files();
	status = run(argc, argv);
	errno = 0;
	if (fflush(stdout) || ferror(stdout))
		status = fail("cannot write the output%s%s", errno ? ": " : "",
			      errno ? strerror(errno) : "");
	return status;
}
