/* SPDX-License-Identifier: MIT */
/*
 * switch: aarch64, AAPCS64. Kept over a call: x19-x30, d8-d15, sp. (x18 is the
 * platform's register: Linux leaves it alone.) The CFI says where each one
 * lies, so that a debugger can walk a parked stack. hint #34 is "bti c".
 */
#ifndef __aarch64__
#error "switch_aarch64.S is for aarch64; flow has x86-64 and aarch64 only"
#endif

	.text
	.globl	flow_switch
	.type	flow_switch, %function
	.p2align 4
flow_switch:
	.cfi_startproc
	hint	#34
	sub	sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp	x19, x20, [sp, #0]
	.cfi_rel_offset x19, 0
	.cfi_rel_offset x20, 8
	stp	x21, x22, [sp, #16]
	.cfi_rel_offset x21, 16
	.cfi_rel_offset x22, 24
	stp	x23, x24, [sp, #32]
	.cfi_rel_offset x23, 32
	.cfi_rel_offset x24, 40
	stp	x25, x26, [sp, #48]
	.cfi_rel_offset x25, 48
	.cfi_rel_offset x26, 56
	stp	x27, x28, [sp, #64]
	.cfi_rel_offset x27, 64
	.cfi_rel_offset x28, 72
	stp	x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp	d8, d9, [sp, #96]
	.cfi_rel_offset d8, 96
	.cfi_rel_offset d9, 104
	stp	d10, d11, [sp, #112]
	.cfi_rel_offset d10, 112
	.cfi_rel_offset d11, 120
	stp	d12, d13, [sp, #128]
	.cfi_rel_offset d12, 128
	.cfi_rel_offset d13, 136
	stp	d14, d15, [sp, #144]
	.cfi_rel_offset d14, 144
	.cfi_rel_offset d15, 152
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	d14, d15, [sp, #144]
	.cfi_restore d14
	.cfi_restore d15
	ldp	d12, d13, [sp, #128]
	.cfi_restore d12
	.cfi_restore d13
	ldp	d10, d11, [sp, #112]
	.cfi_restore d10
	.cfi_restore d11
	ldp	d8, d9, [sp, #96]
	.cfi_restore d8
	.cfi_restore d9
	ldp	x29, x30, [sp, #80]
	.cfi_restore x29
	.cfi_restore x30
	ldp	x27, x28, [sp, #64]
	.cfi_restore x27
	.cfi_restore x28
	ldp	x25, x26, [sp, #48]
	.cfi_restore x25
	.cfi_restore x26
	ldp	x23, x24, [sp, #32]
	.cfi_restore x23
	.cfi_restore x24
	ldp	x21, x22, [sp, #16]
	.cfi_restore x21
	.cfi_restore x22
	ldp	x19, x20, [sp, #0]
	.cfi_restore x19
	.cfi_restore x20
	add	sp, sp, #160
	.cfi_adjust_cfa_offset -160
	ret
	.cfi_endproc
	.size	flow_switch, . - flow_switch

/*
 * The first frame of a task: x19 holds its entry. The return address of the
 * entry is not the first byte of this symbol, because an unwinder looks at the
 * address before it; x30 is undefined here: the stack ends.
 */
	.type	flow_switch_first, %function
	.p2align 4
flow_switch_first:
	.cfi_startproc
	.cfi_undefined x30
	mov	x29, xzr
	mov	x30, xzr
	blr	x19
	brk	#0
	.cfi_endproc
	.size	flow_switch_first, . - flow_switch_first

/*
 * void *flow_switch_prepare(void *top, void (*entry)(void)):
 * from the new stack pointer up: x19-x28, x29, x30, d8-d15.
 */
	.globl	flow_switch_prepare
	.type	flow_switch_prepare, %function
	.p2align 4
flow_switch_prepare:
	.cfi_startproc
	hint	#34
	sub	x9, x0, #160
	adr	x10, flow_switch_first
	stp	x1, xzr, [x9, #0]
	stp	xzr, xzr, [x9, #16]
	stp	xzr, xzr, [x9, #32]
	stp	xzr, xzr, [x9, #48]
	stp	xzr, xzr, [x9, #64]
	stp	xzr, x10, [x9, #80]
	stp	xzr, xzr, [x9, #96]
	stp	xzr, xzr, [x9, #112]
	stp	xzr, xzr, [x9, #128]
	stp	xzr, xzr, [x9, #144]
	mov	x0, x9
	ret
	.cfi_endproc
	.size	flow_switch_prepare, . - flow_switch_prepare

	.section .note.GNU-stack, "", %progbits
