# tries: memory that is written and then executed, whatever it is mapped from
# correct: denied
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
NOWHERE = ctypes.c_void_p(-1).value
def report(name, failed): print("DENIED" if failed else "BREACH", name, os.strerror(ctypes.get_errno()))
for path in ("/dev/zero", os.__file__, __import__("_ctypes").__file__):
    fd = os.open(path, os.O_RDONLY)
    for prot in (6, 7):
        report(f"{path} {prot}", libc.mmap(None, 4096, prot, 2, fd, 0) == NOWHERE)
    written = libc.mmap(None, 4096, 3, 2, fd, 0)
    ctypes.memset(written, 0xC3, 64)
    for prot in (4, 5, 7):
        report(f"written {prot}", libc.mprotect(written, 4096, prot) != 0)
    code = libc.mmap(None, 4096, 5, 2, fd, 0)
    for prot in (6, 7):
        report(f"code {prot}", libc.mprotect(code, 4096, prot) != 0)
    libc.mprotect(code, 4096, 3)
    ctypes.memset(code, 0xC3, 64)
    report("code again", libc.mprotect(code, 4096, 5) != 0)
with open(os.__file__, "rb", buffering=0) as file:
    try: file.readinto((ctypes.c_char * 16).from_address(libc.mmap(None, 4096, 5, 2, file.fileno(), 0)))
    except OSError as error: print("DENIED read into code", error)
    else: print("BREACH read into code")
