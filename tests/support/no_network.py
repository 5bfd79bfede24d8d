"""Run a program in which the kernel itself kills whoever opens an internet socket, native code included."""

import ctypes
import os
import platform
import struct
import sys

NUMBERS = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}
"""The number of the socket call and the audit name of the machine. Source: Linux, asm/unistd.h, linux/audit.h."""
NO_GUARD = 77
"""The exit code that says that this system has no such filter."""
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER_AT, _MACHINE_AT, _FAMILY_AT = 0, 4, 16
_IPV4, _IPV6 = 2, 10


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_the_network() -> bool:
    """From now on, in this process and its children, opening an IPv4 or IPv6 socket is death by SIGSYS.

    Returns:
        False where this system has no such filter.
    """
    if platform.machine() not in NUMBERS or sys.platform != "linux":
        return False
    socket_call, machine = NUMBERS[platform.machine()]
    steps = (
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 0, 5, machine),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_EQUAL, 0, 3, socket_call),
        (_LOAD, 0, 0, _FAMILY_AT),
        (_EQUAL, 2, 0, _IPV4),
        (_EQUAL, 1, 0, _IPV6),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    )
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(steps), ctypes.addressof(kept))
    libc = ctypes.CDLL(None)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


if __name__ == "__main__":
    if not forbid_the_network():
        sys.exit(NO_GUARD)
    os.execv(sys.argv[1], sys.argv[1:])
