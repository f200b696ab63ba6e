"""The server as its users get it: the binary, started on an empty directory, known only by the
files it writes."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
# Clients that wait without a limit of their own fail when their server is gone.
LIFE_MAX_S = 180


class Yard:
    """A running server. `config` is the text of its configuration file."""

    def __init__(self, config=""):
        binary = os.environ.get("HOOKYARD_BIN")
        if not binary:
            raise RuntimeError(
                "HOOKYARD_BIN must name the hookyard binary; `make test-python` sets it"
            )
        self._binary = binary
        self._directory = Path(tempfile.mkdtemp(prefix="hookyard-acceptance-"))
        self._data = self._directory / "data"
        self._config = self._directory / "hookyard.toml"
        self._config.write_text(config, encoding="utf-8")
        try:
            self._start("127.0.0.1:0")
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise

    def _start(self, listen):
        address = self._data / "address"
        address.unlink(missing_ok=True)
        command = [self._binary, "serve", "--listen", listen]
        command += ["--data-dir", str(self._data), "--config", str(self._config)]
        with open(self._directory / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._life = threading.Timer(LIFE_MAX_S, self._process.kill)
        self._life.daemon = True
        self._life.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        self.url = ""
        while not self.url:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end(signal.SIGKILL)
                raise RuntimeError(f"the server did not become ready:\n{self.log()}")
            time.sleep(0.005)
            if address.exists():
                self.url = address.read_text(encoding="utf-8").strip()
        self.host = self.url.split("://", 1)[1]
        text = (self._data / "credentials.env").read_text(encoding="utf-8")
        self.credentials = {
            name: value.strip('"')
            for name, value in re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
        }

    def _end(self, how):
        self._life.cancel()
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"the server did not stop:\n{self.log()}") from None

    def log(self):
        """What the server has said so far."""
        return (self._directory / "server.log").read_text(encoding="utf-8", errors="replace")

    def restart(self):
        """Stops the server and starts it on the same data and the same address."""
        code = self._end(signal.SIGTERM)
        if code != 0:
            raise RuntimeError(f"the server ended with {code}:\n{self.log()}")
        self._start(self.host)

    def stop(self):
        """Asks the server to stop; returns its exit code."""
        try:
            return self._end(signal.SIGTERM)
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)
