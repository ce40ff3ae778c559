// SPDX-License-Identifier: GPL-2.0-only
/*
 * ecmper-loader: brings the router or the server program up on network devices, and down. Words
 * and messages only; the work is in lib/kernel/xdp.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "ecmper/ecmper.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static const char usage[] =
	"ecmper-loader: brings ecmper's XDP programs up and down\n"
	"\n"
	"  ecmper-loader router up --dev IF [--dev IF]... [options]\n"
	"  ecmper-loader router down\n"
	"  ecmper-loader server up --dev IF [--dev IF]... --vip PREFIX [--vip PREFIX]... [options]\n"
	"  ecmper-loader server down [--dev IF]\n"
	"\n"
	"The router stands where packets to the virtual addresses (VIPs) arrive; the server program\n"
	"runs on each server. `up` on one that is up adds devices and replaces the programs without a\n"
	"gap; connections do not notice. `down` leaves no trace, the router's tables are gone with it.\n"
	"All is checked before anything is changed.\n"
	"\n"
	"  --dev IF           a device that packets come in by; may be given many times\n"
	"  --vip PREFIX       server: a virtual address of this host\n"
	"  --mode MODE        auto (default: native, or generic where the driver lacks it), native, generic\n"
	"  --mark FORMAT      dscp (default) or tos (the format of the P4 prototype); the same on all\n"
	"  --also-mac MAC     another MAC than the devices' own that frames to this host are sent to, such\n"
	"                     as VRRP's; may be given eight times\n"
	"  --flight-time TIME router: how long a packet may be on its way to servers and back (default 1s);\n"
	"                     within it after a change, no connection is reset\n"
	"  --icmp-source ADDR router: where its ICMP errors come from, once for IPv4 and once for IPv6\n"
	"                     (default: an address of the device that the packet came in by)\n"
	"  --icmp-rate N      router: ICMP errors a second and CPU (default 1000)\n"
	"  --hash-key HEX     router: 32 digits, shared by routers that serve the same VIPs (default: random)\n"
	"  --config FILE      read options from FILE, one `word value` a line, such as `dev eth0`; the\n"
	"                     devices are then all that shall be: the program is taken off others\n"
	"  --apply FILE       router: have the state of FILE, as by `ecmperctl apply`, in the same step\n"
	"  --check            find out whether it could be done, and change nothing\n"
	"  --stay-up          on one that is up: when this is refused, say why, leave all as it is, and\n"
	"                     exit with status 0 (for services, which else would count as down)\n"
	"  --pin DIR          the instance's folder on a bpffs (default " ECMPER_PIN_DEFAULT
	", or ECMPER_PIN)\n"
	"  --max-prefixes N, --max-next-hops N, --max-buckets N, --max-history N, --max-members N,\n"
	"  --max-ports N      router: sizes of its maps, fixed while it is up\n"
	"  --max-fragments N  datagrams in fragments under way at a time, fixed while it is up\n"
	"  -h, --help; -V, --version\n"
	"\n"
	"Example:\n"
	"  ecmper-loader router up --dev eth0 --dev eth1\n"
	"  ecmperctl neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth1\n"
	"  ecmperctl add 10.0.10.0/32 via 10.0.0.1\n";

/* The journal takes lines for errors that say so: see sd-daemon(3) and JOURNAL_STREAM in systemd.exec(5). */
static const char *error_level(void)
{
	const char *journal = getenv("JOURNAL_STREAM");
	char stream[64];
	struct stat st;

	if (!journal || fstat(fileno(stderr), &st))
		return "";
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(journal, stream) ? "" : "<3>";
}

static int complain(int status, const char *text)
{
	fprintf(stderr, "%secmper-loader: %s\n", error_level(), text);
	if (status == USAGE)
		fprintf(stderr, "ecmper-loader --help explains\n");
	return status;
}

/* What is wrong with a file is wrong usage, too: trying again would not help. */
static int read_file(struct ecmper_up_options *options, const char *name, bool is_state)
{
	static struct ecmper_changes state;
	FILE *file = fopen(name, "re");
	struct ecmper_error err;
	char text[600];
	int ret;

	if (!file) {
		snprintf(text, sizeof(text), "cannot open %s: %s", name, strerror(errno));
		return complain(USAGE, text);
	}
	if (is_state)
		options->state = &state;
	ret = is_state ? ecmper_changes_read(&state, file, name, true, &err)
		       : ecmper_options_read(options, file, name, &err);
	fclose(file);
	return ret ? complain(USAGE, err.text) : DONE;
}

/* An option that has a value. Of `down`: only --pin and --dev. */
static int take_option(struct ecmper_up_options *options, bool is_up, const char *word,
		       const char *value)
{
	struct ecmper_error err;
	char text[128];

	if (!strcmp(word, "--pin"))
		return DONE;
	if (!is_up && strcmp(word, "--dev")) {
		snprintf(text, sizeof(text), "down has no option %.64s", word);
		return complain(USAGE, text);
	}
	if (!strcmp(word, "--config"))
		return read_file(options, value, false);
	if (!strcmp(word, "--apply") && options->role == ECMPER_ROUTER)
		return options->state ? complain(USAGE, "--apply: one file expected")
				      : read_file(options, value, true);
	return ecmper_option_set(options, word + 2, value, &err) ? complain(USAGE, err.text) : DONE;
}

