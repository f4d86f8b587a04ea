# SPDX-License-Identifier: MIT
"""`holdline call` against servers that behave, and servers that do not."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest

from call_fake import (HOLDLINE, Fake, Legacy, Modern, Terminal, elicit,
                       environment, holdline, sample, text, tool_entry)

FLIGHT = {"flight": {"type": "string", "oneOf": [
    {"const": "NW402", "title": "Norwind 402, 07:10"},
    {"const": "SK9", "title": "Skyline 9, 11:45"}]}}
SEAT = {"seat": {"type": "string", "enum": ["12A", "12B", "14C"]}}


def book(_):
    """Ask twice and sample, as backend/tools/book_flight.c does."""
    pick = (yield {"pickFlight": elicit("Which flight?", FLIGHT)})
    if pick["pickFlight"]["action"] != "accept":
        return text(f"Nothing was booked: {pick['pickFlight']['action']}.")
    seat = yield {"pickSeat": elicit("Which seat?", SEAT)}
    tip = yield {"tip": sample("One travel tip for Oslo")}
    return text("booked", structuredContent={
        "flight": pick["pickFlight"]["content"]["flight"],
        "seat": seat["pickSeat"]["content"]["seat"],
        "tip": tip["tip"]["content"]["text"]})


def echo(args):
    """Give the arguments back."""
    return text("echo", structuredContent=args)
    yield  # pylint: disable=unreachable


def one(name, properties, required=None):
    """A tool that asks one form and returns the answer."""
    def run(_):
        said = yield {name: elicit("Please", properties, required)}
        return text("ok", structuredContent=said[name])
    return run


BOOKED = {"pickFlight": {"flight": "NW402"}, "pickSeat": {"seat": "14C"},
          "sample": "Take an umbrella."}


class CallCase(unittest.TestCase):
    """What the tests share."""

    def answers(self, value):
        """A file with answers; its path."""
        file = tempfile.NamedTemporaryFile(  # pylint: disable=R1732
            "w", suffix=".json", encoding="utf-8")
        self.addCleanup(file.close)
        file.write(value if isinstance(value, str) else json.dumps(value))
        file.flush()
        return file.name

    def serve(self, server):
        """Run a server until the test ends; its faults are the test's."""
        self.addCleanup(server.check)
        self.addCleanup(server.__exit__)
        return server

    def fails(self, run, status, *said):
        """The command ended with a status, said why, and printed nothing."""
        code, out, err = run
        self.assertEqual((code, out), (status, ""), err)
        for words in said:
            self.assertIn(words, err)


