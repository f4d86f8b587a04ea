/* SPDX-License-Identifier: MIT */
/*
 * filter: lists of names, compiled by libseccomp for the machine's own system
 * calls; those of other kinds (i386, x32) do not exist. What is refused says
 * EPERM; what programs try and do without if it is missing says ENOSYS:
 * clone3, whose flags a filter cannot see (the C library then uses clone), and
 * io_uring, which opens sockets past any filter. A family of sockets that is
 * not granted says EAFNOSUPPORT, as where it is not built in.
 */
#include "common/proc/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/proc/sanitized.h"

#define FILTER_FAMILIES 64 /* more than there are (46 in Linux 6.18) */
#define FILTER_INT      UINT64_C(0xffffffff) /* the kernel reads an int */

struct filter {
	struct sock_fprog program; /* its instructions stand behind it */
	struct sock_filter steps[];
};

/*
 * For nobody: the system's own, other processes, names of other worlds. Most
 * need privileges that tenants do not have; a kernel's mistake may give them.
 */
static const char *const filter_refused[] = {
	/* mounts and roots */
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"open_tree",
	"move_mount",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"swapon",
	"swapoff",
	"quotactl",
	"quotactl_fd",
	"acct",
	"open_by_handle_at",
	"name_to_handle_at",
	"fanotify_init",
	/* namespaces */
	"unshare",
	"setns",
	/* other processes */
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"kcmp",
	"pidfd_getfd",
	"migrate_pages",
	"move_pages",
	/* the kernel */
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"keyctl",
	"add_key",
	"request_key",
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"syslog",
	"lookup_dcookie",
	"vhangup",
	"nfsservctl",
	"mbind",
	"set_mempolicy",
	"reboot",
	/* the machine's clock and name */
	"settimeofday",
	"clock_settime",
	"clock_adjtime",
	"adjtimex",
	"sethostname",
	"setdomainname",
#if defined(__x86_64__)
	"iopl",
	"ioperm",
	"modify_ldt",
	"uselib",
	"_sysctl",
	"create_module",
	"get_kernel_syms",
	"query_module",
	"ustat",
	"sysfs",
#endif
	NULL,
};

/* For nobody, and better not there. */
static const char *const filter_missing[] = {
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	NULL,
};

/* So is this: a filter cannot read its flags. */
static const char *const filter_unreadable[] = { "clone3", NULL };

/* A tool speaks through its session: it needs none of these. */
static const char *const filter_refused_to_tools[] = {
	"shmget",
	"shmat",
	"shmctl",
	"semget",
	"semop",
	"semctl",
	"msgget",
	"msgsnd",
	"msgrcv",
	"msgctl",
	"mq_open",
	"mq_unlink",
	NULL,
};

/* And without network none of these. */
static const char *const filter_refused_without_network[] = {
	"socket",
	"connect",
	"bind",
	NULL,
};

/* What the switchboard does, libevent and the C library included. */
static const char *const filter_of_board[] = {
	/* sockets */
	"accept4",
	"connect",
	"shutdown",
	"recvfrom",
	"recvmsg",
	"sendto",
	"sendmsg",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	/* descriptors that are open */
	"read",
	"readv",
	"write",
	"writev",
	"pwritev2",
	"close",
	"fcntl",
	"fstat",
	"newfstatat",
	"lseek",
	/* waiting */
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_create1",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"nanosleep",
	"clock_nanosleep",
	"restart_syscall",
	"futex",
	"sched_yield",
	/* memory */
	"brk",
	"mmap",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	/* time, chance, itself */
	"clock_gettime",
	"clock_getres",
	"gettimeofday",
	"time",
	"getrandom",
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getrusage",
	"getrlimit",
	"uname",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"tgkill",
	"exit",
	"exit_group",
	"rseq",
	"membarrier",
	NULL,
};

