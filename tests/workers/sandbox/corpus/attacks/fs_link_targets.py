# tries: to read where links lead, in /proc and everywhere
# correct: denied
import ctypes, os
libc, room = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(4096)
for path in ("/etc/mtab", "/etc/localtime", "/var/run", "/proc/self/exe", "/proc/self/root", "/proc/1/cwd", "/proc/self/fd/3", "/proc/self/ns/net", "/proc/thread-self"):
    try: print("BREACH", path, os.readlink(path))
    except OSError as error: print("DENIED", path, error)
    for length in (libc.readlink(path.encode(), room, 4096), libc.readlinkat(-100, path.encode(), room, 4096)):
        print("DENIED" if length < 0 else "BREACH", path, room.raw[:max(length, 0)])
