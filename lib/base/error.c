// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a failure is told: one text, filled where it happened, printed once by the loader or the
 * CLI.
 */
#include <stdarg.h>
#include <string.h>
#include "error.h"

/* Texts quote words of files, and a terminal obeys control characters: they become '?'. */
static void defuse(char *text)
{
	for (; *text; text++)
		if ((*text > 0 && *text < ' ' && *text != '\n') || *text == 0x7f)
			*text = '?';
}

int ecmper_fail(struct ecmper_error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	defuse(err->text);
	return code;
}

void error_clear(struct ecmper_error *err)
{
	if (err)
		err->text[0] = '\0';
}

int error_default(struct ecmper_error *err, int code, const char *tried)
{
	if (code && err && !err->text[0])
		ecmper_fail(err, code, "cannot %s: %s", tried, strerror(-code));
	return code;
}