class Both:
    """What holds in either era; `make` starts the server."""

    make = None

    def test_books_by_answers_each_on_a_new_connection(self):
        s = self.serve(self.make(book))
        code, out, err = holdline("call", "--answers", self.answers(BOOKED),
                                  "--json", s.url, "book")
        self.assertEqual(code, 0, err)
        result = json.loads(out)
        self.assertEqual(result["structuredContent"], {
            "flight": "NW402", "seat": "14C", "tip": "Take an umbrella."})
        numbers = [r.number for r in s.requests]
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertTrue(all(r.headers["connection"] == "close"
                            for r in s.requests))

    def test_lays_the_result_out_in_columns(self):
        s = self.serve(self.make(book))
        code, out, err = holdline("call", "--answers", self.answers(BOOKED),
                                  s.url, "book")
        self.assertEqual((code, out), (
            0, "booked\nflight: NW402\nseat:   14C\n"
               "tip:    Take an umbrella.\n"), err)

    def test_a_word_in_the_answers_declines_or_cancels(self):
        for word in "decline", "cancel":
            s = self.serve(self.make(book))
            path = self.answers({"pickFlight": word})
            self.assertEqual(
                holdline("call", "--answers", path, s.url, "book")[:2],
                (0, f"Nothing was booked: {word}.\n"))

    def test_a_missing_answer_names_the_question_and_the_file(self):
        s = self.serve(self.make(book))
        path = self.answers({"pickFlight": {"flight": "SK9"}})
        self.fails(holdline("call", "--answers", path, s.url, "book"), 2,
                   path, "Which seat?")

    def test_a_list_answers_the_same_question_again_and_again(self):
        def twice(_):
            said = []
            for _ in range(2):
                got = yield {"n": elicit("n?", {"n": {"type": "integer"}})}
                said.append(got["n"]["content"]["n"])
            return text(str(said))
        s = self.serve(self.make(twice))
        path = self.answers({"n": [{"n": 4}, {"n": 5}]})
        self.assertEqual(
            holdline("call", "--answers", path, s.url, "book")[:2],
            (0, "[4, 5]\n"))

    def test_a_sample_command_gets_the_prompt_and_gives_the_answer(self):
        def ask(_):
            said = yield {"tip": sample("one\ntwo")}
            return text(said["tip"]["content"]["text"])
        s = self.serve(self.make(ask))
        self.assertEqual(
            holdline("call", "--sample-command", "tr a-z A-Z; echo",
                     s.url, "book")[:2], (0, "ONE\nTWO\n"))

    def test_a_sample_command_that_fails_is_said(self):
        s = self.serve(self.make(
            lambda _: (yield {"tip": sample("tip?")})))
        for command, said in (("exit 7", "status 7"),
                              ("kill -9 $$", "signal 9"),
                              ("yes", "more than 1048576 bytes")):
            self.fails(holdline("call", "--sample-command", command,
                                s.url, "book"), 2, said)

    def test_an_error_of_the_tool_is_status_1(self):
        def fail(_):
            return text("no flights", isError=True)
            yield  # pylint: disable=unreachable
        s = self.serve(self.make(fail))
        code, out, err = holdline("call", s.url, "book")
        self.assertEqual((code, out), (1, "no flights\n"))
        self.assertIn("failed", err)

    def test_arguments_are_typed_by_the_schema(self):
        s = self.serve(self.make(echo, entries=[tool_entry("echo", {
            "s": {"type": "string"}, "i": {"type": "integer"},
            "n": {"type": "number"}, "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "integer"}},
            "o": {"type": "object"}})]))
        code, out, err = holdline("call", "--json", s.url, "echo", "s=12",
                                  "i=7", "n=1.5", "b=yes", "l=[1,2]",
                                  'o:={"k":null}')
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["structuredContent"], {
            "s": "12", "i": 7, "n": 1.5, "b": True, "l": [1, 2],
            "o": {"k": None}})

    def test_wrong_arguments_are_explained_and_nothing_is_called(self):
        s = self.serve(self.make(echo, entries=[tool_entry("echo", {
            "city": {"type": "string", "description": "Where to"},
            "n": {"type": "integer", "minimum": 1}}, ["city"])]))
        for words, said in (
                (["town=Oslo"], 'takes no argument "town"'),
                (["city=Oslo", "n=many"], "n: "),
                (["city=Oslo", "n=0"], "at least 1"),
                (["city=Oslo", "city=Rome"], "twice"),
                (["Oslo"], "key=value"),
                (["n:=[1"], "not JSON"),
                (["n=3"], '"city" is missing')):
            self.fails(holdline("call", s.url, "echo", *words), 2, said,
                       "" if words == ["Oslo"] else "Where to")
        self.assertEqual(s.of("tools/call"), [])

    def test_an_unknown_tool_lists_the_tools(self):
        s = self.serve(self.make(echo, entries=[tool_entry("echo")]))
        self.fails(holdline("call", s.url, "ecko"), 2, '"ecko"', "  echo\n")

    def test_questions_are_answered_by_lines_of_a_pipe_or_file(self):
        lines = b"1\n14C\nBring a coat.\n"
        s = self.serve(self.make(book))
        want = ("booked\nflight: NW402\nseat:   14C\n"
                "tip:    Bring a coat.\n")
        self.assertEqual(
            holdline("call", s.url, "book", given=lines)[:2], (0, want))
        with tempfile.TemporaryFile() as file:
            file.write(lines)
            file.seek(0)
            self.assertEqual(
                holdline("call", s.url, "book", stdin=file)[:2], (0, want))

    def test_an_input_that_ends_names_the_question(self):
        s = self.serve(self.make(book))
        self.fails(holdline("call", s.url, "book", given=b"1\n"), 2,
                   "Which seat?", "--answers")

    def test_no_escape_sequence_is_written_to_a_pipe(self):
        s = self.serve(self.make(book))
        _, out, err = holdline("call", "--answers", self.answers(BOOKED),
                               s.url, "book")
        self.assertNotIn("\033", out + err)

    def test_a_server_cannot_write_to_the_terminal_as_it_likes(self):
        def nasty(_):
            said = yield {"q": elicit("a\033]0;x\007b\u009bc\u202e", {
                "t": {"type": "string", "title": "\033[2J"}})}
            return text("\033[31mred\u0085", structuredContent=said["q"])
        s = self.serve(self.make(nasty))
        with Terminal("call", s.url, "book", NO_COLOR="1") as t:
            t.expect(r": $")
            t.type("x\n")
            self.assertEqual(t.end(), 0)
        for bad in "\033]", "\033[2J", "\033[31m", "\007", "\u009b", \
                "\u0085", "\u202e":
            self.assertNotIn(bad, t.screen)

    def test_a_timeout_ends_the_call_and_says_so(self):
        s = self.serve(self.make(
            lambda _: (yield {"q": elicit("q?", SEAT)})))
        with Terminal("call", "--timeout", "4s", s.url, "book") as t:
            t.expect("Choose 1-3: ")
            t.expect("no result within 4 s")
            self.assertEqual(t.end(), 3)

    def test_ctrl_c_at_a_question_is_status_130(self):
        s = self.serve(self.make(book))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            t.type("\x03")
            self.assertEqual(t.end(), 130)

    def test_the_dialogue_checks_what_is_typed(self):
        form = {
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "name": {"type": "string", "minLength": 2, "default": "Ada"},
            "ok": {"type": "boolean"},
            "size": {"type": "string", "enum": ["s", "m"],
                     "enumNames": ["Small", "Medium"], "default": "m"},
            "extras": {"type": "array", "maxItems": 2, "items": {
                "anyOf": [{"const": c, "title": c.upper()}
                          for c in "abc"]}},
            "note": {"type": "string"}}
        s = self.serve(self.make(
            one("q", form, ["n", "ok", "size", "extras"])))
        with Terminal("call", "--json", s.url, "book") as t:
            t.expect("n \\(.*\\): ")
            t.type("twelve\n")
            t.expect("n \\(.*\\): ")
            t.type("12\n")
            t.expect("at most 9(.|\n)*: ")
            t.type("\n")
            t.expect("an answer is needed(.|\n)*: ")
            t.type("3\n")
            t.expect(r"name \(.*\) \[Ada\]: ")
            t.type("x\n")
            t.expect(r"2(.|\n)*\[Ada\]: ")
            t.type("\n")
            t.expect("ok \\(.*\\): ")
            t.type("maybe\n")
            t.expect("ok \\(.*\\): ")
            t.type("y\n")
            t.expect(r"1\S*  Small(.|\n)*2\S*  Medium(.|\n)*\[2\]: ")
            t.type("\n")
            t.expect("Choose any of 1-3")
            t.type("1,2,3\n")
            t.expect("Choose any of 1-3")
            t.type("1,3\n")
            t.expect("note .*Enter leaves it out.*: ")
            t.type("\n")
            found = t.expect(r"\{.*\}\r\n").group(0)
            self.assertEqual(t.end(), 0)
        self.assertEqual(json.loads(found)["structuredContent"], {
            "action": "accept", "content": {
                "n": 3, "name": "Ada", "ok": True, "size": "m",
                "extras": ["a", "c"]}})

    def test_d_declines_and_ctrl_d_cancels(self):
        for key, action in ("d\n", "decline"), ("\x04", "cancel"):
            s = self.serve(self.make(book))
            with Terminal("call", s.url, "book") as t:
                t.expect("d declines, Ctrl-D cancels")
                t.expect("Choose 1-2: ")
                t.type(key)
                t.expect(f"Nothing was booked: {action}.")
                self.assertEqual(t.end(), 0)

    def test_a_missing_argument_is_asked_for_at_a_terminal(self):
        s = self.serve(self.make(echo, entries=[tool_entry("echo", {
            "city": {"type": "string"},
            "n": {"type": "integer"}}, ["city", "n"])]))
        with Terminal("call", s.url, "echo", "n=2") as t:
            t.expect("city .*: ")
            t.type("Oslo\n")
            self.assertEqual(t.end(), 0)
        called = s.of("tools/call")[0].message["params"]
        self.assertEqual(called["arguments"], {"city": "Oslo", "n": 2})

    def test_colours_are_for_terminals_that_want_them(self):
        for env, has_colours in ({}, True), ({"NO_COLOR": "1"}, False), \
                ({"TERM": "dumb"}, False):
            s = self.serve(self.make(book))
            with Terminal("call", s.url, "book", **env) as t:
                t.expect("Choose 1-2: ")
                t.type("d\n")
                t.end()
            self.assertEqual("\033[1m" in t.screen, has_colours, env)

    def test_the_tools_are_listed_with_what_they_take(self):
        s = self.serve(self.make(echo, entries=[tool_entry("echo", {
            "city": {"type": "string", "description": "Where to"}})]))
        code, out, err = holdline("tools", s.url)
        self.assertEqual(code, 0, err)
        for said in "what echo does", "echo takes:", "city", "Where to":
            self.assertIn(said, out)


