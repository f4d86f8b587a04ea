/* SPDX-License-Identifier: MIT */
/* policy: verdicts. */
#include "poold/policy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define POLICY_BACKOFF_FIRST_MS 1000
#define POLICY_BACKOFF_MAX_MS   60000
#define POLICY_BUSY_RETRY_S     2 /* a place may become free any time */
#define POLICY_ASK_AGAIN_MIN_MS 10

bool
policy_is_expected(enum policy_cause cause)
{
	return cause == POLICY_IDLE || cause == POLICY_SHUTDOWN;
}

/*
 * Whether it ended as a program does that was sent SIGTERM. One that was dying
 * already when poold sent it ends as it would have.
 */
static bool
policy_is_termination(const struct policy_run *run)
{
	const int status = run->wait_status;

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGTERM;
	return WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 128 + SIGTERM;
}

bool
policy_is_failure(const struct policy_run *run)
{
	if (policy_is_expected(run->cause))
		return false;
	if (!run->was_ready || run->cause == POLICY_REFUSAL ||
	    run->cause == POLICY_TIMEOUT)
		return true;
	if (run->cause == POLICY_CLAIM && policy_is_termination(run))
		return false;
	if (WIFSIGNALED(run->wait_status) &&
	    WTERMSIG(run->wait_status) == SIGKILL)
		return false;
	return run->ran_ms < run->start_timeout_ms;
}

int64_t
policy_backoff_ms(unsigned n_failures)
{
	int64_t ms = POLICY_BACKOFF_FIRST_MS;

	if (n_failures < 2)
		return 0;
	for (unsigned i = 2; i < n_failures && ms < POLICY_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < POLICY_BACKOFF_MAX_MS ? ms : POLICY_BACKOFF_MAX_MS;
}

enum policy_verdict
policy_admit(const struct policy_load *load)
{
	if (load->is_ending)
		return POLICY_ENDING;
	if (load->has_process)
		return POLICY_ADMIT;
	if (load->n_failures > 0 && load->now_ms < load->retry_at_ms)
		return POLICY_BACKING_OFF;
	if (!load->has_slot && load->max_hosts > 0 &&
	    load->n_hosts >= load->max_hosts)
		return POLICY_HOSTS;
	if (load->n_backends >= load->max_backends)
		return POLICY_FULL;
	return POLICY_ADMIT;
}

struct policy_refusal
policy_refuse(enum policy_verdict verdict, const struct policy_load *load)
{
	const int64_t left_ms = load->retry_at_ms - load->now_ms;
	struct policy_refusal refusal = { 503, POLICY_BUSY_RETRY_S };

	if (verdict == POLICY_BACKING_OFF)
		refusal.retry_after_s =
		    left_ms > 1000 ? (uint32_t)((left_ms + 999) / 1000) : 1;
	return refusal;
}

int64_t
policy_release_at_ms(
    uint32_t n_sessions, int64_t since_ms, int64_t idle_timeout_ms)
{
	return n_sessions > 0 ? -1 : since_ms + idle_timeout_ms;
}

int64_t
policy_ask_again_ms(uint32_t wish_ms, int64_t idle_timeout_ms)
{
	if (wish_ms < POLICY_ASK_AGAIN_MIN_MS)
		return POLICY_ASK_AGAIN_MIN_MS;
	return wish_ms < idle_timeout_ms ? wish_ms : idle_timeout_ms;
}

char *
policy_ending(int wait_status, char *out, size_t out_bytes)
{
	if (WIFEXITED(wait_status)) {
		snprintf(
		    out, out_bytes, "exit status %d", WEXITSTATUS(wait_status));
	} else {
		const int signo = WTERMSIG(wait_status);
		const char *const name = sigdescr_np(signo);
		snprintf(out, out_bytes, "signal %d (%s)%s", signo,
		    name ? name : "unknown",
		    WCOREDUMP(wait_status) ? ", core dumped" : "");
	}
	return out;
}
