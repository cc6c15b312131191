"""A filter of system calls for the process that runs a script, by seccomp.

It takes away: starting processes and programs, sockets, signals to others, other processes' memory, files'
modes, owners and times, what is shared without files, and what administers a machine. What is refused fails
with EPERM, so that the script's author sees where. It cannot be undone by what runs under it.

Threads are started by ``clone``; ``clone3``, whose flags a filter cannot read, is told not to exist,
whereupon the C library uses ``clone``. Calls newer than those known here are told not to exist as well.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Callable, Iterator
from typing import NamedTuple

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_THREAD, _NAMESPACES = 0x10000, 0x7E020080
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_TYPE_OF_SOCKET, _STREAM = 0xF, 1
# The first number that is not known here.
_NEWER = 468

# name: (x86_64, aarch64); None where an architecture has no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes and programs
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    # memory that outlives or is counted for nobody; what others share by its number alone
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # what would go round this filter
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "personality": (135, 92),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    # modes, owners, times and attributes of files, and being told of their use, which Landlock does not guard
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # a machine's administration, and what it does for all at once
    "sync": (162, 81),
    "syncfs": (306, 267),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "fanotify_init": (300, 262),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
}
_LOOKED_INTO: dict[str, tuple[int, int]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Step(NamedTuple):
    """An instruction of the kernel's packet filter."""

    code: int
    value: int
    when_true: int = 0
    when_false: int = 0


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("when_true", ctypes.c_uint8),
        ("when_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Instruction))]


def problem() -> str:
    """Why there is no filter here; empty if there is one."""
    if platform.system() != "Linux":
        return f"seccomp is Linux's own, and this is {platform.system()}"
    if platform.machine() not in _ARCHITECTURES:
        return f"seccomp: the numbers of system calls are not known for {platform.machine()}"
    return ""


def restrict(*, network: bool) -> None:
    """Filter this process's system calls from now on; OSError where the kernel does not.

    The process must have given up gaining privileges (``PR_SET_NO_NEW_PRIVS``). ``network``: whether sockets
    of IPv4 and IPv6 may be opened.
    """
    steps = list(_program(platform.machine(), os.getpid(), network))
    array = (_Instruction * len(steps))(
        *[_Instruction(step.code, step.when_true, step.when_false, step.value) for step in steps]
    )
    program = _Program(len(steps), array)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")


def _refuse(code: int = errno.EPERM) -> _Step:
    return _Step(_RETURN, _ERRNO | code)


def _program(machine: str, pid: int, network: bool) -> Iterator[_Step]:
    column, architecture = _ARCHITECTURES[machine]
    yield _Step(_LOAD, _ARCHITECTURE)
    yield _Step(_EQUAL, architecture, 1, 0)
    yield _Step(_RETURN, _KILL)
    yield _Step(_LOAD, _NUMBER)
    # Among them those of x86_64's other set, x32, which have a high bit.
    yield _Step(_GREATER_EQUAL, _NEWER, 0, 1)
    yield _refuse(errno.ENOSYS)
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            yield _Step(_EQUAL, number, 0, 1)
            yield _refuse()
    for name, block in _blocks(pid, network).items():
        steps = list(block())
        yield _Step(_EQUAL, _LOOKED_INTO[name][column], 0, len(steps))
        yield from steps
    yield _Step(_RETURN, _ALLOW)


def _blocks(pid: int, network: bool) -> dict[str, Callable[[], Iterator[_Step]]]:
    """What is done by calls whose arguments decide; each ends by allowing or refusing."""
    families = (_AF_INET, _AF_INET6) if network else ()
    return {
        "clone": _clone,
        "clone3": lambda: iter([_refuse(errno.ENOSYS)]),
        "socket": lambda: _only(0, families),
        "socketpair": _socketpair,
        "kill": lambda: _only(0, (pid,)),
        "tgkill": lambda: _only(0, (pid,)),
        "prlimit64": lambda: _only(0, (0, pid)),
        # What ends the process with its parent, and keeps its memory from others, stays so.
        "prctl": lambda: _all_but(0, (1, 4)),
        # Whom a file's signals go to, and which (F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP);
        # having others wait who open a file (F_SETLEASE, F_SETDELEG), being told of it (F_NOTIFY);
        # files' attributes (FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY);
        # and typing into a terminal (TIOCSTI, TIOCLINUX).
        "fcntl": lambda: _all_but(1, (8, 10, 15, 1024, 1026, 1040)),
        "ioctl": lambda: _all_but(1, (0x8901, 0x8902, 0x40086602, 0x401C5820, 0x40806685, 0x5412, 0x541C)),
    }


def _argument(index: int) -> _Step:
    # The lower half, on machines that have it first; the calls looked into take 32 bits.
    return _Step(_LOAD, 16 + 8 * index)


def _clone() -> Iterator[_Step]:
    yield _argument(0)
    yield _Step(_ANY_BIT, _NAMESPACES, 2, 0)
    yield _Step(_ANY_BIT, _THREAD, 0, 1)
    yield _Step(_RETURN, _ALLOW)
    yield _refuse()


def _socketpair() -> Iterator[_Step]:
    # Two ends of a stream reach each other alone; one of datagrams sends to whatever has a path.
    yield _argument(0)
    yield _Step(_EQUAL, _AF_UNIX, 1, 0)
    yield _refuse()
    yield _argument(1)
    yield _Step(_AND, _TYPE_OF_SOCKET)
    yield from _one_of((_STREAM,))


def _only(index: int, values: tuple[int, ...]) -> Iterator[_Step]:
    yield _argument(index)
    yield from _one_of(values)


def _one_of(values: tuple[int, ...]) -> Iterator[_Step]:
    for value in values:
        yield _Step(_EQUAL, value, 0, 1)
        yield _Step(_RETURN, _ALLOW)
    yield _refuse()


def _all_but(index: int, values: tuple[int, ...]) -> Iterator[_Step]:
    yield _argument(index)
    for value in values:
        yield _Step(_EQUAL, value, 0, 1)
        yield _refuse()
    yield _Step(_RETURN, _ALLOW)
