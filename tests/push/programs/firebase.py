"""Lets firebase_admin send to our stand-in for FCM, and prints what it made of the answers."""

import json
import sys

import firebase_admin
from firebase_admin import credentials, messaging

with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)


def service(account):
    """A client of its own for each account: it asks for passes itself."""
    app = firebase_admin.initialize_app(credentials.Certificate(account), name=account["private_key_id"])
    messaging._MessagingService.FCM_URL = plan["messages"] + "/v1/projects/{0}/messages:send"
    return app


def send(app, token, dry_run=False, **more):
    message = messaging.Message(
        token=token,
        notification=messaging.Notification(title="Class 12", body="to ring 2"),
        data={"open": "#/classes/12"},
        android=messaging.AndroidConfig(priority="high", ttl=600, collapse_key="class-call-12"),
        **more,
    )
    try:
        return {"name": messaging.send(message, dry_run=dry_run, app=app)}
    except Exception as error:  # What it is called is what we want to know.
        return {"error": type(error).__name__}


app = service(plan["account"])
results = {token: send(app, token) for token in plan["tokens"]}
results["dry run"] = send(app, "a", dry_run=True)
stranger = dict(plan["account"], private_key_id="of-nobody")
results["other key"] = send(service(stranger), "a")
print(json.dumps(results))
