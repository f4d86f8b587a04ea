# SPDX-License-Identifier: MIT
"""flow: what gdb must be told about tasks (common/flow).

  (gdb) source flow.py
  (gdb) flow-tasks            the tree of tasks, with their numbers
  (gdb) flow-bt 3             the stack of task 3; a name or an address do too

For a live process and for a core file: nothing is written. The innermost
frame of the thread is for a moment said to be called by the parked task (an
unwinder), so that gdb's own backtrace walks its stack. Needs the debug
information of common/flow, and Linux on x86-64 or aarch64.
"""

import re

import gdb
import gdb.unwinder

# What flow_switch leaves on a stack it parks, from the stack pointer up
# (switch_x86_64.S, switch_aarch64.S), where the stack pointer is afterwards,
# and which register has the address to go on at.
LAYOUTS = {
    "i386:x86-64": (("r15", "r14", "r13", "r12", "rbx", "rbp", "rip"),
                    "rsp", 56, "rip"),
    "aarch64": (tuple(f"x{n}" for n in range(19, 31)), "sp", 160, "x30"),
}
PHASES = {"TASK_NEW": "new", "TASK_READY": "ready", "TASK_ON_CPU": "running",
          "TASK_WAITING": "waiting", "TASK_DONE": "done"}
MOST = 1_000_000  # entries; a list that is broken ends somewhere


def text(pointer):
    """A C string, or ''."""
    return pointer.string(errors="replace") if int(pointer) else ""


def root_scope():
    for symbol in gdb.lookup_static_symbols("root_scope"):
        if str(symbol.type) == "struct scope":
            return symbol.value()
    raise gdb.GdbError("no flow in this program, or no debug information "
                       "of common/flow (meson: -Ddebug=true)")


def scopes(task):
    """The scopes on the stack of a task, outermost first."""
    found, scope = [], task["inner"]
    while int(scope) and len(found) < MOST:
        found.append(scope.dereference())
        if int(scope) == int(task["scope"].address):
            break
        scope = scope["parent"]
    return reversed(found)


def walk(scope, depth=0):
    """(depth, task) of each task in the tree below a scope, in order."""
    entry = scope["entries"]["tqh_first"]
    for _ in range(MOST):
        if not int(entry):
            return
        if int(entry["child"]):
            task = entry["child"].dereference()
            yield depth, task
            for inner in scopes(task):
                yield from walk(inner, depth + 1)
        entry = entry["link"]["tqe_next"]


def tasks():
    return list(walk(root_scope()))


def line(task):
    said = [f"{text(task['spec']['name'])}: "
            f"{PHASES.get(str(task['phase']), str(task['phase']))}"]
    if task["is_halting"]:
        said.append(", halting")
    if task["shield"]:
        said.append(", shielded")
    if int(task["waits_for"]):
        said.append(f" for {text(task['waits_for'])}")
        if int(task["here_file"]):
            said.append(f" at {text(task['here_file'])}:"
                        f"{int(task['here_line'])}")
    return "".join(said)


def find(words):
    """The task that a person means: number, address or name."""
    found = [task for _, task in tasks()]
    if re.fullmatch(r"\d+", words) and 0 < int(words) <= len(found):
        return found[int(words) - 1]
    if re.fullmatch(r"\d+", words):
        raise gdb.GdbError(f"there are {len(found)} tasks, no task {words}")
    named = [t for t in found if text(t["spec"]["name"]) == words]
    if len(named) > 1:
        raise gdb.GdbError(f"{len(named)} tasks are called {words}: "
                           "say the number that flow-tasks prints")
    if named:
        return named[0]
    if re.fullmatch(r"0x[0-9a-fA-F]+", words):
        for task in found:
            if int(task.address) == int(words, 16):
                return task
    raise gdb.GdbError(f"no task is called {words}; flow-tasks lists them")


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Parked(gdb.unwinder.Unwinder):
    """Says that the innermost frame was called from a parked stack."""

    def __init__(self, architecture, sp):
        super().__init__("flow-parked")
        self.sp = sp
        try:
            self.layout = LAYOUTS[architecture]
        except KeyError:
            raise gdb.GdbError(
                f"no layout of a parked stack for {architecture}") from None

    def __call__(self, pending):
        if pending.level() != 0:
            return None
        saved, stack_pointer, used, goes_on = self.layout
        word = gdb.lookup_type("unsigned long")
        at = gdb.Value(self.sp).cast(word.pointer())
        # The stack grows from this frame's id on, whatever the thread's is.
        below = gdb.Value(self.sp - 256).cast(word)
        info = pending.create_unwind_info(
            FrameId(below, gdb.Value(0).cast(word)))
        for i, name in enumerate(saved):
            info.add_saved_register(name, at[i])
            if name == goes_on and name != "rip":
                info.add_saved_register("pc", at[i])
        info.add_saved_register(stack_pointer,
                                gdb.Value(self.sp + used).cast(word))
        return info


def backtrace(task):
    """The lines of bt for a parked task."""
    architecture = gdb.newest_frame().architecture().name()
    unwinder = Parked(architecture, int(task["sp"]))
    gdb.unwinder.register_unwinder(None, unwinder, replace=True)
    try:
        gdb.invalidate_cached_frames()
        said = gdb.execute("backtrace", to_string=True)
    finally:
        gdb.frame_unwinders.remove(unwinder)
        gdb.invalidate_cached_frames()
    rows = re.split(r"^(?=#\d)", said, flags=re.M)
    return "".join(re.sub(r"^#(\d+) ( ?)", lambda m: f"#{int(m[1]) - 1:<3}",
                          row) for row in rows if not row.startswith("#0"))


class FlowTasks(gdb.Command):
    """List the tasks of common/flow: number, name, state, what each waits for.

Usage: flow-tasks"""

    def __init__(self):
        super().__init__("flow-tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = tasks()
        for number, (depth, task) in enumerate(found, 1):
            gdb.write(f"{number:>3}  {int(task.address):#x}  "
                      f"{'  ' * depth}{line(task)}\n")
        if not found:
            gdb.write("no tasks\n")


class FlowBt(gdb.Command):
    """Show the stack of a task of common/flow.

Usage: flow-bt TASK
TASK is a number or an address that flow-tasks prints, or a name."""

    def __init__(self):
        super().__init__("flow-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.strip()
        if not words:
            raise gdb.GdbError("which task? flow-bt NUMBER, ADDRESS or NAME")
        task = find(words)
        phase = str(task["phase"])
        gdb.write(line(task) + "\n")
        if phase == "TASK_NEW":
            gdb.write("it has not run yet\n")
        elif phase == "TASK_ON_CPU":
            gdb.execute("backtrace")
        elif phase == "TASK_DONE" or not int(task["stack"]):
            gdb.write("it is over and has no stack\n")
        else:
            gdb.write(backtrace(task))

    def complete(self, words, word):
        return [name for name in (text(t["spec"]["name"]) for _, t in tasks())
                if name.startswith(word)]


FlowTasks()
FlowBt()
