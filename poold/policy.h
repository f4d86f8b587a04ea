/* SPDX-License-Identifier: MIT */
/*
 * policy: what poold decides about backends: who may start, what counts as a
 * failure, how long to wait after it, what to tell those who cannot be
 * served. Pure: clocks and counts come in, verdicts go out.
 */
#ifndef POOLD_POLICY_H
#define POOLD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a run of a backend is coming to its end. */
enum policy_cause {
	POLICY_ITSELF,   /* nobody asked for it */
	POLICY_IDLE,     /* it was idle */
	POLICY_SHUTDOWN, /* poold ends */
	POLICY_CLAIM,    /* the switchboard found it dead, and it was not */
	POLICY_REFUSAL,  /* it said that it cannot start */
	POLICY_TIMEOUT,  /* it was not ready in time */
	POLICY_EVICTED,  /* its place was wanted */
	POLICY_STALL,    /* its event loop stood still */
};

/* How a run ended. */
struct policy_run {
	enum policy_cause cause;
	bool was_ready;
	bool was_blank;           /* it had not read whose it was to be */
	bool has_no_memory;       /* the kernel killed of it for memory */
	int wait_status;          /* as wait(2) gives it */
	int64_t ran_ms;           /* from the fork to the reap */
	int64_t start_timeout_ms; /* an end within it was a bad start */
};

/* Whether poold ended it on purpose (idle, evicted, shutdown). */
bool policy_is_expected(enum policy_cause cause);

/* A word for it, for whoever reads events. */
const char *policy_cause_name(enum policy_cause cause);

/*
 * Whether it counts as a failed start: it never became ready, or it ended by
 * itself within start_timeout. SIGKILL from outside is nobody's fault; the
 * kernel's for memory, and the watchdog's, are its own at any time.
 */
bool policy_is_failure(const struct policy_run *run);

/*
 * Whether its end says nothing of its tenant, whom another process can be
 * started for: it had not read whose it was to be, and nobody wanted it to end.
 */
bool policy_is_nobodys(const struct policy_run *run);

/* How starts that fail are spaced. */
struct policy_pace {
	int64_t first_ms; /* backoff */
	int64_t most_ms;  /* max_backoff */
	uint32_t n_held;  /* so many failures in a row are too many */
};

/*
 * How long no start is tried after n failures in a row: nothing after the
 * first, then first_ms, twice that, … at most most_ms.
 */
int64_t policy_backoff_ms(const struct policy_pace *pace, unsigned n_failures);

/* Whether so many failures in a row are too many: it is held as failed. */
bool policy_is_held(const struct policy_pace *pace, unsigned n_failures);

/*
 * How long to wait before the next start of one of our own programs: nothing
 * after the first failure, then first_ms, doubled each time, at most max_ms.
 */
int64_t policy_pause_ms(unsigned n_failures, int64_t first_ms, int64_t max_ms);

/*
 * How long what was killed is waited for. stop_timeout is how long programs
 * are given; what the kernel needs to end them, it needs for any of them.
 */
int64_t policy_kill_ms(int64_t stop_timeout_ms);

/* How long a failure is remembered after the back-off. */
#define POLICY_MEMORY_MS INT64_C(60000)

/* What an ask is measured against. */
struct policy_load {
	bool is_ending;
	uint32_t n_backends; /* processes of backends now */
	uint32_t max_backends;
	uint32_t n_waiting; /* tenants that wait for a place */
	uint32_t max_waiting;
	uint32_t n_hosts; /* tenants of the same template now; 0 if none */
	uint32_t max_hosts;
	bool has_slot;       /* this tenant is one of them already */
	bool has_process;    /* it has a process: nothing must be started */
	bool is_waiting;     /* it is one of those that wait */
	bool is_held;        /* it failed too often */
	unsigned n_failures; /* of it, in a row */
	int64_t retry_at_ms; /* no start before */
	int64_t now_ms;
};

enum policy_verdict {
	POLICY_ADMIT,
	POLICY_WAIT,        /* max_backends; a place may become free in time */
	POLICY_ENDING,      /* poold ends */
	POLICY_FULL,        /* max_backends, and enough wait already */
	POLICY_HOSTS,       /* max_hosts */
	POLICY_BACKING_OFF, /* it failed, and its pause is not over */
	POLICY_HELD,        /* it failed too often, and no probe is due */
};

/* May this ask have a backend? */
enum policy_verdict policy_admit(const struct policy_load *load);

/* An HTTP status and the seconds for Retry-After (0: none). */
struct policy_refusal {
	uint32_t status;
	uint32_t retry_after_s;
};

/* What to answer to an ask that was not admitted. */
struct policy_refusal
policy_refuse(enum policy_verdict verdict, const struct policy_load *load);

/*
 * When an idle backend may next be asked about: never while it has sessions.
 * since_ms is when it was last known to be busy.
 */
int64_t policy_release_at_ms(
    uint32_t n_sessions, int64_t since_ms, int64_t idle_timeout_ms);

/* Put a peer's wish for the next question between 10 ms and idle_timeout. */
int64_t policy_ask_again_ms(uint32_t wish_ms, int64_t idle_timeout_ms);

/*
 * How little an idle backend is worth: the longer it was idle and the quicker
 * it is back, the higher. At max_backends the highest goes.
 */
int64_t policy_score(int64_t idle_ms, int64_t cost_ms);

/* How long one must have been idle for a score: policy_score turned round. */
int64_t policy_idle_for(int64_t score, int64_t cost_ms);

/* Somebody wants the place of one that is idle. */
struct policy_claim {
	int64_t busy_at_ms;  /* when it was last known to be busy */
	int64_t since_ms;    /* when it became ready */
	int64_t cost_ms;     /* what its start took */
	int64_t asked_at_ms; /* since when the one waits who waits longest */
	int64_t patience_ms; /* how long those may be made to wait */
};

/*
 * When it may be taken: when it was idle for as long as it takes to start it
 * again (so a guess that was wrong costs at most twice what was needed), or
 * when both sides had their share: it served, and the other one waited, for a
 * few times that long, or as long as those who wait can be made to wait.
 */
int64_t policy_claim_at_ms(const struct policy_claim *claim);

/* How long it must have been idle to go now: 0 once both had their share. */
int64_t policy_claim_idle_ms(const struct policy_claim *claim, int64_t now_ms);

/*
 * How long those who wait may be made to wait for the sake of those who have a
 * place, so that the last of them still gets one in time.
 */
int64_t policy_patience_ms(
    int64_t queue_timeout_ms, uint32_t n_places, uint32_t n_waiting);

/* What the watchdog does now, and when it looks again. */
struct policy_watch {
	bool is_still; /* it did not answer for watchdog_ms: end it */
	bool is_ping;  /* ask it now */
	int64_t at_ms;
};

/*
 * Look at a backend that was asked at asked_ms and last answered at
 * answered_ms (monotonic; before the first question both are when it became
 * ready). watchdog_ms 0: it is never asked.
 */
struct policy_watch policy_watch(
    int64_t now_ms, int64_t asked_ms, int64_t answered_ms, int64_t watchdog_ms);

/*
 * Say how a run ended: "exit status 3", "signal 9 (Killed)"; and that the
 * kernel killed it, or a process of it, for memory. Returns out.
 */
char *
policy_ending(int wait_status, bool has_no_memory, char *out, size_t out_bytes);

#endif
