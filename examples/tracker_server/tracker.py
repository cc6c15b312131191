"""``python -m examples.tracker_server.tracker``: a tracker to try the server with, driving in a circle."""

from __future__ import annotations

import argparse
import math
import socket
import sys
import time

from examples.tracker_server import protocol
from examples.tracker_server.protocol import REPORT, Frame, Record

_TRIES = 5
_ANSWER_SECONDS = 3.0


def main() -> None:
    """Send reports over UDP, each until it is answered. Status 1 if one was not stored."""
    parser = argparse.ArgumentParser(prog="tracker")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5020)
    parser.add_argument("--serial", type=int, default=351_000_000_017)
    parser.add_argument("--count", type=int, default=10, help="how many reports, one a second")
    args = parser.parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_ANSWER_SECONDS)
        sock.connect((args.host, args.port))
        stored = 0
        for number in range(args.count):
            payload = protocol.encode_records([_record(number)])
            frame = Frame(REPORT, args.serial, number % 65_536, payload)
            outcome = _sent(sock, frame)
            stored += outcome == "stored"
            sys.stdout.write(f"report {number}: {outcome}\n")
            time.sleep(1)
    sys.exit(stored < args.count)


def _sent(sock: socket.socket, frame: Frame) -> str:
    for _ in range(_TRIES):
        sock.send(protocol.encode(frame))
        try:
            answer = protocol.decode(sock.recv(protocol.MAX_FRAME))
        except OSError:  # nothing in time, or nobody there
            continue
        if answer is not None and (answer.tracker, answer.sequence) == (frame.tracker, frame.sequence):
            return "stored" if answer.payload == bytes([protocol.STORED]) else "refused"
    return "not answered"


def _record(number: int) -> Record:
    angle = number / 20
    position = 59.91 + 0.01 * math.sin(angle), 10.75 + 0.02 * math.cos(angle)
    course = round(math.degrees(-angle) % 360, 1)
    rounded = round(position[0], 7), round(position[1], 7)
    return Record(int(time.time()), rounded, 40.0, course, 3.7, pressed=number % 30 == 29)


if __name__ == "__main__":
    main()
