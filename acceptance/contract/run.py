"""Holds a server of its own against its own description: random calls of every operation, none of
which may end with a status or a body that is not described.

HOOKYARD_CONTRACT_SEED repeats a run."""

import base64
import json
import os
import random
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "python"))

import yard  # noqa: E402

EXAMPLES_MAX = 20
TIME_MAX_S = 480

# Operations that are not called at random, and why.
LEFT_OUT = {
    "listenLive": "never ends",
    "streamEvents": "never ends",
    "streamBinRequests": "never ends",
    "subscribeToPubnub": "waits for what may come",
    "subscribeToPubnubFormerly": "waits for what may come",
    "connectSocket": "is no HTTP from its answer on",
    "createConsoleSession": "is for our own page alone, which sends an origin",
    "endConsoleSession": "is for our own page alone, which sends an origin",
    "renewConsoleSession": "is for our own page alone, which sends an origin",
    "receiveAtBin": "takes any body and answers as configured",
    "receiveBelowBin": "takes any body and answers as configured",
    "postByWebhook": "takes any body",
}

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
]


def token(server):
    """An access token of the account's administrator."""
    told = server.credentials
    app = f"{told['RC_APP_CLIENT_ID']}:{told['RC_APP_CLIENT_SECRET']}"
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": told["RC_USER_JWT"],
    }
    request = urllib.request.Request(
        f"{server.url}/restapi/oauth/token",
        urllib.parse.urlencode(form).encode(),
        {"Authorization": "Basic " + base64.b64encode(app.encode()).decode()},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


def left_out(document):
    """Ids of the operations that are left out, under all prefixes and by all methods."""
    for path in document["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            if any(name == known or is_form_of(name, known) for known in LEFT_OUT):
                yield name


def is_form_of(name, known):
    rest = name.removeprefix(known)
    return rest != name and (rest.startswith("Formerly") or rest.startswith("By"))


def main():
    yard.LIFE_MAX_S = 2 * TIME_MAX_S
    seed = os.environ.get("HOOKYARD_CONTRACT_SEED") or str(random.SystemRandom().randrange(2**32))
    print(f"seed {seed}: HOOKYARD_CONTRACT_SEED={seed} repeats this run", flush=True)
    server = yard.Yard("[pubnub]\nenabled = true\n")
    try:
        with urllib.request.urlopen(f"{server.url}/api/v1/openapi.json", timeout=30) as answer:
            document = json.load(answer)
        bin = Path(sys.executable).parent
        described = Path(server._directory) / "openapi.json"
        described.write_text(json.dumps(document), encoding="utf-8")
        subprocess.run([bin / "openapi-spec-validator", described], check=True)
        names = sorted(left_out(document))
        for name in names:
            known = next(known for known in LEFT_OUT if name.startswith(known))
            print(f"left out: {name}, which {LEFT_OUT[known]}")
        sys.stdout.flush()
        command = [bin / "schemathesis", "run", described, "--url", server.url]
        command += ["--header", f"Authorization:Bearer {token(server)}"]
        command += ["--max-examples", str(EXAMPLES_MAX), "--max-time", str(TIME_MAX_S)]
        command += ["--seed", seed, "--checks", ",".join(CHECKS), "--phases", "examples,fuzzing"]
        command += ["--generation-with-security-parameters", "false", "--continue-on-failure"]
        command += ["--request-timeout", "30", "--warnings", "off", "--no-color"]
        command += ["--suppress-health-check", "all"]
        for name in names:
            command += ["--exclude-operation-id", name]
        return subprocess.run(command, cwd=server._directory, check=False).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