class ModernEra(Both, CallCase):
    """Revision 2026-07-28."""

    make = Modern

    def test_every_request_stands_alone(self):
        s = self.serve(Modern(book))
        holdline("call", "--answers", self.answers(BOOKED), s.url, "book")
        ids = [r.message["id"] for r in s.requests]
        self.assertEqual(len(set(ids)), len(ids))
        for r in s.requests:
            meta = r.message["params"]["_meta"]
            self.assertEqual(r.headers["mcp-protocol-version"], "2026-07-28")
            self.assertEqual(
                meta["io.modelcontextprotocol/protocolVersion"],
                "2026-07-28")
            self.assertEqual(r.headers["mcp-method"], r.rpc)
            self.assertEqual(r.headers["host"], f"fake.localhost:{s.port}")
            self.assertNotIn("mcp-session-id", r.headers)
        calls = s.of("tools/call")
        self.assertEqual(len(calls), 4)
        self.assertEqual({r.headers["mcp-name"] for r in calls}, {"book"})
        self.assertNotIn("requestState", calls[0].message["params"])
        params = calls[1].message["params"]
        self.assertEqual(params["inputResponses"], {"pickFlight": {
            "action": "accept", "content": {"flight": "NW402"}}})
        self.assertEqual(params["requestState"], "state-3")

    def test_several_questions_at_once_are_asked_one_by_one(self):
        def both(_):
            said = yield {"a": elicit("A?", SEAT), "b": sample("B?"),
                          "c": elicit("C?", FLIGHT)}
            return text(",".join(said))
        s = self.serve(Modern(both))
        path = self.answers({"c": "decline", "b": "x",
                             "a": {"seat": "12A"}})
        self.assertEqual(
            holdline("call", "--answers", path, s.url, "book")[:2],
            (0, "a,b,c\n"))

    def test_an_answer_that_does_not_fit_is_refused_before_it_is_sent(self):
        s = self.serve(Modern(book))
        path = self.answers({"pickFlight": {"flight": "ZZ1"}})
        self.fails(holdline("call", "--answers", path, s.url, "book"), 2,
                   "pickFlight", "does not fit", "flight")
        self.assertEqual(len(s.of("tools/call")), 1)

    def test_a_state_without_questions_is_tried_again(self):
        def wait(_):
            said = yield {}
            return text(f"waited {said}")
        s = self.serve(Modern(wait))
        self.assertEqual(holdline("call", s.url, "book")[:2],
                         (0, "waited None\n"))

    def test_progress_is_lines_in_a_pipe_and_in_place_on_a_terminal(self):
        s = self.serve(Modern(echo, progress=2))
        code, out, err = holdline("call", s.url, "book")
        self.assertEqual((code, out), (0, "echo\n(empty)\n"))
        self.assertIn("50 % (1 of 2): looking\n100 % (2 of 2): looking\n",
                      err)
        with Terminal("call", s.url, "book", NO_COLOR="1") as t:
            t.expect("50 %.*\r\033\\[K100 %.*\r\033\\[Kecho")
            self.assertEqual(t.end(), 0)

    def test_fields_carry_names_and_marked_arguments(self):
        s = self.serve(Modern(echo, entries=[tool_entry("wo es schön ist", {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "n": {"type": "integer", "x-mcp-header": "Count"},
            "b": {"type": "boolean", "x-mcp-header": "Yes"}})]))
        code, _, err = holdline("call", s.url, "wo es schön ist",
                                "region= Ålesund", "n=-3", "b=no")
        self.assertEqual(code, 0, err)
        fields = s.of("tools/call")[0].headers
        self.assertEqual(fields["mcp-name"],
                         "=?base64?d28gZXMgc2Now7ZuIGlzdA==?=")
        self.assertEqual(fields["mcp-param-region"],
                         "=?base64?IMOFbGVzdW5k?=")
        self.assertEqual(fields["mcp-param-count"], "-3")
        self.assertEqual(fields["mcp-param-yes"], "false")

    def test_pages_of_tools_are_joined(self):
        s = self.serve(Modern(echo, entries=[
            tool_entry("a"), tool_entry("b"), tool_entry("c")]))
        code, out, _ = holdline("tools", "--json", s.url)
        self.assertEqual((code, [t["name"] for t in json.loads(out)]),
                         (0, ["a", "b", "c"]))

    def test_a_result_without_its_revision_is_refused(self):
        for result, said in (
                ({"resultType": "task", "taskId": "1"}, '"task"'),
                ({"resultType": "input_required"}, "asks nothing"),
                ({"resultType": "input_required", "requestState": "s",
                  "inputRequests": {"r": {"method": "roots/list"}}},
                 "roots/list")):
            def tool(_, result=result):
                return result
                yield  # pylint: disable=unreachable
            s = self.serve(Modern(tool))
            self.fails(holdline("call", s.url, "book"), 3, said)

    def test_ctrl_c_closes_the_running_request(self):
        closed = threading.Event()
        s = self.serve(Modern(book))
        serve = s.handler

        def stuck(request):
            if request.rpc != "tools/call":
                serve(request)
            elif request.stream() and request.wait_closed():
                closed.set()
        s.handler = stuck
        with Terminal("call", s.url, "book") as t:
            s.wait_for(lambda r: r.rpc == "tools/call")
            t.type("\x03")
            self.assertEqual(t.end(), 130)
        self.assertTrue(closed.wait(20))

    def test_an_answer_waits_for_a_server_that_starts_again(self):
        s = self.serve(Modern(one("q", SEAT)))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-3: ")
            s.refuse()
            t.type("3\n")
            t.expect("trying again")
            s.listen()
            t.expect("14C")
            self.assertEqual(t.end(), 0)

    def test_a_declined_sample_ends_the_call(self):
        s = self.serve(Modern(lambda _: (yield {"tip": sample("tip?")})))
        with Terminal("call", s.url, "book") as t:
            t.expect("tip\\?(.|\n)*Your text: ")
            t.type("d\n")
            t.expect("declined")
            self.assertEqual(t.end(), 1)
        self.assertEqual(len(s.of("tools/call")), 1)