bool
filter_is_there(void)
{
	/* A filter at no address: EFAULT where there are filters. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 &&
	       errno == EFAULT;
}

/* ------------------------------------------------------------------- rules */

/* The condition that argument arg stands in this relation to value. */
static struct scmp_arg_cmp
filter_is(unsigned arg, enum scmp_compare op, uint64_t value)
{
	return (struct scmp_arg_cmp){ .arg = arg, .op = op, .datum_a = value };
}

/* The condition that those bits of argument arg are value. */
static struct scmp_arg_cmp
filter_masked(unsigned arg, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){ .arg = arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = mask,
		.datum_b = value };
}

/* A rule for a call by its name; n conditions. */
static int
filter_rule(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned n,
    const struct scmp_arg_cmp *conditions)
{
	const int nr = seccomp_syscall_resolve_name(name);

	/* A machine that has not got it has nothing to refuse. */
	if (nr == __NR_SCMP_ERROR)
		return -EINVAL;
	return seccomp_rule_add_array(ctx, action, nr, n, conditions);
}

static int
filter_rules(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
	int e = 0;

	for (; *names && e == 0; names++)
		e = filter_rule(ctx, action, *names, 0, NULL);
	return e;
}

/* No namespaces by clone: in each the tenant would be root. */
static int
filter_namespaces(scmp_filter_ctx ctx)
{
	static const uint64_t flags[] = { CLONE_NEWNS, CLONE_NEWCGROUP,
		CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
		CLONE_NEWNET };
	int e = 0;

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]) && e == 0;
	     i++) {
		const struct scmp_arg_cmp has =
		    filter_masked(0, flags[i], flags[i]);
		e = filter_rule(ctx, SCMP_ACT_ERRNO(EPERM), "clone", 1, &has);
	}
	return e;
}

static bool
filter_has_family(uint64_t family, bool has_network)
{
	switch (family) {
	case AF_UNIX:
		return true;
	case AF_INET:
	case AF_INET6:
	case AF_NETLINK: /* the C library asks it for addresses */
		return has_network;
	default:
		return false;
	}
}

/* One rule a family: a call's argument can be compared but once a rule. */
static int
filter_families(scmp_filter_ctx ctx, bool has_network)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	const struct scmp_arg_cmp other =
	    filter_is(0, SCMP_CMP_GE, FILTER_FAMILIES);
	int e = filter_rule(ctx, refuse, "socket", 1, &other);

	for (uint64_t i = 0; i < FILTER_FAMILIES && e == 0; i++) {
		const struct scmp_arg_cmp is = filter_is(0, SCMP_CMP_EQ, i);
		if (!filter_has_family(i, has_network))
			e = filter_rule(ctx, refuse, "socket", 1, &is);
	}
	return e;
}

/*
 * The death with the parent must not be taken back; a child of the tenant may
 * ask for the same, SIGKILL. Nor may a terminal be typed into.
 */
static int
filter_arguments(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp death[] = {
		filter_masked(0, FILTER_INT, PR_SET_PDEATHSIG),
		filter_is(1, SCMP_CMP_NE, SIGKILL),
	};
	const struct scmp_arg_cmp type = filter_masked(1, FILTER_INT, TIOCSTI);
	const struct scmp_arg_cmp paste =
	    filter_masked(1, FILTER_INT, TIOCLINUX);
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	int e;

	if ((e = filter_rule(ctx, refuse, "prctl", 2, death)) < 0 ||
	    (e = filter_rule(ctx, refuse, "ioctl", 1, &type)) < 0)
		return e;
	return filter_rule(ctx, refuse, "ioctl", 1, &paste);
}

/* A datagram can be addressed without connect, to any path. */
static int
filter_datagrams(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp datagram = filter_masked(1, 0xf, SOCK_DGRAM);

	return filter_rule(
	    ctx, SCMP_ACT_ERRNO(EPERM), "socketpair", 1, &datagram);
}

static int
filter_for_tools(scmp_filter_ctx ctx, bool has_network)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
	int e = filter_rules(ctx, refuse, filter_refused_to_tools);

	if (e < 0)
		return e;
	if (has_network)
		return filter_families(ctx, true);
	if ((e = filter_rules(ctx, refuse, filter_refused_without_network)) < 0)
		return e;
	return filter_datagrams(ctx);
}

