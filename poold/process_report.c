/* SPDX-License-Identifier: MIT */
/* process_report: heritage.h says what stands in the pipe. */
#include "poold/process_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/mem.h"

#define PROCESS_REPORT_WORDS 256

struct process_report {
	int fd; /* -1: read out */
	bool has_init;
	bool has_failed; /* words say why; else they are the program's path */
	char *words;
	struct select_fd io;
};

int
process_report_open_take(int fd, const struct heritage *h,
    struct select *select, void *arg, struct process_report **report_r)
{
	struct process_report *report = mem_zalloc(1, sizeof(*report));
	int e = -ENOMEM;

	*report_r = report;
	if (report) {
		report->fd = fd;
		report->has_init = h->has_init;
		report->words = mem_strdup(h->path);
		e = report->words
		        ? select_watch(select, &report->io, fd, LOOP_READ, arg)
		        : -ENOMEM;
		if (e < 0)
			process_report_free(report_r);
	} else {
		fd_close(&fd);
	}
	return e;
}

void
process_report_close(struct process_report *report)
{
	select_unwatch(&report->io);
	fd_close(&report->fd);
}

void
process_report_free(struct process_report **report)
{
	if (!*report)
		return;
	process_report_close(*report);
	mem_free((*report)->words);
	mem_free(*report);
	*report = NULL;
}

static const char *
process_report_step(int step)
{
	static const char *const words[] = {
		[HERITAGE_FDS] = "cannot place descriptors for",
		[HERITAGE_LIMITS] = "cannot set the limits of",
		[HERITAGE_IDS] = "cannot give privileges up for",
		[HERITAGE_PARENT] = "has no parent any more:",
		[HERITAGE_FOLDER] = "cannot enter the state folder for",
		[HERITAGE_SANDBOX] = "cannot confine",
		[HERITAGE_EXEC] = "cannot run",
		[HERITAGE_FORK] = "cannot make a process for",
	};
	const size_t n = sizeof(words) / sizeof(words[0]);

	return step >= 0 && (size_t)step < n ? words[step] : "cannot start";
}

/* Its program does not run: the path in words becomes a sentence. */
static void
process_report_fail(
    struct process_report *report, const struct heritage_report *said)
{
	char words[PROCESS_REPORT_WORDS];

	report->has_failed = true;
	snprintf(words, sizeof(words), "%s %.180s: %s",
	    process_report_step(said->step), report->words,
	    strerrordesc_np(-said->e) ? strerrordesc_np(-said->e)
				      : "unknown error");
	char *const copy = mem_strdup(words);
	if (!copy)
		return;
	mem_free(report->words);
	report->words = copy;
}

/* One report. */
static enum process_report_kind
process_report_take(struct process_report *report,
    const struct heritage_report *said, int *status_r)
{
	if (said->step == HERITAGE_RUNS)
		return PROCESS_REPORT_RUNS;
	if (said->step == HERITAGE_STATUS) {
		*status_r = said->e;
		return PROCESS_REPORT_STATUS;
	}
	process_report_fail(report, said);
	if (!report->has_init)
		process_report_close(report);
	return PROCESS_REPORT_NONE;
}

enum process_report_kind
process_report_read(struct process_report *report, int *status_r)
{
	while (report->fd >= 0) {
		struct heritage_report said;
		const ssize_t n = read(report->fd, &said, sizeof(said));
		if (n == sizeof(said)) {
			const enum process_report_kind kind =
			    process_report_take(report, &said, status_r);
			if (kind != PROCESS_REPORT_NONE)
				return kind;
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		process_report_close(report);
		if (!report->has_init)
			return PROCESS_REPORT_RUNS;
	}
	return PROCESS_REPORT_NONE;
}

bool
process_report_is_spent(const struct process_report *report)
{
	return report->fd < 0 && !report->has_failed;
}

const char *
process_report_words(const struct process_report *report)
{
	return report->has_failed ? report->words : "";
}