class LegacyEra(Both, CallCase):
    """Revision 2025-11-25."""

    make = Legacy

    def test_a_session_is_begun_used_and_ended(self):
        s = self.serve(Legacy(book))
        holdline("call", "--era", "2025", "--answers", self.answers(BOOKED),
                 s.url, "book")
        self.assertEqual([r.rpc or r.method for r in s.requests], [
            "initialize", "notifications/initialized", "tools/list",
            "tools/call", "POST", "POST", "POST", "DELETE"])
        for r in s.requests[1:]:
            self.assertEqual(r.headers["mcp-session-id"], "s-1")
            self.assertEqual(r.headers["mcp-protocol-version"], "2025-11-25")

    def test_old_servers_refuse_the_probe_in_many_ways(self):
        for probe in (lambda r: r.error(-32000, "no session", 400),
                      lambda r: r.error(-32601, "unknown method"),
                      lambda r: r.answer(400), lambda r: r.answer(404),
                      lambda r: r.answer(405, Allow="GET"),
                      lambda r: r.answer(406, b"<html>", "text/html"),
                      lambda r: r.result({"supportedVersions":
                                          ["2025-11-25"]})):
            s = self.serve(Legacy(echo, probe=probe))
            code, _, err = holdline("call", s.url, "book")
            self.assertEqual(code, 0, err)
            self.assertEqual(s.requests[0].rpc, "server/discover")

    def test_a_forced_era_is_not_left(self):
        s = self.serve(Legacy(echo))
        self.fails(holdline("call", "--era", "2026", s.url, "book"), 3,
                   "does not speak MCP 2026-07-28")
        self.assertEqual(len(s.requests), 1)

    def test_older_revisions_of_the_era_are_spoken(self):
        s = self.serve(Legacy(book, version="2025-03-26"))
        code, _, err = holdline("call", "--answers", self.answers(BOOKED),
                                s.url, "book")
        self.assertEqual(code, 0, err)
        self.assertEqual(s.requests[-1].headers["mcp-protocol-version"],
                         "2025-03-26")
        s = self.serve(Legacy(book, version="2019-01-01"))
        self.fails(holdline("call", s.url, "book"), 3, "2019-01-01")

    def test_a_broken_stream_is_resumed_without_loss(self):
        for how in "end", "abort", "cut":
            for after in 1, 2, 3:
                s = self.serve(Legacy(
                    book, trouble=lambda stream, n, how=how, after=after:
                    stream.detach(how) if n == after else None))
                code, out, err = holdline(
                    "call", "--answers", self.answers(BOOKED), s.url,
                    "book")
                self.assertEqual((code, out[:6]), (0, "booked"), err)
                gets = [r for r in s.requests if r.method == "GET"]
                # What a RST overtook is asked for again.
                self.assertLessEqual(
                    int(gets[0].headers["last-event-id"][1:]), after)
                self.assertEqual(len(s.answers.queue), 0)
                self.assertEqual(
                    [r.message["id"] for r in s.requests
                     if r.method == "POST" and not r.rpc],
                    ["ask-pickFlight", "ask-pickSeat", "ask-tip"])

    def test_a_stream_may_close_while_a_question_is_open(self):
        s = self.serve(Legacy(
            one("q", SEAT), trouble=lambda stream, n:
            stream.detach("end") if n == 2 else None))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-3: ")
            s.wait_for(lambda r: r.method == "GET")
            t.type("2\n")
            t.expect("12B")
            self.assertEqual(t.end(), 0)

    def test_a_result_may_come_while_a_question_is_open(self):
        s = self.serve(Legacy(book))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            call = s.of("tools/call")[0].message["id"]
            s.push({"jsonrpc": "2.0", "id": call,
                    "result": text("too late")})
            t.expect("too late")
            self.assertEqual(t.end(), 0)

    def test_a_question_may_be_taken_back(self):
        def patient(_):
            yield {"pickFlight": elicit("Which flight?", FLIGHT)}
            return text("that will do")
        s = self.serve(Legacy(patient))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            s.push({"jsonrpc": "2.0", "method": "notifications/cancelled",
                    "params": {"requestId": "ask-pickFlight"}})
            t.expect("no longer waits")
            s.push({"jsonrpc": "2.0", "id": "other",
                    **elicit("And now?", SEAT)})
            t.expect("And now\\?(.|\n)*Choose 1-3: ")
            t.type("1\n")
            t.expect("that will do")
            self.assertEqual(t.end(), 0)
        self.assertEqual([r.message["id"] for r in s.requests
                          if r.method == "POST" and not r.rpc], ["other"])

    def test_questions_that_come_at_once_are_asked_one_by_one(self):
        def both(_):
            said = yield {"a": elicit("A?", SEAT), "b": elicit("B?", FLIGHT)}
            return text(json.dumps(said, sort_keys=True))
        s = self.serve(Legacy(both))
        path = self.answers({"first": {"flight": "SK9"},
                             "A?": {"seat": "12A"}})
        code, out, err = holdline("call", "--answers", path, s.url, "book")
        self.assertEqual(code, 0, err)
        said = json.loads(out)
        self.assertEqual(said["a"]["content"], {"seat": "12A"})
        self.assertEqual(said["b"]["content"], {"flight": "SK9"})

    def test_a_forgotten_session_is_said(self):
        s = self.serve(Legacy(book))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            s.is_forgotten = True
            t.type("1\n")
            t.expect("forgotten the session")
            self.assertEqual(t.end(), 3)
        s = self.serve(Legacy(book))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            s.is_forgotten = True
            s.detach("end")
            t.expect("forgotten the session")
            self.assertEqual(t.end(), 3)

    def test_ctrl_c_cancels_the_call_and_ends_the_session(self):
        s = self.serve(Legacy(book))
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            t.type("\x03")
            self.assertEqual(t.end(), 130)
        rest = s.requests[-2:]
        self.assertEqual([r.rpc or r.method for r in rest],
                         ["notifications/cancelled", "DELETE"])
        self.assertEqual(rest[0].message["params"]["requestId"],
                         s.of("tools/call")[0].message["id"])

    def test_a_second_ctrl_c_does_not_wait_for_the_server(self):
        s = self.serve(Legacy(book))
        serve = s.handler
        s.handler = lambda r: r.wait_closed() \
            if r.rpc == "notifications/cancelled" else serve(r)
        with Terminal("call", s.url, "book") as t:
            t.expect("Choose 1-2: ")
            t.type("\x03")
            s.wait_for(lambda r: r.rpc == "notifications/cancelled")
            t.type("\x03")
            self.assertEqual(t.end(), 130)
        self.assertNotIn("DELETE", [r.method for r in s.requests])

    def test_requests_that_are_no_questions_are_answered_too(self):
        def odd(_):
            said = yield {"p": {"method": "ping"},
                          "r": {"method": "roots/list"}}
            return text(f"{said['p']} {said['r']['code']}")
        s = self.serve(Legacy(odd))
        self.assertEqual(holdline("call", s.url, "book")[:2],
                         (0, "{} -32601\n"))

    def test_an_answer_that_was_lost_is_given_again(self):
        s = self.serve(Legacy(one("q", SEAT)))
        serve, lost = s.handler, []

        def lose(request):
            if request.method == "POST" and not request.rpc and not lost:
                lost.append(request)
            else:
                serve(request)
        s.handler = lose
        path = self.answers({"q": {"seat": "12B"}})
        code, out, err = holdline("call", "--answers", path, s.url, "book")
        self.assertEqual(code, 0, err)
        self.assertIn("12B", out)
        self.assertEqual(len(lost), 1)

    def test_an_answer_that_is_refused_ends_the_call(self):
        s = self.serve(Legacy(book))
        serve = s.handler
        s.handler = lambda r: r.answer(400, {"message": "not so"}) \
            if r.method == "POST" and not r.rpc else serve(r)
        self.fails(holdline("call", "--answers", self.answers(BOOKED),
                            s.url, "book"), 3, "not so")
        self.assertEqual(s.requests[-1].method, "DELETE")

    def test_a_declined_sample_is_an_error_for_the_tool(self):
        def ask(_):
            said = yield {"tip": sample("tip?")}
            return text(f"code {said['tip']['code']}")
        s = self.serve(Legacy(ask))
        with Terminal("call", s.url, "book") as t:
            t.expect("Your text: ")
            t.type("d\n")
            t.expect("code -1")
            self.assertEqual(t.end(), 0)

    def test_what_a_tool_logs_is_shown_on_stderr(self):
        for data, said in (("half\nway", "info: half way\n"),
                           ({"n": 1}, 'info: {"n":1}\n'),
                           (["x" * 5000], "info: (5004 bytes of JSON)\n"),
                           ("x" * 5000, "info: xxx")):
            s = self.serve(Legacy(
                echo, trouble=lambda stream, n, data=data: stream.push({
                    "jsonrpc": "2.0", "method": "notifications/message",
                    "params": {"level": "info", "data": data}})
                if n == 1 else None))
            code, out, err = holdline("call", s.url, "book")
            self.assertEqual((code, out), (0, "echo\n(empty)\n"))
            self.assertIn(said, err)

    def test_a_stream_without_event_ids_cannot_be_resumed(self):
        def handle(request):
            if request.rpc == "tools/call":
                request.stream()
                request.abort()
            else:
                serve(request)
        s = self.serve(Legacy(book))
        serve, s.handler = s.handler, handle
        self.fails(holdline("call", s.url, "book"), 3, "cannot be taken up")