static bool is_flag(const char *word, bool is_up)
{
	return is_up && (!strcmp(word, "--check") || !strcmp(word, "--stay-up"));
}

/* The words' shape, and what must be known before any value can be refused: flags and --pin. */
static int read_words(struct ecmper_up_options *options, bool is_up, int argc, char **argv,
		      bool *is_staying)
{
	char text[128];

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];

		if (strncmp(word, "--", 2)) {
			snprintf(text, sizeof(text), "\"%.64s\": an option expected", word);
			return complain(USAGE, text);
		}
		if (is_flag(word, is_up)) {
			*(!strcmp(word, "--check") ? &options->is_check : is_staying) = true;
			continue;
		}
		if (++i == argc) {
			snprintf(text, sizeof(text), "%.64s: a value is missing", word);
			return complain(USAGE, text);
		}
		if (!strcmp(word, "--pin"))
			options->pin = argv[i];
	}
	return *options->pin == '/' ? DONE
				    : complain(USAGE, "the pin folder's name must begin with /");
}

static int read_values(struct ecmper_up_options *options, bool is_up, int argc, char **argv)
{
	int ret = DONE;

	for (int i = 0; !ret && i < argc; i++) {
		if (is_flag(argv[i], is_up))
			continue;
		ret = take_option(options, is_up, argv[i], argv[i + 1]);
		i++;
	}
	return ret;
}

static void print_port(const struct ecmper_up_options *options, const struct ecmper_up_port *port)
{
	const char *role = ecmper_role_names[options->role];
	bool is_fallback =
		!port->is_native && options->mode != ECMPER_XDP_GENERIC && !port->was_attached;

	if (port->is_detached)
		printf("%s taken off %s\n", role, port->dev);
	else
		printf("%s %s on %s, %s mode%s\n", role, port->was_attached ? "replaced" : "up",
		       port->dev, port->is_native ? "native" : "generic",
		       is_fallback ? " (its driver refused native mode: slower)" : "");
}

static int bring_up(const struct ecmper_up_options *options)
{
	static struct ecmper_up_report report;
	struct ecmper_error err;

	if (!options->dev_count)
		return complain(USAGE, "--dev is missing: which device do packets come in by?");
	if (options->role == ECMPER_SERVER && !options->vip_count)
		return complain(USAGE, "--vip is missing: which addresses are virtual?");
	if (ecmper_up(options, &report, &err))
		return complain(FAILED, err.text);
	for (unsigned int i = 0; i < report.port_count; i++)
		print_port(options, &report.ports[i]);
	for (unsigned int i = 0; i < report.edit.count; i++)
		puts(report.edit.lines[i]);
	if (options->is_check)
		puts("# checked: it can be done; nothing was changed");
	if (report.lacks)
		printf("%s without %s\n", ecmper_role_names[options->role], report.lacks);
	ecmper_report_free(&report.edit);
	return DONE;
}

/* After `up` was refused. What is up goes on, whichever version brought it up. */
static int stay_up(const struct ecmper_up_options *options, int status)
{
	char text[128];

	if (!ecmper_is_up(options->pin, options->role))
		return status;
	snprintf(text, sizeof(text),
		 "the %s is up and stays as it is: mend this and reload, or take it down and up",
		 options->role == ECMPER_ROUTER ? "router" : "server");
	return complain(DONE, text);
}

static int take_down(const struct ecmper_up_options *options)
{
	struct ecmper_error err;

	if (options->role == ECMPER_ROUTER && options->dev_count)
		return complain(USAGE, "router down takes no --dev: it takes all devices down");
	if (options->dev_count > 1)
		return complain(USAGE, "server down takes one --dev, or none for all");
	if (ecmper_down(options->pin, options->role, options->dev_count ? options->devs[0] : NULL,
			&err))
		return complain(FAILED, err.text);
	return DONE;
}

int main(int argc, char **argv)
{
	static struct ecmper_up_options options = {.mark = -1, .flight_ms = -1};
	bool is_up, is_staying = false;
	int ret;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return fputs(usage, stdout) < 0 || fflush(stdout) ? FAILED : DONE;
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version"))
			return printf("ecmper-loader %s\n", ECMPER_VERSION) < 0 ? FAILED : DONE;
	}
	if (argc < 3)
		return complain(USAGE, "expected: router or server, then up or down");
	if (ecmper_role_parse(argv[1], &options.role))
		return complain(USAGE, "the first word is router or server");
	if (strcmp(argv[2], "up") && strcmp(argv[2], "down"))
		return complain(USAGE, "the second word is up or down");
	is_up = !strcmp(argv[2], "up");
	options.pin = getenv(ECMPER_PIN_ENV) ?: ECMPER_PIN_DEFAULT;
	ret = read_words(&options, is_up, argc - 3, argv + 3, &is_staying)
		      ?: read_values(&options, is_up, argc - 3, argv + 3);
	if (!ret)
		ret = is_up ? bring_up(&options) : take_down(&options);
	if (ret && is_staying && !options.is_check)
		ret = stay_up(&options, ret);
	ecmper_options_free(&options);
	if (options.state)
		ecmper_changes_free((struct ecmper_changes *)options.state);
	return fflush(stdout) && !ret ? FAILED : ret;
}
