/* SPDX-License-Identifier: MIT */
/* policy: verdicts. */
#include "poold/policy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"

#define POLICY_BUSY_RETRY_S     2 /* a place may become free any time */
#define POLICY_ASK_AGAIN_MIN_MS 10
#define POLICY_KILL_MIN_MS      3000
#define POLICY_COST_MIN_MS      10 /* of a restart, whatever was measured */
#define POLICY_SCORE            1000
#define POLICY_SHARE            4 /* times its cost it may serve undisturbed */
#define POLICY_PATIENCE         4 /* part of queue_timeout that it may cost */

bool
policy_is_expected(enum policy_cause cause)
{
	return cause == POLICY_IDLE || cause == POLICY_SHUTDOWN ||
	       cause == POLICY_EVICTED;
}

const char *
policy_cause_name(enum policy_cause cause)
{
	static const char *const names[] = {
		[POLICY_ITSELF] = "itself",
		[POLICY_IDLE] = "idle",
		[POLICY_SHUTDOWN] = "shutdown",
		[POLICY_CLAIM] = "found dead",
		[POLICY_REFUSAL] = "refusal",
		[POLICY_TIMEOUT] = "timeout",
		[POLICY_EVICTED] = "evicted",
		[POLICY_STALL] = "stall",
	};

	return names[cause];
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
	    run->cause == POLICY_TIMEOUT || run->cause == POLICY_STALL ||
	    run->has_no_memory)
		return true;
	if (run->cause == POLICY_CLAIM && policy_is_termination(run))
		return false;
	if (WIFSIGNALED(run->wait_status) &&
	    WTERMSIG(run->wait_status) == SIGKILL)
		return false;
	return run->ran_ms < run->start_timeout_ms;
}

bool
policy_is_nobodys(const struct policy_run *run)
{
	return run->was_blank && !run->was_ready && run->cause == POLICY_ITSELF;
}

int64_t
policy_pause_ms(unsigned n_failures, int64_t first_ms, int64_t max_ms)
{
	int64_t ms = first_ms;

	if (n_failures < 2)
		return 0;
	for (unsigned i = 2; i < n_failures && ms < max_ms; i++)
		ms *= 2;
	return ms < max_ms ? ms : max_ms;
}

int64_t
policy_backoff_ms(const struct policy_pace *pace, unsigned n_failures)
{
	return policy_pause_ms(n_failures, pace->first_ms, pace->most_ms);
}

bool
policy_is_held(const struct policy_pace *pace, unsigned n_failures)
{
	return n_failures >= pace->n_held;
}

enum policy_verdict
policy_admit(const struct policy_load *load)
{
	if (load->is_ending)
		return POLICY_ENDING;
	if (load->has_process)
		return POLICY_ADMIT;
	if (load->is_waiting)
		return POLICY_WAIT;
	if (load->n_failures > 0 && load->now_ms < load->retry_at_ms)
		return load->is_held ? POLICY_HELD : POLICY_BACKING_OFF;
	if (!load->has_slot && load->max_hosts > 0 &&
	    load->n_hosts >= load->max_hosts)
		return POLICY_HOSTS;
	/* Nobody overtakes those who wait. */
	if (load->n_backends < load->max_backends && load->n_waiting == 0)
		return POLICY_ADMIT;
	return load->n_waiting < load->max_waiting ? POLICY_WAIT : POLICY_FULL;
}

struct policy_refusal
policy_refuse(enum policy_verdict verdict, const struct policy_load *load)
{
	const int64_t left_ms = load->retry_at_ms - load->now_ms;
	struct policy_refusal refusal = { 503, POLICY_BUSY_RETRY_S };

	if (verdict == POLICY_BACKING_OFF || verdict == POLICY_HELD)
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

static int64_t
policy_cost(int64_t cost_ms)
{
	return cost_ms > 0 ? cost_ms + POLICY_COST_MIN_MS : POLICY_COST_MIN_MS;
}

int64_t
policy_score(int64_t idle_ms, int64_t cost_ms)
{
	return idle_ms > 0 ? idle_ms * POLICY_SCORE / policy_cost(cost_ms) : 0;
}

int64_t
policy_idle_for(int64_t score, int64_t cost_ms)
{
	const int64_t cost = policy_cost(cost_ms);

	return (score * cost + POLICY_SCORE - 1) / POLICY_SCORE;
}

int64_t
policy_kill_ms(int64_t stop_timeout_ms)
{
	return stop_timeout_ms > POLICY_KILL_MIN_MS ? stop_timeout_ms
	                                            : POLICY_KILL_MIN_MS;
}

/* When it had its share, and the one who waits longest waited for it. */
static int64_t
policy_share_at_ms(const struct policy_claim *claim)
{
	const int64_t share_ms = POLICY_SHARE * policy_cost(claim->cost_ms);
	const int64_t from_ms = claim->asked_at_ms > claim->since_ms
	                            ? claim->asked_at_ms
	                            : claim->since_ms;

	return from_ms +
	       (share_ms < claim->patience_ms ? share_ms : claim->patience_ms);
}

int64_t
policy_claim_at_ms(const struct policy_claim *claim)
{
	const int64_t share_at_ms = policy_share_at_ms(claim);
	const int64_t idle_at_ms =
	    claim->busy_at_ms + policy_cost(claim->cost_ms);

	return idle_at_ms < share_at_ms ? idle_at_ms : share_at_ms;
}

int64_t
policy_claim_idle_ms(const struct policy_claim *claim, int64_t now_ms)
{
	return now_ms < policy_share_at_ms(claim) ? policy_cost(claim->cost_ms)
	                                          : 0;
}

int64_t
policy_patience_ms(
    int64_t queue_timeout_ms, uint32_t n_places, uint32_t n_waiting)
{
	const int64_t most_ms = queue_timeout_ms / POLICY_PATIENCE;

	return n_waiting > n_places ? most_ms * n_places / n_waiting : most_ms;
}

/* Asked again half a watchdog after the answer: found within one and a half. */
struct policy_watch
policy_watch(
    int64_t now_ms, int64_t asked_ms, int64_t answered_ms, int64_t watchdog_ms)
{
	struct policy_watch watch = { .at_ms = CLOCK_NEVER };

	if (watchdog_ms == 0)
		return watch;
	const bool is_waiting = asked_ms > answered_ms;
	watch.at_ms = is_waiting ? asked_ms + watchdog_ms
	                         : answered_ms + (watchdog_ms + 1) / 2;
	if (now_ms < watch.at_ms)
		return watch;
	watch.is_still = is_waiting;
	watch.is_ping = !is_waiting;
	watch.at_ms = now_ms + watchdog_ms;
	return watch;
}

char *
policy_ending(int wait_status, bool has_no_memory, char *out, size_t out_bytes)
{
	const char *hunger = "";

	if (WIFEXITED(wait_status)) {
		if (has_no_memory)
			hunger = ", a process of it ran out of memory "
				 "(memory_max)";
		snprintf(out, out_bytes, "exit status %d%s",
		    WEXITSTATUS(wait_status), hunger);
	} else {
		const int signo = WTERMSIG(wait_status);
		const char *const name = sigdescr_np(signo);
		if (has_no_memory)
			hunger = signo == SIGKILL
			             ? ", out of memory (memory_max)"
			             : ", a process of it ran out of memory "
			               "(memory_max)";
		snprintf(out, out_bytes, "signal %d (%s)%s%s", signo,
		    name ? name : "unknown",
		    WCOREDUMP(wait_status) ? ", core dumped" : "", hunger);
	}
	return out;
}
