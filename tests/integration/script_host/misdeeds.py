"""A script that does, at the event whose data says so, whatever a script can do wrong.

``params.misdeed`` names the function. The other events of a batch count, in the caches and in the device's
data, so that a test sees what the misdeed did to them.
"""

from __future__ import annotations

SCRIPT = """
import ctypes
import fcntl
import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from fulcrum.script import needs


def deeper(number):
    return deeper(number + 1) + 1


def recursion():
    deeper(0)


def deepest_recursion():
    sys.setrecursionlimit(2**31 - 1)
    class Deep:
        def __repr__(self):
            return repr(self)
    repr(Deep())


def crash():
    ctypes.string_at(0)


def loop():
    while True:
        pass


def stubborn_loop():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


def exit_at_once():
    os._exit(0)


def exit():
    sys.exit(3)


def base_exception():
    raise BaseException("no Exception")


def at_once_4_gb():
    bytearray(4 << 30)


def bit_by_bit_4_gb():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def small_objects_4_gb():
    kept = None
    while True:
        kept = [kept, 1.5]


def print_100_mb():
    for _ in range(100):
        print("x" * (1 << 20))


def write_100_mb_to_the_descriptors():
    for _ in range(100):
        os.write(1, b"x" * (1 << 20))
    for _ in range(100):
        os.write(2, b"x" * (1 << 20))


def fill_the_folder():
    for number in range(1000):
        with open(f"file{number}", "wb") as file:
            for _ in range(10):
                file.write(b"x" * (1 << 20))


def nest_folders():
    for _ in range(3000):
        os.mkdir("folder")
        os.chdir("folder")
    time.sleep(1)


def many_threads():
    threading.stack_size(32768)
    for _ in range(400):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    time.sleep(1)


def fork():
    if os.fork() == 0:
        while True:
            pass


def start_a_program():
    subprocess.run(["/bin/sleep", "1000"])


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_its_host():
    os.kill(int(os.environ.get("HOST") or os.getppid()), signal.SIGKILL)


def kill_everybody():
    os.kill(-1, signal.SIGKILL)


def starve_its_host():
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))


def read_etc():
    open("/etc/passwd").read()


def read_hosts_environment():
    open(f"/proc/{os.getppid()}/environ").read()


def read_hosts_memory():
    open(f"/proc/{os.getppid()}/maps").read()


def list_the_platform():
    os.listdir("/")


def write_beside_its_code():
    with open(__file__ + ".txt", "w") as file:
        file.write("x")


def change_its_code():
    os.chmod(__file__, 0o777)


def write_outside():
    with open("/tmp/fulcrum-script-was-here", "w") as file:
        file.write("x")


def send_to_a_path():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"x", "/run/systemd/journal/socket")


def change_times_outside():
    os.utime(os.__file__, (1, 1))


def have_others_wait():
    fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)


def be_told_of_files():
    fcntl.fcntl(os.open(os.path.dirname(os.__file__), os.O_RDONLY), fcntl.F_NOTIFY, 1)


def watch_files():
    checked(ctypes.CDLL(None, use_errno=True).inotify_init1(0))


def take_semaphores_away():
    checked(ctypes.CDLL(None, use_errno=True).semctl(0, 0, 0))


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def flush_all_disks():
    libc = ctypes.CDLL(None, use_errno=True)
    checked(libc.syncfs(os.open(__file__, os.O_RDONLY)))


def connect():
    socket.create_connection(("127.0.0.1", 1), 1)


def close_everything():
    os.closerange(3, 200)


def garble():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"x" * 100)
        except OSError:
            pass


def announce_much():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, (2**31).to_bytes(4, "big") + b"x" * 100)
        except OSError:
            pass


def forge():
    body = b'{"type":"done","outcome":{"key":"key999","effects":[]}}'
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, len(body).to_bytes(4, "big") + body)
        except OSError:
            pass


def forge_result(result=b'{"data":5}'):
    frame = sys._getframe()
    while "task" not in frame.f_locals:
        frame = frame.f_back
    key = frame.f_locals["event"].key.encode()
    body = b'{"type":"done","outcome":{"key":"' + key + b'","result":' + result + b"}}"
    frame.f_locals["self"]._connection.sendall(len(body).to_bytes(4, "big") + body)
    time.sleep(0.2)
    os._exit(0)


def forge_path():
    forge_result(b'{"data":[{"value":1}]}')


def forge_time():
    forge_result(b'{"time":"now"}')


def wrong_type():
    return 5


def no_json():
    return {"data": object()}


def much_output():
    return {"x": "x" * 1_000_000}


def kept_thread_ends_the_process():
    threading.Thread(target=lambda: (time.sleep(0.05), os._exit(4))).start()
    time.sleep(0.5)


def meddle():
    import fulcrum.script.frames
    import fulcrum.script.running
    fulcrum.script.frames.send = None
    fulcrum.script.running.Runner.run_event = None
    raise ValueError("meddled")


def meddle_with_clocks():
    import fulcrum.script.running as running
    running._cpu = running._wall = lambda: 0
    for found in gc.get_objects():
        if isinstance(found, dict) and found.get("__name__") == "fulcrum.script.worker":
            found["frames"] = None
    raise ValueError("meddled")


def handlers():
    import atexit
    atexit.register(lambda: time.sleep(1000))
    for number in range(1, 32):
        try:
            signal.signal(number, lambda *_: None)
        except (OSError, ValueError):
            pass
    os._exit(5)


@needs("cache", "scriptCache", "deviceData")
def run(message, context):
    seen = context.cache.get("seen", []) + [message["id"]]
    misdeed = context.params.get("misdeed")
    context.set_cache({"seen": seen})
    context.set_script_cache({"all": context.script_cache.get("all", 0) + 1})
    context.log("before", context.device_data)
    if context.params.get("environment"):
        context.log(dict(os.environ))
    context.set_device_data({"count": context.device_data.get("count", 0) + 1})
    if misdeed:
        return globals()[misdeed]()
    if context.params.get("thread"):
        threading.Thread(target=loop, daemon=True).start()
"""
