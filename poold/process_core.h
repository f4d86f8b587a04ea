/* SPDX-License-Identifier: MIT */
/* process_core: private to process.c and process_start.c: the struct. */
#ifndef POOLD_PROCESS_CORE_H
#define POOLD_PROCESS_CORE_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/cord.h"

#include "poold/murmur.h"
#include "poold/process.h"
#include "poold/process_report.h"

#define PROCESS_MAGIC 0x70726f63u /* "proc" */

/* What is to be read of it, a bit each. */
enum process_todo {
	PROCESS_TODO_REPORT = 1,
	PROCESS_TODO_CHANNEL = 2,
	PROCESS_TODO_STDERR = 4,
	PROCESS_TODO_END = 8,
	PROCESS_TODO_ALL = 15,
};

/* There is one a backend, for hours: nothing stands here without need. */
struct process {
	uint32_t magic;
	pid_t pid;
	RB_ENTRY(process) link;
	const char *name;
	struct select *select;         /* of the task that hears it */
	struct process_report *report; /* while it may have something to say */
	int pidfd;                     /* -1: the kernel has none */
	int status;
	uint8_t todo;
	bool is_reaped;
	bool shares_group;
	bool has_status; /* child_init told that of the program below it */
	struct select_fd end_io;
	struct cord cord;
	struct murmur murmur;
};

/*
 * It has a pid: it is known by it until it is reaped. is_blind: its end must be
 * looked for (process_look).
 */
void process_know(struct process *process, bool is_blind);

/* It is known no more. */
void process_forget(struct process *process);

/* Close what leads to it: nothing more is heard of it. */
void process_close(struct process *process);

#endif
