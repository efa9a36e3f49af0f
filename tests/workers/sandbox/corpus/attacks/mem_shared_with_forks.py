# tries: memory that children of one program would share
# correct: denied
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
def attempt(name, action):
    try: made = action()
    except OSError as error: print("DENIED", name, error)
    else: print("BREACH", name, made)
def mapped(flags, fd=-1, prot=3):
    at = libc.mmap(None, 1 << 16, prot, flags, fd, 0)
    if at == ctypes.c_void_p(-1).value: raise OSError(ctypes.get_errno(), "mmap")
    return at
attempt("Python's default", lambda: mmap.mmap(-1, 1 << 16))
for flags in (0x21, 0x23, 0x8021, 0x40021, 0x40022):
    attempt(f"anonymous {flags:#x}", lambda: mapped(flags))
zeros, text = os.open("/dev/zero", os.O_RDONLY), os.open(os.__file__, os.O_RDONLY)
for prot in (1, 3):
    attempt(f"zeros {prot}", lambda: mapped(0x01, zeros, prot))
    attempt(f"a file {prot}", lambda: mapped(0x01, text, prot))
attempt("memory file", lambda: os.memfd_create("m"))
def segment():
    if libc.shmget(0, 4096, 0o1600) < 0: raise OSError(ctypes.get_errno(), "shmget")
attempt("segment", segment)