class Trouble(CallCase):
    """Servers that are none, are broken, or mean ill."""

    def test_nothing_listens(self):
        with Fake(None) as s:
            url = s.url
        self.fails(holdline("call", url, "book"), 3, "nothing listens",
                   "is poold running?", "sh deploy/demo.sh")

    def test_localhost_is_ipv6_too(self):
        class Six(Modern):
            """A server on ::1 alone."""
            family = socket.AF_INET6
        try:
            s = self.serve(Six(echo))
        except OSError:
            self.skipTest("this machine has no ::1")
        for host in "fake.localhost", "LOCALHOST", "[::1]":
            self.assertEqual(holdline(
                "call", f"http://{host}:{s.port}", "book")[0], 0)

    def test_every_bad_answer_to_the_first_request_is_status_3(self):
        ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        sse = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        for data, said in (
                (b"", "without an answer"),
                (b"\0\1\2\3garbage\r\n\r\n", "does not speak HTTP"),
                (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
                (b"HTTP/1.1 200 OK\r\nX", "without an answer"),
                (ok + b"Content-Length: 9\r\n\r\n{", "broke in the middle"),
                (ok + b"Content-Length: 4\r\n\r\n{{{{", "not JSON"),
                (ok + b"Content-Length: 0\r\n\r\n", "ended its answer"),
                (ok + b"Content-Length: 2\r\n\r\n{}", "ended its answer"),
                (ok + b"Content-Length: 99999999999\r\n\r\n", "too long"),
                (ok + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                 "does not speak HTTP"),
                (ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "framed"),
                (ok + b"Content-Length: 1000000\r\n\r\n" + b"[" * 1000000,
                 "not JSON"),
                (sse + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 "ended its answer"),
                (sse + b"\r\ndata: {{\n\n", "not JSON"),
                (b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", "500"),
                (b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n", "403"),
                (b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", "404"),
                (b"HTTP/1.1 301 X\r\nContent-Length: 0\r\n\r\n", "301"),
                (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                 b"Content-Length: 2\r\n\r\nhi", "neither JSON nor"),
                (b"HTTP/1.1 100 X\r\n\r\n" * 20, "does not speak HTTP")):
            with self.subTest(data=data[:80]):
                s = self.serve(Fake(lambda r, data=data: r.send(data)))
                self.fails(holdline("call", s.url, "book"), 3, said)

    def test_a_refusal_of_both_eras_is_told_once(self):
        s = self.serve(Fake(lambda r: r.answer(
            404, {"error": "unknown host", "message": "no such tenant"})))
        run = holdline("call", s.url, "book")
        self.fails(run, 3, "404")
        self.assertEqual(run[2].count("no such tenant"), 1)

    def test_the_words_of_a_refusal_are_passed_on(self):
        s = self.serve(Fake(lambda r: r.answer(
            503, {"error": "busy", "message": "all places are taken",
                  "requestId": "1"}, Retry_After="7")))
        self.fails(holdline("call", s.url, "book"), 3, "503",
                   "all places are taken", "try again in 7 s")

    def test_a_json_rpc_error_is_status_3(self):
        s = self.serve(Modern(echo))
        serve = s.handler
        s.handler = lambda r: r.error(-32602, "bad state", 400) \
            if r.rpc == "tools/call" else serve(r)
        self.fails(holdline("call", s.url, "book"), 3, "bad state", "-32602")

    def test_a_call_that_breaks_may_have_done_something(self):
        s = self.serve(Modern(echo))
        serve = s.handler
        s.handler = lambda r: r.stream() and r.abort() \
            if r.rpc == "tools/call" else serve(r)
        self.fails(holdline("call", s.url, "book"), 3, "may stay done")

    def test_a_slow_head_and_1xx_before_it_are_waited_for(self):
        s = self.serve(Modern(echo))
        serve = s.handler

        def drip(request):
            request.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            for byte in b"HTTP/1.1 100 Continue\r\n\r\n":
                request.send(bytes([byte]))
            serve(request)
        s.handler = drip
        self.assertEqual(holdline("call", s.url, "book")[0], 0)

    def test_a_server_that_says_nothing_runs_into_the_timeout(self):
        s = self.serve(Fake(lambda r: r.wait_closed()))
        self.fails(holdline("call", "--timeout", "200ms", s.url, "book"), 3,
                   "no result within 0.2 s")


class Usage(CallCase):
    """The command line itself."""

    def test_wrong_use_is_status_2_with_a_sentence(self):
        for words, said in (
                (["call"], "address"), (["call", "http://a/"], "tool"),
                (["call", "--what", "http://a/", "t"], "--what"),
                (["call", "--answers"], "--answers"),
                (["call", "--era", "2024", "http://a", "t"], "2025 or 2026"),
                (["call", "--timeout", "x", "http://a", "t"], "--timeout"),
                (["call", "acme.localhost:8080", "t"],
                 "http://acme.localhost:8080"),
                (["call", "https://acme/", "t"], "https"),
                (["call", "http://a:99999/", "t"], "port"),
                (["call", "--answers", "/none", "http://a", "t"],
                 "/none: No such file"),
                (["call", "--answers", self.answers("[1]"), "http://a", "t"],
                 "one JSON object"),
                (["call", "--answers", self.answers('{"a": 1'), "http://a",
                  "t"], "line 1"),
                (["cull"], '"cull"'), (["help", "cull"], '"cull"')):
            with self.subTest(words=words):
                self.fails(holdline(*words), 2, said)

    def test_help_is_at_hand(self):
        for words, said in (([], "commands:"), (["help"], "commands:"),
                            (["--help"], "call"),
                            (["help", "call"], "--answers FILE"),
                            (["call", "--help"], "--sample-command CMD"),
                            (["tools", "-h"], "usage: holdline tools"),
                            (["--version"], "holdline ")):
            code, out, err = holdline(*words)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(said, out)
            self.assertLessEqual(max(map(len, out.split("\n"))), 80)

    def test_a_closed_stdin_is_not_taken_for_a_socket(self):
        s = self.serve(Modern(book))
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$0" call "$1" book <&-', HOLDLINE,
             s.url], capture_output=True, env=environment(), timeout=30,
            check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"input ended", done.stderr)

    def test_a_result_that_cannot_be_written_is_said(self):
        s = self.serve(Modern(echo))
        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "wb", closefd=True) as out:
            done = subprocess.run([HOLDLINE, "call", s.url, "book"],
                                  stdout=out, stderr=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, check=False,
                                  env=environment(), timeout=30)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"cannot be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
