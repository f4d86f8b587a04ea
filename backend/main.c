/* SPDX-License-Identifier: MIT */
/*
 * main: the tools backend of one tenant. Peers: the switchboard (HTTP on the
 * inherited listening socket), poold (a channel, its parent). Privileges: none
 * that it was not started with, but for the zygote's (-z, -Z), which keeps root
 * for its children to give up. The map of the program, in reading order:
 *
 *	holdline.h       what a tool is written with
 *	load.c           the tools: shared objects, their schemas, a self-test
 *	entries.c ask.c  the log of a session; its questions
 *	news.c session*  one tool run as its faces see it
 *	ctx*.c run.c     the same as its tool sees it; its task
 *	keeper.c         the task that looks after what falls due
 *	registry.c       all sessions: limits, linger, the end
 *	face.c           the table of revisions
 *	rpc.c            which face a request belongs to; envelopes
 *	notice.c         what all faces say in the same words
 *	inbound.c        one HTTP request, kept
 *	rest.c           what is given back while nobody asks
 *	wire.c           a connection; noticing that its client left
 *	reply.c          a JSON body or a stream of events
 *	peer.c           clients of the legacy face
 *	face_2025*.c     the legacy face: streams and peers
 *	dialog.c         rounds of the modern face
 *	face_2026*.c     the modern face: the ladder, legs, retries
 *	mcp.c            the endpoint
 *	serve.c          accepting and serving
 *	rehearse.c       a start before there is a tenant
 *	birth.c          when the steps of the start were done
 *	poold_link.c     the channel to poold
 *	reap.c           orphans, as first process of a PID namespace
 *	tenant.c         start and end of all of this
 *	plug.c zygote.c  forking backends that are warm
 *	first.c          being the first process of a PID namespace
 */
#include <bsd/stdlib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/flow/main.h"
#include "common/ipc/proto.h"
#include "common/json/jsontext.h"
#include "common/proc/sanitized.h"
#include "common/proc/title.h"

#include "backend/birth.h"
#include "backend/first.h"
#include "backend/rehearse.h"
#include "backend/tenant.h"
#include "backend/zygote.h"

#if SANITIZED_BUILD
int __lsan_is_turned_off(void);

/*
 * The search for leaks reads /proc by the number that a process has for
 * itself: in a PID namespace of its own it would look at somebody else.
 */
int
__lsan_is_turned_off(void)
{
	return getpid() == 1;
}
#endif

#define MAIN_TIMEOUT_MS (INT64_C(24) * 3600 * 1000)
#define MAIN_SESSIONS   10000

static void __attribute__((noreturn)) main_usage(const char *what)
{
	fprintf(stderr,
	    "backend: %s\n"
	    "usage: backend -h HOST [-s STATE_DIR] [-t SESSION_TIMEOUT_MS] "
	    "[-m MAX_SESSIONS] TOOL.so...\n"
	    "       backend -z | -Z\n",
	    what);
	exit(2);
}

static int64_t
main_number(const char *text, int64_t max)
{
	const char *why = NULL;
	const int64_t n = strtonum(text, 1, max, &why);

	if (why)
		main_usage("a number is out of range");
	return n;
}

static void
main_options(struct tenant_spec *spec, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "h:s:t:m:")) != -1) {
		switch (option) {
		case 'h':
			spec->host = optarg;
			break;
		case 's':
			spec->state_dir = optarg;
			break;
		case 't':
			spec->session_timeout_ms =
			    main_number(optarg, INT32_MAX);
			break;
		case 'm':
			spec->max_sessions =
			    (unsigned)main_number(optarg, 1000000);
			break;
		default:
			main_usage("an option is unknown");
		}
	}
	if (!spec->host || optind == argc)
		main_usage("host and at least one tool are needed");
	spec->tools = argv + optind;
}

/* The title, and a mark by which poold knows what we leave behind. */
static void
main_show(const struct tenant_spec *spec)
{
	const char *const run = getenv("HOLDLINE_RUN");
	char mark[48];

	title_set("backend %s", spec->host);
	if (!run)
		return;
	snprintf(mark, sizeof(mark), "HOLDLINE_RUN=%s", run);
	title_mark(mark);
}

/* A command line that is there, or will be told. */
struct main_line {
	int argc;
	char **argv;
	bool is_told; /* by the zygote's parent */
};

/* The root task: become a tenant's, and be it. */
static void *
main_body(void *arg)
{
	struct main_line *const line = arg;
	static struct tenant_spec spec = {
		.session_timeout_ms = MAIN_TIMEOUT_MS,
		.max_sessions = MAIN_SESSIONS,
	};

	if (line->is_told) {
		rehearse(zygote_is_spare);
		line->argv = zygote_become(&line->argc);
	}
	main_options(&spec, line->argc, line->argv);
	main_show(&spec);
	return tenant_run(&spec);
}

int
main(int argc, char **argv, char **envp)
{
	struct main_line line = { .argc = argc, .argv = argv };
	int status;

	birth_mark(BIRTH_TOLD);
	birth_mark(BIRTH_CONFINED);
	title_init(argc, argv, envp);
	log_init("backend", LOG_LEVEL_INFO);
	if (getenv(PROTO_CHANNEL_ENV))
		log_mark();
	signal(SIGPIPE, SIG_IGN);
	jsontext_init();
	line.is_told = argc == 2 && strcasecmp(argv[1], "-z") == 0;
	if (line.is_told)
		zygote_run(argv[1][1] == 'Z');
	first_init();
	status = flow_main(main_body, &line, tenant_hurry);
	return status == 128 + SIGTERM ? 0 : status;
}
