"""Brings the loopback interface up, then becomes the command given: `python -I loopback.py command argument ...`.

A fresh network namespace has its loopback interface down. A container without network still has a working one, and
code in jobs relies on it (torch.distributed binds to localhost). Run as a script in that namespace, where this process
may change interfaces; it knows nothing of the rest of the package.
"""

import fcntl
import os
import socket
import struct
import sys

# From Linux' <linux/sockios.h> and <linux/if.h>; struct ifreq is a 16-byte name and a union of 24 bytes.
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        _, flags = struct.unpack("16sh22x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
    command = sys.argv[1:]
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        # The shell's own codes for a command that is not there, or cannot be run.
        raise SystemExit(127 if isinstance(error, FileNotFoundError) else 126) from error


if __name__ == "__main__":
    main()
