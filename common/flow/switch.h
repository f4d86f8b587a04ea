/* SPDX-License-Identifier: MIT */
/*
 * switch: the change of stacks, some ten instructions of assembly. Only run.c
 * calls it. What the ABI says a callee keeps is kept, except the control words
 * of the floating-point unit: all tasks of a process share those.
 */
#ifndef FLOW_SWITCH_H
#define FLOW_SWITCH_H

/*
 * Store the callee-saved registers on this stack and its pointer in *from_r,
 * then go on at the stack pointer to, made by an earlier flow_switch or by
 * flow_switch_prepare. Returns when somebody switches back.
 */
void flow_switch(void **from_r, void *to);

/*
 * Prepare a fresh stack whose highest address is top (exclusive, 16-aligned)
 * so that the first switch to the returned pointer calls entry(), which must
 * not return. The frame below entry has no return address: unwinders stop.
 */
void *flow_switch_prepare(void *top, void (*entry)(void));

#endif
