/* SPDX-License-Identifier: MIT */
/*
 * unwind: forced unwinding to a boundary. The stop function is asked at each
 * frame; once the frame of unwind_guard has been passed it jumps back into it.
 * The unwinder itself runs deeper on the same stack, so the guard's frame is
 * still whole then.
 * Source: Itanium C++ ABI: Exception Handling, 1.3 (_Unwind_ForcedUnwind).
 */
#include "common/flow/unwind.h"

#include <string.h>

#include "common/base/must.h"
#include "common/flow/sanitize.h"

/* Asked by the unwinder at each frame, from the inside out. */
static _Unwind_Reason_Code
unwind_stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
    struct _Unwind_Exception *exception, struct _Unwind_Context *context,
    void *arg)
{
	struct unwind *const u = arg;

	must(!(actions & _UA_END_OF_STACK));
	if (_Unwind_GetCFA(context) <= u->boundary->frame)
		return _URC_NO_REASON;
	sanitize_no_return();
	_longjmp(u->boundary->env, 1);
}

/* Not inlined: its caller may own locals with cleanups, it must not. */
__attribute__((noinline)) bool
unwind_guard(struct unwind *u, void *(*fn)(void *), void *arg, void **value_r)
{
	struct unwind_boundary boundary = {
		.outer = u->boundary,
		.frame = (uintptr_t)__builtin_frame_address(0),
	};

	u->boundary = &boundary;
	if (_setjmp(boundary.env) == 0) {
		void *const value = fn(arg);
		u->boundary = boundary.outer;
		if (value_r)
			*value_r = value;
		return true;
	}
	u->boundary = u->boundary->outer;
	u->is_active = false;
	return false;
}

/* The unwinder lets go of the exception: it is a member of the task. */
static void
unwind_forget(_Unwind_Reason_Code code, struct _Unwind_Exception *exception)
{
}

void
unwind_start(struct unwind *u)
{
	must(u->boundary && !u->is_active);
	u->is_active = true;
	memset(&u->exception, 0, sizeof(u->exception));
	memcpy(&u->exception.exception_class, "HOLDFLOW", 8);
	u->exception.exception_cleanup = unwind_forget;
	_Unwind_ForcedUnwind(&u->exception, unwind_stop, u);
	must_fail(__FILE__, __LINE__, "the unwinder gave up");
}
