# SPDX-License-Identifier: MIT
"""mcp_schema: messages against the published JSON schemas of MCP.

The schemas are looked for in HOLDLINE_SHARED, else beside the checkout.
Without them, or without python3-jsonschema, nothing can be checked: WHY says
so, and the tests that need them say it too.
"""

import functools
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("HOLDLINE_SHARED", os.path.join(
    HERE, "..", "..", "..", "shared"))
FOLDER = os.path.join(SHARED, "data", "mcp")

try:
    import jsonschema
    WHY = None if os.path.isdir(FOLDER) else f"no schemas in {FOLDER}"
except ImportError:
    WHY = "python3-jsonschema is missing"

# What a result must be, by the method that was answered.
RESULTS = {
    "initialize": "InitializeResult", "ping": "EmptyResult",
    "logging/setLevel": "EmptyResult", "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult", "server/discover": "DiscoverResult",
}
# What a message of the server must be, by its own method.
MESSAGES = {
    "notifications/progress": "ProgressNotification",
    "notifications/message": "LoggingMessageNotification",
    "elicitation/create": "ElicitRequest",
    "sampling/createMessage": "CreateMessageRequest",
}


@functools.lru_cache(maxsize=None)
def validator(revision, name):
    """A validator of one definition of a revision."""
    path = os.path.join(FOLDER, revision, "schema.json")
    with open(path, encoding="utf-8") as f:
        schema = json.load(f)
    where = "$defs" if "$defs" in schema else "definitions"
    if name not in schema[where]:
        raise AssertionError(f"{revision} has no {name}")
    of_name = {"$schema": schema["$schema"], where: schema[where],
               "$ref": f"#/{where}/{name}"}
    return jsonschema.validators.validator_for(of_name)(of_name)


def check_as(revision, name, value):
    """Fail unless value is a NAME of that revision."""
    if WHY:
        return
    errors = sorted(validator(revision, name).iter_errors(value), key=str)
    if errors:
        raise AssertionError(f"not a {name} of {revision}: "
                             f"{errors[0].message[:300]}\n{value}")


def check(revision, message, answers=None):
    """Fail unless message is right; answers: the method it answers."""
    if isinstance(message, list):
        for one in message:
            check(revision, one, answers)
        return
    if "error" in message and "id" not in message:
        # Since 2025-11-25 the id may be absent; before it had to be there.
        check_as("2025-11-25", "JSONRPCErrorResponse", message)
        return
    check_as(revision, "JSONRPCMessage", message)
    if "method" in message:
        check_as(revision, MESSAGES[message["method"]], message)
    elif "result" in message and answers:
        name = RESULTS[answers]
        if message["result"].get("resultType") == "input_required":
            name = "InputRequiredResult"
            for request in message["result"]["inputRequests"].values():
                check_as(revision, MESSAGES[request["method"]], request)
        check_as(revision, name, message["result"])
