"""Reads requests of OTLP, each a line in hexadecimal, with the messages that OpenTelemetry itself
publishes, and prints each as a line of JSON. A field that these do not know is an error."""

import json
import sys

from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def known(message):
    """The message, if everything in it is known."""
    assert len(UnknownFieldSet(message)) == 0, f"unknown fields in {message}"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                known(inner)
    return message


def value(message):
    """What an AnyValue holds."""
    return getattr(message, message.WhichOneof("value"))


def attributes(pairs):
    names = [pair.key for pair in pairs]
    assert len(set(names)) == len(names), f"twice in {names}"
    return {pair.key: value(pair.value) for pair in pairs}


def span(message):
    return {
        "trace": message.trace_id.hex(),
        "id": message.span_id.hex(),
        "parent": message.parent_span_id.hex(),
        "name": message.name,
        "kind": MessageToDict(message)["kind"],
        "start": message.start_time_unix_nano,
        "end": message.end_time_unix_nano,
        "attributes": attributes(message.attributes),
        "links": [[link.trace_id.hex(), link.span_id.hex()] for link in message.links],
        "status": MessageToDict(message.status),
    }


for line in sys.stdin:
    request = known(ExportTraceServiceRequest.FromString(bytes.fromhex(line)))
    print(json.dumps([
        {
            "resource": attributes(resource.resource.attributes),
            "scope": scope.scope.name,
            "spans": [span(it) for it in scope.spans],
        }
        for resource in request.resource_spans
        for scope in resource.scope_spans
    ]))
