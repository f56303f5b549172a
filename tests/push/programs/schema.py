"""Checks our requests by the schema that Google publishes for FCM v1, and sends them with Google's own client."""

import json
import sys
from importlib import resources

import jsonschema
from google.oauth2 import service_account
from googleapiclient.discovery import build

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)

documents = resources.files("googleapiclient.discovery_cache") / "documents" / "fcm.v1.json"
document = json.loads(documents.read_text(encoding="utf-8"))


def as_schema(part):
    """Google writes schemas in an older dialect: names for references, `any` for anything, fields that may be more."""
    if isinstance(part, list):
        return [as_schema(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": "#/$defs/" + part["$ref"]}
    if part.get("type") == "any":
        return {}
    schema = {key: as_schema(value) for key, value in part.items() if key in ("type", "enum", "items", "additionalProperties")}
    if "properties" in part:
        schema["properties"] = {name: as_schema(value) for name, value in part["properties"].items()}
        schema.setdefault("additionalProperties", False)
    if part.get("format") == "google-duration":
        schema["pattern"] = r"^\d+(\.\d{1,9})?s$"
    return schema


schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {name: as_schema(value) for name, value in document["schemas"].items()},
    "$ref": "#/$defs/SendMessageRequest",
}
validator = jsonschema.Draft202012Validator(schema)


def faults(body):
    return [error.json_path + ": " + error.message for error in validator.iter_errors(body)]


account = service_account.Credentials.from_service_account_info(
    plan["account"], scopes=["https://www.googleapis.com/auth/firebase.messaging"]
)
client = build(
    "fcm", "v1", credentials=account, static_discovery=True, client_options={"api_endpoint": plan["messages"]}
)
messages = client.projects().messages()
parent = "projects/" + plan["account"]["project_id"]

print(
    json.dumps(
        {
            "revision": document["revision"],
            "faults": [faults(body) for body in plan["bodies"]],
            "faults_of_wrong": [faults(body) for body in plan["wrong"]],
            "names": [messages.send(parent=parent, body=body).execute()["name"] for body in plan["bodies"]],
        }
    )
)
