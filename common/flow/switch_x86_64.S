/* SPDX-License-Identifier: MIT */
/*
 * switch: x86-64, System V ABI. Kept over a call: rbx rbp r12-r15 rsp.
 * The CFI follows each push, so that a debugger can walk a parked stack. It
 * leaves by a jump: the processor predicts a ret from its own record of calls,
 * which is the other stack's, and is wrong each time (17 ns there and back
 * instead of 3).
 */
#ifndef __x86_64__
#error "switch_x86_64.S is for x86-64; flow has x86-64 and aarch64 only"
#endif

	.text
	.globl	flow_switch
	.type	flow_switch, @function
	.p2align 4
flow_switch:
	.cfi_startproc
	endbr64
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	notrack jmp	*%rcx
	.cfi_endproc
	.size	flow_switch, . - flow_switch

/*
 * The first frame of a task: r12 holds its entry. The return address of the
 * entry is not the first byte of this symbol, because an unwinder looks at the
 * address before it; rip is undefined here: the stack ends.
 */
	.type	flow_switch_first, @function
	.p2align 4
flow_switch_first:
	.cfi_startproc
	.cfi_undefined %rip
	endbr64
	xorl	%ebp, %ebp
	callq	*%r12
	ud2
	.cfi_endproc
	.size	flow_switch_first, . - flow_switch_first

/*
 * void *flow_switch_prepare(void *top, void (*entry)(void)):
 * from the new stack pointer up: r15 r14 r13 r12 rbx rbp, return address.
 */
	.globl	flow_switch_prepare
	.type	flow_switch_prepare, @function
	.p2align 4
flow_switch_prepare:
	.cfi_startproc
	endbr64
	leaq	-72(%rdi), %rax
	movq	$0, (%rax)
	movq	$0, 8(%rax)
	movq	$0, 16(%rax)
	movq	%rsi, 24(%rax)
	movq	$0, 32(%rax)
	movq	$0, 40(%rax)
	leaq	flow_switch_first(%rip), %rcx
	movq	%rcx, 48(%rax)
	movq	$0, 56(%rax)
	ret
	.cfi_endproc
	.size	flow_switch_prepare, . - flow_switch_prepare

	.section .note.GNU-stack, "", @progbits