static int
filter_for_tenant(scmp_filter_ctx ctx, enum filter_kind kind, bool has_network)
{
	const uint32_t miss = SCMP_ACT_ERRNO(ENOSYS);
	int e = 0;

	if (kind != FILTER_ZYGOTE)
		e = filter_rules(ctx, miss, filter_unreadable);
	if (e < 0 || kind == FILTER_AFTER_ZYGOTE)
		return e;
	if ((e = filter_rules(ctx, SCMP_ACT_ERRNO(EPERM), filter_refused)) <
		0 ||
	    (e = filter_rules(ctx, miss, filter_missing)) < 0 ||
	    (e = filter_namespaces(ctx)) < 0 || (e = filter_arguments(ctx)) < 0)
		return e;
	if (!SANITIZED_BUILD && (e = filter_rule(ctx, SCMP_ACT_ERRNO(EPERM),
				     "ptrace", 0, NULL)) < 0)
		return e;
	if (kind == FILTER_TOOLS || kind == FILTER_ZYGOTE)
		return filter_for_tools(ctx, has_network);
	return filter_families(ctx, has_network);
}

static int
filter_for_board(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp is_unix = filter_is(0, SCMP_CMP_EQ, AF_UNIX);
	/* How much a backend has not read yet. */
	const struct scmp_arg_cmp is_unsent =
	    filter_is(1, SCMP_CMP_EQ, SIOCOUTQ);
	int e;

	if ((e = filter_rules(ctx, SCMP_ACT_ALLOW, filter_of_board)) < 0 ||
	    (e = filter_rule(ctx, SCMP_ACT_ALLOW, "socket", 1, &is_unix)) < 0)
		return e;
	return filter_rule(ctx, SCMP_ACT_ALLOW, "ioctl", 1, &is_unsent);
}

/* ---------------------------------------------------------------- a filter */

/* Compile it into memory of our own, since libseccomp writes to a file. */
static int
filter_take(scmp_filter_ctx ctx, struct filter **filter_r)
{
	struct stat st;
	fd_auto int fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	const int e = seccomp_export_bpf(ctx, fd);
	if (e < 0)
		return e;
	if (fstat(fd, &st) < 0)
		return -errno;
	const size_t bytes = (size_t)st.st_size;
	/* libseccomp takes what was written for all. */
	if (bytes == 0 || bytes % sizeof(struct sock_filter))
		return -EIO;
	struct filter *const filter = mem_zalloc(1, sizeof(*filter) + bytes);
	if (!filter)
		return -ENOMEM;
	if (pread(fd, filter->steps, bytes, 0) != (ssize_t)bytes) {
		mem_free(filter);
		return -EIO;
	}
	filter->program.len =
	    (unsigned short)(bytes / sizeof(filter->steps[0]));
	filter->program.filter = filter->steps;
	*filter_r = filter;
	return 0;
}

int
filter_new(enum filter_kind kind, bool has_network, struct filter **filter_r,
    struct err *err_r)
{
	/* With the sanitizers the switchboard is only kept from the worst. */
	const bool is_closed = kind == FILTER_BOARD && !SANITIZED_BUILD;
	const scmp_filter_ctx ctx =
	    seccomp_init(is_closed ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int e = ctx ? 0 : -ENOMEM;

	must(kind < FILTER_N_KINDS);
	*filter_r = NULL;
	if (e == 0)
		e = seccomp_attr_set(
		    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/* A tree: the kernel walks the filter for every call when it is put on.
	 */
	if (e == 0)
		e = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (e == 0)
		e = is_closed ? filter_for_board(ctx)
		              : filter_for_tenant(ctx, kind, has_network);
	if (e == 0)
		e = filter_take(ctx, filter_r);
	if (ctx)
		seccomp_release(ctx);
	if (e < 0)
		return err_set(err_r, e, NULL,
		    "the filter of system calls cannot be made");
	return 0;
}

void
filter_free(struct filter **filter)
{
	mem_free(*filter);
	*filter = NULL;
}

int
filter_enter(const struct filter *filter)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter->program, 0,
		   0) < 0
	           ? -errno
	           : 0;
}
